"""Cells as bytes for a terminal: the fewest that draw them.

Knows where the cursor stands and which colours are set; passes unchanged cells over by moving the cursor, and swaps
a pattern for its opposite, as the upper half block for the lower one, where that repeats a colour that is set already.
"""

from functools import lru_cache

from .grid import ATTRIBUTES, CONTINUED, POINT, SPACE, Cells, Grid
from .ink import BOLD, INDEXED, NO_COLOUR, REVERSE, UNDERLINE
from .mosaic import QUADRANTS, SEXTANTS

UPPER = ord("▀")
_OPPOSITE = QUADRANTS.opposites() | SEXTANTS.opposites()
_SWITCHES = ((BOLD, "1", "22"), (UNDERLINE, "4", "24"), (REVERSE, "7", "27"))
RESET = "\x1b[m"


class Encoder:
    """`text()` are the sequences so far, beginning and ending without colours or attributes."""

    def __init__(self, grid: Grid, left: int = 0, top: int = 0) -> None:
        """The grid's corner stands at this cell of the terminal."""
        self._grid, self._left, self._top = grid, left, top
        self._out: list[str] = []
        self._next = self._row_end = -1
        """The cell at which the cursor stands, and the first one of the row below it."""
        self._ink = self._paper = NO_COLOUR
        self._attributes = 0
        self.size = 0
        """Bytes so far."""

    @property
    def row(self) -> int:
        """The terminal's row (from 1) in which the cursor was left; 0 when nothing was drawn."""
        return self._row_end // self._grid.width + self._top if self._out else 0

    def text(self) -> str:
        return "".join(self._out) + RESET if self._out else ""

    def draw(self, cells: Cells) -> None:
        grid, out, width = self._grid, self._out, self._grid.width
        before = len(out)
        at_cell, row_end, ink, paper, attributes = self._next, self._row_end, self._ink, self._paper, self._attributes
        looks = (layer.ravel()[cells].tolist() for layer in (grid.glyphs, grid.inks, grid.papers))
        for cell, glyph, fore, back in zip(cells.tolist(), *looks, strict=True):
            code = glyph & POINT
            if code == CONTINUED:
                at_cell += at_cell == cell
                continue
            if cell != at_cell or cell == row_end:
                if at_cell < cell < row_end:
                    out.append("\x1b[C" if cell - at_cell == 1 else f"\x1b[{cell - at_cell}C")
                else:
                    y, x = divmod(cell, width)
                    row_end = cell - x + width
                    out.append(f"\x1b[{y + self._top + 1};{x + self._left + 1}H")
            if code >= UPPER and code in _OPPOSITE and fore != NO_COLOUR != back:
                if fore == back:
                    code = SPACE
                elif (fore == paper) + (back == ink) > (fore == ink) + (back == paper):
                    code, fore, back = _OPPOSITE[code], back, fore
            wanted = glyph >> ATTRIBUTES
            if code == SPACE and not wanted:
                fore = ink  # only its paper shows
            if wanted != attributes:
                out.append(_switched(wanted, attributes))
                attributes = wanted
            if fore != ink:
                out.append(_ink(fore) if back == paper else _ink_and_paper(fore, back))
            elif back != paper:
                out.append(_paper(back))
            ink, paper = fore, back
            out.append(chr(code))
            at_cell = cell + 1
        self._next, self._row_end, self._ink, self._paper, self._attributes = at_cell, row_end, ink, paper, attributes
        self.size += len("".join(out[before:]).encode())


@lru_cache(64)
def _switched(wanted: int, before: int) -> str:
    said = [on if wanted & bit else off for bit, on, off in _SWITCHES if (wanted ^ before) & bit]
    return f"\x1b[{';'.join(said)}m"


@lru_cache(16384)
def _ink(colour: int) -> str:
    return f"\x1b[{_colour(3, colour)}m"


@lru_cache(16384)
def _paper(colour: int) -> str:
    return f"\x1b[{_colour(4, colour)}m"


@lru_cache(16384)
def _ink_and_paper(ink: int, paper: int) -> str:
    return f"\x1b[{_colour(3, ink)};{_colour(4, paper)}m"


def _colour(layer: int, colour: int) -> str:
    if colour == NO_COLOUR:
        return f"{layer}9"
    if colour >= INDEXED:
        return f"{layer}8;5;{colour - INDEXED}"
    return f"{layer}8;2;{colour >> 16};{colour >> 8 & 255};{colour & 255}"
