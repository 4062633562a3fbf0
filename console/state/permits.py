"""Why a key is off now, in words; what an officer may do is decided by the server, this only says it beforehand."""

from schemas.call import CallState, CallView

from ..actions import Action, Danger, key_of
from .admission import Admission
from .safe_text import safe
from .wall import OPEN, Wall, waiting_legs


def why_off(action: Action, wall: Wall, call: CallView | None, admission: Admission | None = None) -> str:
    """Empty when the key does something; `call` is the chosen one, `admission` the device that is looked at."""
    if action.id == "go-reviews" and action.permission not in wall.permissions:
        return f"Reviews are for the duty governor. You can flag ({key_of('flag')})."
    if action.permission and action.permission not in wall.permissions:
        role = wall.welcome.role if wall.welcome else "console that is not connected"
        return f"{action.shown_key} is off: {_article(role)} {role} may not do this"
    if action.danger is Danger.LOOKS:
        return ""
    if wall.link.lost:
        return f"{action.shown_key}: link lost: not sent"
    if not wall.link.usable:
        return f"{action.shown_key} is off: no link yet"
    if call is None:
        return f"{action.shown_key} is off: no call is chosen; press the digits of its seat"
    if action.screens == "A" and admission is not None:
        if action.id == "admit-named":
            reason = admission.why_not()
        else:
            reason = "" if admission.waits or action.id == "tick" else "this caller waits no longer"
    else:
        reason = _state_forbids(action.id, call, wall.my_name)
    return f"{action.shown_key} is off: {reason}" if reason else ""


def _state_forbids(action: str, call: CallView, mine: str) -> str:
    state = call.state
    ended = "the call has ended" if state == CallState.ENDED else "the call is ending"
    if action in ("flag", "ok-seen"):
        return ""
    if action == "end":
        return "the call has ended" if state == CallState.ENDED else "" if state in OPEN else "the call has not begun"
    if state in (CallState.ENDING, CallState.ENDED):
        return ended
    match action:
        case "admit":
            if state == CallState.PAUSED:
                return "the call is paused, resume it first"
            return "" if waiting_legs(call) else "no caller waits here"
        case "pause":
            return "" if state == CallState.LIVE else f"the call is {state.lower()}, so nothing flows"
        case "resume":
            return "" if state == CallState.PAUSED else "the call is not paused"
        case "have" if call.watch == mine and not call.watch_offered_to:
            return "you have the watch of this seat already"
        case "yield" if call.watch != mine:
            return f"{safe(call.watch) or 'nobody'} has the watch of this seat; {key_of('have')} takes it"
        case _:
            return ""


def _article(word: str) -> str:
    return "an" if word[:1] in "aeio" else "a"
