"""Where the parts of an admission stand: the device's picture, what is known of its people, the check list. Cells."""

from dataclasses import dataclass

from .admission import POINTS
from .layout import LIST_BELOW_COLUMNS, LIST_BELOW_ROWS, Area, too_small

HEADER_ROWS, FRAME_CELLS, BOTTOM_ROWS, RULE_ROWS = 2, 2, 2, 1
SMALL_PICTURE, SMALL_FACTS_COLUMNS = (48, 13), 30
FACTS_COLUMNS = 50
"""Beside the picture, at least."""


@dataclass(frozen=True)
class AdmissionParts:
    """`picture` without its frame. `waiting` has no width where the check list takes the whole screen, in two
    columns (`checks_across`)."""

    picture: Area
    facts: Area
    checks: Area
    waiting: Area
    checks_across: int = 1
    too_small: bool = False


def admission_parts(columns: int, rows: int) -> AdmissionParts:
    nothing = Area(0, 0, 0, 0)
    if too_small(columns, rows):
        return AdmissionParts(nothing, nothing, nothing, nothing, 1, True)
    if columns < LIST_BELOW_COLUMNS or rows < LIST_BELOW_ROWS:
        checks = RULE_ROWS + (len(POINTS) + 1) // 2
        width = min(SMALL_PICTURE[0], columns - FRAME_CELLS - SMALL_FACTS_COLUMNS)
        high = rows - HEADER_ROWS - FRAME_CELLS - checks - BOTTOM_ROWS
        return _placed(columns, rows, width, min(SMALL_PICTURE[1], high), 2)
    width = columns - FRAME_CELLS - max(FACTS_COLUMNS, columns * 7 // 20)
    most = rows - HEADER_ROWS - FRAME_CELLS - RULE_ROWS - len(POINTS) - BOTTOM_ROWS
    return _placed(columns, rows, width, min(round(width * 9 / 32), most), 1)


def _placed(columns: int, rows: int, width: int, high: int, across: int) -> AdmissionParts:
    left = width + FRAME_CELLS
    y = HEADER_ROWS + FRAME_CELLS + high
    below = rows - BOTTOM_ROWS - y
    half = columns if across > 1 else columns // 2
    return AdmissionParts(
        Area(1, HEADER_ROWS + 1, width, high),
        Area(left, HEADER_ROWS, columns - left, high + FRAME_CELLS),
        Area(0, y, half, below),
        Area(half, y, columns - half, below),
        across,
    )
