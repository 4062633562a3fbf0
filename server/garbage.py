"""When Python looks through all of its memory for what is no longer used: not while calls are on, if it can wait.

By itself it does so each time a quarter more has come to stay, such as links: 0.15 s with 2,500 laptops, in which no
console gets anything. So the whole look is left to this module; young objects are looked at as always.
"""

import gc
import os
from collections.abc import Callable

LOOK_S = 10.0
GROWN_BYTES = 32 * 1024**2
"""So much more memory is looked through at once: it may be what a flood of strangers has left behind."""
NEVER = 1_000_000_000


def resident_bytes() -> int:
    """Memory of this process, as Linux counts it."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Garbage:
    """`look` each second. `is_busy()`: calls are on. What is there when it is made stays for good."""

    def __init__(
        self,
        is_busy: Callable[[], bool],
        *,
        collect: Callable[[], object] = gc.collect,
        resident_bytes: Callable[[], int] = resident_bytes,
    ) -> None:
        self._is_busy, self._collect, self._resident_bytes = is_busy, collect, resident_bytes
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, NEVER)
        collect()
        gc.freeze()
        self._kept_bytes = resident_bytes()
        self._due_s = 0.0

    def look(self, now_s: float) -> None:
        """Collects when it is due: each 10 s while there is no call, or when 32 MB more are in use than last time."""
        grown = self._resident_bytes() - self._kept_bytes
        if grown < GROWN_BYTES and (now_s < self._due_s or self._is_busy()):
            return
        self._collect()
        self._kept_bytes = self._resident_bytes()
        self._due_s = now_s + LOOK_S
