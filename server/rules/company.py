"""What the people on a call are told of one another: who is there, what is switched off, why somebody is not there."""

from schemas.media import Side, side_of
from schemas.peer import LegState, LegStates
from schemas.wire import WORDS_LONGEST

from .call import OPEN, ROOM_LEG, Call, Leg, Policy
from .sides import off


def differs(before: Call, call: Call) -> bool:
    """Whether there is anything new to tell."""
    return _shown(before) != _shown(call)


def _shown(call: Call) -> tuple[object, ...]:
    return call.legs, [off(call, side) for side in Side], call.state in OPEN


def leg_states(call: Call, policy: Policy) -> LegStates:
    return LegStates([_state(call, leg, policy) for leg in call.legs])


def _state(call: Call, leg: Leg, policy: Policy) -> LegState:
    side = side_of(leg.leg)
    here = leg.connected and (leg.admitted or side == Side.ROOM) and call.state in OPEN
    sound_off, picture_off = off(call, side)
    words = "" if here else _why_not(call, leg, policy)[:WORDS_LONGEST]
    return LegState(leg.leg, here, not sound_off, not picture_off, words)


def _why_not(call: Call, leg: Leg, policy: Policy) -> str:
    if call.state not in OPEN:
        return ""
    who = _who(call, leg)
    if leg.admitted:
        why = f": {leg.words}" if leg.words else ""
        return f"{who} has lost its connection{why}. It may come back within {policy.grace_seconds} s."
    if leg.connected:
        return f"{who} waits until staff admit it."
    if leg.leg == ROOM_LEG and leg.words:
        return f"{who} has lost its connection: {leg.words}. Please wait."
    return f"{who} is not there: {leg.words}." if leg.words else f"{who} is not there yet."


def _who(call: Call, leg: Leg) -> str:
    """For whoever reads it on any of the call's devices."""
    if leg.leg == ROOM_LEG:
        return "The room"
    several = sum(other.leg != ROOM_LEG for other in call.legs) > 1
    return f"Family device {leg.leg.rpartition('-')[2]}" if several else "The family's device"
