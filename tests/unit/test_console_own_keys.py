"""A person's own keys are what every screen shows, and what panels take: nothing names a key that no longer does it."""

from collections.abc import Iterator
from typing import Any

import pytest

from console import actions
from console.actions import ACTIONS, BY_ID
from console.desk import Desk
from console.keymap import remapped
from console.painting import bars, focus_view
from console.painting.ink import Colours
from console.painting.seat_list import list_rows
from console.painting.tile_view import Gallery
from console.pressing import press
from console.state import attention
from console.state.acts import Acts, ActView
from console.state.duty import YieldPanel
from console.state.evidence import Player
from console.state.panels import EndPanel, MoreTimePanel, Ordered
from console.state.pausing import PausedPanel
from console.state.permits import why_off
from console.state.review_panels import DecidePanel, SignOffPanel
from console.state.review_words import evidence_words, why_not_signed_off
from console.state.speaking import NoticePanel
from console.state.timeline import Timeline
from console.state.vigilance import Vigilance
from schemas.attention import WatcherView
from schemas.call import CallState, Role
from schemas.console import Command, Extend, Notice, Pause
from schemas.incident import Decision, EvidenceOutcome
from schemas.review import Decide, SignOff

from .test_console_attention import a_wall
from .test_console_health import board, laptop, page
from .test_console_reviews import incident, stretch
from .test_console_state import NOW_S, SERVER_MS, call

OWN = {
    # what waits for a hand
    "attend": "ctrl+n", "unseen": "ctrl+u", "ok-seen": "ctrl+o", "shelve": "ctrl+e", "here": "f8",
    # ways
    "help": "f6", "quit": "ctrl+w", "focus-back": "ctrl+w", "move-left": "n", "move-down": "e", "move-up": "i",
    "move-right": "ctrl+l", "laptop-down": "ctrl+j", "next": "n", "before": "ctrl+k",
    # acts
    "admit": "f5", "end": "ctrl+x", "resume": "ctrl+r", "extend": "f7", "have": "ctrl+t", "pause": "ctrl+y",
    "notice": "ctrl+v", "flag": "ctrl+f", "admit-named": "ctrl+g",
    # reviews
    "decide": "ctrl+d", "sign-off": "ctrl+o", "finding": "n", "update": "ctrl+u", "read-again": "ctrl+r", "play": "p",
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_keys() -> Iterator[None]:
    actions.take(remapped(ACTIONS, {action: [key] for action, key in OWN.items()}))
    yield
    actions.take(ACTIONS)


def text(row: Any) -> str:
    return "".join(part[0] for part in row if isinstance(part, tuple))


def test_the_strip_footer_and_header_name_them() -> None:
    strip = text(bars.strip([], 120, 2, True)[0])
    assert "^N next · ^U longest unseen · ^O OK, seen · ^E shelve" in strip
    footer = text(bars.footer(260, None))
    assert "n e i ^L move" in footer and "^X end" in footer and "F5 admit" in footer and "F6 help" in footer
    assert "hjkl" not in footer and "X end" not in footer.replace("^X end", "")
    assert "F6 help" in text(bars.footer(60, None)) and "^X end" in text(bars.footer(60, None))
    assert "^J k move" in text(bars.footer(120, None, "S")) and "n ^K move" in text(bars.footer(120, None, "Q"))
    wall = a_wall(call())
    header = text(bars.header(wall, (Vigilance.ASKED, 30.0), NOW_S, 120, 2)[0])
    assert "are you watching? F8" in header
    assert "press F8" in text(bars.header(wall, (Vigilance.MISSED, 0.0), NOW_S, 120, 2)[1])


def test_what_needs_a_person_names_them() -> None:
    paused = call(1, state=CallState.PAUSED, paused_at_ms=SERVER_MS)
    waiting = call(2, state=CallState.WAITING)
    offered = call(3, watch="J. Patel", watch_offered_to="R. Hughes", watch_offered_at_ms=SERVER_MS)
    wall = a_wall(paused, waiting, offered)
    said = {entry.seat: entry.words for entry in attention.ranked(wall, NOW_S)}
    assert said[1].endswith("^R or ^X") and "(F5)" in said[2] and "(^T)" in said[3]


def test_why_a_key_is_off_and_slips_name_them() -> None:
    wall = a_wall(call(watch="J. Patel"))
    assert "You can flag (^F)" in why_off(BY_ID["go-reviews"], wall, None)
    assert why_off(BY_ID["end"], wall, None).startswith("^X is off")
    assert "^T takes it" in why_off(BY_ID["yield"], wall, call(watch="J. Patel"))
    desk = Desk(NOW_S, lambda message: True)
    press(desk, "w", NOW_S)
    assert desk.notice(NOW_S) == "Warning is Shift+W"
    press(desk, "K", NOW_S)
    assert "acts but ^Y are held" in desk.notice(NOW_S)


def test_panels_name_them_and_take_them_and_not_the_old_ones() -> None:
    end = EndPanel(call(), NOW_S, SERVER_MS)
    assert end.view().confirm == "^X again ends the call"
    end.press("s", NOW_S)
    assert end.press("X", NOW_S) is None and isinstance(end.press("ctrl+x", NOW_S), Ordered)
    more = MoreTimePanel(call(), NOW_S)
    assert more.press("f7", NOW_S) is None and "first choose how much" in more.view().notice
    assert more.press("1", NOW_S) is None
    answer = more.press("w", NOW_S)
    assert isinstance(answer, Ordered) and isinstance(answer.act, Extend)
    assert "^R resumes, ^X ends" in PausedPanel(call(), NOW_S).view().sentences[0]
    notice = NoticePanel(call(), NOW_S)
    for key in ("6", "h", "i", "enter"):
        notice.press(key, NOW_S)
    assert "^V sends it" in notice.view().confirm
    assert notice.press("N", NOW_S) is None
    answer = notice.press("ctrl+v", NOW_S)
    assert isinstance(answer, Ordered) and answer.act == Notice(None, "hi")
    colleague = WatcherView("other", "J. Patel", Role.OFFICER, "", False, False, True)
    assert "taken with ^T" in YieldPanel(call(), NOW_S, [colleague], "R. Hughes").view().sentences[0]


def test_reviews_name_them_and_take_them() -> None:
    one = incident()
    decide = DecidePanel(one)
    decide.press("s")
    assert decide.view().confirm == "^D again decides"
    assert decide.press("D") is None and decide.press("ctrl+d") == Decide(Decision.SUBSTANTIATED, [])
    sign = SignOffPanel(one, -30_000, 30_000)
    assert sign.view().confirm == "^O again signs off"
    assert sign.press("O") is None and sign.press("ctrl+o") == SignOff()
    assert "finding (n), decision (^D)" in why_not_signed_off(one, Player(stretch(), 0))
    assert evidence_words(stretch(outcome=EvidenceOutcome.FAILED))[1].endswith("^R reads it again")


def test_focus_list_and_laptops_name_them() -> None:
    wall = a_wall(call(1), call(2, laptop_online=False))
    vigil = Vigilance.QUIET, 0.0
    assert "(^N)" in text(focus_view.header(wall, call(1), vigil, NOW_S, 160)[0])
    assert "^W goes back" in text(focus_view.header(wall, None, vigil, NOW_S, 160)[1])
    many = a_wall(*(call(n) for n in range(1, 30)))
    rows, _ = list_rows(many, list(many.seats), 1, False, Gallery(Colours.NONE), NOW_S, 80, 21)
    assert any("more seats (ei)" in text(row) for row in rows)
    lines = page(board(*(laptop(n) for n in range(1, 40))), 80, 22)
    assert any("more: ^J k" in line for line in lines)


def test_what_was_done_stands_under_its_own_key() -> None:
    acts = Acts()
    command = Command("id", call().call_id, 3, SERVER_MS, "", Pause())
    acts.sent(ActView(command, "Pause", 1, BY_ID["pause"].shown_key, SERVER_MS, NOW_S))
    happened = Timeline().of(call(admitted_at_ms=SERVER_MS - 1, ended_at_ms=SERVER_MS - 1), list(acts), NOW_S)
    assert {one.key for one in happened} == {"^Y", "^X", "^G"}
