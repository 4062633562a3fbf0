"""The console's wall as is usual in Textual: `lines`, one Line-API widget a tile, or `stock`, stock widgets.

Both have the console's own link, state, layout and views, so that they show the same rows at the same rates; they
differ in how rows come to the terminal. Each row is only drawn anew when it has changed; pictures have all their
colours. A key is answered with its number in the message row.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from numpy.typing import NDArray
from rich.segment import Segment, Segments
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Label, Sparkline, Static

from benchmarks.wall_load.stalls import watched
from console.link import Link
from console.painting import bars
from console.painting.halfblocks import PictureRow, of_pixels
from console.painting.ink import Colours, rich_style
from console.painting.meters import meter, number
from console.painting.strips import Gap, Row
from console.painting.themes import INKS, worn
from console.painting.tile import Placed, picture_row
from console.painting.tile_view import Gallery, tile_view, wanted_boxes, with_pictures
from console.settings import Settings
from console.state import attention
from console.state.acts import Acts
from console.state.alarms import Alarms
from console.state.layout import grid, tile
from console.state.media import BARS, SideLevel
from console.state.vigilance import vigilance
from console.state.wall import Changed, Wall
from schemas.console import Beat, Boxes, TimeReply
from schemas.media import Side

COLUMNS, ROWS, CALLS = 200, 60, 36
PLACES = grid(COLUMNS, ROWS, CALLS)
Levels = Mapping[Side, SideLevel]


class AllColours(Gallery):
    def _drawn(self, rgb: NDArray[np.uint8], old: bool, before: Any) -> tuple[NDArray[Any], list[PictureRow]]:
        return rgb, of_pixels(rgb, Colours.TRUE, old)


def with_meters(row: Row, texts: Sequence[str]) -> Row:
    """The console's meters are no part of its rows; here they are."""
    made: list[Any] = []
    for part in row:
        made.append(("  ".join(texts).rjust(part.width), part.ink) if isinstance(part, Gap) else part)
    return made


def segments(row: Row) -> list[Segment]:
    made: list[Segment] = []
    for part in row:
        if isinstance(part, PictureRow):
            made += [Segment(glyph, rich_style(ink, paper, 0)) for glyph, ink, paper in part.cells()]
        elif isinstance(part, tuple):
            made.append(Segment(part[0], INKS[worn()][part[1]]))
    return made


def lines(rows: Sequence[Row]) -> Segments:
    made: list[Segment] = []
    for row in rows:
        made += [*segments(row), Segment("\n")]
    return Segments(made[:-1])


class Lines(Widget):
    """Rows by the Line API."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.styles.width, self.styles.height = width, height
        self._shown: dict[int, Row] = {}
        self._strips = [Strip.blank(width)] * height

    def show(self, rows: Mapping[int, Row]) -> None:
        for y, row in rows.items():
            if self._shown.get(y) != row:
                self._shown[y], self._strips[y] = row, Strip(segments(row))
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        return self._strips[y]


class LinesTile(Lines):
    def __init__(self, one: Placed) -> None:
        super().__init__(one.area.width, one.area.height)
        self._one = one

    def draw_words(self, levels: Levels) -> None:
        self._draw(range(self._one.area.height), levels)

    def draw_picture(self, levels: Levels) -> None:
        self._draw(self._one.picture_rows, levels)

    def draw_levels(self, levels: Levels) -> None:
        self._draw(self._one.meter_rows, levels)

    def _draw(self, of: range, levels: Levels) -> None:
        texts = [meter(side, levels[side], levels[side].now) for side in (Side.FAMILY, Side.ROOM)]
        top = self._one.area.y
        self.show({y - top: with_meters(row, texts) for y, row in self._one.rows(of).items()})


class Stock(Static):
    """Rows in one Static, which is drawn anew when one of them has changed."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.styles.width, self.styles.height = width, height
        self._shown: list[Row] = [[]] * height

    def show(self, rows: Mapping[int, Row]) -> None:
        if any(self._shown[y] != row for y, row in rows.items()):
            for y, row in rows.items():
                self._shown[y] = row
            self.update(lines(self._shown), layout=False)


class StockTile(Vertical):
    """A widget for each thing that a tile shows; one that shows what it is to show already is left alone."""

    def __init__(self, one: Placed) -> None:
        super().__init__(classes="tile")
        self.styles.width, self.styles.height = one.area.width, one.area.height
        self._one = one
        self._shown: dict[Label, str] = {}

    def compose(self):
        self._name, self._left = Label(classes="wide"), Label()
        yield Horizontal(self._name, self._left)
        self._picture = Static()
        self._picture.styles.height = self._one.parts.large.height
        yield self._picture
        self._bars = {side: Sparkline([0.0] * BARS) for side in Side}
        self._numbers = {side: Label(classes="number") for side in Side}
        sides = [(Label(f" {side[0].upper()} "), self._bars[side], self._numbers[side]) for side in Side]
        yield Horizontal(*(widget for of_side in sides for widget in of_side))
        self._attention, self._recording = Label(classes="wide"), Label()
        yield Horizontal(self._attention, self._recording)

    def draw_words(self, levels: Levels) -> None:
        assert self._one.view is not None
        words = self._one.view.words
        for label, text in (
            (self._name, f" {words.title}"),
            (self._left, f"{words.state} {words.left} "),
            (self._attention, f" {words.attention}"),
            (self._recording, f"{words.recording} "),
        ):
            self._say(label, text)
        self.draw_levels(levels)

    def draw_picture(self, levels: Levels) -> None:
        assert self._one.view is not None
        area = self._one.parts.large
        self._picture.update(
            lines([picture_row(y, self._one.view.large, area) for y in range(area.height)]), layout=False
        )

    def draw_levels(self, levels: Levels) -> None:
        for side, level in levels.items():
            self._bars[side].data = [one / 10 + 60 for one in level.bars]
            self._say(self._numbers[side], number(level.now))

    def _say(self, label: Label, text: str) -> None:
        if self._shown.get(label) != text:
            self._shown[label] = text
            label.update(text, layout=False)


class Peer(App[None]):
    CSS = """
    Horizontal { height: 1; } .row { height: auto; } .wide { width: 1fr; } .number { width: 5; text-align: right; }
    Sparkline { width: 7; height: 1; } Static { width: 100%; } Label { width: auto; }
    """
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, settings: Settings, stock: bool) -> None:
        super().__init__(ansi_color=True)
        self._stock, self._keys = stock, 0
        self._gallery, self._acts, self._alarms = AllColours(Colours.TRUE), Acts(), Alarms()
        self.wall = Wall(time.monotonic())
        self.link = Link(settings, self._receive, lambda why: None, lambda: Beat("", False, 0), lambda: (COLUMNS, ROWS))

    def compose(self):
        bar, of_call = (Stock, StockTile) if self._stock else (Lines, LinesTile)
        self.head = bar(COLUMNS, PLACES.header_rows + PLACES.strip_rows)
        self.message, self.foot = bar(COLUMNS, 1), bar(COLUMNS, 1)
        self.placed = [
            Placed(seat, area, tile(area.width, area.height), COLUMNS) for seat, area in enumerate(PLACES.tiles, 1)
        ]
        self.tiles = [of_call(one) for one in self.placed]
        yield self.head
        for y in sorted({one.area.y for one in self.placed}):
            beside = [of for of, one in zip(self.tiles, self.placed, strict=True) if one.area.y == y]
            yield Horizontal(*beside, classes="row")
        yield from (self.message, self.foot)

    def on_mount(self) -> None:
        watched(asyncio.get_running_loop())
        self.run_worker(self.link.run())
        self.set_interval(1.0, self._each_second)
        self._say("")

    def on_key(self, event: Any) -> None:
        if event.key == "q":
            self.exit()
        self._keys += 1
        self._say(f"KEY {self._keys:05d}")

    def _receive(self, message: Any, now_s: float) -> None:
        self.wall.link.heard(now_s)
        if isinstance(message, TimeReply):
            self.wall.link.time_reply(message.sent_ms, message.server_time_ms, now_s * 1000)
            return
        changed = self.wall.apply(message, now_s)
        if changed.seats:
            self.link.send(Boxes(wanted_boxes(self.placed[-1].parts, False, True)))
            self._each_second()
        self._show(changed, now_s)

    def _show(self, changed: Changed, now_s: float) -> None:
        for one, shown in zip(self.placed, self.tiles, strict=True):
            call = self.wall.call_at(one.seat, now_s)
            if call is None:
                continue
            levels, seen = self.wall.media_of(call).levels, (self.wall, one.seat, one.parts)
            if one.view is None or one.seat in changed.words:
                one.view = tile_view(*seen, one.seat == 1, False, self._gallery, now_s)
                shown.draw_words(levels)
            elif one.seat in changed.levels:
                shown.draw_levels(levels)
            if one.seat in changed.pictures:
                one.view = with_pictures(one.view, *seen, False, self._gallery, now_s)
                shown.draw_picture(levels)

    def _each_second(self) -> None:
        now_s, wall = time.monotonic(), self.wall
        self._show(Changed(words={one.seat for one in self.placed}), now_s)
        entries = self._alarms.look(wall, attention.ranked(wall, now_s), now_s)
        role = wall.welcome.role if wall.welcome else None
        head = bars.header(wall, vigilance(role, 0), now_s, COLUMNS, 2, self._alarms.figures, "Pictures: colour")
        head += bars.strip(entries, COLUMNS, PLACES.strip_rows, wall.link.ever_heard, self._alarms.figures)
        self.head.show(dict(enumerate(head)))

    def _say(self, words: str) -> None:
        self.message.show({0: bars.message_row(self._acts, words, time.monotonic(), False, COLUMNS)})
        self.foot.show({0: bars.footer(COLUMNS, None)})


if __name__ == "__main__":
    sys.__stderr__ = sys.__stdout__  # where Textual draws; the benchmark reads the standard output
    Peer(Settings("BWI", Path(sys.argv[2]), None), sys.argv[1] == "stock").run(loop=uvloop.new_event_loop())
