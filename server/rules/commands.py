"""An officer's command on a call: refused with a reason, or a new call and what has to be done.

Acts that give something (admit, resume, extend) change the call when the laptop has confirmed them; acts that stop
change it at once, and the laptop's word is only waited for.
"""

from schemas.call import CallState, Outcome, Refusal, Role
from schemas.console import (
    Act,
    Admit,
    Command,
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
from schemas.laptop import OrderAct

from . import duty, sides
from .call import MINUTE_MS, OPEN, ROOM_LEG, Call, latest_end_ms, state_with
from .decision import Accepted, Ordered, Refused, Situation, Told
from .permissions import act_name, may
from .plain_words import may_come_back, paused_words, refused_words, warning_words
from .vetting import why_not

GIVING = (Admit, Resume, Extend)
STOPPING = (End, Pause, OneSide)
REFUSED_MS, NEVER_MS = MINUTE_MS, 2**53
"""How long a refused device is turned away: what can be put right, for a minute; else for the whole call."""
WHY_LONGEST, SAID_LONGEST = 120, 200
"""Of what officers write themselves, to be said to others; of a sentence with it."""


def stops(call: Call | None, act: Act) -> bool:
    """Ordered at once and accepted even while the audit can't be written (then journalled)."""
    return isinstance(act, STOPPING) and not gives(call, act)


def gives(call: Call | None, act: Act) -> bool:
    """Lets something flow, or go on: only on a call as the officer saw it, and only once the laptop confirms."""
    if isinstance(act, OneSide):
        return call is not None and sides.relieves(call, act)
    return isinstance(act, GIVING)


def decide(call: Call | None, command: Command, staff: str, role: Role, at: Situation) -> Accepted | Refused:
    """The one place where a command is allowed or refused; the words of a refusal say what to do."""
    act, name = command.act, act_name(command.act)
    if not may(role, name):
        return Refused(Refusal.NOT_PERMITTED, f"A {role} may not do this; ask an officer.")
    if call is None:
        return Refused(Refusal.UNKNOWN_CALL, "There is no such call at this establishment.")
    if at.now_ms > command.not_after_ms and not isinstance(act, End):
        return Refused(Refusal.TOO_LATE, "It came too late and was not done; look again, then repeat it.")
    if not at.audit_writable and not stops(call, act):
        return Refused(Refusal.NO_AUDIT, "The audit can't be written: only pause, mute, hide and end are possible.")
    if call.state == CallState.ENDED and not isinstance(act, Flag):
        return Refused(Refusal.CALL_ENDED, "The call has ended.")
    if call.state in (CallState.REQUESTED, CallState.BOOKED):
        return Refused(Refusal.WRONG_STATE, "The call has not begun.")
    if call.state == CallState.ENDING and not isinstance(act, (End, Flag)):
        return Refused(Refusal.CALL_ENDED, "The call is ending.")
    if gives(call, act):
        if not at.laptop_online:
            return Refused(Refusal.LAPTOP_AWAY, "The laptop does not answer; wait until it is back.")
        if command.version != call.version:
            newest = call.said[:WHY_LONGEST] or "the call has changed"
            return Refused(Refusal.OLD_VERSION, f"{newest}, since you looked; look again, then repeat it.")
    if isinstance(act, (Extend, End, OneSide, Refuse)) and not command.reason.strip():
        return Refused(Refusal.REASON_MISSING, "A reason is needed; choose one.")
    return _decide_act(call, command, staff, at)


def _decide_act(call: Call, command: Command, staff: str, at: Situation) -> Accepted | Refused:
    reason = f": {command.reason}" if command.reason else ""
    match command.act:
        case Admit() if call.state == CallState.WAITING and not at.room_for_recording:
            words = "The server's disk has no room for this call's recording; make room, or call support."
            return Refused(Refusal.WRONG_STATE, words)
        case Admit(leg):
            return _admit(call, leg, staff, at)
        case Refuse(leg):
            return _refuse(call, leg, staff, command.reason, at.now_ms)
        case Notice(side, words):
            return _say(call, Told(words.strip(), side), f"Notice by {staff}", at)
        case Warn(side, words):
            told = Told(warning_words(words.strip(), call.warnings + 1), side)
            said = f"Warning by {staff}: {words.strip()}"[:SAID_LONGEST]
            return _say(call, told, said, at, warnings=call.warnings + 1)
        case Pause():
            return pause(call, staff, command.reason, at.now_ms)
        case Resume(false_alarm):
            if call.state != CallState.PAUSED:
                return Refused(Refusal.WRONG_STATE, "The call is not paused.")
            return Accepted(
                call, "Resuming.", Ordered(OrderAct.RESUME, false_alarm=false_alarm or call.paused_by_fault)
            )
        case Extend(ends_at_ms):
            return _extend(call, ends_at_ms, at)
        case End(outcome):
            return end(call, outcome, staff, command.reason)
        case OneSide() as act:
            return sides.one_side(call, act, staff, reason)
        case Flag() as flag:
            return duty.flag(call, flag, staff, at.now_ms)
        case UrgentHelp(kind, over):
            return duty.help_over(call, kind, staff) if over else duty.urgent_help(call, kind, staff, at.now_ms)
        case Watch(take, to):
            return duty.take_watch(call, staff, at) if take else duty.offer_watch(call, staff, to, at)


def _say(call: Call, told: Told, said: str, at: Situation, **changes: object) -> Accepted | Refused:
    """Words for people who are there to read them."""
    if not told.words:
        return Refused(Refusal.REASON_MISSING, "It has no words.")
    legs = [leg.leg for leg in call.legs if told.reaches(leg.leg) and leg.leg in at.readers]
    if not legs:
        return Refused(Refusal.NO_SUCH_LEG, "Nobody there is connected, so nobody would read it.")
    return Accepted(call.changed(said=said, **changes), f"Sent to {', '.join(legs)}.", told=told)


def _admit(call: Call, name: str, staff: str, at: Situation) -> Accepted | Refused:
    leg = call.leg(name)
    if leg is None or name == ROOM_LEG:
        return Refused(Refusal.NO_SUCH_LEG, "There is no such caller on this call.")
    if not leg.connected:
        return Refused(Refusal.NO_SUCH_LEG, "The caller is not connected; wait until their picture is there.")
    if leg.admitted or leg.admitting:
        return Refused(Refusal.WRONG_STATE, "The caller is admitted already.")
    if call.state not in (CallState.WAITING, CallState.LIVE):
        return Refused(Refusal.WRONG_STATE, "The call is paused; resume it first.")
    for caller in call.callers:
        if caller.leg == name and (why := why_not(caller, at.policy, at.day)):
            return Refused(Refusal.BEYOND_POLICY, f"{why}; refuse this device.")
    marked = call.changed(legs=call.with_leg(name, admitting=True), said=f"Admission by {staff}")
    return Accepted(marked, "Admitting.", Ordered(OrderAct.ADMIT, leg=name))


def _refuse(call: Call, name: str, staff: str, reason: str, now_ms: int) -> Accepted | Refused:
    leg = call.leg(name)
    if leg is None or name == ROOM_LEG:
        return Refused(Refusal.NO_SUCH_LEG, "There is no such caller on this call.")
    why = f": {reason}" if reason else ""
    until_ms = now_ms + REFUSED_MS if may_come_back(reason) else NEVER_MS
    gone = {"connected": False, "admitted": False, "admitting": False}
    legs = call.with_leg(name, **gone, words=f"refused{why}", refused_until_ms=until_ms)
    refused = call.changed(legs=legs, state=state_with(call, legs), said=f"Caller refused by {staff}{why}")
    told = Told(refused_words(reason), leg=name)
    return Accepted(refused, "Caller refused.", Ordered(OrderAct.REFUSE, leg=name), told)


def pause(call: Call, who: str, reason: str, now_ms: int, by_fault: bool = False) -> Accepted | Refused:
    """Pauses what is live. A pause of a paused call changes nothing but the reason, when none was given before, and is
    confirmed with it."""
    why = f": {reason}" if reason else ""
    if call.state == CallState.PAUSED:
        if reason and not call.paused_why:
            noted = call.changed(paused_why=reason, said=f"Paused by {who}{why}")
            return Accepted(noted, f"Paused{why}.", told=Told(paused_words(reason)))
        return Accepted(call, "Paused already.", Ordered(OrderAct.PAUSE))
    if call.state != CallState.LIVE:
        return Refused(Refusal.WRONG_STATE, "Nobody is admitted, so nothing flows.")
    paused = call.changed(
        state=CallState.PAUSED,
        paused_at_ms=now_ms,
        paused_why=reason,
        paused_by_fault=by_fault,
        pauses=call.pauses + 1,
        said=f"Paused by {who}{why}",
    )
    return Accepted(paused, "Paused.", Ordered(OrderAct.PAUSE), Told(paused_words(reason)))


def _extend(call: Call, ends_at_ms: int, at: Situation) -> Accepted | Refused:
    if call.state not in OPEN:
        return Refused(Refusal.WRONG_STATE, "The call has not begun.")
    if ends_at_ms <= call.ends_at_ms or ends_at_ms <= at.now_ms:
        return Refused(Refusal.NOT_LATER, "The new end must be later than the present one.")
    if ends_at_ms > latest_end_ms(call, at.policy, 0):
        minutes = at.policy.extension_minutes_max
        return Refused(
            Refusal.BEYOND_POLICY, f"The policy allows {minutes} min more and {at.policy.call_minutes_max} min in all."
        )
    if ends_at_ms > latest_end_ms(call, at.policy, at.next_start_ms):
        return Refused(Refusal.ROOM_BOOKED, "The room has a booking then; choose less time.")
    minutes = (ends_at_ms - call.ends_at_ms) / MINUTE_MS
    return Accepted(call, f"{minutes:g} min more.", Ordered(OrderAct.EXTEND, ends_at_ms=ends_at_ms))


def end(call: Call, outcome: Outcome, who: str, reason: str) -> Accepted:
    """Ends a call that is not ENDED; final. A second end of an ending call changes nothing and is confirmed with it."""
    words = f"Ended by {who}" + (f": {reason}" if reason else "")
    order = Ordered(OrderAct.END)
    if call.state == CallState.ENDING:
        return Accepted(call, "Ending already.", order)
    return Accepted(call.changed(state=CallState.ENDING, outcome=outcome, said=words, ended_by=words), words, order)
