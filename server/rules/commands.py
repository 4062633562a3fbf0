"""An officer's command on a call: refused with a reason, or a new call and what has to be done.

Acts that give something (admit, resume, extend) change the call when the laptop has confirmed them; acts that stop
change it at once, and the laptop's word is only waited for.
"""

from dataclasses import dataclass

from schemas.call import CallState, Outcome, Role
from schemas.console import (
    Admit,
    Command,
    End,
    Extend,
    Flag,
    Notice,
    OneSide,
    Pause,
    Refusal,
    Refuse,
    Resume,
    UrgentHelp,
    Warn,
    Watch,
)
from schemas.laptop import OrderAct
from schemas.media import Side

from .call import MINUTE_MS, OPEN, ROOM_LEG, Call, Policy, latest_end_ms
from .permissions import act_name, may

GIVING = (Admit, Resume, Extend)
STOPPING = (End, Pause, OneSide)
"""Ordered at once and accepted even while the audit can't be written (then journalled)."""


@dataclass(frozen=True)
class Situation:
    """What a decision needs to know besides the call itself."""

    now_ms: int
    policy: Policy
    next_start_ms: int
    """Start of the room's next booking, 0 for none."""
    laptop_online: bool
    audit_writable: bool


@dataclass(frozen=True)
class Ordered:
    """What the laptop has to do."""

    act: OrderAct
    leg: str = ""
    side: Side | None = None
    sound_off: bool = False
    picture_off: bool = False
    ends_at_ms: int = 0
    false_alarm: bool = False
    """A RESUME after which the lost time is given back."""


@dataclass(frozen=True)
class Told:
    """Words for the people on the call; `side` None: both."""

    words: str
    side: Side | None = None


@dataclass(frozen=True)
class Accepted:
    call: Call
    words: str
    order: Ordered | None = None
    told: Told | None = None
    flag: Flag | None = None


@dataclass(frozen=True)
class Refused:
    refusal: Refusal
    words: str


def decide(call: Call | None, command: Command, staff: str, role: Role, at: Situation) -> Accepted | Refused:
    """The one place where a command is allowed or refused; the words of a refusal say what to do."""
    act, name = command.act, act_name(command.act)
    if not may(role, name):
        return Refused(Refusal.NOT_PERMITTED, f"A {role} may not do this; ask an officer.")
    if call is None:
        return Refused(Refusal.UNKNOWN_CALL, "There is no such call at this establishment.")
    if at.now_ms > command.not_after_ms and not isinstance(act, End):
        return Refused(Refusal.TOO_LATE, "It came too late and was not done; look again, then repeat it.")
    if not at.audit_writable and not isinstance(act, STOPPING):
        return Refused(Refusal.NO_AUDIT, "The audit can't be written: only pause, mute, hide and end are possible.")
    if call.state == CallState.ENDED and not isinstance(act, Flag):
        return Refused(Refusal.CALL_ENDED, "The call has ended.")
    if call.state in (CallState.REQUESTED, CallState.BOOKED):
        return Refused(Refusal.WRONG_STATE, "The call has not begun.")
    if call.state == CallState.ENDING and not isinstance(act, (End, Flag)):
        return Refused(Refusal.CALL_ENDED, "The call is ending.")
    if isinstance(act, GIVING):
        if not at.laptop_online:
            return Refused(Refusal.LAPTOP_AWAY, "The laptop does not answer; wait until it is back.")
        if command.version != call.version:
            return Refused(Refusal.OLD_VERSION, "The call has changed since you looked; look again, then repeat it.")
    if isinstance(act, (Extend, End, OneSide)) and not command.reason.strip():
        return Refused(Refusal.REASON_MISSING, "A reason is needed; choose one.")
    return _decide_act(call, command, staff, at)


def _decide_act(call: Call, command: Command, staff: str, at: Situation) -> Accepted | Refused:
    reason = f": {command.reason}" if command.reason else ""
    match command.act:
        case Admit(leg):
            return _admit(call, leg, staff)
        case Refuse(leg):
            return _refuse(call, leg, staff, reason)
        case Notice(side, words):
            if not words.strip():
                return Refused(Refusal.REASON_MISSING, "The notice has no words.")
            return Accepted(call.changed(said=f"Notice by {staff}"), "Notice sent.", told=Told(words, side))
        case Warn(side, words):
            warned = call.changed(said=f"Warning by {staff}{reason}", warnings=call.warnings + 1)
            return Accepted(warned, "Warning sent.", told=Told(words or "A member of staff warns you.", side))
        case Pause():
            return pause(call, staff, reason, at.now_ms)
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
        case OneSide(side, sound_off, picture_off):
            if call.state not in OPEN:
                return Refused(Refusal.WRONG_STATE, "The call carries nothing.")
            what = " and ".join(w for w, off in (("sound", sound_off), ("picture", picture_off)) if off)
            said = f"{what or 'nothing'} of the {side} off, by {staff}{reason}".capitalize()
            order = Ordered(OrderAct.ONE_SIDE, side=side, sound_off=sound_off, picture_off=picture_off)
            return Accepted(call.changed(said=said), said, order)
        case Flag() as flag:
            flagged = call.changed(incidents=call.incidents + 1, said=f"Flagged by {staff}")
            return Accepted(flagged, "Flagged.", flag=flag)
        case UrgentHelp(kind):
            return Accepted(call.changed(said=f"URGENT HELP ({kind}) asked by {staff}"), "Urgent help asked.")
        case Watch(take, to):
            said = f"Watched by {staff}" if take else f"{staff} handed the watch to {to or 'nobody'}"
            return Accepted(call.changed(said=said), said)


def _admit(call: Call, name: str, staff: str) -> Accepted | Refused:
    leg = call.leg(name)
    if leg is None or name == ROOM_LEG:
        return Refused(Refusal.NO_SUCH_LEG, "There is no such caller on this call.")
    if not leg.connected:
        return Refused(Refusal.NO_SUCH_LEG, "The caller is not connected; wait until their picture is there.")
    if leg.admitted or leg.admitting:
        return Refused(Refusal.WRONG_STATE, "The caller is admitted already.")
    if call.state not in (CallState.WAITING, CallState.LIVE):
        return Refused(Refusal.WRONG_STATE, "The call is paused; resume it first.")
    marked = call.changed(legs=call.with_leg(name, admitting=True), said=f"Admission by {staff}")
    return Accepted(marked, "Admitting.", Ordered(OrderAct.ADMIT, leg=name))


def _refuse(call: Call, name: str, staff: str, reason: str) -> Accepted | Refused:
    leg = call.leg(name)
    if leg is None or name == ROOM_LEG:
        return Refused(Refusal.NO_SUCH_LEG, "There is no such caller on this call.")
    legs = call.with_leg(name, connected=False, admitted=False, admitting=False, words=f"refused{reason}")
    refused = call.changed(legs=legs, said=f"Caller refused by {staff}{reason}")
    return Accepted(refused, "Caller refused.", Ordered(OrderAct.REFUSE, leg=name))


def pause(call: Call, who: str, reason: str, now_ms: int, by_fault: bool = False) -> Accepted | Refused:
    """Pauses what is live; a pause of a paused call changes nothing and is confirmed with it."""
    if call.state == CallState.PAUSED:
        return Accepted(call, "Paused already.", Ordered(OrderAct.PAUSE))
    if call.state != CallState.LIVE:
        return Refused(Refusal.WRONG_STATE, "Nobody is admitted, so nothing flows.")
    paused = call.changed(
        state=CallState.PAUSED,
        paused_at_ms=now_ms,
        paused_by_fault=by_fault,
        pauses=call.pauses + 1,
        said=f"Paused by {who}{reason}",
    )
    told = Told("The call is paused by staff. Please wait. The time runs on.")
    return Accepted(paused, "Paused.", Ordered(OrderAct.PAUSE), told)


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
