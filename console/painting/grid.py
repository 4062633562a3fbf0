"""A screen as a grid of cells.

What a screen shows is put into a grid, and only the cells that then differ from what the terminal shows are written:

    canvas.put({y: row, ...})       whole rows, or from column x on; a row is a list of (text, Ink), PictureRow and Gap
    painter.rewrite(cells, text)    the characters of gaps: what changes often and by itself, as meters do
    painter.cover({y: row, ...})    whole rows that lie over the others until the next `cover`: panels
    canvas.places = [area, ...]     where pictures stand: on a slow line the one waiting longest is painted first
    canvas.on_paint = function      called before each painting; a screen draws then what has changed since
    canvas.wake(urgent=True)        something has changed; urgent: it is painted at once, else within a twentieth of s

Putting costs nothing on the line, as of what is put twice between two paintings only the last is ever seen; and next to
nothing otherwise where the same parts stand already.
(`canvas` is console.widgets.canvas.Canvas, one for each screen, and `painter` its painter.)

A cell is a code point, an ink and a paper (colours as in ink.py), and attributes in the code point's upper bits. The
second cell of a wide character holds CONTINUED. Arrays are (rows, columns).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console.state.safe_text import cell_width

from .halfblocks import PictureRow
from .ink import NO_COLOUR, Colours, Ink, look
from .strips import Gap, Row

SPACE = 32
CONTINUED = 0
ATTRIBUTES = 24
"""Bits by which attributes are shifted in a glyph."""
POINT = (1 << ATTRIBUTES) - 1
"""The code point's bits of a glyph."""
TEXT, METER, PICTURE = 0, 1, 2
"""The order in which kinds of cells are painted when the line is slow."""
Mask = NDArray[np.bool_]
Cells = NDArray[np.intp]
"""Some cells of a grid, counted from the top left, in the order of rows."""


class Grid:
    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.has_wide = False
        """A wide character may stand somewhere."""
        self.glyphs = np.full((height, width), SPACE, np.uint32)
        self.inks = np.full((height, width), NO_COLOUR, np.int32)
        self.papers = np.full((height, width), NO_COLOUR, np.int32)
        self.kinds = np.zeros((height, width), np.uint8)

    def put(self, y: int, row: Row, colours: Colours, x: int = 0) -> int:
        """A row's pieces from column `x` on; what stands beyond the right edge is cut. Returns the column after it."""
        if not 0 <= y < self.height:
            return x
        glyphs, inks, papers, kinds = self.glyphs[y], self.inks[y], self.papers[y], self.kinds[y]
        if 0 < x < self.width and not int(glyphs[x]) & POINT:
            glyphs[x - 1] = SPACE  # half of a wide character is none
        for part in row:
            room = self.width - x
            if room <= 0:
                break
            if isinstance(part, PictureRow):
                end = x + min(part.width, room)
                glyphs[x:end], inks[x:end], papers[x:end] = part.glyphs[:room], part.inks[:room], part.papers[:room]
                kinds[x:end] = PICTURE
            else:
                text, ink = (" " * part.width, part.ink) if isinstance(part, Gap) else part
                codes = _codes(text)
                self.has_wide |= len(codes) != len(text)
                end = x + min(len(codes), room)
                fore, back, attributes = look(ink, colours)
                glyphs[x:end] = codes[:room] | (attributes << ATTRIBUTES) if attributes else codes[:room]
                inks[x:end], papers[x:end] = fore, back
                kinds[x:end] = METER if ink is Ink.LOUD else TEXT
                if len(codes) > room and codes[room] == CONTINUED:
                    glyphs[end - 1] = SPACE
            x = end
        if x < self.width and not int(glyphs[x]) & POINT:
            glyphs[x] = SPACE
        return x

    def rewrite(self, cells: Cells, text: str) -> None:
        """Other characters in these cells, none of them wide; their colours and attributes stay."""
        glyphs = self.glyphs.ravel()
        glyphs[cells] = glyphs[cells] & ~np.uint32(POINT) | _code_points(text)

    def covered(self, rows: Mapping[int, Row], colours: Colours) -> "Grid":
        """This grid with rows laid over it."""
        if not rows:
            return self
        over = Grid(self.width, self.height)
        over.copy(self)
        for y, row in rows.items():
            over.put(y, row, colours)
        return over

    def copy(self, other: "Grid", cells: "Cells | slice" = slice(None)) -> None:
        """Takes over the other's cells, all or some."""
        self.has_wide |= other.has_wide
        for mine, others in zip(self._layers(), other._layers(), strict=True):
            mine[cells] = others[cells]

    def _layers(self) -> list[NDArray[Any]]:
        return [layer.ravel() for layer in (self.glyphs, self.inks, self.papers, self.kinds)]

    def differs(self, other: "Grid") -> Mask:
        """Which cells look different; both halves of a wide character when one does."""
        mask = (self.glyphs != other.glyphs) | (self.inks != other.inks) | (self.papers != other.papers)
        for grid in (self, other):
            if not grid.has_wide:
                continue
            second = grid.glyphs[:, 1:] << 8 == 0
            if second.any():
                either = (mask[:, 1:] | mask[:, :-1]) & second
                mask[:, 1:] |= either
                mask[:, :-1] |= either
        return mask

    def blank(self, where: Mask) -> None:
        self.glyphs[where], self.inks[where], self.papers[where] = SPACE, NO_COLOUR, NO_COLOUR


@lru_cache(8192)
def _codes(text: str) -> NDArray[np.uint32]:
    """The cells of a text: a code point each, CONTINUED after a wide one."""
    if cell_width(text) == len(text):
        return _code_points(text)
    cells: list[int] = []
    for character in text:
        cells += [ord(character)] + [CONTINUED] * (cell_width(character) - 1)
    return np.array(cells, np.uint32)


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
