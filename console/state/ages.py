"""Ages and times in words, and from which age on a value no longer looks live."""

from datetime import UTC, datetime
from enum import IntEnum

LINK_LOST_S = 1.8
"""Silence after which the server is said to be gone: it sends at least one frame a second."""


class Freshness(IntEnum):
    """How a picture is drawn."""

    FRESH = 0
    AGEING = 1
    """Its age is said."""
    OLD = 2
    """Grey, and its age is said."""
    GONE = 3
    """No picture any more, hatching in its place."""


def freshness(age_s: float, lean: bool = False) -> Freshness:
    """`lean`: a picture comes every four seconds only, so each limit is later."""
    fresh_s, ageing_s, old_s = (6, 10, 20) if lean else (2, 5, 15)
    if age_s < fresh_s:
        return Freshness.FRESH
    if age_s <= ageing_s:
        return Freshness.AGEING
    return Freshness.OLD if age_s <= old_s else Freshness.GONE


def countdown(milliseconds: float) -> str:
    """Time left, `18:02`; a time that is over is `0:00`."""
    seconds = max(0, int(milliseconds // 1000))
    return f"{seconds // 60}:{seconds % 60:02d}"


def since(seconds: float) -> str:
    """An age in a table, `1:40`."""
    return countdown(seconds * 1000)


def short(seconds: float) -> str:
    """An age in words: `0.3 s`, `7 s`, `2 min`."""
    if seconds < 2:
        return f"{max(0.0, seconds):.1f} s"
    return f"{int(seconds)} s" if seconds < 120 else f"{int(seconds // 60)} min"


def clock(utc_ms: int) -> str:
    """`14:32:06`, in the console's time zone."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone().strftime("%H:%M:%S")


def minute(utc_ms: int) -> str:
    return clock(utc_ms)[:5]


def date(utc_ms: int) -> str:
    """`Tue 12 May 2026`."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone().strftime("%a %e %b %Y")
