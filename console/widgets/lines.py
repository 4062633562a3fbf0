"""The base of all that the wall draws: rows of cells, drawn anew only where they have changed."""

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.painting.halfblocks import PictureRow
from console.painting.ink import Colours, Ink
from console.painting.strips import Piece, line, painted

Row = Sequence[Piece | PictureRow]


Cover = dict[int, Strip]
"""Whole rows of the screen, by their number from its top, that lie over all widgets.

A widget that is shown and hidden would make Textual lay out and send the whole screen, pictures and all; these rows
cost no more than themselves.
"""


class Lines(Widget):
    """`put` sets rows; Textual asks for them through `render_lines`.

    The rows go past Textual's own styling on purpose: they are complete, and its line cache would hold old ones.
    """

    ALLOW_SELECT = False

    def __init__(self, colours: Colours, id: str | None = None, cover: Cover | None = None) -> None:
        super().__init__(id=id)
        self._colours = colours
        self._over = cover if cover is not None else {}
        self._rows: dict[int, Row] = {}
        self._strips: dict[int, Strip] = {}
        self.placed: tuple[int, int, int, int] | None = None
        """Where the screen has put it: x, y, width, height."""

    def put(self, rows: dict[int, Row]) -> None:
        """Rows by their number from the top; those that are as before cost nothing."""
        changed = [y for y, row in rows.items() if self._rows.get(y) != row]
        if not changed:
            return
        for y in changed:
            self._rows[y] = rows[y]
            self._strips.pop(y, None)
        self.refresh(*(Region(0, first, self.size.width, last - first) for first, last in _runs(changed)))

    def uncover(self, rows: set[int]) -> None:
        """Draws those of the screen's `rows` that are this widget's, after the cover has changed."""
        if self.placed is None or not self.display:
            return
        _, top, width, height = self.placed
        mine = [y - top for y in rows if top <= y < top + height]
        if mine:
            self.refresh(*(Region(0, first, width, last - first) for first, last in _runs(mine)))

    def clear(self) -> None:
        self._rows.clear()
        self._strips.clear()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        width = self.size.width
        strips = [self._strip(y, width) for y in crop.line_range]
        if crop.x == 0 and crop.width == width:
            return strips
        return [strip.crop(crop.x, crop.right) for strip in strips]

    def _strip(self, y: int, width: int) -> Strip:
        if self._over and self.placed is not None:
            left, top, _, _ = self.placed
            covering = self._over.get(top + y)
            if covering is not None:
                return covering.crop(left, left + width)
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != width:
            row = self._rows.get(y, [(" " * width, Ink.PLAIN)])
            if any(isinstance(part, PictureRow) for part in row):
                strip = painted(row, self._colours)
            else:
                strip = line([part for part in row if not isinstance(part, PictureRow)], self._colours)
            if strip.cell_length != width:  # between a resize and the next `put`
                strip = line([(" " * width, Ink.PLAIN)], self._colours)
            self._strips[y] = strip
        return strip


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """Rows in a row: [1, 2, 5] -> [(1, 3), (5, 6)]."""
    runs: list[tuple[int, int]] = []
    for y in sorted(rows):
        if runs and runs[-1][1] == y:
            runs[-1] = runs[-1][0], y + 1
        else:
            runs.append((y, y + 1))
    return runs
