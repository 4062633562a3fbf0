"""The same wall as is usual in Textual: `lines`, one Line-API widget a tile, or `stock`, stock widgets.

Both have the console's own link and state, and paint what the console paints: names, clocks, both meters, the picture.
A key is answered with its number in the first row.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from rich.segment import Segment, Segments
from rich.style import Style
from textual.app import App
from textual.containers import Grid, Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Label, ProgressBar, Static

from benchmarks.wall_load.stalls import watched
from console.link import Link
from console.painting.ink import rich_style
from console.painting.meters import meter
from console.settings import Settings
from console.state.ages import countdown
from console.state.media import Shown
from console.state.wall import Wall
from schemas.console import Beat, Boxes, TimeReply
from schemas.media import Box, Side

ACROSS = 6
PICTURE = 32, 7
"""Columns and rows of a tile's picture."""


def cells(shown: Shown) -> list[list[Segment]]:
    picture = shown.picture
    rows: list[list[Segment]] = []
    size = picture.width * 3
    for y in range(0, picture.height - 1, 2):
        upper, lower = (picture.pixels[(y + down) * size : (y + down + 1) * size] for down in (0, 1))
        rows.append([
            Segment("▀", rich_style(int.from_bytes(upper[x : x + 3]), int.from_bytes(lower[x : x + 3]), 0))
            for x in range(0, size, 3)
        ])  # fmt: skip
    return rows


class Stock(Vertical):
    def compose(self):
        with Horizontal(classes="row"):
            self.named, self.clock = Label("", classes="name"), Label("", classes="clock")
            yield from (self.named, self.clock)
        self.picture = Static(classes="picture")
        yield self.picture
        with Horizontal(classes="row"):
            self.bars = [ProgressBar(total=100, show_percentage=False, show_eta=False, classes="bar") for _ in "fr"]
            yield from self.bars

    def show_name(self, name: str, left: str) -> None:
        self.named.update(name)
        self.clock.update(left)

    def show_levels(self, family: int, room: int, _words: str) -> None:
        for bar, level in zip(self.bars, (family, room), strict=True):
            bar.update(progress=max(0, (level + 600) / 6))

    def show_picture(self, rows: list[list[Segment]]) -> None:
        parts: list[Segment] = []
        for row in rows:
            parts += [*row, Segment("\n")]
        self.picture.update(Segments(parts))


class Lines(Widget):
    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, Strip] = {}

    def _put(self, y: int, parts: list[Segment]) -> None:
        strip = Strip(parts)
        if self._rows.get(y) != strip:
            self._rows[y] = strip
            self.refresh(Region(0, y, self.size.width, 1))

    def show_name(self, name: str, left: str) -> None:
        self._put(0, [Segment(f"{name:<25}{left:>7}", Style(bold=True))])

    def show_levels(self, _family: int, _room: int, words: str) -> None:
        self._put(8, [Segment(words, Style(color="green"))])

    def show_picture(self, rows: list[list[Segment]]) -> None:
        for y, row in enumerate(rows):
            self._put(1 + y, row)

    def render_line(self, y: int) -> Strip:
        return self._rows.get(y, Strip.blank(self.size.width)).adjust_cell_length(self.size.width)


class Peer(App[None]):
    CSS = """
    #head{height:1;} Grid{height:1fr;} Stock,Lines{height:100%; width:100%;} .row{height:1;} .name{width:1fr;}
    .clock{width:7;} .picture{height:7;} .bar{width:1fr;} ProgressBar Bar{width:100%;}
    """
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, settings: Settings, kind: type[Stock] | type[Lines]) -> None:
        super().__init__(ansi_color=True)
        self._kind, self._keys = kind, 0
        self.wall = Wall(time.monotonic())
        self.link = Link(settings, self._receive, lambda why: None, lambda: Beat("", False, 0), lambda: (200, 60))

    def compose(self):
        yield Static("", id="head")
        self.tiles = [self._kind() for _ in range(36)]
        grid = Grid(*self.tiles)
        grid.styles.grid_size_columns, grid.styles.grid_size_rows = ACROSS, len(self.tiles) // ACROSS
        yield grid

    def on_mount(self) -> None:
        watched(asyncio.get_running_loop())
        self.run_worker(self.link.run())
        self.set_interval(1.0, self._names)

    def on_key(self, event: Any) -> None:
        if event.key == "q":
            self.exit()
        self._keys += 1
        self.query_one("#head", Static).update(f"KEY {self._keys:05d}", layout=False)

    def _receive(self, message: Any, now_s: float) -> None:
        self.wall.link.heard(now_s)
        if isinstance(message, TimeReply):
            self.wall.link.time_reply(message.sent_ms, message.server_time_ms, now_s * 1000)
            return
        changed = self.wall.apply(message, now_s)
        if changed.seats:
            self.link.send(Boxes([Box(Side.FAMILY, PICTURE[0], PICTURE[1] * 2)]))
            self._names()
        for call in self.wall.calls.values():
            media, tile = self.wall.media_of(call), self.tiles[call.seat - 1]
            if call.seat in changed.levels:
                family, room = (media.levels[side].now for side in (Side.FAMILY, Side.ROOM))
                words = "  ".join(meter(side, media.levels[side], media.levels[side].now) for side in Side)
                tile.show_levels(family, room, words)
            if call.seat in changed.pictures and (shown := media.picture(Side.FAMILY, PICTURE[0], PICTURE[1] * 2)):
                tile.show_picture(cells(shown))

    def _names(self) -> None:
        now_s = time.monotonic()
        for call in self.wall.calls.values():
            left = countdown(call.ends_at_ms - self.wall.link.server_ms(now_s))
            self.tiles[call.seat - 1].show_name(f"{call.seat:02d} {call.surname} {call.prison_number}", left)


if __name__ == "__main__":
    sys.__stderr__ = sys.__stdout__  # where Textual draws; the benchmark reads the standard output
    Peer(Settings("BWI", Path(sys.argv[2]), None), {"stock": Stock, "lines": Lines}[sys.argv[1]]).run()
