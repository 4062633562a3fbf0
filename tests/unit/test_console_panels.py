"""Panels: which keys act, which don't, and that a panel never acts on another call or on a changed one."""

from typing import Any

import pytest

from console.actions import ACTIONS, BY_ID, Danger, by_key, of_screen, slip
from console.desk import Desk
from console.painting.bars import footer
from console.state.panels import CLOSED, EndPanel, FlagPanel, MoreTimePanel, Ordered
from console.state.pausing import ResumePanel
from schemas.call import CallState, Category, Outcome, Role
from schemas.console import Command, ConsoleWelcome, Delta, End, Extend, Flag, Pause, Resume, Snapshot

from .test_console_state import NOW_S, SERVER_MS, call, seat

MINUTE_MS = 60_000


def test_more_time_needs_minutes_and_a_reason_in_any_order() -> None:
    ordered = Ordered("extend", Extend(call().ends_at_ms + 5 * MINUTE_MS), "welfare")
    for keys in ("1w", "w1", "21w", "tw1", "+1+w"):
        panel = MoreTimePanel(call(), NOW_S)
        assert [panel.press(key, NOW_S) for key in keys] == [None] * (len(keys) - 1) + [ordered]
    assert MoreTimePanel(call(), NOW_S).press("enter", NOW_S) == CLOSED


def test_time_that_is_not_possible_is_explained_and_not_chosen() -> None:
    panel = MoreTimePanel(call(next_booking_ms=SERVER_MS + 40 * MINUTE_MS), NOW_S)  # at most 10 min more
    assert panel.press("3", NOW_S) is None and panel.chosen == ""
    assert "not possible" in panel.view().notice and "room booked from" in panel.view().notice
    panel.press("2", NOW_S)
    panel.update(call(latest_end_ms=call().ends_at_ms), NOW_S)
    assert panel.press("t", NOW_S + 2) is None and panel.view().notice.startswith("Not sent")


@pytest.mark.parametrize(
    ("letter", "outcome"),
    [
        ("s", Outcome.TERMINATED_BY_STAFF), ("r", Outcome.TERMINATED_BY_STAFF), ("u", Outcome.TERMINATED_BY_STAFF),
        ("p", Outcome.PRISONER_COMPLETED_EARLY), ("c", Outcome.VISITOR_COMPLETED_EARLY), ("t", Outcome.TECHNICAL_FAULT),
    ],
)  # fmt: skip
def test_an_end_has_a_reason_and_an_outcome(letter: str, outcome: Outcome) -> None:
    panel = EndPanel(call(), NOW_S, SERVER_MS)
    assert panel.press("X", NOW_S) is None and "choose why" in panel.view().notice
    assert panel.press(letter, NOW_S) is None
    assert panel.press("enter", NOW_S) == CLOSED
    ordered = panel.press("X", NOW_S)
    assert isinstance(ordered, Ordered) and ordered.act == End(outcome) and ordered.reason


def test_an_end_names_the_call_and_what_would_be_lost() -> None:
    view = EndPanel(call(), NOW_S, SERVER_MS).view()
    assert view.title == "END seat 01 HARRIS A1234BC with Carol (mother)"
    assert "20:00 left" in view.sentences[0] and view.keep == "Keep the call"


def test_a_pause_by_somebody_else_does_not_hold_an_end_but_an_end_does() -> None:
    panel = EndPanel(call(), NOW_S, SERVER_MS)
    panel.press("s", NOW_S)
    panel.update(call(state=CallState.PAUSED), NOW_S)
    assert panel.press("X", NOW_S) is not None
    panel.update(call(state=CallState.ENDED), NOW_S)
    assert panel.press("X", NOW_S + 5) is None and "has ended" in panel.view().notice


def test_resume_by_a_letter() -> None:
    panel = ResumePanel(call(state=CallState.PAUSED), NOW_S)
    assert panel.press("f", NOW_S) == Ordered("resume", Resume(True), "false alarm")
    assert panel.press("c", NOW_S) == Ordered("resume", Resume(False), "checked and fine")
    assert panel.press("enter", NOW_S) == CLOSED


def test_a_flag_is_a_letter_a_note_and_enter() -> None:
    panel = FlagPanel(call(), NOW_S, SERVER_MS)
    assert panel.press("k", NOW_S) is None and "No such category" in panel.view().notice
    assert panel.press("w", NOW_S) is None
    for key in ("q", "X", "z", "backspace"):
        assert panel.press(key, NOW_S) is None
    assert panel.press("enter", NOW_S) == Ordered("flag", Flag(Category.WEAPON_OR_GANG_SIGN, "qX", SERVER_MS))
    assert panel.press("escape", NOW_S) == CLOSED
    assert {c.key for c in FlagPanel(call(), NOW_S, 0).view().choices} == {c.value for c in Category}


# -- the desk


class Wire:
    """What a desk sends; `up` False: the socket takes nothing."""

    def __init__(
        self, *calls: Any, permissions: tuple[str, ...] = ("admit", "extend", "end", "flag", "pause", "resume")
    ):
        self.sent: list[Any] = []
        self.up = True
        self.desk = Desk(NOW_S, self.take)
        welcome = ConsoleWelcome(1, "s", "R. Hughes", Role.OFFICER, "BWI", "Berwyn", SERVER_MS, list(permissions))
        self.desk.receive(welcome, NOW_S)
        self.desk.receive(Snapshot(1, 1, SERVER_MS, [seat(c.seat) for c in calls], list(calls), [], [], []), NOW_S)

    def take(self, message: Any) -> bool:
        if self.up:
            self.sent.append(message)
        return self.up

    @property
    def commands(self) -> list[Command]:
        return [message for message in self.sent if isinstance(message, Command)]


def test_a_command_goes_out_on_the_key_itself_with_all_that_it_needs() -> None:
    wire = Wire(call())
    wire.desk.act(BY_ID["pause"], NOW_S + 1)
    (command,) = wire.commands
    assert (command.call_id, command.version, command.act) == ("call-1", 3, Pause())
    assert command.not_after_ms == SERVER_MS + 1000 + 5000
    wire.desk.act(BY_ID["pause"], NOW_S + 1)
    assert wire.commands[1].command_id != command.command_id


def test_a_panel_keeps_its_call_when_another_is_chosen() -> None:
    wire = Wire(call(1), call(2))
    wire.desk.act(BY_ID["end"], NOW_S)
    wire.desk.choose(2)
    wire.desk.press_in_panel("r", NOW_S)
    wire.desk.press_in_panel("X", NOW_S)
    assert [c.call_id for c in wire.commands] == ["call-1"] and wire.desk.panel is None


def test_nothing_is_sent_or_kept_while_the_link_is_lost() -> None:
    wire = Wire(call())
    assert wire.desk.look(NOW_S + 2)
    wire.desk.act(BY_ID["pause"], NOW_S + 2)
    assert wire.desk.notice(NOW_S + 2) == "P: link lost: not sent"
    wire.desk.receive(Delta(2, SERVER_MS, [], [], []), NOW_S + 3)
    assert not wire.commands and wire.desk.notice(NOW_S + 3) == "Back after 3 s"


def test_a_socket_that_takes_nothing_is_said() -> None:
    wire = Wire(call())
    wire.up = False
    wire.desk.act(BY_ID["pause"], NOW_S)
    assert "not sent" in wire.desk.notice(NOW_S) and not list(wire.desk.acts)


@pytest.mark.parametrize(
    ("action", "state", "words"),
    [
        ("admit", CallState.LIVE, "no caller waits here"),
        ("pause", CallState.PAUSED, "nothing flows"),
        ("resume", CallState.LIVE, "not paused"),
        ("extend", CallState.ENDING, "is ending"),
        ("admit", CallState.PAUSED, "resume it first"),
    ],
)
def test_a_key_that_is_off_says_why(action: str, state: CallState, words: str) -> None:
    wire = Wire(call(state=state))
    wire.desk.act(BY_ID[action], NOW_S)
    assert words in wire.desk.notice(NOW_S) and wire.desk.panel is None and not wire.commands


def test_a_role_that_may_not_is_told_so() -> None:
    wire = Wire(call(), permissions=("view",))
    for action in of_screen("W"):
        if action.permission not in ("", "view"):
            wire.desk.act(action, NOW_S)
            for_others = action.id == "go-reviews"
            assert ("for the duty governor" if for_others else "may not do this") in wire.desk.notice(NOW_S)
    assert not wire.commands and wire.desk.panel is None


def test_caps_lock_holds_all_acts_but_the_pause() -> None:
    wire = Wire(call())
    wire.desk.stray_capital(NOW_S)
    wire.desk.act(BY_ID["end"], NOW_S + 1)
    assert wire.desk.panel is None and "Caps Lock" in wire.desk.notice(NOW_S + 1)
    wire.desk.act(BY_ID["pause"], NOW_S + 1)
    assert len(wire.commands) == 1
    wire.desk.act(BY_ID["end"], NOW_S + 3.1)
    assert wire.desk.panel is not None


# -- the table


def test_each_key_has_one_action_and_acts_are_capitals_without_a_small_twin() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for screen in "WFSLQR":
        keys = [key for action in of_screen(screen) for key in action.keys]
        assert len(keys) == len(set(keys)) == len(by_key(screen))
        for action in of_screen(screen):
            if action.danger >= Danger.ACTS:
                assert action.permission
                for key in action.keys:
                    assert key in ("+", "f3", "f12") or (key.isupper() and key.lower() not in by_key(screen))
    keys = by_key("W")
    assert not {"space", " "} & set(keys) and keys["enter"].danger is Danger.LOOKS
    assert slip("p") is BY_ID["pause"] and slip("h") is None and slip("z") is None


def test_the_footer_shows_the_table() -> None:
    for screen in "WSLQR":
        text = "".join(piece for piece, _ in footer(200, None, screen))
        for action in of_screen(screen):
            if action.footer:
                assert f"{action.shown_key} " in text and f" {action.footer}  " in text
