"""Rows of a screen before they are cells: text in inks, and rows of pictures."""

from collections.abc import Sequence

from .halfblocks import PictureRow
from .ink import Ink

Piece = tuple[str, Ink]
"""Text that is safe (console.state.safe_text), on one line."""
Row = Sequence[Piece | PictureRow]
