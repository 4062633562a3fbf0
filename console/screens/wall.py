"""The wall: places the widgets, passes the state's changes on to them, and turns keys into choices, panels and acts."""

import time

from textual import events
from textual.screen import Screen

from console.actions import BY_ID, BY_KEY, Action, Danger, slip
from console.desk import Desk
from console.painting import bars
from console.painting.ink import Colours, Ink
from console.painting.seat_list import list_rows
from console.painting.strips import line
from console.painting.tile_view import Gallery, list_boxes, meters, tile_view, wanted_boxes
from console.state import attention
from console.state.layout import LEAST_COLUMNS, LEAST_ROWS, Area, Grid, grid, tile
from console.state.permits import why_off
from console.state.selection import move
from console.state.wall import Changed
from console.widgets.lines import Cover, Lines
from console.widgets.tile import Tile
from schemas.media import Side

TICK_S = 0.1
MOVES = {"move-left": "left", "move-down": "down", "move-up": "up", "move-right": "right"}


class WallScreen(Screen[None]):
    """Reads the desk and draws; all that it decides is where things stand."""

    AUTO_FOCUS = ""
    letter = "W"

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__()
        self.desk, self._colours = desk, colours
        self._gallery = Gallery(colours)
        self._grid: Grid | None = None
        self._tiles: dict[int, Tile] = {}
        self._over: Cover = {}
        self._header, self._strip, self._list, self._message, self._footer = (
            Lines(colours, name, self._over) for name in ("header", "strip", "list", "message", "footer")
        )
        self._whole = Lines(colours, "whole")
        self._second = -1

    def compose(self):
        yield from (self._list, self._header, self._strip, self._message, self._footer, self._whole)

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.tick)

    def on_resize(self, _event: events.Resize) -> None:
        self.place_all()

    # -- what changes

    def show(self, changed: Changed) -> None:
        """Draws what a message of the server has changed."""
        if self._grid is None:
            return
        if changed.seats:
            self.place_all()
            return
        if self._grid.as_list and (changed.words or changed.pictures or changed.levels):
            self._draw_list()
        for seat in changed.words | changed.pictures:
            self._draw_tile(seat)
        for seat in changed.levels - changed.words - changed.pictures:
            self._draw_meters(seat)
        if changed.words:
            self._draw_bars()
            self._draw_panel()

    def show_acts(self) -> None:
        """An answer may have come."""
        if self._grid is not None and not self._grid.too_small:
            self._draw_message()

    def tick(self) -> None:
        """Ten times a second: acts under way; once a second: everything that counts time."""
        if self._grid is None:
            return
        now_s = time.monotonic()
        if self.desk.look(now_s):
            self.draw()
            return
        self._draw_message()
        second = self.desk.wall.link.server_ms(now_s) // 1000 or int(now_s)
        if second != self._second:
            self._second = second
            self.draw()
            return
        for seat in self._tiles:
            self._draw_meters(seat)

    def draw(self) -> None:
        """Draws everything; what is as before costs little."""
        self._draw_bars()
        for seat in self._tiles:
            self._draw_tile(seat)
        self._draw_message()
        self._draw_panel()

    # -- where things stand

    def place_all(self) -> None:
        width, height = self.size
        seats = list(self.desk.wall.seats)
        now = self._grid = grid(width, height, len(seats))
        self._whole.display = now.too_small
        if now.too_small:
            _place(self._whole, Area(0, 0, width, height))
            words = [f"Sightline needs {LEAST_COLUMNS}×{LEAST_ROWS}.", f"This is {width}×{height}.", "q quits."]
            self._whole.put(
                {y: bars.cut([(words[y] if y < len(words) else "", Ink.PLAIN)], width) for y in range(height)}
            )
            return
        _place(self._header, Area(0, 0, width, now.header_rows))
        _place(self._strip, Area(0, now.header_rows, width, now.strip_rows))
        _place(self._message, Area(0, height - 2, width, 1))
        _place(self._footer, Area(0, height - 1, width, 1))
        _place(self._list, now.area)
        shown = {} if now.as_list else dict(zip(seats, now.tiles, strict=True))
        for seat in set(self._tiles) - set(shown):
            self._tiles.pop(seat).remove()
        for seat, area in shown.items():
            if seat not in self._tiles:
                self._tiles[seat] = Tile(seat, self._colours, self._over)
                self.mount(self._tiles[seat], before=self._whole)
            _place(self._tiles[seat], area)
            self._tiles[seat].place(tile(area.width, area.height), area.width, area.height)
        self.desk.seats_across = len({area.x for area in now.tiles}) or 1
        self.want_pictures()
        self.draw()

    def want_pictures(self) -> None:
        """Asks for the sizes that fit the tiles; tiles differ by a cell, so the smallest serves all."""
        if self._grid is not None and self._grid.as_list:
            turned_one = self.desk.seat is not None and self.desk.turned(self.desk.seat)
            self.desk.want(list_boxes(Side.ROOM if turned_one else Side.FAMILY))
            return
        parts = [one.parts for one in self._tiles.values() if one.parts is not None]
        if not parts:
            self.desk.want([])
            return
        least = min(parts, key=lambda p: (p.large.width, p.large.height))
        turned = {self.desk.turned(seat) for seat in self._tiles}
        self.desk.want(wanted_boxes(least, True in turned, False in turned))

    # -- keys

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        key = event.character if event.character and event.is_printable else event.key
        now_s = time.monotonic()
        if self.desk.panel is not None and key not in ("ctrl+q", "ctrl+c"):
            self.desk.press_in_panel(key, now_s)
            self._after_key()
        elif len(key) == 1 and key.isdecimal() and key.isascii():
            self.desk.press_digit(key, now_s)
            self._after_key()
        elif (action := BY_KEY.get(key)) is not None:
            self.perform(action)
        else:
            self._meaningless(key, now_s)

    def perform(self, action: Action) -> None:
        """What a key, or the palette, asks for."""
        match action.id:
            case "quit":
                self.app.exit(0)
                return
            case "help":
                self.app.push_screen("help")
                return
            case "go-reviews" if not why_off(action, self.desk.wall, None):
                self.app.go_reviews()  # pyright: ignore[reportAttributeAccessIssue]
                return
            case "theme":
                self.app.change_theme()  # pyright: ignore[reportAttributeAccessIssue]
            case "palette":
                self.app.action_command_palette()
                return
            case "here":
                pass  # any key says it; this one says nothing else
            case "side" | "side-all":
                self.desk.turn(action.id == "side-all")
                self.want_pictures()
            case moving if moving in MOVES:
                self.desk.choose(
                    move(list(self.desk.wall.seats), self.desk.seat, self.desk.seats_across, MOVES[moving])
                )
            case _:
                self.desk.act(action, time.monotonic())
        self._after_key()

    def perform_id(self, action_id: str) -> None:
        self.perform(BY_ID[action_id])

    def _after_key(self) -> None:
        if self._grid is not None and self._grid.as_list:
            self.want_pictures()  # another seat may show its other side
        self.draw()

    def _meaningless(self, key: str, now_s: float) -> None:
        meant = slip(key)
        if meant is not None and meant.danger >= Danger.ACTS:
            self.desk.say(f"{meant.name} is Shift+{meant.shown_key}", now_s)
        elif len(key) == 1 and key.isupper() and key.isascii():
            self.desk.stray_capital(now_s)
        self._after_key()

    # -- drawing

    def _draw_tile(self, seat: int) -> None:
        one = self._tiles.get(seat)
        if one is not None and one.parts is not None:
            one.show(self._view(one))

    def _draw_meters(self, seat: int) -> None:
        one = self._tiles.get(seat)
        if one is None or one.parts is None:
            return
        now_s = time.monotonic()
        one.show_meters(*meters(self.desk.wall, self.desk.wall.call_at(seat, now_s), now_s))

    def _view(self, one: Tile):
        desk = self.desk
        assert one.parts is not None
        chosen, turned = one.seat == desk.seat, desk.turned(one.seat)
        return tile_view(desk.wall, one.seat, one.parts, chosen, turned, self._gallery, time.monotonic())

    def _draw_list(self) -> None:
        now = self._grid
        if now is None or now.too_small:
            return
        width, height = now.area.width, now.area.height
        if not now.as_list:
            # The ground under the tiles: what no tile stands on is blank.
            self._list.put({y: [(" " * width, Ink.PLAIN)] for y in range(height)})
            return
        desk, seat = self.desk, self.desk.seat
        turned = seat is not None and desk.turned(seat)
        made = list_rows(desk.wall, seat, turned, self._gallery, time.monotonic(), width, height)
        self._list.put(dict(enumerate(made)))

    def _draw_bars(self) -> None:
        now = self._grid
        if now is None or now.too_small:
            return
        width, now_s, wall = self.size.width, time.monotonic(), self.desk.wall
        self._gallery.keep_calls(set(wall.calls))
        self._header.put(dict(enumerate(bars.header(wall, self.desk.vigilance(now_s), now_s, width, now.header_rows))))
        entries = attention.ranked(wall, now_s)
        self._strip.put(dict(enumerate(bars.strip(entries, width, now.strip_rows, wall.link.ever_heard))))
        self._draw_list()

    def _draw_message(self) -> None:
        desk, now_s = self.desk, time.monotonic()
        row = bars.message_row(desk.acts, desk.notice(now_s), now_s, desk.wall.link.lost, self.size.width)
        self._message.put({0: row})

    def _draw_panel(self) -> None:
        now, panel = self._grid, self.desk.panel
        if now is None or now.too_small:
            return
        view = panel.view() if panel is not None else None
        self._footer.put({0: bars.footer(self.size.width, view)})
        rows = bars.panel_rows(view, self.size.width) if view is not None else []
        top = self.size.height - 2 - min(len(rows), self.size.height - 3)
        strips = {top + y: line(row, self._colours) for y, row in enumerate(rows) if top + y < self.size.height - 2}
        changed = {y for y in self._over.keys() | strips.keys() if self._over.get(y) != strips.get(y)}
        if changed:
            self._over.clear()
            self._over.update(strips)
            for widget in self.query(Lines):
                widget.uncover(changed)


def _place(widget: Lines, area: Area) -> None:
    styles = widget.styles
    placed = area.x, area.y, area.width, area.height
    if widget.placed != placed:
        widget.placed = placed
        styles.offset = area.x, area.y
        styles.width, styles.height = area.width, area.height
