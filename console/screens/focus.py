"""One call over the whole screen: both sides large and quick, levels of the last minute, people, timeline."""

import time
from dataclasses import replace

from textual import events

from console.actions import Action, key_of
from console.desk import Desk
from console.painting import bars, focus_view
from console.painting.ink import Colours
from console.painting.profile import Profile, Profiles
from console.painting.tile import PictureView
from console.painting.tile_view import Gallery, side_view
from console.screens.page import DeskPage
from console.state.ages import Freshness
from console.state.focus_layout import FocusParts, Shows, focus_parts
from console.state.wall import Changed
from console.widgets.canvas import Canvas
from schemas.call import CallView
from schemas.media import Side

TICK_S = 0.1
PER_S = 10
"""Pictures a second: as many as the wire allows of the call that is looked at closely."""
FINE_BARS = 120
"""From so many cells on each bar is half a second, else a whole one: at least the last minute either way."""


class FocusScreen(DeskPage):
    """Shows the call at the chosen seat, whichever that is. It never goes to another call by itself."""

    letter = "F"

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__(desk, Canvas(colours, self._draw_changed))
        self.shows = Shows.BOTH
        self.turned = False
        self._gallery = Gallery(colours, fine=True)
        self._parts: FocusParts | None = None
        self._everything = self._pictures = False
        self._second = -1
        self._scrolled = 0
        self._call_id = ""

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.tick)

    def on_screen_resume(self) -> None:
        self.place_all()

    def on_resize(self, _event: events.Resize) -> None:
        self.place_all()

    def show_pictures_as(self, profiles: Profiles) -> None:
        self._gallery.show_as(profiles.colours, profiles.current, profiles.mosaic)
        if self.is_attached:
            self.want_pictures()
            self.draw()

    def begin(self) -> None:
        """As a call is always opened: both sides, the newest of the timeline."""
        self.shows, self.turned, self._scrolled = Shows.BOTH, False, 0

    # -- what changes

    def show(self, changed: Changed) -> None:
        """Notes what a message of the server has changed."""
        if changed.seats or changed.words:
            self._everything = True  # the header tells of the other calls too
        self._pictures |= self.desk.seat in changed.pictures
        if self._everything or self._pictures:
            self.canvas.wake()

    def show_acts(self) -> None:
        self.draw()

    def tick(self) -> None:
        if not self.desk.focused or self._parts is None:
            return
        now_s = time.monotonic()
        second = self.desk.wall.link.server_ms(now_s) // 1000 or int(now_s)
        waits = any(act.open for act in self.desk.acts)
        if self.desk.look(now_s) or second != self._second or waits:
            self._second, self._everything = second, True
        self.canvas.wake()

    def draw(self) -> None:
        """Draws everything, at once: after a key."""
        self._everything = True
        self.canvas.wake(urgent=True)

    def place_all(self) -> None:
        width, height = self.size
        if not width:
            return
        self.canvas.fit(self.size)
        self._parts = focus_parts(width, height, self.shows, self.turned)
        self.canvas.put(dict.fromkeys(range(height), bars.cut([], width)))
        self.canvas.images.clear()
        self.canvas.places = list(self._parts.pictures.values())
        if self._parts.too_small:
            self.say_too_small(f"{key_of('focus-back')} goes back.")
        self.want_pictures()
        self.draw()

    def want_pictures(self) -> None:
        """Of the call in focus, large and quick; of the others none, as none of them is shown."""
        parts, call = self._parts, self.desk.call(time.monotonic())
        self._call_id = call.call_id if call is not None else ""
        if parts is None or not self.desk.focused:
            return
        shown = self._call_id and self._gallery.profile is not Profile.TEXT
        areas = parts.pictures if shown else {}
        detail = self._gallery.detail
        self.desk.want([], self._call_id, [detail.box(side, area, PER_S) for side, area in areas.items()])

    # -- keys

    def on_click(self, event: events.Click) -> None:
        """A click on a picture gives it the whole screen, the next one gives both back; it never acts on a call."""
        pictures = self._parts.pictures if self._parts is not None else {}
        side = next((s for s, area in pictures.items() if area.holds(event.screen_x, event.screen_y)), None)
        if side is not None and self.desk.panel is None:
            self.shows = Shows(side.value) if self.shows is Shows.BOTH else Shows.BOTH
            self.place_all()

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        self.perform_id("older")

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self.perform_id("newer")

    def act(self, action: Action, now_s: float) -> None:
        match action.id:
            case "focus-back" | "go-wall":
                self.app.leave_focus()
            case "focus-side":
                self._turn()
            case "call-next" | "call-before":
                self._go(1 if action.id == "call-next" else -1)
            case "older" | "newer":
                self._scrolled = max(0, self._scrolled + (1 if action.id == "older" else -1))
            case _:
                super().act(action, now_s)

    def _turn(self) -> None:
        """Both, then each side alone; on a small screen, which shows one of both, that one is turned first."""
        small = len(focus_parts(*self.app.size, Shows.BOTH).pictures) == 1
        if self.shows is Shows.BOTH and small and not self.turned:
            self.turned = True
        else:
            order = [Shows.BOTH, Shows.FAMILY, Shows.ROOM]
            self.shows = order[(order.index(self.shows) + 1) % len(order)]
            self.turned = False
        self.place_all()

    def _go(self, step: int) -> None:
        """To the next seat with a call, in the order of the seats."""
        now_s = time.monotonic()
        seats = [s for s in self.desk.wall.seats if self.desk.wall.call_at(s, now_s) is not None]
        if not seats:
            return
        here = self.desk.seat if self.desk.seat is not None else 0
        beyond = [s for s in seats if (s > here if step > 0 else s < here)]
        self.desk.choose((beyond or seats)[0 if step > 0 else -1])

    def after_key(self) -> None:
        if not self.is_attached or not self.desk.focused:
            return
        call = self.desk.call(time.monotonic())
        if (call.call_id if call is not None else "") != self._call_id:
            self._scrolled = 0
            self.want_pictures()
        self.draw()

    # -- drawing

    def _draw_changed(self) -> None:
        """Just before a painting: what has changed since the last one."""
        parts, pictures, everything = self._parts, self._pictures, self._everything
        self._pictures = self._everything = False
        if parts is None or parts.too_small:
            return
        now_s = time.monotonic()
        put, width, height = self.canvas.painter.put, self.size.width, self.size.height
        desk, call = self.desk, self.desk.call(now_s)
        if (call.call_id if call is not None else "") != self._call_id:
            self.want_pictures()
            everything = True
        if everything or pictures:
            views = self._views(parts, call, now_s)
            put(focus_view.picture_rows(parts, call, views, self._gallery.detail))
            standing = [one for side, area in parts.pictures.items() for one in views[side][0].images(area)]
            self.canvas.images.show("focus", standing, now_s)
        put(focus_view.level_rows(parts, self._levels(call, width, now_s), 0.5 * self._each(width), width))
        put({height - 2: bars.message_row(desk.acts, desk.notice(now_s), now_s, desk.wall.link.lost, width)})
        if not everything:
            return
        self._gallery.keep_calls({self._call_id})
        put(dict(enumerate(focus_view.header(desk.wall, call, desk.vigilance(now_s), now_s, width))))
        if call is not None:
            happened = desk.timeline.of(call, list(desk.acts), now_s)
            self._scrolled = min(self._scrolled, max(0, len(happened) - 1))
            people, timeline = focus_view.list_rows(
                parts, desk.wall, call, happened, desk.timeline.since_ms, self._scrolled, now_s
            )
            put(people, parts.people.x)
            put(timeline, parts.timeline.x)
        if parts.next_y >= 0:
            put({parts.next_y: focus_view.next_row(desk.wall, call, width)})
        self.draw_panel()

    def _views(self, parts: FocusParts, call: CallView | None, now_s: float) -> dict[Side, tuple[PictureView, str]]:
        made: dict[Side, tuple[PictureView, str]] = {}
        for side, area in parts.pictures.items():
            if call is None:
                made[side] = PictureView(), ""
                continue
            view, how, age = side_view(self.desk.wall, call, side, area, self._gallery, now_s)
            if how < Freshness.OLD:
                view = replace(view, label="")  # the frame says which side it is
            made[side] = view, age.removeprefix("picture ") if how < Freshness.OLD else ""
        return made

    def _levels(self, call: CallView | None, width: int, now_s: float):
        if call is None:
            return {side: (None, []) for side in Side}
        each = self._each(width)
        cells = focus_view.bar_cells(width)
        media = self.desk.wall.media_of(call)
        dark = self.desk.wall.dark(call.seat)
        count = min(cells, 180 // each)
        silent_s = now_s - media.levels_s if media.levels_s > 0 else 0.0
        return {
            side: (None if dark else media.level(side, now_s), media.history[side].last(count, silent_s, each))
            for side in Side
        }

    def _each(self, width: int) -> int:
        return 1 if focus_view.bar_cells(width) >= FINE_BARS else 2
