"""The wall: draws the state's changes on its canvas, and turns keys into choices, panels and acts."""

import time

import numpy as np
from textual import events

from console.actions import Action, key_of
from console.desk import Desk
from console.painting import bars
from console.painting.ink import Colours
from console.painting.profile import Profile, Profiles
from console.painting.seat_list import list_rows, seats_in_view
from console.painting.tile import Placed
from console.painting.tile_view import Gallery, left_out, list_boxes, meters, tile_view, wanted_boxes, with_pictures
from console.screens.page import DeskPage
from console.state.layout import LIST_PICTURE, Area, Grid, grid, tile
from console.state.ordering import kept
from console.state.permits import why_off
from console.state.selection import move
from console.state.vigilance import Vigilance
from console.state.wall import Changed
from console.widgets.canvas import Canvas
from schemas.media import Side

TICK_S = 0.1
MOVES = {"move-left": "left", "move-down": "down", "move-up": "up", "move-right": "right"}


class WallScreen(DeskPage):
    """Reads the desk and draws; all that it decides is where things stand.

    What the server says only notes what has changed: it is drawn when the terminal takes the next painting.
    """

    letter = "W"

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__(desk, Canvas(colours, self._draw_changed))
        self._gallery = Gallery(colours)
        self._profiles = Profiles(colours)
        self._grid: Grid | None = None
        self._tiles: dict[int, Placed] = {}
        self._changed = Changed()
        self._everything = self._pressed = self._bars_due = False
        self._second = -1
        self._unheard: set[int] = set()
        self._message_due = False
        self._notice = ""
        self._vigil = Vigilance.QUIET
        self._by_need = False

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.tick)

    def on_resize(self, _event: events.Resize) -> None:
        self.place_all()

    def show_pictures_as(self, profiles: Profiles) -> None:
        self._gallery.show_as(profiles.colours, profiles.current, profiles.mosaic)
        self._profiles = profiles
        if self._grid is not None:
            self.want_pictures()
            self._everything = True
            self.canvas.wake(urgent=True)

    # -- what changes

    def show(self, changed: Changed) -> None:
        """Notes what a message of the server has changed."""
        if self._grid is None:
            return
        if changed.seats:
            self.place_all()
            return
        self._changed.words |= changed.words
        self._changed.pictures |= changed.pictures
        self._changed.levels |= changed.levels
        if changed.words or changed.pictures or changed.levels:
            self.canvas.wake()

    def show_acts(self) -> None:
        """An answer may have come."""
        self._message_due = True
        self.canvas.wake(urgent=True)

    def tick(self) -> None:
        """Ten times a second: acts under way, levels that nobody renews; once a second everything that counts time."""
        if self._grid is None:
            return
        now_s = time.monotonic()
        if self.desk.attending.alarms.rings(now_s):
            self.app.bell()
        notice, waits = self.desk.notice(now_s), any(act.open for act in self.desk.acts)
        self._message_due |= waits or notice != self._notice
        second = self.desk.wall.link.server_ms(now_s) // 1000 or int(now_s)
        if self.desk.by_need(now_s) != self._by_need:
            self.place_all()
        if self.desk.look(now_s) or second != self._second:
            self._second = second
            self._everything = True
            self.desk.attending.strip(now_s)  # what rings must not wait for a terminal that reads nothing
        unheard = self.desk.wall.unheard(now_s)
        self._changed.levels |= unheard ^ self._unheard
        self._unheard = unheard
        vigil = self.desk.vigilance(now_s)[0]
        self._bars_due |= vigil is not self._vigil
        self._vigil = vigil
        if self._everything or self._bars_due or self._message_due or self._changed.levels:
            self.canvas.wake()

    def draw(self) -> None:
        """After a key: what it can have changed, at once."""
        self._pressed = True
        self.canvas.wake(urgent=True)

    # -- where things stand

    def place_all(self) -> None:
        width, height = self.size
        self.canvas.fit(self.size)
        seats = list(self.desk.wall.seats)
        self._by_need = self.desk.by_need(time.monotonic())
        now = self._grid = grid(width, height, len(seats), self._by_need)
        self._tiles = {}
        if not now.as_list and not now.too_small:
            self._tiles = {
                seat: Placed(seat, area, tile(area.width, area.height), width)
                for seat, area in zip(seats, now.tiles, strict=True)
            }
        self.canvas.put(dict.fromkeys(range(height), bars.cut([], width)))
        self.canvas.images.clear()
        self.canvas.places = [place for one in self._tiles.values() for place in one.pictures]
        self.desk.seats_across = len({area.x for area in now.tiles}) or 1
        if now.too_small:
            self.say_too_small(f"{key_of('quit')} quits.")
        else:
            self.want_pictures()
        self._everything = True
        self.canvas.wake(urgent=True)

    def want_pictures(self) -> None:
        """Asks for the sizes that fit the tiles; tiles differ by a cell, so the smallest serves all."""
        if self.desk.focused:
            return  # the close look has its own, whatever happens to the wall under it
        if self._profiles.current is Profile.TEXT:
            self.desk.want([])
            return
        if self._grid is not None and self._grid.as_list:
            turned_one = self.desk.seat is not None and self.desk.turned(self.desk.seat)
            self.desk.want(list_boxes(Side.ROOM if turned_one else Side.FAMILY, self._gallery.detail))
            return
        parts = [one.parts for one in self._tiles.values()]
        if not parts:
            self.desk.want([])
            return
        least = min(parts, key=lambda p: (p.large.width, p.large.height))
        turned = {self.desk.turned(seat) for seat in self._tiles}
        self.desk.want(wanted_boxes(least, True in turned, False in turned, self._gallery.detail))

    # -- keys

    def on_click(self, event: events.Click) -> None:
        """A click chooses, two open; neither acts on a call."""
        seat = self._seat_at(event.screen_x, event.screen_y)
        if seat is None or self.desk.panel is not None:
            return
        self.desk.choose(seat)
        self.after_key()
        if event.chain == 2:
            self.perform_id("focus")

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        self.perform_id("move-down")

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self.perform_id("move-up")

    def _seat_at(self, x: int, y: int) -> int | None:
        now = self._grid
        if now is None or now.too_small:
            return None
        if now.as_list:
            shown = seats_in_view(self.desk.listed(time.monotonic()), self.desk.seat, now.area.height)
            row = y - now.area.y - 1
            return shown[row] if 0 <= row < len(shown) else None
        return next((seat for seat, one in self._tiles.items() if one.area.holds(x, y)), None)

    def act(self, action: Action, now_s: float) -> None:
        match action.id:
            case "go-reviews" if not why_off(action, self.desk.wall, None):
                self.app.go_reviews()
            case "focus":
                self.app.go_focus()
            case "side" | "side-all":
                self.desk.turn(action.id == "side-all")
                self.want_pictures()
            case moving if moving in MOVES:
                across = 1 if self.desk.filter.active else self.desk.seats_across
                seats = self.desk.listed(now_s)
                self.desk.choose(move(seats, self.desk.seat, across, MOVES[moving]))
            case _:
                self._bars_due = True
                super().act(action, now_s)

    def after_key(self) -> None:
        if self.desk.by_need(time.monotonic()) != self._by_need:
            self.place_all()
        if self._grid is not None and self._grid.as_list:
            self.want_pictures()  # another seat may show its other side
        self.draw()

    # -- drawing

    def _draw_changed(self) -> None:
        """Just before a painting: what has changed since the last one."""
        now, changed, everything, pressed = self._grid, self._changed, self._everything, self._pressed
        self._changed, self._everything, self._pressed = Changed(), False, False
        if now is None or now.too_small:
            return
        now_s, seats = time.monotonic(), self._tiles.keys()
        words = set(seats) if everything else changed.words & seats
        if pressed:
            words |= {seat for seat, one in self._tiles.items() if one.look != self._look(seat, now_s)}
        for seat in words:
            self._draw_tile(self._tiles[seat], now_s)
        for seat in changed.pictures & seats - words:
            self._draw_pictures(self._tiles[seat], now_s)
        self._draw_meters((changed.levels & seats) | words, now_s)
        # A key's echo does not wait for what it seldom changes.
        if everything or changed.words or (self._bars_due and not pressed):
            self._bars_due = False
            self._draw_bars(now_s)
        elif now.as_list and (pressed or changed.pictures or changed.levels):
            self._draw_list(now_s)
        if everything or changed.words or pressed:
            self.draw_panel()
        if everything or pressed or self._message_due:
            self._draw_message(now_s)

    def _look(self, seat: int, now_s: float) -> tuple[bool, bool, bool]:
        """Of a tile, as keys change it: chosen, turned, kept by the filter."""
        desk = self.desk
        return seat == desk.seat, desk.turned(seat), kept(desk.wall, desk.filter, seat, now_s)

    def _draw_tile(self, one: Placed, now_s: float) -> None:
        look = self._look(one.seat, now_s)
        before = one.view if one.look == look else None
        one.look, one.view = look, tile_view(self.desk.wall, one.seat, one.parts, *look[:2], self._gallery, now_s)
        if not look[2]:
            one.view = left_out(one.view)
        self.canvas.painter.put(one.rows_since(before), one.area.x)
        self.canvas.images.show(one.seat, one.images(), now_s)

    def _draw_pictures(self, one: Placed, now_s: float) -> None:
        if one.view is None or self.desk.filter.active:
            self._draw_tile(one, now_s)
            return
        desk = self.desk
        one.view = with_pictures(one.view, desk.wall, one.seat, one.parts, desk.turned(one.seat), self._gallery, now_s)
        self.canvas.painter.put(one.rows(one.picture_rows), one.area.x)
        self.canvas.images.show(one.seat, one.images(), now_s)

    def _draw_meters(self, seats: set[int], now_s: float) -> None:
        """All at once, and nothing else of their tiles: ten times a second they are most of what changes."""
        shown = [one for seat in seats if (one := self._tiles[seat]).view is not None and one.view.words.has_call]
        if shown:
            wall = self.desk.wall
            texts = ["".join(meters(wall, wall.call_at(one.seat, now_s), now_s)) for one in shown]
            self.canvas.painter.rewrite(np.concatenate([one.meter_cells for one in shown]), "".join(texts))

    def _draw_list(self, now_s: float) -> None:
        now = self._grid
        if now is None or not now.as_list:
            return
        width, height = now.area.width, now.area.height
        desk, seat = self.desk, self.desk.seat
        turned = seat is not None and desk.turned(seat)
        made, view = list_rows(desk.wall, desk.listed(now_s), seat, turned, self._gallery, now_s, width, height)
        self.canvas.painter.put({now.area.y + y: row for y, row in enumerate(made)})
        columns, rows = LIST_PICTURE
        place = Area(0, now.area.y + height - rows, columns, rows)
        self.canvas.images.show("list", view.images(place), now_s)

    def _draw_bars(self, now_s: float) -> None:
        now = self._grid
        assert now is not None
        width, wall = self.size.width, self.desk.wall
        self._gallery.keep_calls(set(wall.calls))
        entries, figures = self.desk.attending.strip(now_s), self.desk.attending.alarms.figures
        made = bars.header(
            wall, self.desk.vigilance(now_s), now_s, width, now.header_rows, figures, self._pictures(now)
        )
        if now.strip_rows:
            lit = self._second % 2 == 0
            made += bars.strip(entries, width, now.strip_rows, wall.link.ever_heard, figures, lit)
        self.canvas.painter.put(dict(enumerate(made)))
        self._draw_list(now_s)

    def _pictures(self, now: Grid) -> str:
        """How pictures are painted, and whether a face can be known by them."""
        profiles = self._profiles
        if now.header_rows == 1:
            return profiles.words if profiles.why else ""
        large = [one.parts.large for one in self._tiles.values() if one.parts.large.width]
        known = all(map(self._gallery.detail.shows_a_face, large))
        coarse = profiles.current is not Profile.TEXT and large and not known
        words = profiles.words if self.size.width >= 160 else profiles.short
        return words + (", too coarse to know a face" if coarse and self.size.width >= 160 else "")

    def _draw_message(self, now_s: float) -> None:
        desk = self.desk
        self._message_due, self._notice = False, desk.notice(now_s)
        words = self._notice or desk.filter_words(now_s)
        row = bars.message_row(desk.acts, words, now_s, desk.wall.link.lost, self.size.width)
        self.canvas.painter.put({self.size.height - 2: row})
