"""Who has the watch, who is called for help, and what is flagged: acts that change nothing of what flows."""

from schemas.call import Category, Refusal
from schemas.console import Flag

from .call import Call
from .decision import Accepted, Refused, Situation

OFFER_STANDS_MS = 5 * 60_000
KIND_LONGEST = 60


def flag(call: Call, act: Flag, staff: str, now_ms: int) -> Accepted:
    """Self-harm or safeguarding also calls for help."""
    flagged = call.changed(incidents=call.incidents + 1, said=f"Flagged by {staff}")
    if act.category != Category.SELF_HARM_OR_SAFEGUARDING or call.help:
        return Accepted(flagged, "Flagged.", flag=act)
    kind = "self-harm or safeguarding"
    return Accepted(_asked(flagged, kind, staff, now_ms), "Flagged; urgent help is asked.", flag=act, help=kind)


def urgent_help(call: Call, kind: str, staff: str, now_ms: int) -> Accepted | Refused:
    """Rings at every console until it is over. A second cry changes what it is for, not who is waited for."""
    kind = kind.strip()[:KIND_LONGEST] or "not said what for"
    if call.help == kind:
        return Accepted(call, "Urgent help is asked already.")
    asked = _asked(call.changed(said=f"URGENT HELP ({kind}) asked by {staff}"), kind, staff, now_ms)
    return Accepted(asked, "Urgent help asked.", help=kind)


def help_over(call: Call, why: str, staff: str) -> Accepted | Refused:
    if not call.help:
        return Refused(Refusal.WRONG_STATE, "No urgent help is asked for here.")
    said = f"Urgent help is over: {why.strip()[:KIND_LONGEST] or 'dealt with'}, by {staff}"
    return Accepted(call.changed(help="", help_by="", help_at_ms=0, said=said), said)


def _asked(call: Call, kind: str, staff: str, now_ms: int) -> Call:
    return call.changed(help=kind, help_by=staff, help_at_ms=now_ms)


def take_watch(call: Call, staff: str, at: Situation) -> Accepted | Refused:
    """I have: what nobody has, what was offered to oneself, or what was left by somebody who is at no console."""
    if call.watch == staff:
        taken = call.changed(watch_offered_to="", watch_offered_at_ms=0, said=f"{staff} keeps the watch")
        return Accepted(taken if call.watch_offered_to else call, "You have the watch.")
    if call.watch and call.watch in at.present and not offered(call, staff, at.now_ms):
        return Refused(Refusal.WRONG_STATE, f"{call.watch} has the watch; ask them to offer it (Y).")
    before = f", from {call.watch}" if call.watch else ""
    said = f"{staff} has the watch{before}"
    return Accepted(call.changed(watch=staff, watch_offered_to="", watch_offered_at_ms=0, said=said), said)


def offer_watch(call: Call, staff: str, to: str, at: Situation) -> Accepted | Refused:
    """You have: the giver stays responsible until it is taken."""
    if call.watch != staff:
        return Refused(Refusal.WRONG_STATE, f"{call.watch or 'Nobody'} has the watch; you can't offer it. I takes it.")
    if not to.strip() or to == staff:
        return Refused(Refusal.REASON_MISSING, "Choose a colleague.")
    if to not in at.present:
        return Refused(Refusal.WRONG_STATE, f"{to} is at no console here.")
    said = f"{staff} offers the watch to {to}"
    return Accepted(call.changed(watch_offered_to=to, watch_offered_at_ms=at.now_ms, said=said), said)


def offered(call: Call, staff: str, now_ms: int) -> bool:
    return call.watch_offered_to == staff and now_ms - call.watch_offered_at_ms <= OFFER_STANDS_MS


def offer_lapsed(call: Call, now_ms: int) -> Call:
    """The call as it is once an offer has stood too long; the same call when none has."""
    if not call.watch_offered_to or now_ms - call.watch_offered_at_ms <= OFFER_STANDS_MS:
        return call
    said = f"{call.watch_offered_to} has not taken the watch; {call.watch} keeps it"
    return call.changed(watch_offered_to="", watch_offered_at_ms=0, said=said)
