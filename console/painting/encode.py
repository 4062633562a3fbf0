"""Cells as bytes for a terminal: the fewest that draw them.

Knows where the cursor stands and which colours are set; passes unchanged cells over by moving the cursor, and swaps
the upper for the lower half block where that repeats a colour that is set already.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .grid import ATTRIBUTES, CONTINUED, POINT, SPACE, Grid, Mask
from .ink import BOLD, INDEXED, NO_COLOUR, REVERSE, UNDERLINE

UPPER, LOWER = ord("▀"), ord("▄")
_SWITCHES = ((BOLD, "1", "22"), (UNDERLINE, "4", "24"), (REVERSE, "7", "27"))
RESET = "\x1b[m"


class Encoder:
    """`text()` are the sequences so far, beginning and ending without colours or attributes."""

    def __init__(self, grid: Grid, left: int = 0, top: int = 0) -> None:
        """The grid's corner stands at this cell of the terminal."""
        self._grid, self._left, self._top = grid, left, top
        self._out: list[str] = []
        self._y = self._x = -1
        self._ink = self._paper = NO_COLOUR
        self._attributes = 0
        self.size = 0
        """Bytes so far."""

    @property
    def row(self) -> int:
        """The terminal's row (from 1) in which the cursor was left; 0 when nothing was drawn."""
        return self._y + self._top + 1 if self._out else 0

    def text(self) -> str:
        return "".join(self._out) + RESET if self._out else ""

    def draw(self, mask: Mask) -> None:
        """The cells of the mask, (rows, columns) of the whole grid."""
        ys, xs = np.nonzero(mask)
        if len(ys):
            self.draw_cells(ys, xs)

    def draw_cells(self, ys: NDArray[np.intp], xs: NDArray[np.intp]) -> None:
        """Cells in the order of rows."""
        grid, out = self._grid, self._out
        before = len(out)
        left, top = self._left + 1, self._top + 1
        at_y, at_x, ink, paper, attributes = self._y, self._x, self._ink, self._paper, self._attributes
        glyphs, inks, papers = grid.glyphs[ys, xs].tolist(), grid.inks[ys, xs].tolist(), grid.papers[ys, xs].tolist()
        for y, x, glyph, fore, back in zip(ys.tolist(), xs.tolist(), glyphs, inks, papers, strict=True):
            code = glyph & POINT
            if code == CONTINUED:
                at_x += at_y == y and at_x == x
                continue
            if y != at_y or x < at_x:
                out.append(f"\x1b[{y + top};{x + left}H")
                at_y = y
            elif x != at_x:
                out.append("\x1b[C" if x - at_x == 1 else f"\x1b[{x - at_x}C")
            if code == UPPER:
                if fore == back:
                    code = SPACE
                elif (fore == paper) + (back == ink) > (fore == ink) + (back == paper):
                    code, fore, back = LOWER, back, fore
            wanted = glyph >> ATTRIBUTES
            if code == SPACE and not wanted:
                fore = ink  # only its paper shows
            if wanted != attributes:
                out.append(_switched(wanted, attributes))
                attributes = wanted
            if fore != ink and back != paper:
                out.append(f"\x1b[{_colour(3, fore)};{_colour(4, back)}m")
            elif fore != ink:
                out.append(f"\x1b[{_colour(3, fore)}m")
            elif back != paper:
                out.append(f"\x1b[{_colour(4, back)}m")
            ink, paper = fore, back
            out.append(chr(code))
            at_x = x + 1
        self._y, self._x, self._ink, self._paper, self._attributes = at_y, at_x, ink, paper, attributes
        self.size += sum(len(part) if part.isascii() else len(part.encode()) for part in out[before:])


@lru_cache(64)
def _switched(wanted: int, before: int) -> str:
    said = [on if wanted & bit else off for bit, on, off in _SWITCHES if (wanted ^ before) & bit]
    return f"\x1b[{';'.join(said)}m"


@lru_cache(16384)
def _colour(layer: int, colour: int) -> str:
    if colour == NO_COLOUR:
        return f"{layer}9"
    if colour >= INDEXED:
        return f"{layer}8;5;{colour - INDEXED}"
    return f"{layer}8;2;{colour >> 16};{colour >> 8 & 255};{colour & 255}"
