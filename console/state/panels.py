"""The panels over the lower text: each holds the call it was opened for, and turns letters into one act or none.

A panel's `press` gives an Ordered act, a Shelve, CLOSED, PASSED, or None while it waits for more. Enter and Escape
never act on a call, but for a flag, which is filed with Enter because nothing in the call changes by it.
"""

from dataclasses import dataclass
from typing import ClassVar

from schemas.attention import Shelve
from schemas.call import CallState, CallView, Category, Outcome
from schemas.console import Act, End, Extend, Flag

from ..actions import key_of, means
from .ages import clock, countdown
from .safe_text import safe
from .tile_words import callers
from .typed_line import typed
from .wall import OPEN

HELD_S = 1.0
"""After its call changed under it, a panel takes no confirmation for so long."""
NOTE_LONGEST = 200
CLOSED = "closed"
PASSED = "passed"
"""Closed, and the key means what it means without the panel."""


@dataclass(frozen=True)
class Ordered:
    """What the officer has decided; `name` and `key` are of the action."""

    action: str
    act: Act
    reason: str = ""
    then: "Ordered | None" = None
    """What goes out right behind it."""


PanelAnswer = Ordered | Shelve | str | None


@dataclass(frozen=True)
class Choice:
    key: str
    words: str
    chosen: bool = False


@dataclass(frozen=True)
class PanelView:
    """All safe text; `keep` is the focused button."""

    title: str
    sentences: tuple[str, ...]
    choices: tuple[Choice, ...]
    more_choices: tuple[Choice, ...]
    notice: str
    keep: str
    confirm: str


class Panel:
    """Base of the panels. `call` is the newest form of the call it was opened for, never another call."""

    action = ""
    word = ""

    def __init__(self, call: CallView, now_s: float) -> None:
        self.call, self.notice = call, ""
        self._held_until_s = now_s

    def update(self, call: CallView, now_s: float) -> None:
        """Takes the call's newer form in; says so and holds the confirmation when that changes what is decided on."""
        before, self.call = self.call, call
        if self.matters(call) != self.matters(before):
            self.notice = f"The call has changed meanwhile: {call.state}. {safe(call.said)}".strip()
            self._held_until_s = now_s + HELD_S

    def matters(self, call: CallView) -> object:
        """What of the call this panel's decision rests on."""
        return call.state

    def why_not(self) -> str:
        """Why the act is impossible by now, in words; empty when it is possible."""
        return "" if self.call.state in OPEN else "the call has ended"

    def view(self) -> PanelView:
        raise NotImplementedError

    def press(self, key: str, now_s: float) -> PanelAnswer:
        """`key`: a printable character, or Textual's name of another key."""
        if key in ("enter", "escape", "q"):
            return CLOSED
        return self.letter(key, now_s)

    def letter(self, key: str, now_s: float) -> Ordered | Shelve | None:
        raise NotImplementedError

    def confirmed(self, order: Ordered, now_s: float) -> Ordered | None:
        """The order, unless the call no longer allows it or has just changed."""
        why = self.why_not()
        if why:
            self.notice = f"Not sent: {why}."
        elif now_s < self._held_until_s:
            self.notice = "Not sent: the call has just changed; look again, then press it again."
        else:
            return order
        return None

    @property
    def who(self) -> str:
        return f"seat {self.call.seat:02d} {safe(self.call.surname).upper()} {safe(self.call.prison_number)}"


class MoreTimePanel(Panel):
    """Minutes and a reason, in any order; the second of them sends it."""

    action, word = "extend", "MORE TIME"
    MINUTES: ClassVar = {"1": 5, "2": 10, "3": 15}
    REASONS: ClassVar = {"t": "time lost to a fault", "g": "good reason", "w": "welfare"}

    def __init__(self, call: CallView, now_s: float) -> None:
        super().__init__(call, now_s)
        self.chosen = self.reason = ""

    def matters(self, call: CallView) -> object:
        return call.state, call.ends_at_ms, call.latest_end_ms

    def ends_at_ms(self, key: str) -> int:
        return self.call.ends_at_ms + self.MINUTES[key] * 60_000

    def possible(self, key: str) -> bool:
        return self.ends_at_ms(key) <= self.call.latest_end_ms

    def view(self) -> PanelView:
        times: list[Choice] = []
        for key, minutes in self.MINUTES.items():
            end = clock(self.ends_at_ms(key)) if self.possible(key) else f"not possible: {self._limit()}"
            times.append(Choice(key, f"+{minutes} min → {end}", key == self.chosen))
        return PanelView(
            f"MORE TIME {self.who} · ends {clock(self.call.ends_at_ms)}",
            (),
            tuple(times),
            tuple(Choice(key, words, key == self.reason) for key, words in self.REASONS.items()),
            self.notice,
            "No more time",
            "minutes and a reason give it",
        )

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if key in self.MINUTES:
            self.notice = ""
            if not self.possible(key):
                self.notice = f"+{self.MINUTES[key]} min is not possible: {self._limit()}."
                return None
            self.chosen = key
        elif key in self.REASONS:
            self.reason, self.notice = key, ""
        elif not means(key, self.action):
            return None
        if not (self.chosen and self.reason):
            if means(key, self.action):
                missing = "how much (1, 2 or 3)" if not self.chosen else "why (t, g or w)"
                self.notice = f"Not sent: first choose {missing}."
            return None
        if not self.possible(self.chosen):
            self.notice = f"Not sent: {self._limit()}."
            return None
        order = Ordered(self.action, Extend(self.ends_at_ms(self.chosen)), self.REASONS[self.reason])
        return self.confirmed(order, now_s)

    def _limit(self) -> str:
        until = f"latest end {clock(self.call.latest_end_ms)}"
        booked = self.call.next_booking_ms
        return f"{until}, room booked from {clock(booked)}" if booked else f"{until} by policy"


class EndPanel(Panel):
    """A reason, then the act's key again; final."""

    action, word = "end", "END"
    REASONS: ClassVar = {
        "s": (Outcome.TERMINATED_BY_STAFF, "by staff: safety"),
        "r": (Outcome.TERMINATED_BY_STAFF, "by staff: rules broken"),
        "p": (Outcome.PRISONER_COMPLETED_EARLY, "prisoner asked"),
        "c": (Outcome.VISITOR_COMPLETED_EARLY, "caller asked"),
        "u": (Outcome.TERMINATED_BY_STAFF, "unauthorised person"),
        "t": (Outcome.TECHNICAL_FAULT, "technical fault"),
    }

    def __init__(self, call: CallView, now_s: float, server_ms: int) -> None:
        super().__init__(call, now_s)
        self.reason = ""
        self._left = countdown(call.ends_at_ms - server_ms)

    def matters(self, call: CallView) -> object:
        # A pause or an admission by somebody else does not make an end wrong; an end by somebody else does.
        return call.state in (CallState.ENDING, CallState.ENDED)

    def view(self) -> PanelView:
        return PanelView(
            f"END {self.who} with {callers(self.call)}",
            (f"Picture and sound stop for both sides. This is final. {self._left} left would be lost.",),
            tuple(Choice(key, words, key == self.reason) for key, (_, words) in self.REASONS.items()),
            (),
            self.notice,
            "Keep the call",
            f"{key_of(self.action)} again ends the call",
        )

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if key in self.REASONS:
            self.reason, self.notice = key, ""
        elif means(key, self.action):
            if not self.reason:
                self.notice = "Not sent: first choose why (one letter)."
                return None
            outcome, words = self.REASONS[self.reason]
            return self.confirmed(Ordered(self.action, End(outcome), words), now_s)
        return None


CATEGORY_WORDS = {
    Category.UNAUTHORISED_PERSON: "unauthorised person",
    Category.OUT_OF_VIEW: "out of view",
    Category.MORE_THAN_FOUR_CALLERS: "more than 4 callers",
    Category.DRESS_OR_NUDITY: "dress or nudity",
    Category.DRUGS: "substances, drugs",
    Category.WEAPON_OR_GANG_SIGN: "weapon or gang sign",
    Category.FILMING: "recording, screenshot",
    Category.SECOND_DEVICE: "third party, device",
    Category.THREAT_OR_ABUSE: "abuse or threat",
    Category.MINOR_WITHOUT_ADULT: "child without adult",
    Category.SELF_HARM_OR_SAFEGUARDING: "harm, safeguarding",
    Category.DRIVING: "in a vehicle, driving",
    Category.PRIVILEGED_CALL: "privileged call",
    Category.TECHNICAL_FAULT: "equipment, fault",
    Category.OTHER: "other",
}


class FlagPanel(Panel):
    """A category's letter, then a note of one line that may stay empty; Enter files it with the time of the `f`."""

    action, word = "flag", "FLAG"

    def __init__(self, call: CallView, now_s: float, pressed_ms: int) -> None:
        super().__init__(call, now_s)
        self.category: Category | None = None
        self.note = ""
        self._pressed_ms = pressed_ms

    def matters(self, call: CallView) -> object:
        return None

    def why_not(self) -> str:
        return ""  # what happened in a call can be told after its end as well

    def view(self) -> PanelView:
        title = f"FLAG {self.who} at {clock(self._pressed_ms)}"
        if self.category is None:
            choices = tuple(Choice(category.value, words) for category, words in CATEGORY_WORDS.items())
            return PanelView(title, (), choices, (), self.notice, "Nothing", "a letter, then Enter files it")
        note = f"Note: {safe(self.note)}▏"
        title += f" · {CATEGORY_WORDS[self.category]}"
        return PanelView(
            title, (note,), (), (), self.notice, "", "Enter files it, with the note or without · Esc: nothing"
        )

    def press(self, key: str, now_s: float) -> PanelAnswer:
        if key == "escape" or (self.category is None and key in ("enter", "q")):
            return CLOSED
        if self.category is None:
            if key in CATEGORY_WORDS:
                self.category, self.notice = Category(key), ""
            else:
                self.notice = "No such category; one of the letters, or Esc."
            return None
        if key == "enter":
            return Ordered(self.action, Flag(self.category, self.note.strip(), self._pressed_ms))
        self.note = typed(self.note, key, NOTE_LONGEST)
        return None
