"""Rows of a screen before they are cells: text in inks, rows of pictures, and room for what is drawn by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.state.safe_text import cell_width

from .halfblocks import PictureRow
from .ink import Ink

Piece = tuple[str, Ink]
"""Text that is safe (console.state.safe_text), on one line."""


@dataclass(frozen=True)
class Gap:
    """Cells of an ink, blank until their characters are written by themselves (Painter.rewrite)."""

    width: int
    ink: Ink


Part = Piece | PictureRow | Gap
Row = Sequence[Part]


def part_width(part: Part) -> int:
    """In cells."""
    return cell_width(part[0]) if isinstance(part, tuple) else part.width
