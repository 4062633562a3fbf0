"""Where everything of a review stands: two pictures, levels under them, what happened beside the review's fields."""

from dataclasses import dataclass

from schemas.incident import EVIDENCE_PICTURE_MAX

from .layout import Area, too_small

HEADER_ROWS, FRAME_ROWS, LEVEL_ROWS, RULE_ROWS, BOTTOM_ROWS = 2, 2, 3, 1, 2


@dataclass(frozen=True)
class ReviewParts:
    """`family` and `room` are the pictures without their frames; `side` has no width where there is no room for it."""

    family: Area
    room: Area
    side: Area
    levels_y: int
    text: Area
    too_small: bool = False


def review_parts(columns: int, rows: int) -> ReviewParts:
    if too_small(columns, rows):
        nothing = Area(0, 0, 0, 0)
        return ReviewParts(nothing, nothing, nothing, 0, nothing, True)
    side_width = 30 if columns >= 160 else 22 if columns >= 110 else 0
    pane = (columns - side_width) // 2
    side_width = columns - 2 * pane if side_width else 0
    text_rows = 12 if rows >= 36 else 8 if rows >= 30 else 5
    fixed = HEADER_ROWS + FRAME_ROWS + LEVEL_ROWS + RULE_ROWS + BOTTOM_ROWS
    inner = pane - 2
    high = max(1, min(round(inner * 9 / 32), EVIDENCE_PICTURE_MAX[1] // 2, rows - fixed - text_rows))
    top = HEADER_ROWS + 1
    levels_y = top + high + 1
    text_y = levels_y + LEVEL_ROWS + RULE_ROWS
    return ReviewParts(
        family=Area(1, top, inner, high),
        room=Area(pane + 1, top, inner, high),
        side=Area(2 * pane, HEADER_ROWS, side_width, high + FRAME_ROWS),
        levels_y=levels_y,
        text=Area(0, text_y, columns, rows - text_y - BOTTOM_ROWS),
    )
