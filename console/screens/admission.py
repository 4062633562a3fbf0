"""A waiting device over the whole screen: who it is, what is known of them, and a check list before it is admitted."""

import time
from dataclasses import replace

from textual import events

from console.actions import Action, key_of
from console.desk import Desk
from console.painting import admission_view, bars
from console.painting.ink import Colours
from console.painting.profile import Profile, Profiles
from console.painting.tile_view import Gallery, side_view
from console.screens.page import DeskPage
from console.state.admission_layout import AdmissionParts, admission_parts
from console.state.admission_words import facts
from console.state.ages import Freshness
from console.state.wall import Changed
from console.widgets.canvas import Canvas
from schemas.media import Side

TICK_S = 0.1
PER_S = 10
"""Pictures a second of the device that is looked at."""


class AdmissionScreen(DeskPage):
    """Shows the desk's admission; goes back when an order was given, or when the officer leaves."""

    letter = "A"

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__(desk, Canvas(colours, self._draw_changed))
        self._gallery = Gallery(colours, fine=True)
        self._parts: AdmissionParts | None = None
        self._everything = self._pictures = False
        self._second = -1

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.tick)

    def on_screen_resume(self) -> None:
        self.place_all()

    def on_resize(self, _event: events.Resize) -> None:
        self.place_all()

    def show_pictures_as(self, profiles: Profiles) -> None:
        self._gallery.show_as(profiles.colours, profiles.current)
        if self.is_current:
            self.want_pictures()
            self.draw()

    # -- what changes

    def show(self, changed: Changed) -> None:
        """Notes what a message of the server has changed."""
        self._everything |= bool(changed.seats or changed.words)
        self._pictures |= self.desk.seat in changed.pictures
        if self._everything or self._pictures:
            self.canvas.wake()

    def show_acts(self) -> None:
        self.draw()

    def tick(self) -> None:
        if not self.is_current or self._parts is None:
            return
        now_s = time.monotonic()
        second = self.desk.wall.link.server_ms(now_s) // 1000 or int(now_s)
        if self.desk.look(now_s) or second != self._second or any(act.open for act in self.desk.acts):
            self._second, self._everything = second, True
        self.canvas.wake()

    def draw(self) -> None:
        """Draws everything, at once: after a key."""
        self._everything = True
        self.canvas.wake(urgent=True)

    def place_all(self) -> None:
        width, height = self.size
        if not width or self.desk.admission is None:
            return
        self.canvas.fit(self.size)
        self._parts = admission_parts(width, height)
        self.canvas.put(dict.fromkeys(range(height), bars.cut([], width)))
        self.canvas.images.clear()
        self.canvas.places = [self._parts.picture]
        if self._parts.too_small:
            self.say_too_small(f"{key_of('admission-back')} goes back.")
        self.want_pictures()
        self.draw()

    def want_pictures(self) -> None:
        """Of the side of the device that waits, large and quick."""
        parts, admission = self._parts, self.desk.admission
        if parts is None or admission is None:
            return
        shown = not parts.too_small and self._gallery.profile is not Profile.TEXT
        boxes = [self._gallery.detail.box(Side.FAMILY, parts.picture, PER_S)] if shown else []
        self.desk.want([], admission.call.call_id, boxes)

    # -- keys

    def act(self, action: Action, now_s: float) -> None:
        match action.id:
            case "admission-back":
                self.app.leave_admission()
            case "go-wall":
                self.app.leave_focus()
            case "caller-next" | "caller-before":
                self.desk.next_caller(1 if action.id == "caller-next" else -1, now_s)
                self.want_pictures()
            case _:
                super().act(action, now_s)

    def after_key(self) -> None:
        if not self.is_current:
            return
        if self.desk.admission is None:
            self.app.leave_admission()
        else:
            self.draw()

    # -- drawing

    def _draw_changed(self) -> None:
        """Just before a painting: what has changed since the last one."""
        parts, pictures, everything = self._parts, self._pictures, self._everything
        self._pictures = self._everything = False
        desk, admission, now_s = self.desk, self.desk.admission, time.monotonic()
        if parts is None or parts.too_small or admission is None:
            return
        put, width, height = self.canvas.painter.put, self.size.width, self.size.height
        if everything or pictures:
            call = admission.call
            view, how, age = side_view(desk.wall, call, Side.FAMILY, parts.picture, self._gallery, now_s)
            if how < Freshness.OLD:
                view = replace(view, label="")
            age = age.removeprefix("picture ") if how < Freshness.OLD else ""
            put(admission_view.picture_rows(parts, admission, view, age, self._gallery.detail))
            self.canvas.images.show("admission", list(view.images(parts.picture)), now_s)
        put({height - 2: bars.message_row(desk.acts, desk.notice(now_s), now_s, desk.wall.link.lost, width)})
        if not everything:
            return
        self._gallery.keep_calls({admission.call.call_id})
        put(dict(enumerate(admission_view.header(desk.wall, admission, desk.vigilance(now_s), now_s, width))))
        put(admission_view.facts_rows(parts, facts(desk.wall, admission, now_s)), parts.facts.x)
        put(admission_view.check_rows(parts, admission))
        put(admission_view.waiting_rows(parts, desk.wall, admission, now_s), parts.waiting.x)
        self.draw_panel()
