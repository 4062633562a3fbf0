"""What an officer does at the wall: what is chosen, the open panel, acts sent, words said back. No Textual in it."""

import uuid
from collections.abc import Callable
from typing import Any

from console.actions import BY_ID, Action, Danger, key_of
from console.attending import Attending
from console.state.acts import Acts, ActView
from console.state.admission import Admission
from console.state.admission_words import waiting
from console.state.filtering import Filter
from console.state.health import HealthBoard
from console.state.media import box_key
from console.state.opening import open_panel
from console.state.ordering import BY_NEED_FOR_S, listed
from console.state.panels import CLOSED, HELD_S, PASSED, Ordered, Panel
from console.state.pausing import PausedPanel
from console.state.people import day_of
from console.state.permits import why_off
from console.state.selection import CapsGuard, SeatDigits
from console.state.timeline import Timeline
from console.state.vigilance import Vigilance, vigilance
from console.state.wall import Changed, Wall, waiting_legs
from schemas.attention import MarkRefused, NoticeReached, Shelve
from schemas.call import CallView, Role
from schemas.console import (
    Admit,
    Beat,
    Boxes,
    CallChanged,
    Command,
    CommandAnswer,
    CommandDone,
    ConsoleWelcome,
    Pause,
    Refuse,
    Snapshot,
    SnapshotRequest,
    TimeReply,
    Watch,
)
from schemas.health import HealthDelta, HealthSnapshot, OpenLaptop
from schemas.media import Box

NOT_AFTER_MS = 5000
NOTICE_S = 4.0
AT_ONCE = ("pause", "have", "ok-seen")
"""They have no panel that would name the call before it is acted on."""


class Desk:
    """`send(message)` says whether it went out. `now_s` is time.monotonic() everywhere."""

    def __init__(self, now_s: float, send: Callable[[Any], bool]) -> None:
        self.wall = Wall(now_s)
        self.health = HealthBoard()
        self.acts = Acts()
        self.panel: Panel | None = None
        self.seat: int | None = None
        self.seats_across = 1
        self._send = send
        self._digits, self._caps = SeatDigits(), CapsGuard()
        self._turned: set[int] = set()
        self._turned_all = False
        self._notice, self._notice_until_s = "", 0.0
        self._touched_s = now_s
        self._wanted = Boxes([])
        self._looking = True
        self.focused = False
        """The chosen call fills the screen."""
        self.timeline = Timeline()
        self.attending = Attending(self)
        self.admission: Admission | None = None
        """The waiting device that the officer looks at."""
        self._named: tuple[int | None, str] = None, ""
        """Seat and call that the screen has named as the chosen one."""
        self._held_until_s = now_s
        self._beaten: tuple[str, bool] = "", False
        self.filter = Filter()
        self._by_need_until_s = 0.0

    # -- from the server

    def receive(self, message: Any, now_s: float) -> Changed:
        """Takes a message in; says what of the wall has changed."""
        wall = self.wall
        was_lost = wall.link.lost
        wall.link.heard(now_s)
        match message:
            case CommandAnswer():
                self.acts.answer(message, now_s)
                return Changed()
            case CommandDone():
                self.acts.done(message)
                return Changed()
            case NoticeReached():
                self.acts.reached(message)
                return Changed()
            case MarkRefused():
                self.say(message.words, now_s)
                return Changed()
            case TimeReply(sent_ms, server_time_ms):
                wall.link.time_reply(sent_ms, server_time_ms, now_s * 1000)
                return Changed()
            case HealthSnapshot() | HealthDelta():
                wall.link.server_said(message.server_time_ms, now_s * 1000)
                changed = Changed(gap=self.health.apply(message))
            case _:
                before = dict(wall.calls) if isinstance(message, Snapshot | CallChanged) else {}
                changed = wall.apply(message, now_s)
                self._note(before, now_s)
        if isinstance(message, ConsoleWelcome):
            self._send(self._wanted)
            if self.health.opened:
                self.open_laptop()  # the new session looks at it too
        if changed.gap:
            self._send(SnapshotRequest())
        if isinstance(message, Snapshot) and self.seat not in wall.seats:
            self.seat = next(iter(wall.seats), None)
        if self.admission is not None:
            if (call := wall.calls.get(self.admission.call.call_id)) is not None:
                self.admission.update(call)
            else:
                self.admission.gone()
        if self.panel is not None and (call := wall.calls.get(self.panel.call.call_id)) is not None:
            self.panel.update(call, now_s)
        self._follow(now_s)
        if was_lost:
            self.say(f"Back after {wall.link.away_s:.0f} s", now_s)
            changed.words |= set(wall.seats)
        return changed

    def _note(self, before: dict[str, CallView], now_s: float) -> None:
        """For the timelines: how calls were before this message, if it can have changed them."""
        wall = self.wall
        server_ms = wall.link.server_ms(now_s)
        for call_id, old in before.items():
            if (new := wall.calls.get(call_id)) is not None and new is not old:
                self.timeline.note(old, new, server_ms)
        self.timeline.since_ms = self.timeline.since_ms or server_ms
        self.timeline.keep_calls(set(wall.calls))

    @property
    def role(self) -> Role | None:
        return self.wall.welcome.role if self.wall.welcome else None

    def vigilance(self, now_s: float) -> tuple[Vigilance, float]:
        """Whether this console asks if somebody is there, and for how long it still stands so."""
        return vigilance(self.role, now_s - self._touched_s)

    def gone(self, words: str) -> None:
        self.wall.link.why = words

    def look(self, now_s: float) -> bool:
        """What time alone changes: a lost link, acts that became void. True when all has to be drawn anew."""
        for command in self.acts.look(now_s, self.wall.link.usable):
            self._send(command)
        self._follow(now_s)
        beat = self.beat(now_s)
        if (beat.selected_call, beat.focused) != self._beaten and self.wall.link.usable:
            self._send(beat)  # colleagues see at once who looks where
            self._beaten = beat.selected_call, beat.focused
        hidden = f"press {key_of('here')}" if self.vigilance(now_s)[0] is Vigilance.MISSED else ""
        changed, self.wall.hidden = hidden != self.wall.hidden, hidden
        return self.wall.link.look(now_s) or changed

    # -- to the server

    def beat(self, now_s: float) -> Beat:
        call = self.call(now_s) if self._looking else None
        focused = self.focused and call is not None
        return Beat(call.call_id if call else "", focused, round((now_s - self._touched_s) * 1000))

    def tell(self, message: Any) -> bool:
        """Sends what is no act; False when there is no link."""
        return self.wall.link.usable and self._send(message)

    def show_pictures(self, on: bool) -> None:
        """Off while the wall is not looked at: no laptop makes pictures for it then."""
        self._looking = on
        if not on:
            self.want([])

    def want(self, boxes: list[Box], focus_call: str = "", focus: list[Box] | None = None) -> None:
        """Pictures of every call, and besides of the one that is looked at closely."""
        close = focus or []
        wanted = Boxes(boxes, focus_call if close else "", close) if self._looking else Boxes([])
        if wanted != self._wanted:
            self._wanted = wanted
            self.wall.wanted = frozenset(box_key(box) for box in (*wanted.boxes, *wanted.focus))
            self._send(wanted)

    def open_laptop(self) -> None:
        """Looking at one laptop's details is logged by the server."""
        if self.health.chosen:
            self.health.opened = True
            self._send(OpenLaptop(self.health.chosen))

    def order(self, call: CallView, ordered: Ordered, now_s: float) -> bool:
        """Sends an act at once, or says that it was not sent; nothing is kept for later."""
        action = BY_ID[ordered.action]
        server_ms = self.wall.link.server_ms(now_s)
        command = Command(
            uuid.uuid4().hex, call.call_id, call.version, server_ms + NOT_AFTER_MS, ordered.reason, ordered.act
        )
        if not (self.wall.link.usable and self._send(command)):
            self.say(f"{action.name} at seat {call.seat:02d}: link lost: not sent", now_s)
            return False
        self._notice = ""  # what was said before must not hide how this act comes on
        self.acts.sent(ActView(command, action.name, call.seat, action.shown_key, server_ms, now_s))
        if ordered.then is not None:
            self.order(call, ordered.then, now_s)
        return True

    # -- from the officer

    def call(self, now_s: float) -> CallView | None:
        """The call at the chosen seat."""
        return self.wall.call_at(self.seat, now_s) if self.seat is not None else None

    def touched(self, now_s: float) -> None:
        """A key or the mouse: somebody is here. The server is told at once when it may think otherwise."""
        asked = self.vigilance(now_s)[0] in (Vigilance.ASKED, Vigilance.MISSED)
        self._touched_s = now_s
        if asked or self.wall.unsupervised is not None:
            self._send(self.beat(now_s))

    def choose(self, seat: int | None) -> None:
        if seat is not None and seat != self.seat:
            self.attending.walk.left(self.seat)
            self.seat = seat

    def press_digit(self, digit: str, now_s: float) -> None:
        seat = self._digits.press(digit, now_s)
        if seat in self.wall.seats:
            self.choose(seat)
        elif seat is not None:
            self.say(f"There is no seat {seat:02d}", now_s)

    def listed(self, now_s: float) -> list[int]:
        """The seats in the order of the wall's list."""
        needy = (entry.seat for entry in self.attending.strip(now_s)) if self.by_need(now_s) else None
        return listed(self.wall, self.filter, needy, now_s)

    def by_need(self, now_s: float) -> bool:
        return now_s < self._by_need_until_s

    def filter_words(self, now_s: float) -> str:
        kept = len(self.listed(now_s)) if self.filter.typing or self.filter.active else 0
        return self.filter.words(kept, len(self.wall.seats))

    def turned(self, seat: int) -> bool:
        return (seat in self._turned) != self._turned_all

    def turn(self, every: bool) -> None:
        if every:
            self._turned_all = not self._turned_all
            self._turned.clear()
        elif self.seat is not None:
            self._turned ^= {self.seat}

    def act(self, action: Action, now_s: float) -> None:
        """Opens the action's panel, or acts at once; says why when it is off. Acts are about the call that the screen
        names, or about none."""
        self._digits.forget()
        self._follow(now_s)
        if action.id == "admit" and (waiting := self._longest_waiting(now_s)) is not None:
            self.choose(waiting)
        call = self.admission.call if self.admission is not None else self.call(now_s)
        why = why_off(action, self.wall, call, self.admission) or self._why_held(action, call, now_s)
        if why:
            self.say(why, now_s)
        elif self._arrange(action.id, now_s) or self.attending.do(action.id, call, now_s):
            return
        elif call is not None:
            self._act_on(action, call, now_s)

    def _arrange(self, action: str, now_s: float) -> bool:
        """Which seats are shown, and in which order; False for all other actions."""
        match action:
            case "filter":
                self.filter.begin()
            case "filter-clear":
                self.filter.clear()
            case "by-need":
                self._by_need_until_s = 0.0 if self.by_need(now_s) else now_s + BY_NEED_FOR_S
            case _:
                return False
        return True

    def _act_on(self, action: Action, call: CallView, now_s: float) -> None:
        match action.id:
            case "pause":
                if self.order(call, Ordered("pause", Pause()), now_s):
                    self.panel = PausedPanel(call, now_s)
            case "have":
                self.order(call, Ordered("have", Watch(True)), now_s)
            case "admit":
                self._look_at_caller(call, waiting_legs(call)[0].leg, now_s)
            case "tick":
                self.tick(0, now_s)
            case other:
                self.panel = open_panel(other, self.wall, call, now_s, self.admission)
                if other == "details" and self.admission is not None:
                    self.admission.read()
                if self.panel is None:
                    raise ValueError(f"no way to do {other}")

    # -- the waiting room

    def _look_at_caller(self, call: CallView, leg: str, now_s: float) -> None:
        self.choose(call.seat)
        self.admission = Admission(call, leg, day_of(self.wall.link.server_ms(now_s)))

    def next_caller(self, step: int, now_s: float) -> None:
        """The next of those that wait, or the one before; it begins with no tick of the last one's."""
        found = waiting(self.wall)
        if self.admission is None or not found:
            return
        here = next((n for n, (call, leg) in enumerate(found) if self.admission.holds(call, leg)), -1)
        self._look_at_caller(*found[(here + step) % len(found)], now_s)

    def tick(self, point: int, now_s: float) -> None:
        """A point of the check list; 0: the next one that is not ticked."""
        if self.admission is not None:
            why = self.admission.tick(point) if point else self.admission.tick_next()
            if why:
                self.say(why, now_s)

    def _why_held(self, action: Action, call: CallView | None, now_s: float) -> str:
        if action.danger >= Danger.ACTS and action.id != "pause" and self._caps.holds(now_s):
            return f"{action.shown_key} is held for a moment: Caps Lock may be on"
        if action.id in AT_ONCE and now_s < self._held_until_s and call is not None:
            return f"{action.shown_key}: seat {call.seat:02d} has another call now; look, then press it again"
        return ""

    def _follow(self, now_s: float) -> None:
        """When another call has come to the chosen seat, nothing acts on it until it could be read."""
        call = self.call(now_s)
        named = self.seat, call.call_id if call else ""
        if named != self._named:
            if named[0] == self._named[0]:
                self._held_until_s = now_s + HELD_S
            self._named = named

    def _longest_waiting(self, now_s: float) -> int | None:
        """The seat of who has waited longest for admission, unless somebody waits at the chosen one."""
        call = self.call(now_s)
        if call is not None and waiting_legs(call):
            return None
        waiting = sorted(self.wall.waiting_since.items(), key=lambda one: one[1])
        return next((c.seat for (call_id, _), _ in waiting if (c := self.wall.calls.get(call_id))), None)

    def press_in_panel(self, key: str, now_s: float) -> bool:
        """False when the key has closed the panel and is still to be taken as it always is."""
        assert self.panel is not None
        panel = self.panel
        answer = panel.press(key, now_s)
        if isinstance(answer, Ordered):
            self.panel = None
            if self.order(panel.call, answer, now_s) and isinstance(answer.act, Admit | Refuse):
                self.admission = None
        elif isinstance(answer, Shelve):
            self.panel = None
            if not self.tell(answer):
                self.say("Shelve: link lost: not sent", now_s)
        elif answer in (CLOSED, PASSED):
            self.panel = None
        return answer != PASSED

    def stray_capital(self, now_s: float) -> None:
        self._caps.meaningless_capital(now_s)
        self.say(f"Caps Lock may be on: acts but {key_of('pause')} are held for 3 s", now_s)

    def say(self, words: str, now_s: float) -> None:
        self._notice, self._notice_until_s = words, now_s + NOTICE_S

    def notice(self, now_s: float) -> str:
        """What was last said, for a few seconds."""
        return self._notice if now_s < self._notice_until_s else ""
