"""Where everything of one call stands: its pictures, levels under them, people and timeline. Cells."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.media import Side

from .layout import LIST_BELOW_COLUMNS, LIST_BELOW_ROWS, Area, too_small

HEADER_ROWS, FRAME_ROWS, NEXT_ROWS, BOTTOM_ROWS = 2, 2, 1, 2
BESIDE_COLUMNS = 30
"""Beside the one picture of a small screen."""
FACE_COLUMNS, FACE_ROWS = 48, 13
"""A known face is recognised from a picture of so many cells on."""


class Shows(StrEnum):
    """Which pictures: both, or one side over the whole screen. A small screen shows one of both."""

    BOTH = "both"
    FAMILY = "family"
    ROOM = "room"


@dataclass(frozen=True)
class FocusParts:
    """`pictures` without their frames. `people` and `timeline` have no height where there is no room for them."""

    pictures: dict[Side, Area]
    levels_y: int
    axis: bool
    people: Area
    timeline: Area
    next_y: int
    """The row about what follows in the room; -1: none."""
    too_small: bool = False


NOTHING = Area(0, 0, 0, 0)


def focus_parts(columns: int, rows: int, shows: Shows, turned: bool = False) -> FocusParts:
    """`turned`: on a small screen that shows both, the room's picture in place of the family's."""
    if too_small(columns, rows):
        return FocusParts({}, 0, False, NOTHING, NOTHING, -1, True)
    if shows is not Shows.BOTH:
        return _one(columns, rows, Side(shows.value))
    if columns < LIST_BELOW_COLUMNS or rows < LIST_BELOW_ROWS:
        return _small(columns, rows, Side.ROOM if turned else Side.FAMILY)
    return _both(columns, rows)


def _both(columns: int, rows: int) -> FocusParts:
    pane = columns // 2
    inner = pane - 2
    least_lists = 9 if rows >= 36 else 5
    levels = 3
    fixed = HEADER_ROWS + FRAME_ROWS + levels + 1 + NEXT_ROWS + BOTTOM_ROWS
    high = max(1, min(round(inner * 9 / 32), rows - fixed - least_lists))
    top = HEADER_ROWS + 1
    levels_y = top + high + 1
    lists_y = levels_y + levels
    next_y = rows - BOTTOM_ROWS - NEXT_ROWS
    height = next_y - lists_y
    return FocusParts(
        {Side.FAMILY: Area(1, top, inner, high), Side.ROOM: Area(pane + 1, top, columns - pane - 2, high)},
        levels_y,
        True,
        Area(0, lists_y, pane, height),
        Area(pane, lists_y, columns - pane, height),
        next_y,
    )


def _small(columns: int, rows: int, side: Side) -> FocusParts:
    levels, least_timeline = 2, 2
    top = HEADER_ROWS + 1
    fixed = HEADER_ROWS + FRAME_ROWS + levels + NEXT_ROWS + BOTTOM_ROWS
    high = max(1, min(FACE_ROWS, rows - fixed - least_timeline))
    inner = min(FACE_COLUMNS, columns - 2 - BESIDE_COLUMNS)
    levels_y = top + high + 1
    next_y = rows - BOTTOM_ROWS - NEXT_ROWS
    timeline_y = levels_y + levels
    return FocusParts(
        {side: Area(1, top, inner, high)},
        levels_y,
        False,
        Area(inner + 2, HEADER_ROWS, columns - inner - 2, high + FRAME_ROWS),
        Area(0, timeline_y, columns, max(0, next_y - timeline_y)),
        next_y,
    )


def _one(columns: int, rows: int, side: Side) -> FocusParts:
    levels = 2
    top = HEADER_ROWS + 1
    high = max(1, rows - HEADER_ROWS - FRAME_ROWS - levels - BOTTOM_ROWS)
    return FocusParts({side: Area(1, top, columns - 2, high)}, top + high + 1, False, NOTHING, NOTHING, -1)
