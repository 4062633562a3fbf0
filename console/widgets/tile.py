"""One call's tile."""

from dataclasses import replace

from textual.geometry import Size

from console.painting.ink import Colours
from console.painting.tile import TileView, tile_row
from console.state.layout import TileParts

from .lines import Cover, Lines


class Tile(Lines):
    """Shows what it is given; `parts` says where."""

    def __init__(self, seat: int, colours: Colours, cover: Cover) -> None:
        super().__init__(colours, f"seat-{seat}", cover)
        self.seat = seat
        self.view: TileView | None = None
        self.parts: TileParts | None = None
        self.cells = Size(0, 0)

    def place(self, parts: TileParts, width: int, height: int) -> None:
        self.parts, self.cells = parts, Size(width, height)
        self.clear()

    def show(self, view: TileView) -> None:
        self.view = view
        self._draw(range(self.cells.height))

    def show_meters(self, family: str, room: str) -> None:
        """Ten times a second: only the rows of the meters."""
        if self.view is None or self.parts is None:
            return
        if (family, room) != (self.view.family_meter, self.view.room_meter):
            self.view = replace(self.view, family_meter=family, room_meter=room)
            at = self.parts.meters_y
            self._draw(range(at, at + 1 + self.parts.meters_stacked))

    def _draw(self, rows: range) -> None:
        if self.view is None or self.parts is None:
            return
        width, height = self.cells
        self.put({y: tile_row(y, self.view, self.parts, width, height) for y in rows})
