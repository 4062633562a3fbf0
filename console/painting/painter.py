"""What a screen should show and what the terminal shows; turns the difference into bytes, the most urgent first."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from console.state.layout import Area

from .encode import Encoder
from .grid import METER, PICTURE, TEXT, Cells, Grid, Mask
from .ink import Colours
from .strips import Row, part_width
from .themes import worn

CELL_BYTES = 14
"""About what a changed cell costs; more than it mostly does."""


class Painter:
    """`wanted` is drawn into, `seen` is what the terminal has been sent. Both are replaced by `resize`."""

    def __init__(self, colours: Colours) -> None:
        self.colours = colours
        self.wanted, self.seen = Grid(0, 0), Grid(0, 0)
        self.behind = False
        """Something was left out of the last painting for want of room."""
        self._cover: dict[int, Row] = {}
        self._put: dict[int, dict[int, tuple[Row, int]]] = {}
        """What stands in `wanted`, by row and first column: a row's pieces, and the column after them."""
        self._theme = worn()
        self._places: list[Area] = []
        self._painted_s: list[float] = []
        self._next_row: list[int] = []
        self._left_rows: list[int] = []
        self._waits_since_s: list[float | None] = []

    @property
    def size(self) -> tuple[int, int]:
        return self.wanted.width, self.wanted.height

    def resize(self, width: int, height: int) -> None:
        """Both grids are blank then, as Textual leaves a resized terminal."""
        self.wanted, self.seen = Grid(width, height), Grid(width, height)
        self._cover.clear()
        self._put.clear()

    def put(self, rows: Mapping[int, Row], x: int = 0) -> None:
        """What of a row stands there already costs nothing; so rows are put whenever they may have changed."""
        if self._theme is not worn():
            self._theme = worn()
            self._put.clear()
        for y, row in rows.items():
            known = self._put.setdefault(y, {})
            before, before_end = known.get(x, ((), x))
            if before == row:
                continue
            end = self._put_changed(y, row, before, x)
            if end != before_end:
                for start in [start for start, (_, other_end) in known.items() if start < end and x < other_end]:
                    del known[start]
            known[x] = row, end

    def _put_changed(self, y: int, row: Row, before: Row, x: int) -> int:
        """The parts that differ from those in their places before; all from the first on that is not as wide."""
        for index, part in enumerate(row):
            old, width = before[index] if index < len(before) else None, part_width(part)
            if old is None or (old != part and part_width(old) != width):
                return self.wanted.put(y, row[index:], self.colours, x)
            if old != part:
                self.wanted.put(y, (part,), self.colours, x)
            x += width
        return min(x, self.wanted.width)

    def rewrite(self, cells: Cells, text: str) -> None:
        """Other characters, none of them wide, in the cells of gaps."""
        self.wanted.rewrite(cells, text)

    def cover(self, rows: Mapping[int, Row]) -> None:
        self._cover = dict(rows)

    @property
    def places(self) -> list[Area]:
        return self._places

    @places.setter
    def places(self, places: list[Area]) -> None:
        if places != self._places:
            self._places = list(places)
            self._painted_s = [0.0] * len(places)
            self._next_row, self._left_rows = [0] * len(places), [0] * len(places)
            self._waits_since_s = [None] * len(places)

    def changed(self, hidden: Mask | None = None) -> Mask:
        """Cells that look different from what the terminal shows, without the hidden ones."""
        return self._differs(self._shown(), hidden)

    def paint(
        self, now_s: float, budget: int | None = None, hidden: Mask | None = None, corner: tuple[int, int] = (0, 0)
    ) -> Encoder | None:
        """Draws what differs; None when nothing does.

        `budget`: about as many bytes may go out. Text goes in any case, then meters, then rows of the picture that
        has waited longest. `hidden`: cells under other widgets, which are left alone. `corner`: the grid's place on the
        terminal.
        """
        shown = self._shown()
        changed = self._differs(shown, hidden)
        cells = np.flatnonzero(changed)
        self.behind = False
        if not len(cells):
            self._waits_since_s = [None] * len(self._places)
            return None
        encoder = Encoder(shown, *corner)
        if budget is None or len(cells) * CELL_BYTES <= budget:
            self._draw(encoder, shown, cells)
            self._painted_s = [now_s] * len(self._places)
            self._waits_since_s = [None] * len(self._places)
            return encoder
        kinds = shown.kinds.ravel()[cells]
        self._draw(encoder, shown, cells[kinds == TEXT])
        if encoder.size < budget:
            self._draw(encoder, shown, cells[kinds == METER])
        changed &= shown.kinds == PICTURE
        for place in sorted(range(len(self._places)), key=self._painted_s.__getitem__):
            if encoder.size >= budget:
                break
            self._draw_place(encoder, shown, changed, place, budget, now_s)
        if encoder.size < budget:
            self._draw(encoder, shown, np.flatnonzero(changed))  # pictures that stand in no place
        self.behind = encoder.size >= budget
        for place, area in enumerate(self._places):
            left = changed[area.y : area.y + area.height, area.x : area.x + area.width].any()
            since_s = self._waits_since_s[place]
            self._waits_since_s[place] = (now_s if since_s is None else since_s) if left else None
        return encoder

    def waiting_s(self, now_s: float) -> float:
        """How long the picture waits that waits longest to be whole."""
        return max((now_s - since_s for since_s in self._waits_since_s if since_s is not None), default=0.0)

    def forget(self, mask: Mask) -> None:
        """These cells are blank on the terminal now."""
        self.seen.blank(mask)

    def _shown(self) -> Grid:
        return self.wanted.covered(self._cover, self.colours)

    def _differs(self, shown: Grid, hidden: Mask | None) -> Mask:
        mask = shown.differs(self.seen)
        return mask & ~hidden if hidden is not None else mask

    def _draw(self, encoder: Encoder, shown: Grid, cells: Cells) -> None:
        encoder.draw(cells)
        self.seen.copy(shown, cells)

    def _draw_place(self, encoder: Encoder, shown: Grid, changed: Mask, place: int, budget: int, now_s: float) -> None:
        """Rows of one picture, from where the last budget ended; its turn is over after as many rows as it has."""
        area = self._places[place]
        part = changed[area.y : area.y + area.height, area.x : area.x + area.width]
        rows: NDArray[np.intp] = np.nonzero(part.any(1))[0]
        if not len(rows):
            self._left_rows[place] = 0
            return
        left = self._left_rows[place] or area.height
        first = self._next_row[place]
        for row in sorted(rows.tolist(), key=lambda row: (row - first) % area.height):
            if encoder.size >= budget:
                self._left_rows[place] = left
                return
            self._draw(encoder, shown, np.flatnonzero(part[row]) + ((area.y + row) * shown.width + area.x))
            part[row] = False  # a view of `changed`: what is left at the end still waits
            self._next_row[place] = (row + 1) % area.height
            left -= 1
            if not left:
                break
        self._left_rows[place] = 0
        self._painted_s[place] = now_s
