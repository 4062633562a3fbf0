"""What the people on a call are told of one another."""

from schemas.call import CallState
from server.rules.call import Call, Leg, Policy
from server.rules.company import differs, leg_states
from server.rules.happenings import admission_over, leg_connected

from .test_server_rules import a_call

POLICY = Policy()


def call(*legs: Leg, **fields: object) -> Call:
    return a_call(legs=legs, state=CallState.LIVE, **fields)


ROOM, FIRST = Leg("room", connected=True), Leg("family-1", connected=True, admitted=True)


def said(of: Call) -> dict[str, str]:
    return {state.leg: state.words for state in leg_states(of, POLICY).legs}


def test_who_is_there_and_why_somebody_is_not() -> None:
    gone = Leg("family-2", admitted=True, words="no media for 2 s")
    waits = Leg("family-3", connected=True)
    states = {s.leg: s for s in leg_states(call(ROOM, FIRST, gone, waits, Leg("family-4")), POLICY).legs}
    assert {leg: state.here for leg, state in states.items()} == {
        "room": True, "family-1": True, "family-2": False, "family-3": False, "family-4": False
    }  # fmt: skip
    assert states["family-1"].words == ""
    assert states["family-2"].words == (
        "Family device 2 has lost its connection: no media for 2 s. It may come back within 60 s."
    )
    assert "until staff admit" in states["family-3"].words and states["family-4"].words.endswith("not there yet.")
    away = Leg("family-1", admitted=True, words="no media for 2 s")
    assert said(call(Leg("room", words="no media for 2 s"), away)) == {
        "room": "The room has lost its connection: no media for 2 s. Please wait.",
        "family-1": "The family's device has lost its connection: no media for 2 s. It may come back within 60 s.",
    }


def test_what_staff_have_switched_off() -> None:
    states = leg_states(call(ROOM, FIRST, family_sound_off=True, room_picture_off=True), POLICY).legs
    assert [(s.leg, s.sound, s.picture) for s in states] == [("room", True, False), ("family-1", False, True)]


def test_a_change_is_told_and_nothing_else_is() -> None:
    before = call(ROOM, FIRST)
    assert not differs(before, before.changed(said="Flagged"))
    assert differs(before, leg_connected(before, "family-1", False, "no media for 2 s"))
    assert differs(before, before.changed(room_picture_off=True))
    assert differs(before, before.changed(state=CallState.ENDING))


def test_after_the_grace_a_device_is_to_be_admitted_again() -> None:
    second = Leg("family-2", connected=True, admitted=True)
    still = admission_over(call(ROOM, FIRST, second), "family-2", 60)
    assert still.state == CallState.LIVE and still.leg("family-2").admitted is False  # type: ignore[union-attr]
    nobody = admission_over(still, "family-1", 60)
    assert nobody.state == CallState.WAITING and "admitted again" in nobody.said
    assert admission_over(nobody, "family-1", 60) is nobody
