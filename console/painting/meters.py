"""A side's level in cells: `F ▂▅▆▄▁▂▃ −22`."""

from functools import cache

from console.state.media import SideLevel
from schemas.media import Side

CELLS = 14
_EIGHTHS = "▁▂▃▄▅▆▇█"
_FLOOR, _FULL = -600, -60
"""Tenths of a dBFS at the lowest and the highest bar."""
_LETTER = {Side.FAMILY: "F", Side.ROOM: "R"}


@cache
def bar(level: int) -> str:
    """One bar for a level in tenths of a dBFS."""
    step = (level - _FLOOR) * len(_EIGHTHS) // (_FULL - _FLOOR)
    return _EIGHTHS[max(0, min(len(_EIGHTHS) - 1, step))]


@cache
def number(level: int) -> str:
    """Whole dBFS, right-aligned in four cells; halves away from zero as people round."""
    whole = (abs(level) + 5) // 10
    return f"{'−' if level < 0 and whole else ''}{whole}".rjust(4)


def meter(side: Side, level: SideLevel | None, now: int | None) -> str:
    """A side's meter in CELLS cells; `now` None: nothing is measured, and no old bar stays to look live."""
    if level is None or now is None:
        return f"{_LETTER[side]} {_EIGHTHS[0] * 7}  off"
    return f"{_LETTER[side]} {''.join(map(bar, level.bars))} {number(now)}"
