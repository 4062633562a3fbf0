"""What the laptop, the callers and the clock do to a call. Each returns the call as it is then."""

import msgspec

from schemas.call import CallState, Outcome
from schemas.laptop import OrderAct

from .call import MINUTE_MS, OPEN, ROOM_LEG, Call, Leg, Policy, latest_end_ms, state_with
from .decision import Ordered
from .plain_words import length_words, paused_words
from .sides import with_off

WARN_AT_MINUTES = (5, 1)


def open_room(call: Call, watch: str = "") -> Call:
    """The start is reached and the laptop is there: the callers' waiting room opens. `watch`: who had the watch of the
    call before in this seat has it of this one too."""
    return call.changed(state=CallState.WAITING, said="Room open", watch=watch)


PAUSE_UNEXPLAINED_MS = MINUTE_MS


def pause_unexplained(call: Call, now_ms: int) -> Call:
    """Nobody has said within a minute why it is paused: "checking" is written. Else the same call."""
    if call.state != CallState.PAUSED or call.paused_why or now_ms - call.paused_at_ms < PAUSE_UNEXPLAINED_MS:
        return call
    return call.changed(paused_why="checking something")


def taken_over(call: Call) -> Call:
    """A server that starts anew takes its open calls over; laptops reject what comes from an older epoch."""
    return call.changed(epoch=call.epoch + 1)


def leg_connected(call: Call, name: str, connected: bool, words: str) -> Call:
    """A family device that comes or goes is a change that an officer has to have seen; the room's is not."""
    leg = call.leg(name)
    if leg is None or (leg.connected, leg.words) == (connected, words) or leg.refused_until_ms:
        return call
    legs = call.with_leg(name, connected=connected, words=words)
    if leg.connected == connected or name == ROOM_LEG:
        return msgspec.structs.replace(call, legs=legs)
    return call.changed(legs=legs)


def refusal_over(call: Call, name: str) -> Call:
    """A refused device may try again."""
    return call.changed(legs=call.with_leg(name, refused_until_ms=0, words=""))


def admission_over(call: Call, name: str, grace_seconds: int) -> Call:
    """A family device was away for longer than the grace: it has to be admitted again."""
    leg = call.leg(name)
    if leg is None or not leg.admitted:
        return call
    legs = call.with_leg(name, admitted=False)
    said = f"Caller away for {grace_seconds} s: to be admitted again"
    return call.changed(legs=legs, state=state_with(call, legs), said=said)


def seen(call: Call, legs: list[tuple[str, bool, bool | None]], grace_seconds: int) -> Call:
    """What the laptop says of all its connections: (leg, connected, admitted: None when it does not say)."""
    said = {leg: (connected, admitted) for leg, connected, admitted in legs}
    for leg in call.legs:
        connected, admitted = said.get(leg.leg, (False, None))
        call = leg_connected(call, leg.leg, connected, "" if connected else leg.words)
        if admitted is False:
            call = admission_over(call, leg.leg, grace_seconds)
    return call


def left(call: Call, name: str) -> tuple[Call, Ordered] | None:
    """One of several family devices leaves and the call goes on; None when nobody of the family would be there."""
    others = [leg for leg in call.legs if leg.leg not in (name, ROOM_LEG) and (leg.connected or leg.admitted)]
    if name == ROOM_LEG or not others:
        return None
    legs = call.with_leg(name, connected=False, admitted=False, admitting=False, words="left the call")
    gone = call.changed(legs=legs, state=state_with(call, legs), said=f"{name} left the call")
    return gone, Ordered(OrderAct.REFUSE, leg=name)


def confirmed(call: Call, order: Ordered, who: str, now_ms: int) -> Call:
    """The laptop has carried an order out."""
    match order.act:
        case OrderAct.ADMIT:
            legs = call.with_leg(order.leg, admitted=True, admitting=False)
            state = CallState.LIVE if call.state == CallState.WAITING else call.state
            at = call.admitted_at_ms or now_ms
            return call.changed(legs=legs, state=state, admitted_at_ms=at, said=f"Admitted by {who}")
        case OrderAct.RESUME if call.state == CallState.PAUSED:
            state = CallState.LIVE if any(leg.admitted for leg in call.legs) else CallState.WAITING
            said = f"Resumed by {who}"
            return call.changed(state=state, paused_at_ms=0, paused_why="", paused_by_fault=False, said=said)
        case OrderAct.EXTEND if order.ends_at_ms > call.ends_at_ms:
            more = order.ends_at_ms - call.ends_at_ms
            said = f"Extended {length_words(more)} by {who}"
            return call.changed(ends_at_ms=order.ends_at_ms, extended_ms=call.extended_ms + more, said=said)
        case OrderAct.END:
            return ended(call, now_ms)
        case OrderAct.ONE_SIDE if order.side is not None:
            fields = with_off(call, order.side, order.sound_off, order.picture_off)
            return call if all(getattr(call, f) == v for f, v in fields.items()) else call.changed(**fields)
        case _:
            return call


def not_done(call: Call, order: Ordered, reason: str) -> Call:
    """The laptop refused an order, or its link was lost before it answered."""
    if order.act == OrderAct.ADMIT:
        return call.changed(legs=call.with_leg(order.leg, admitting=False), said=f"NOT ADMITTED: {reason}"[:200])
    if order.act in (OrderAct.ONE_SIDE, OrderAct.PAUSE):
        return call.changed(said=f"NOT CONFIRMED by the laptop: {order.act.replace('_', ' ')}: {reason}"[:200])
    return call


def given_back_end_ms(call: Call, now_ms: int, policy: Policy, next_start_ms: int) -> int:
    """The end after a pause that was a false alarm: the lost time is added as far as the room is free."""
    lost = now_ms - call.paused_at_ms if call.paused_at_ms else 0
    allowed = latest_end_ms(call, policy, next_start_ms)
    return min(call.ends_at_ms + lost, max(allowed, call.ends_at_ms))


def ended(call: Call, now_ms: int, outcome: Outcome | None = None, said: str = "") -> Call:
    """Final: nothing flows any more."""
    if call.state == CallState.ENDED:
        return call
    legs = tuple(Leg(leg.leg, words=leg.words) for leg in call.legs)
    return call.changed(
        state=CallState.ENDED,
        outcome=call.outcome or outcome or Outcome.TECHNICAL_FAULT,
        ended_at_ms=now_ms,
        legs=legs,
        said=said or call.said,
    )


def laptop_started_anew(call: Call) -> Call:
    """The agent knows nothing of an open call: its connections are gone, so each caller is to be admitted again."""
    refused = {leg.leg: (leg.words, leg.refused_until_ms) for leg in call.legs if leg.refused_until_ms}
    legs = tuple(Leg(leg.leg, False, False, False, *refused.get(leg.leg, ("", 0))) for leg in call.legs)
    said = "Laptop has started anew: admit the callers again" if call.state != CallState.WAITING else call.said
    return call.changed(
        state=CallState.WAITING, legs=legs, said=said, paused_at_ms=0, paused_why="", paused_by_fault=False
    )


def outcome_at_the_end(call: Call, laptop_online: bool) -> Outcome:
    """Why a call is over whose time has run out."""
    if call.admitted_at_ms:
        return Outcome.COMPLETED_NORMALLY
    family_came = any(leg.connected for leg in call.legs if leg.leg != ROOM_LEG)
    if not laptop_online or family_came:
        return Outcome.TECHNICAL_FAULT if not laptop_online else Outcome.ESTABLISHMENT_CANCELLED
    return Outcome.VISITOR_DID_NOT_ARRIVE


def is_open(call: Call) -> bool:
    return call.state in OPEN


def words_for_the_people(call: Call) -> str:
    """What the people on the call are told of its state."""
    match call.state:
        case CallState.BOOKED | CallState.REQUESTED:
            return "The call has not begun. Please wait."
        case CallState.WAITING:
            return "This call is recorded. Prison staff may watch it. Please wait until staff admit you."
        case CallState.LIVE:
            return "This call is recorded. Prison staff may watch it."
        case CallState.PAUSED:
            return paused_words(call.paused_why)
        case CallState.ENDING | CallState.ENDED:
            return _end_in_words(call.outcome)


def _end_in_words(outcome: Outcome | None) -> str:
    match outcome:
        case Outcome.COMPLETED_NORMALLY:
            return "The time is over. The call has ended."
        case Outcome.TERMINATED_BY_STAFF:
            return "Staff have ended the call."
        case Outcome.VISITOR_COMPLETED_EARLY | Outcome.PRISONER_COMPLETED_EARLY:
            return "The other side has left. The call has ended."
        case Outcome.TECHNICAL_FAULT | Outcome.RECORDING_FAILED:
            return "A technical fault has ended the call. The establishment will be in touch."
        case _:
            return "The call has ended."
