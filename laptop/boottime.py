"""The clock that runs on while the machine sleeps, and that nobody can set."""

import time


def boottime() -> float:
    """CLOCK_BOOTTIME, s."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
