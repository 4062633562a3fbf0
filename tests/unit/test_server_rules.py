"""The rules of a call, without a server."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.call import CallState, Outcome, Refusal, Role
from schemas.console import Admit, Command, End, Extend, OneSide, Pause, Refuse, Resume
from schemas.laptop import OrderAct
from schemas.media import Side
from server.rules import happenings
from server.rules.call import MINUTE_MS, Call, Leg, Policy, latest_end_ms
from server.rules.commands import Accepted, Refused, Situation, decide
from server.rules.permissions import EVERY_ACT, PERMISSIONS, act_name

START = 1_800_000_000_000
POLICY = Policy(extension_minutes_max=15, call_minutes_max=60, gap_minutes=5)


def a_call(**fields: object) -> Call:
    call = Call(
        call_id="BWI-1",
        laptop_id="BWI-01",
        seat=1,
        prison_number="A1234BC",
        forename="Owen",
        surname="Prosser",
        callers=(),
        starts_at_ms=START,
        booked_end_ms=START + 30 * MINUTE_MS,
        ends_at_ms=START + 30 * MINUTE_MS,
        legs=(Leg("room", connected=True), Leg("family-1", connected=True)),
        state=CallState.WAITING,
    )
    return msgspec.structs.replace(call, **fields)


def live() -> Call:
    return a_call(state=CallState.LIVE, legs=(Leg("room", True), Leg("family-1", True, True)), admitted_at_ms=START)


def at(**fields: object) -> Situation:
    values: dict[str, object] = {
        "now_ms": START + MINUTE_MS,
        "policy": POLICY,
        "next_start_ms": 0,
        "laptop_online": True,
        "audit_writable": True,
    }
    return Situation(**(values | fields))  # type: ignore[arg-type]


def command(call: Call, act: object, **fields: object) -> Command:
    values: dict[str, object] = {
        "command_id": "c",
        "call_id": call.call_id,
        "version": call.version,
        "not_after_ms": START + 2 * MINUTE_MS,
        "reason": "welfare",
        "act": act,
    }
    return Command(**(values | fields))  # type: ignore[arg-type]


def decided(call: Call, act: object, role: Role = Role.OFFICER, situation: Situation | None = None, **fields: object):
    return decide(call, command(call, act, **fields), "R. Hughes", role, situation or at())


def refusal(*arguments: object, **fields: object) -> Refusal:
    decision = decided(*arguments, **fields)  # type: ignore[arg-type]
    assert isinstance(decision, Refused)
    return decision.refusal


ACTS = [Admit("family-1"), Refuse("family-1"), Pause(), Resume(True), Extend(START + 35 * MINUTE_MS), End(),
        OneSide(Side.ROOM, True, False)]  # fmt: skip


def test_every_act_has_a_name_and_a_permission() -> None:
    assert {act_name(act) for act in ACTS} <= set(EVERY_ACT)
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("role", [Role.CLERK, Role.SUPPORT, Role.ADMIN])
@pytest.mark.parametrize("act", ACTS, ids=act_name)
def test_roles_deny_by_default(role: Role, act: object) -> None:
    assert refusal(live(), act, role) == Refusal.NOT_PERMITTED


def test_admission_is_of_a_connected_caller_and_once() -> None:
    waiting = a_call()
    decision = decided(waiting, Admit("family-1"))
    assert isinstance(decision, Accepted) and decision.order is not None
    assert decision.call.state == CallState.WAITING, "nothing flows before the laptop has confirmed"
    assert refusal(decision.call, Admit("family-1")) == Refusal.WRONG_STATE
    assert refusal(waiting, Admit("room")) == Refusal.NO_SUCH_LEG
    assert refusal(waiting, Admit("family-2")) == Refusal.NO_SUCH_LEG
    away = a_call(legs=(Leg("room", True), Leg("family-1")))
    assert refusal(away, Admit("family-1")) == Refusal.NO_SUCH_LEG
    assert refusal(waiting, Admit("family-1"), situation=at(laptop_online=False)) == Refusal.LAPTOP_AWAY


def test_only_stopping_acts_go_without_an_audit() -> None:
    without = at(audit_writable=False)
    assert isinstance(decided(live(), Pause(), situation=without), Accepted)
    assert isinstance(decided(live(), End(), situation=without), Accepted)
    assert isinstance(decided(live(), OneSide(Side.ROOM, True, True), situation=without), Accepted)
    assert refusal(live(), Extend(START + 35 * MINUTE_MS), situation=without) == Refusal.NO_AUDIT


def test_an_end_is_final() -> None:
    ending = decided(live(), End())
    assert isinstance(ending, Accepted) and ending.call.state == CallState.ENDING
    over = happenings.ended(ending.call, START + 5)
    assert over.state == CallState.ENDED and over.outcome == Outcome.TERMINATED_BY_STAFF
    assert happenings.ended(over, START + 99) is over
    for act in ACTS:
        assert refusal(over, act) == Refusal.CALL_ENDED


@given(st.integers(-20_000, 20_000), st.integers(0, 120))
def test_no_extension_passes_the_policy_or_the_next_booking(minutes: int, next_in: int) -> None:
    call = live()
    situation = at(next_start_ms=START + next_in * MINUTE_MS if next_in else 0)
    decision = decided(call, Extend(call.ends_at_ms + minutes * MINUTE_MS), situation=situation)
    allowed = latest_end_ms(call, POLICY, situation.next_start_ms)
    if isinstance(decision, Accepted):
        assert decision.order is not None
        assert call.ends_at_ms < decision.order.ends_at_ms <= allowed
        after = happenings.confirmed(call, decision.order, "R. Hughes", START)
        assert after.ends_at_ms == decision.order.ends_at_ms and after.extended_ms == minutes * MINUTE_MS
    else:
        assert minutes <= 0 or call.ends_at_ms + minutes * MINUTE_MS > allowed


def test_time_lost_by_a_false_alarm_is_given_back_as_far_as_the_room_is_free() -> None:
    paused = msgspec.structs.replace(live(), state=CallState.PAUSED, paused_at_ms=START + 10 * MINUTE_MS)
    now = START + 13 * MINUTE_MS
    assert happenings.given_back_end_ms(paused, now, POLICY, 0) == paused.ends_at_ms + 3 * MINUTE_MS
    following = paused.ends_at_ms + 6 * MINUTE_MS
    assert happenings.given_back_end_ms(paused, now, POLICY, following) == paused.ends_at_ms + MINUTE_MS


happening = st.sampled_from(["admit", "pause", "resume", "extend", "end", "confirm", "refused", "gone", "anew", "over"])


@given(st.lists(happening, max_size=30))
def test_whatever_happens_the_version_grows_and_an_ended_call_stays_so(steps: list[str]) -> None:
    call, order, history = a_call(), None, []
    for step in steps:
        history.append(call)
        before = call
        act = {
            "admit": Admit("family-1"),
            "pause": Pause(),
            "resume": Resume(False),
            "extend": Extend(call.ends_at_ms + MINUTE_MS),
            "end": End(),
        }.get(step)
        if act is not None:
            decision = decided(call, act)
            if isinstance(decision, Accepted):
                call, order = decision.call, decision.order
        elif step == "confirm" and order is not None and call.state != CallState.ENDED:
            call = happenings.confirmed(call, order, "R. Hughes", START)
            assert call.state != CallState.LIVE or any(leg.admitted for leg in call.legs)
            order = None
        elif step == "refused" and order is not None:
            call, order = happenings.not_done(call, order, "no"), None
        elif step == "gone":
            call = happenings.leg_connected(call, "family-1", False, "gone")
        elif step == "anew" and happenings.is_open(call):
            call, order = happenings.laptop_started_anew(call), None
        elif step == "over":
            call = happenings.ended(call, START)
        if before.state == CallState.ENDED:
            assert call.state == CallState.ENDED and not any(leg.admitted for leg in call.legs)
    for earlier, later in pairwise([*history, call]):
        assert later.version >= earlier.version
        if later.state != earlier.state or later.ends_at_ms != earlier.ends_at_ms:
            assert later.version > earlier.version


def test_stopping_acts_order_the_laptop_at_once() -> None:
    for act, expected in ((Pause(), OrderAct.PAUSE), (End(), OrderAct.END)):
        decision = decided(live(), act, version=0)
        assert isinstance(decision, Accepted) and decision.order is not None and decision.order.act == expected


def test_a_call_does_not_start_without_room_for_its_recording_and_goes_on_without() -> None:
    full = at(room_for_recording=False)
    refused = decide(a_call(), command(a_call(), Admit("family-1")), "R. Hughes", Role.OFFICER, full)
    assert isinstance(refused, Refused) and "no room for this call's recording" in refused.words
    going = msgspec.structs.replace(live(), legs=(*live().legs, Leg("family-2", True)))
    assert isinstance(decide(going, command(going, Admit("family-2")), "R. Hughes", Role.OFFICER, full), Accepted)
    assert isinstance(decide(going, command(going, End()), "R. Hughes", Role.OFFICER, full), Accepted)
