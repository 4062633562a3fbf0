"""What follows when the server's copy of a recording falls behind: an alarm, then the end of the call."""

from enum import IntEnum

ALARM_S, END_S = 15.0, 60.0
"""The laptop sends each record within a second or two of making it."""
MEBIBYTE = 1024 * 1024
AUDIT_SPARE_BYTES = 64 * MEBIBYTE
"""Recordings leave so much of the server's disk to the audit's last entries."""
BYTES_PER_S = 2 * 1_000_000 // 8
"""Disk that a call may need each second: two sides of 1 Mbit/s."""
SPARE_BYTES = 2 * 1024 * MEBIBYTE


class Step(IntEnum):
    """COPIED: all is well (again)."""

    COPIED = 0
    ALARM = 1
    END = 2


def step(age_s: float) -> Step:
    """`age_s`: of the newest record that is on the server's disk, or of the call's going live if that is younger."""
    if age_s >= END_S:
        return Step.END
    return Step.ALARM if age_s >= ALARM_S else Step.COPIED


def room_needed(planned_s: float) -> int:
    """Bytes that have to be free before a call starts."""
    return round(1.5 * planned_s * BYTES_PER_S) + SPARE_BYTES
