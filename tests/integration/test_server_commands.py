"""Commands against a real server: what is accepted, what is refused, and that both are in the audit."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.call import CallState, CallView, Category, Outcome, Refusal
from schemas.console import (
    Admit,
    CommandAnswer,
    End,
    Extend,
    Flag,
    Notice,
    OneSide,
    Pause,
    Refuse,
    Resume,
    UrgentHelp,
    Warn,
    Watch,
)
from schemas.laptop import CallClosed, LeaseDenied, LeaseGrant, LegGone, OpenCall, Order, OrderAct
from schemas.media import Side
from schemas.peer import CallNotice, LegStates
from schemas.wire import WORDS_LONGEST
from server.rules.permissions import act_name
from tests.server_rig import (
    CLERK_TOKEN,
    GOVERNOR_TOKEN,
    OFFICER_TOKEN,
    Console,
    Laptop,
    Peer,
    Server,
    running_server,
    wait_until,
)

MINUTE_MS = 60_000


class Rig:
    """A server with one laptop, whose call waits with both legs connected, and an officer's console."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.laptop = Laptop(server)
        self.opened = self.laptop.next(OpenCall)
        self.laptop.legs_connected("BWI-1")
        self.console = Console(server)
        self.console.call("BWI-1", lambda call: all(leg.connected for leg in call.legs))

    def admit(self) -> None:
        answer = self.console.give(Admit("family-1"))
        assert answer.accepted and answer.needs_laptop, answer
        self.laptop.confirm(OrderAct.ADMIT)
        assert self.console.done(answer.command_id).done
        self.console.call("BWI-1", lambda call: call.state == CallState.LIVE)

    def refusal(self, act: object, **fields: object) -> Refusal | None:
        before = self.console.calls["BWI-1"]
        answer = self.console.give(act, **fields)
        assert not answer.accepted and answer.words.endswith(".")
        assert self.console.calls["BWI-1"] == before, "a refusal changes nothing"
        return answer.refusal


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_server(tmp_path) as server:
        yield Rig(server)


def later(rig: Rig, minutes: float) -> Extend:
    return Extend(rig.console.calls["BWI-1"].ends_at_ms + round(minutes * MINUTE_MS))


def test_a_call_goes_live_only_when_the_laptop_has_confirmed_the_admission(rig: Rig) -> None:
    answer = rig.console.give(Admit("family-1"))
    assert answer.accepted
    assert rig.console.calls["BWI-1"].state == CallState.WAITING
    order = rig.laptop.confirm(OrderAct.ADMIT)
    assert (order.leg, order.epoch) == ("family-1", rig.opened.epoch)
    assert rig.console.done(answer.command_id).words == "confirmed by laptop"
    assert rig.console.call("BWI-1", lambda c: c.state == CallState.LIVE).legs[1].admitted


def test_a_laptop_that_cannot_record_keeps_the_call_closed(rig: Rig) -> None:
    answer = rig.console.give(Admit("family-1"))
    rig.laptop.confirm(OrderAct.ADMIT, done=False, reason="the disk is full")
    done = rig.console.done(answer.command_id)
    assert not done.done and "disk is full" in done.words
    call = rig.console.call("BWI-1", lambda c: "disk is full" in c.said)
    assert call.state == CallState.WAITING and not call.legs[1].admitted


def test_the_same_id_twice_has_one_effect_and_one_answer(rig: Rig) -> None:
    rig.admit()
    command = rig.console.command(later(rig, 5), reason="welfare")
    rig.console.send(command)
    rig.console.send(command)
    first, second = rig.console.answer(command), rig.console.answer(command)
    assert first == second and first.accepted
    rig.laptop.confirm(OrderAct.EXTEND)
    call = rig.console.call("BWI-1", lambda c: c.extended_ms == 5 * MINUTE_MS)
    rig.console.send(command)
    assert rig.console.answer(command) == first
    assert rig.console.calls["BWI-1"] == call
    with pytest.raises(TimeoutError):
        rig.laptop.next(Order, seconds=0.3)


def test_a_flag_sent_twice_files_one_incident(rig: Rig) -> None:
    command = rig.console.command(Flag(Category.TECHNICAL_FAULT, "no sound", 1))
    rig.console.send(command)
    rig.console.send(command)
    first, second = rig.console.answer(command), rig.console.answer(command)
    assert first == second
    assert first.reference == f"INC-{time.strftime('%Y-%m%d')}-01"
    assert rig.console.give(Flag(Category.OTHER, "", 2)).reference.endswith("-02")
    assert rig.console.call("BWI-1", lambda c: c.incidents == 2)


def test_a_command_after_its_time_is_refused_but_an_end_never_is(rig: Rig) -> None:
    rig.admit()
    past = int(time.time() * 1000) - 1
    assert rig.refusal(Pause(), not_after_ms=past) == Refusal.TOO_LATE
    assert rig.console.give(End(), not_after_ms=past).accepted


def test_an_old_version_is_refused_for_what_gives_and_not_for_what_stops(rig: Rig) -> None:
    rig.admit()
    old = rig.console.calls["BWI-1"].version - 1
    assert rig.refusal(later(rig, 5), version=old) == Refusal.OLD_VERSION
    assert rig.console.give(Pause(), version=old).accepted
    rig.laptop.confirm(OrderAct.PAUSE)
    rig.console.call("BWI-1", lambda c: c.state == CallState.PAUSED)
    assert rig.refusal(Resume(False), version=old) == Refusal.OLD_VERSION


@pytest.mark.parametrize(
    ("minutes", "refusal"), [(0, Refusal.NOT_LATER), (-5, Refusal.NOT_LATER), (10_000, Refusal.BEYOND_POLICY)]
)
def test_an_extension_out_of_bounds_is_refused(rig: Rig, minutes: int, refusal: Refusal) -> None:
    rig.admit()
    assert rig.refusal(later(rig, minutes)) == refusal


def test_an_extension_needs_a_reason_and_is_confirmed_by_the_laptop(rig: Rig) -> None:
    rig.admit()
    assert rig.refusal(later(rig, 5), reason=" ") == Refusal.REASON_MISSING
    before = rig.console.calls["BWI-1"].ends_at_ms
    answer = rig.console.give(later(rig, 5), reason="welfare")
    assert answer.accepted and rig.console.calls["BWI-1"].ends_at_ms == before
    order = rig.laptop.confirm(OrderAct.EXTEND)
    assert abs(order.ends_in_ms - (before + 5 * MINUTE_MS - time.time() * 1000)) < 5000
    rig.console.call("BWI-1", lambda c: c.ends_at_ms == before + 5 * MINUTE_MS)


def test_an_extension_into_the_rooms_next_booking_is_refused(tmp_path: Path) -> None:
    from tests.server_rig import establishment

    content = establishment()
    following = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 + 40 * 60))
    content["bookings"][1]["starts_at"] = following
    with running_server(tmp_path, content) as server:
        rig = Rig(server)
        rig.admit()
        call = rig.console.calls["BWI-1"]
        assert (call.latest_end_ms - call.ends_at_ms) / MINUTE_MS == pytest.approx(5, abs=0.05)
        assert rig.refusal(later(rig, 10)) == Refusal.ROOM_BOOKED


def test_a_call_that_has_ended_takes_no_command_but_a_flag(rig: Rig) -> None:
    rig.admit()
    answer = rig.console.give(End())
    rig.laptop.confirm(OrderAct.END)
    rig.laptop.send(CallClosed("BWI-1", rig.opened.epoch, "ended by order", 1000))
    ended = rig.console.call("BWI-1", lambda c: c.state == CallState.ENDED)
    assert rig.console.done(answer.command_id).done
    assert ended.outcome == Outcome.TERMINATED_BY_STAFF
    for act in (later(rig, 5), Pause(), Admit("family-1"), End()):
        assert rig.refusal(act) == Refusal.CALL_ENDED
    assert rig.console.give(Flag(Category.OTHER, "", 0)).accepted


def test_an_end_is_confirmed_by_the_lease_when_the_laptop_is_silent(rig: Rig) -> None:
    rig.admit()
    rig.laptop.lease("BWI-1", rig.opened.epoch)
    rig.laptop.next(LeaseGrant)
    answer = rig.console.give(End())
    assert rig.console.call("BWI-1", lambda c: c.state == CallState.ENDING)
    rig.laptop.next(Order, lambda o: o.act == OrderAct.END)
    rig.laptop.lease("BWI-1", rig.opened.epoch, 2)
    assert rig.laptop.next(LeaseDenied).nonce == 2  # an ending call gets no further lease
    asked = time.monotonic()
    done = rig.console.done(answer.command_id)
    assert done.done and "lease has run out" in done.words
    assert time.monotonic() - asked < 6
    rig.console.call("BWI-1", lambda c: c.state == CallState.ENDED)


LONGEST = "w" * WORDS_LONGEST


@pytest.mark.parametrize(
    "act",
    [
        Notice(None, LONGEST), Warn(None, LONGEST), Pause(), OneSide(Side.FAMILY, True, True), Refuse("family-1"),
        Flag(Category.SELF_HARM_OR_SAFEGUARDING, LONGEST, 1), UrgentHelp("w" * 200), End(),
    ],
    ids=act_name,
)  # fmt: skip
def test_the_longest_words_of_one_officer_cut_off_no_console_and_no_caller(rig: Rig, act: Any) -> None:
    """A sentence with them in it would be longer than the wire lets it be; then nobody could read the call."""
    family = Peer(rig.server, "family-token-BWI-1")
    family.next(CallNotice)
    rig.admit()
    assert rig.console.give(act, reason=LONGEST).accepted
    rig.laptop.send(LegGone("BWI-1", "room", LONGEST))
    call = rig.console.call("BWI-1", lambda call: not call.legs[0].connected)
    assert call.said
    with Console(rig.server) as other:
        assert other.call("BWI-1", lambda _: True) == call, "a snapshot has it too"
    family.next(LegStates, lambda states: "lost its connection" in states.legs[0].words or not states.legs[0].here)


def test_what_a_role_may_not_do_is_refused(rig: Rig) -> None:
    governor = Console(rig.server, GOVERNOR_TOKEN)
    governor.call("BWI-1", lambda c: True)
    for act in (Admit("family-1"), later(rig, 5), Warn(None, "Please stay in view.")):
        answer = governor.give(act)
        assert answer.refusal == Refusal.NOT_PERMITTED


def test_a_clerk_does_not_get_the_wall(rig: Rig) -> None:
    from websockets.exceptions import ConnectionClosed

    clerk = Console(rig.server, CLERK_TOKEN)
    with pytest.raises(ConnectionClosed) as closed:
        clerk.next(object)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4003


def test_who_is_known_by_the_kernel_on_the_unix_socket(rig: Rig) -> None:
    from schemas.console import ConsoleWelcome

    console = Console(rig.server, over=rig.server.folder / "console.sock")
    assert console.next(ConsoleWelcome).staff_name == "R. Hughes"


def test_commands_and_refusals_are_in_the_audit_and_survive_a_kill(rig: Rig) -> None:
    rig.admit()
    command = rig.console.command(Flag(Category.DRIVING, "", 3))
    rig.console.send(command)
    accepted = rig.console.answer(command)
    refused = rig.console.command(later(rig, 0))
    rig.console.send(refused)
    answer = rig.console.answer(refused)
    entries = rig.server.verify()["entries"]
    rig.server.restart()
    assert rig.server.verify()["entries"] >= entries
    assert rig.server.verify()["intact"]
    again = Console(rig.server, OFFICER_TOKEN)
    again.send(command)
    assert again.answer(command) == accepted
    again.send(refused)
    assert again.answer(refused) == answer


KEPT: dict[str, tuple[Any, Callable[[CallView], bool]]] = {
    "flag": (Flag(Category.OTHER, "", 1), lambda call: call.incidents == 1),
    "warn": (Warn(None, "Please stay in view."), lambda call: call.warnings == 1),
    "watch": (Watch(True), lambda call: call.watch == "R. Hughes"),
    "pause": (Pause(), lambda call: call.state == CallState.PAUSED),
    "one_side": (OneSide(Side.FAMILY, True, False), lambda call: call.family_sound_off),
    "end": (End(), lambda call: call.state in (CallState.ENDING, CallState.ENDED)),
    "admit": (Admit("family-1"), lambda call: call.state == CallState.LIVE),
}
"""Each act, and how the call is after it. The admission is the one that is refused: the caller is admitted already."""


@pytest.mark.parametrize("name", KEPT)
def test_what_was_answered_is_kept_though_the_server_is_killed_in_that_moment(rig: Rig, name: str) -> None:
    act, is_so = KEPT[name]
    Peer(rig.server, "family-token-BWI-1").next(CallNotice)
    rig.admit()
    command = rig.console.command(act)
    rig.console.send(command)
    answer = rig.console.answer(command)
    rig.server.process.kill()
    rig.server.process.wait()
    entries = [row for row in rig.server.audit(name) if json.loads(row.detail)["command"] == command.command_id]
    assert [row.accepted for row in entries] == [answer.accepted] == [name != "admit"]
    assert rig.server.verify()["intact"]
    rig.server.restart()
    again = Console(rig.server)
    assert is_so(again.call("BWI-1", lambda call: True)), "the call is as the officer was told"
    again.send(command)
    assert again.answer(command) == answer


@pytest.mark.parametrize(("act", "accepted"), [(Flag(Category.OTHER, "", 1), True), (Admit("family-1"), False)])
def test_an_act_that_waited_too_long_for_the_disk_is_not_done_but_a_flag_that_is_filed_is(
    rig: Rig, act: Any, accepted: bool
) -> None:
    """Its time runs out while the audit's entry waits for somebody who holds the database."""
    database = sqlite3.connect(rig.server.folder / "sightline.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    not_after_ms = int(time.time() * 1000) + 300
    command = rig.console.command(act, not_after_ms=not_after_ms)
    rig.console.send(command)
    wait_until(lambda: time.time() * 1000 > not_after_ms + 50, "its time is over")
    database.execute("ROLLBACK")
    answer = rig.console.answer(command)
    assert (answer.accepted, answer.refusal) == (accepted, None if accepted else Refusal.TOO_LATE)
    assert bool(answer.reference) == accepted
    rig.server.restart()
    again = Console(rig.server)
    call = again.call("BWI-1", lambda call: True)
    assert (call.incidents, call.state) == (int(accepted), CallState.WAITING)
    again.send(command)
    assert again.answer(command) == answer, "the answer that was given, and not the one that was meant first"


def test_a_restarted_server_takes_its_call_over_with_a_higher_epoch(rig: Rig) -> None:
    rig.admit()
    rig.server.restart()
    laptop = Laptop(rig.server, call_id="BWI-1", epoch=rig.opened.epoch)
    opened = laptop.next(OpenCall)
    assert (opened.call_id, opened.epoch) == ("BWI-1", rig.opened.epoch + 1)
    laptop.lease("BWI-1", rig.opened.epoch)
    assert not laptop.next(LeaseDenied).final
    laptop.lease("BWI-1", opened.epoch)
    laptop.next(LeaseGrant)
    console = Console(rig.server)
    assert console.call("BWI-1", lambda c: True).state == CallState.LIVE


def test_a_laptop_that_forgot_its_call_has_its_callers_admitted_again(rig: Rig) -> None:
    rig.admit()
    rig.laptop.close()
    rig.console.call("BWI-1", lambda c: not c.laptop_online)
    again = Laptop(rig.server)
    again.next(OpenCall)
    call = rig.console.call("BWI-1", lambda c: c.laptop_online)
    assert call.state == CallState.WAITING and not any(leg.admitted for leg in call.legs)


def test_a_changed_audit_entry_is_found(rig: Rig) -> None:
    rig.admit()
    rig.server.stop()
    with sqlite3.connect(rig.server.folder / "sightline.db") as database:
        database.execute("UPDATE audit SET who = 'nobody' WHERE n = 2")
    found = rig.server.verify()
    assert found["first_broken"] == 2 and not found["intact"]


def test_the_people_on_the_call_are_told(rig: Rig) -> None:
    family = Peer(rig.server, "family-token-BWI-1")
    assert "recorded" in family.next(CallNotice).words
    rig.admit()
    assert family.next(CallNotice).state == CallState.LIVE
    rig.console.give(Warn(None, "Please stay in view."))
    assert family.next(CallNotice).words == "The prison asks: Please stay in view. This is warning 1."
    rig.console.give(End())
    assert "Staff have ended" in family.next(CallNotice, lambda n: n.state == CallState.ENDING).words


def test_leaving_ends_the_call(rig: Rig) -> None:
    from schemas.peer import Leave

    rig.admit()
    family = Peer(rig.server, "family-token-BWI-1")
    family.next(CallNotice)
    family.send(Leave())
    rig.laptop.confirm(OrderAct.END)
    call = rig.console.call("BWI-1", lambda c: c.state == CallState.ENDED)
    assert call.outcome == Outcome.VISITOR_COMPLETED_EARLY


def test_stopping_works_while_the_audit_cannot_be_written(rig: Rig) -> None:
    """A reader that holds the database locks the writer out, as a full disk would."""
    rig.admit()
    database = sqlite3.connect(rig.server.folder / "sightline.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    try:
        answer = rig.console.give(Pause())
        order = rig.laptop.next(Order, lambda o: o.act == OrderAct.PAUSE)
        assert answer.accepted and order
        assert rig.refusal(Warn(None, "Please stay in view.")) == Refusal.NO_AUDIT
        rig.laptop.lease("BWI-1", rig.opened.epoch)
        assert not rig.laptop.next(LeaseDenied).final
        assert (rig.server.folder / "journal.jsonl").read_text().count('"pause"') == 1
    finally:
        database.execute("ROLLBACK")
    wait_until(lambda: not (rig.server.folder / "journal.jsonl").exists(), "the journal is taken in", 20)
    rig.laptop.lease("BWI-1", rig.opened.epoch, 5)
    rig.laptop.next(LeaseGrant, lambda g: g.nonce == 5)
    assert rig.server.verify()["intact"]


def test_answers_are_of_the_command_that_was_given(rig: Rig) -> None:
    commands = [rig.console.command(Flag(Category.OTHER, str(n), 0)) for n in range(20)]
    for command in commands:
        rig.console.send(command)
    answers = [rig.console.next(CommandAnswer) for _ in commands]
    assert {a.command_id for a in answers} == {c.command_id for c in commands}
    assert len({a.reference for a in answers}) == 20
