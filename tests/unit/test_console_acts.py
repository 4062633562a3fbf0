"""All acts by their keys: at most three, with the reason by letter, and only on the call that the screen names."""

import random
from typing import Any

import msgspec
import pytest

from console.actions import BY_ID, of_screen
from console.desk import Desk
from console.pressing import press
from console.state.acts import Stage, act_words
from console.state.attention import Severity
from console.state.panels import EndPanel
from console.state.pausing import PausedPanel
from console.state.selection import move
from schemas.attention import Acknowledge, Cause, MarkRefused, NoticeReached, Shelve, Watchers, WatcherView
from schemas.call import CallState, CallView, Category, LegView, Outcome, Refusal, Role
from schemas.console import (
    Act,
    Admit,
    Beat,
    CallChanged,
    Command,
    CommandAnswer,
    ConsoleWelcome,
    Delta,
    End,
    Extend,
    Flag,
    Notice,
    OneSide,
    Pause,
    Refuse,
    Resume,
    Snapshot,
    UrgentHelp,
    Warn,
    Watch,
)
from schemas.media import Side
from server.rules.permissions import EVERY_ACT

from .test_console_state import NOW_S, SERVER_MS, call, seat

MINUTE_MS = 60_000


OF_THE_SCREEN = (
    "help",
    "palette",
    "pictures",
    "quit",
    "go-reviews",
    "side",
    "side-all",
    "here",
    "theme",
    "focus",
    "copy",
)


class Wire:
    """A desk with two calls and a colleague, and what it sends."""

    def __init__(self, *calls: CallView) -> None:
        self.sent: list[Any] = []
        self.desk = Desk(NOW_S, lambda message: self.sent.append(message) or True)
        self.order = 1
        self.now = NOW_S
        calls = tuple(msgspec.structs.replace(c, admitted_at_ms=SERVER_MS) for c in calls or (call(1), call(2)))
        permissions = ["view", *EVERY_ACT]
        self.take(ConsoleWelcome(2, "mine", "R. Hughes", Role.OFFICER, "BWI", "Berwyn", SERVER_MS, permissions))
        self.take(Snapshot(1, 1, SERVER_MS, [seat(n) for n in (1, 2, 3)], list(calls), [], [], []))
        here = [("mine", "R. Hughes"), ("s2", "J. Patel"), ("s3", "S. Brannigan")]
        self.take(Watchers([WatcherView(s, n, Role.OFFICER, "", False, False, True) for s, n in here]))

    def take(self, message: Any) -> None:
        self.desk.receive(message, self.now)

    def change(self, changed: CallView) -> None:
        self.order += 1
        self.take(CallChanged(self.order, changed))

    def press(self, *keys: str) -> None:
        for key in keys:
            action = press(self.desk, key, self.now, "A" if self.desk.admission is not None else "W")
            if action is None or action.id in OF_THE_SCREEN:
                continue
            if action.id in ("caller-next", "caller-before"):
                self.desk.next_caller(1 if action.id == "caller-next" else -1, self.now)
            elif action.id in ("admission-back", "go-wall"):
                self.desk.admission = None
            elif action.id.startswith("move-"):
                self.desk.choose(move([1, 2, 3], self.desk.seat, 3, action.id.removeprefix("move-")))
            else:
                self.desk.act(action, self.now)

    @property
    def commands(self) -> list[Command]:
        return [m for m in self.sent if isinstance(m, Command)]


WAITING = call(1, CallState.WAITING)
PAUSED = call(1, CallState.PAUSED, paused_at_ms=SERVER_MS)
IN_THREE_KEYS: list[tuple[tuple[str, ...], CallView, Any, str]] = [
    (("f3", "A", "A"), WAITING, Admit("family-1"), "confirmed at once 1 2 3 4 5 6 7"),
    (("f3", "X", "i"), WAITING, Refuse("family-1"), "identity not shown"),
    (("N", "1"), call(1), Notice(None, "Please hold the device level."), "template 1"),
    (("N", "f", "2"), call(1), Notice(Side.FAMILY, "Please turn to the light."), "template 2"),
    (("W", "3"), call(1), Warn(None, "please stay in view."), "template 3"),
    (("W", "r", "5"), call(1), Warn(Side.ROOM, "please mind your language."), "template 5"),
    (("P",), call(1), Pause(), ""),
    (("R", "f"), PAUSED, Resume(True), "false alarm"),
    (("R", "c"), PAUSED, Resume(False), "checked and fine"),
    (("V", "f", "s"), call(1), OneSide(Side.FAMILY, True, False), "checking something"),
    (("V", "r", "b"), call(1), OneSide(Side.ROOM, True, True), "checking something"),
    (("+", "1", "w"), call(1), Extend(call(1).ends_at_ms + 5 * MINUTE_MS), "welfare"),
    (("X", "r", "X"), call(1), End(Outcome.TERMINATED_BY_STAFF), "by staff: rules broken"),
    (("f", "r", "enter"), call(1), Flag(Category.FILMING, "", SERVER_MS), ""),
    (("f12", "m"), call(1), UrgentHelp("medical"), "medical"),
    (("f12", "f"), call(1, help="medical", help_by="J. Patel"), UrgentHelp("false alarm", over=True), "false alarm"),
    (("I",), call(1), Watch(True), ""),
    (("Y", "1"), call(1, watch="R. Hughes"), Watch(False, "J. Patel"), "handover"),
]


@pytest.mark.parametrize(
    ("keys", "one", "act", "reason"), IN_THREE_KEYS, ids=lambda v: " ".join(v) if isinstance(v, tuple) else None
)
def test_each_act_takes_at_most_three_keys(keys: tuple[str, ...], one: CallView, act: Any, reason: str) -> None:
    wire = Wire(one)
    wire.press(*keys[:-1])
    assert not wire.commands
    wire.press(keys[-1])
    (command,) = wire.commands
    assert (command.call_id, command.act, command.reason) == ("call-1", act, reason) and len(keys) <= 3


def test_every_act_of_the_wire_is_among_them() -> None:
    acts = {type(act) for _, _, act, _ in IN_THREE_KEYS}
    assert acts == set(Act.__args__)


@pytest.mark.parametrize("action", [a.id for a in of_screen("W") if a.permission and a.id not in ("go-reviews",)])
@pytest.mark.parametrize("key", ["enter", "escape", " "])
def test_enter_escape_and_space_never_act(action: str, key: str) -> None:
    wire = Wire({"admit": WAITING, "resume": PAUSED, "yield": call(1, watch="R. Hughes")}.get(action, call(1)))
    wire.desk.act(BY_ID[action], wire.now)
    before = len(wire.commands)
    wire.press(key, key)
    assert len(wire.commands) == before


# -- single acts


def test_resuming_with_a_warning_sends_both_in_this_order() -> None:
    wire = Wire(PAUSED)
    wire.press("R", "w")
    assert [type(c.act) for c in wire.commands] == [Resume, Warn] and not wire.commands[0].act.false_alarm  # type: ignore[union-attr]


def test_a_pause_asks_for_its_reason_afterwards_and_lets_every_other_key_through() -> None:
    wire = Wire(call(1))
    wire.press("P")
    assert isinstance(wire.desk.panel, PausedPanel) and "not confirmed yet" in wire.desk.panel.view().title
    wire.change(call(1, CallState.PAUSED, version=4, paused_at_ms=SERVER_MS))
    assert wire.desk.panel.view().title.startswith("PAUSED seat 01 HARRIS")
    wire.press("5")
    assert [(c.act, c.reason) for c in wire.commands] == [(Pause(), ""), (Pause(), "filming")]
    wire.press("P")
    assert wire.desk.panel is None and "nothing flows" in wire.desk.notice(wire.now)
    wire = Wire(call(1))
    wire.press("P", "X")
    assert isinstance(wire.desk.panel, EndPanel)
    wire = Wire(call(1))
    wire.press("P", "q")
    assert wire.desk.panel is None


def test_own_words_are_sent_by_the_acts_capital_and_never_by_enter() -> None:
    wire = Wire(call(1))
    wire.press("W", "f", "6", "enter")
    assert "no words" in wire.desk.panel.view().notice  # type: ignore[union-attr]
    wire.press(*"no W", "x", "backspace", "enter", "enter")
    assert not wire.commands and wire.desk.panel is not None
    wire.press("W")
    assert wire.commands[0].act == Warn(Side.FAMILY, "no W")


def test_one_side_turns_on_again_what_is_off_and_a_colleagues_change_holds_it() -> None:
    wire = Wire(call(1, family_sound_off=True))
    wire.press("V", "2", "f", "s")
    assert wire.commands[0].act == OneSide(Side.FAMILY, False, False) and wire.commands[0].reason == "dress or nudity"
    wire.press("V", "f")
    wire.change(call(1, version=9, family_sound_off=False))
    wire.press("s")
    assert len(wire.commands) == 1 and "just changed" in wire.desk.panel.view().notice  # type: ignore[union-attr]


def test_several_devices_are_admitted_one_by_one() -> None:
    legs = [LegView("room", True, True), *(LegView(f"family-{n}", True, False) for n in (1, 2, 3))]
    wire = Wire(call(1, CallState.WAITING, legs=legs))
    wire.press("f3", "l", "A", "A")
    assert wire.commands[0].act == Admit("family-2")
    wire.press("f3", "h", "X", "?", "t")
    assert wire.commands[1].act == Refuse("family-3") and wire.commands[1].reason == "technical fault"


def test_f3_leads_to_who_has_waited_longest_and_names_them() -> None:
    wire = Wire(call(1), call(2, CallState.WAITING))
    wire.press("f3")
    wire.press("A")
    assert wire.desk.seat == 2 and "seat 02" in wire.desk.panel.view().title  # type: ignore[union-attr]
    wire.press("A")
    assert wire.commands[0].call_id == "call-2"


def test_the_watch_is_offered_to_colleagues_who_are_here() -> None:
    wire = Wire(call(1, watch="R. Hughes"))
    wire.press("Y")
    assert [c.words for c in wire.desk.panel.view().choices] == ["J. Patel", "S. Brannigan"]  # type: ignore[union-attr]
    wire.press("9")
    assert not wire.commands
    other = Wire(call(1, watch="J. Patel"))
    other.press("Y")
    assert other.desk.panel is None and "J. Patel has the watch" in other.desk.notice(other.now)


# -- from key to confirmed


def answered(wire: Wire, **fields: Any) -> str:
    values: dict[str, Any] = {"accepted": True, "refusal": None, "words": ""} | fields
    wire.take(CommandAnswer(wire.commands[-1].command_id, **values))
    return act_words(next(iter(wire.desk.acts)), wire.now, False)


def test_words_are_sent_then_read() -> None:
    wire = Wire(call(1))
    wire.press("W", "1")
    assert "sent to family-1, room, not read yet" in answered(wire, words="Sent to family-1, room.")
    for leg, took_ms in (("family-1", 310), ("room", 1200)):
        wire.take(NoticeReached(wire.commands[0].command_id, "call-1", leg, took_ms))
    assert "Warning: read by family-1 0.3 s, room 1.2 s" in act_words(next(iter(wire.desk.acts)), wire.now, False)
    wire.take(NoticeReached("somebody-elses", "call-1", "room", 5))


def test_a_colleague_who_was_first_is_told_apart_from_a_refusal() -> None:
    wire = Wire(PAUSED)
    wire.press("R", "c")
    words = answered(wire, accepted=False, refusal=Refusal.OLD_VERSION, words="Resumed by J. Patel, since you looked.")
    assert "Resume: overtaken: Resumed by J. Patel" in words
    assert next(iter(wire.desk.acts)).stage is Stage.OVERTAKEN
    wire.now += 30
    wire.desk.look(wire.now)
    assert len(wire.commands) == 1, "nothing is sent again by itself"


# -- attention


def test_seen_and_shelved_go_out_for_the_chosen_call() -> None:
    wire = Wire(call(1, CallState.PAUSED, paused_at_ms=SERVER_MS - 7, ends_at_ms=SERVER_MS + 200_000), call(2))
    wire.press("o")
    marks = [m for m in wire.sent if isinstance(m, Acknowledge)]
    assert {(m.cause, m.since_ms) for m in marks} == {
        (Cause.PAUSED, SERVER_MS - 7), (Cause.TIME_SHORT, SERVER_MS + 200_000),
    }  # fmt: skip
    assert {m.call_id for m in marks} == {"call-1"}
    wire.press("z", "1", "k")
    (shelf,) = [m for m in wire.sent if isinstance(m, Shelve)]
    assert (shelf.cause, shelf.minutes, shelf.why) == (Cause.TIME_SHORT, 2, "known and harmless")
    wire.take(MarkRefused("call-1", Cause.TIME_SHORT, "You have shelved 3 already."))
    assert wire.desk.notice(wire.now) == "You have shelved 3 already."
    wire.press("0", "2", "z")
    assert "nothing to shelve" in wire.desk.notice(wire.now) and wire.desk.panel is None


def test_what_this_officer_did_does_not_ring_here_and_is_told_to_the_others() -> None:
    wire = Wire(call(1), call(2))
    wire.press("P")
    answered(wire, needs_laptop=True)
    wire.change(call(1, CallState.PAUSED, version=4, paused_at_ms=SERVER_MS + 90, admitted_at_ms=SERVER_MS))
    helped = call(2, version=4, help="medical", help_by="R. Hughes", help_at_ms=SERVER_MS + 90)
    wire.change(msgspec.structs.replace(helped, admitted_at_ms=SERVER_MS))
    for _ in range(3):
        shown = wire.desk.attending.strip(wire.now)
        assert [e.seen_by for e in shown if e.severity is Severity.URGENT] == ["R. Hughes", "R. Hughes"]
    marks = [(m.cause, m.since_ms) for m in wire.sent if isinstance(m, Acknowledge)]
    assert sorted(marks) == [(Cause.PAUSED, SERVER_MS + 90), (Cause.URGENT_HELP, SERVER_MS + 90)]
    other = Wire(call(1, CallState.PAUSED, paused_at_ms=SERVER_MS + 90))
    assert [e.seen_by for e in other.desk.attending.strip(other.now)] == [""]
    assert not wire.desk.attending.alarms.rings(wire.now) and other.desk.attending.alarms.rings(other.now)


def test_a_goes_to_the_top_u_to_the_longest_unseen_and_b_back() -> None:
    wire = Wire(call(1), call(2, CallState.PAUSED, paused_at_ms=SERVER_MS), call(3))
    wire.press("a")
    assert wire.desk.seat == 2
    wire.press("b")
    assert wire.desk.seat == 1
    wire.now += 30
    wire.take(Delta(2, SERVER_MS, [], [], []))
    wire.change(call(1, version=8, admitted_at_ms=SERVER_MS, looked_at_ms=SERVER_MS + 29_000))
    wire.press("u")
    assert wire.desk.seat == 2, "2 and 3 were never looked at"
    assert not wire.commands


def test_colleagues_hear_at_once_which_call_is_chosen() -> None:
    wire = Wire()
    wire.desk.look(wire.now)
    wire.sent.clear()
    wire.press("0", "2")
    wire.desk.look(wire.now + 0.1)
    wire.desk.look(wire.now + 0.2)
    assert [b.selected_call for b in wire.sent if isinstance(b, Beat)] == ["call-2"]


# -- never on another call than the one that is named


def test_another_call_at_the_seat_is_not_acted_on_before_it_could_be_read() -> None:
    wire = Wire(call(1, CallState.ENDING))
    wire.change(call(1, CallState.ENDED, version=9, ended_at_ms=SERVER_MS))
    wire.change(call(1, call_id="next", version=1, surname="Rees"))
    for key in ("P", "I", "o"):
        wire.press(key)
        assert "another call now" in wire.desk.notice(wire.now)
    assert not wire.commands and wire.desk.panel is None
    wire.press("X")
    assert "REES" in wire.desk.panel.view().title, "a panel names it"  # type: ignore[union-attr]
    wire.press("escape")
    wire.now += 1.1
    wire.press("P")
    assert [c.call_id for c in wire.commands] == ["next"]


def test_a_digit_after_an_act_is_a_first_digit() -> None:
    wire = Wire(call(1), call(2))
    wire.press("1", "I", "2")
    assert wire.desk.seat == 2


KEYS = [
    *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-/?.,[] ",
    "enter", "escape", "tab", "backspace", "left", "right", "up", "down", "f2", "f3", "f4", "f5", "f12", "pagedown",
]  # fmt: skip
FAVOURED = [
    *("X", "X", "s", "r", "f3", "A", "P", "R", "+", "1", "w", "V", "f", "enter", "a", "u", "b", "2", "I", "Y"),
    *("escape", "escape", "escape"),
]
"""Pressed more often, so that acts do happen."""


@pytest.mark.parametrize("seed", range(12))
def test_nobody_ends_a_call_by_accident_in_a_thousand_keys(seed: int) -> None:
    """Only X, a letter, X in one panel ends a call, and it is the one that this panel names all the while, though calls
    come, go and change their state under it."""
    dice = random.Random(seed)
    wire = Wire(call(1), call(2, CallState.WAITING), call(3, CallState.PAUSED, paused_at_ms=SERVER_MS))
    named: list[tuple[str, str]] = []
    """(key, call that the open end panel named when it was pressed), since that panel was opened."""
    for number in range(1000):
        wire.now += dice.choice((0.05, 0.3, 1.5))
        wire.take(Delta(number + 2, SERVER_MS, [], [], []))
        if dice.random() < 0.3:
            _happen(wire, dice, number)
        key = dice.choice(FAVOURED if dice.random() < 0.5 else KEYS)
        panel, before = wire.desk.panel, len(wire.commands)
        chosen = wire.desk.admission.call if wire.desk.admission is not None else wire.desk.call(wire.now)
        if isinstance(panel, EndPanel):
            named.append((key, panel.call.call_id))
        wire.press(key)
        for command in wire.commands[before:]:
            expected = panel.call.call_id if panel is not None else chosen.call_id if chosen else ""
            assert command.call_id == expected, f"seed {seed}: {command.act} on a call that was not named"
            if isinstance(command.act, End):
                assert {call_id for _, call_id in named} == {command.call_id}, f"seed {seed}: {named}"
                keys = [key for key, _ in named]
                assert keys[-1] == "X" and set(keys[:-1]) & EndPanel.REASONS.keys(), f"seed {seed}: {named}"
        if wire.desk.panel is not panel:
            named = []
    assert len({type(c.act) for c in wire.commands}) > 4, "the keys do act"


def _happen(wire: Wire, dice: random.Random, number: int) -> None:
    """A colleague, the clock or the laptop changes a call, or another call takes its seat."""
    known = [c for c in wire.desk.wall.calls.values() if c.state != CallState.ENDED]
    where = dice.randint(1, 3)
    here = next((c for c in known if c.seat == where), None)
    server_ms = SERVER_MS + round((wire.now - NOW_S) * 1000)
    if here is None:
        legs = [LegView("room", True, True), LegView("family-1", True, False)]
        state = dice.choice((CallState.LIVE, CallState.WAITING))
        new = call(where, state, call_id=f"new-{number}", surname=f"New{number}", legs=legs, starts_at_ms=server_ms)
        wire.change(msgspec.structs.replace(new, ends_at_ms=server_ms + 900_000, latest_end_ms=server_ms + 1_500_000))
        return
    state = dice.choice((CallState.LIVE, CallState.PAUSED, CallState.WAITING, CallState.ENDED))
    changed = msgspec.structs.replace(
        here, state=state, version=here.version + 1, paused_at_ms=server_ms if state == CallState.PAUSED else 0,
        ended_at_ms=server_ms if state == CallState.ENDED else 0, watch=dice.choice(("", "R. Hughes", "J. Patel")),
        admitted_at_ms=server_ms,
    )  # fmt: skip
    wire.change(changed)


def test_x_a_letter_x_does_end_it() -> None:
    wire = Wire(call(1))
    wire.press("X", "X", "z", "s", "X")
    assert [type(c.act) for c in wire.commands] == [End]
