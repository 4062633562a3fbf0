"""Typed commands: the ids of the table of actions, each with the seat of the call it is about.

`flag 7 r phone held up` presses the flag's key at seat 7, then `r`, then writes the note: what can be done at the wall
can be done here, in the same panels. An act that is final wants the name as well. Nothing stays open between two lines.
"""

from dataclasses import dataclass

from console.actions import BY_ID, Action, Danger, of_screen
from console.desk import Desk
from console.state.attention import ranked
from console.state.safe_text import safe
from schemas.call import CallView

from . import words

NOTHING = "Nothing was done."
ALSO = {"seen": "ok-seen", "time": "extend", "help-urgent": "urgent-help"}
NEEDS_A_PICTURE = ("admit", "refuse")
"""Who is at the other end has to be looked at first."""
LOOKING = {
    "list": "every seat, a line each",
    "what SEAT": "all that is known of the call there",
    "attend": "what needs somebody most",
    "here": "I am here; any line says it",
    "help": "these words",
    "quit": "leave; calls go on",
}


@dataclass(frozen=True)
class Answer:
    lines: list[str]
    leave: bool = False


def acts() -> tuple[Action, ...]:
    """The actions that are commands here: all that do something to a call, but for those that need a picture."""
    return tuple(a for a in of_screen("W") if a.danger >= Danger.RECORDED and a.id not in NEEDS_A_PICTURE)


def obey(desk: Desk, line: str, now_s: float) -> Answer:
    """Does what a line says; the answer's lines are for whoever typed it."""
    desk.touched(now_s)
    typed = line.split()
    if not typed:
        return Answer([])
    verb, rest = typed[0].lower(), typed[1:]
    match verb:
        case "quit" | "exit":
            return Answer([], True)
        case "help" | "?":
            return Answer(_help(desk))
        case "here":
            return Answer(["You count as watching."])
        case "list":
            return Answer(
                [words.listed(desk.wall, seat, now_s) for seat in desk.wall.seats] or ["No seat is known yet."]
            )
        case "attend":
            entries = ranked(desk.wall, now_s)
            return Answer([words.entry(entries[0])] if entries else ["Nothing needs you."])
        case "what":
            return Answer([_what(desk, rest, now_s)])
        case _:
            return Answer(_act(desk, verb, rest, now_s))


def _act(desk: Desk, verb: str, rest: list[str], now_s: float) -> list[str]:
    action = BY_ID.get(ALSO.get(verb, verb))
    if action is not None and action.id in NEEDS_A_PICTURE:
        return [f"{action.name} needs a picture: only a console that shows pictures can do it. {NOTHING}"]
    if action is None or action not in acts():
        return [f"There is no command {safe(verb)}; help has them all. {NOTHING}"]
    seat = _seat(rest)
    call = desk.wall.call_at(seat, now_s) if seat is not None else None
    if seat is None or seat not in desk.wall.seats:
        return [f"Which seat? Type: {verb} and the seat's number. {NOTHING}"]
    if call is None:
        return [f"There is no call at seat {seat}. {NOTHING}"]
    rest = rest[1:]
    named = bool(rest) and rest[0].casefold() == _name(call)
    if named:
        rest = rest[1:]
    elif action.danger is Danger.FINAL:
        return [
            f"Type: {verb} {seat} {_name(call)}, then a reason letter. {NOTHING}",
            *_asked(desk, action, seat, now_s),
        ]
    return _carry_out(desk, action, call, rest, now_s)


def _carry_out(desk: Desk, action: Action, call: CallView, rest: list[str], now_s: float) -> list[str]:
    lines = _begin(desk, action, call.seat, now_s)
    if desk.panel is None:
        return lines
    if desk.panel.call.call_id != call.call_id or not rest:
        asked = _close(desk)
        return lines + asked + [f"Type: {action.id} {call.seat} and what you choose."]
    writing = False
    while rest and desk.panel is not None and not writing:
        view = desk.panel.view()
        writing = rest[0] not in {choice.key for choice in (*view.choices, *view.more_choices)}
        if not writing:
            desk.press_in_panel(rest.pop(0), now_s)
    for character in " ".join(rest) if desk.panel is not None else "":
        if desk.panel is not None:
            desk.press_in_panel(character, now_s)
    for key in ("enter", action.keys[0]) if rest else (_last_key(action),):
        if desk.panel is not None:
            desk.press_in_panel(key, now_s)
    if desk.panel is not None:
        notice = desk.panel.view().notice
        return lines + ([notice] if notice else []) + _close(desk) + [NOTHING]
    return lines + _said(desk, now_s)


def _last_key(action: Action) -> str:
    """What ends a panel that is complete: an act's own key again; what only records is filed with Enter."""
    return action.keys[0] if action.danger >= Danger.ACTS else "enter"


def _begin(desk: Desk, action: Action, seat: int, now_s: float) -> list[str]:
    desk.panel = None
    desk.choose(seat)
    desk.say("", now_s)
    desk.act(action, now_s)
    return _said(desk, now_s)


def _asked(desk: Desk, action: Action, seat: int, now_s: float) -> list[str]:
    lines = _begin(desk, action, seat, now_s)
    return lines + _close(desk)


def _close(desk: Desk) -> list[str]:
    asked = words.panel(desk.panel.view()) if desk.panel is not None else []
    desk.panel = None
    return asked


def _said(desk: Desk, now_s: float) -> list[str]:
    notice = desk.notice(now_s)
    desk.say("", now_s)
    return [words.heard(notice)] if notice else []


def _what(desk: Desk, rest: list[str], now_s: float) -> str:
    seat = _seat(rest)
    if seat is None or seat not in desk.wall.seats:
        return "Which seat? Type: what and the seat's number."
    call = desk.wall.call_at(seat, now_s)
    return words.call(desk.wall, call, now_s) if call is not None else words.listed(desk.wall, seat, now_s)


def _seat(rest: list[str]) -> int | None:
    return int(rest[0]) if rest and rest[0].isascii() and rest[0].isdecimal() and len(rest[0]) < 3 else None


def _name(call: CallView) -> str:
    """The surname in one word, as it is typed."""
    return "".join(safe(call.surname).casefold().split())


def _help(desk: Desk) -> list[str]:
    lines = [f"{command}: {does}." for command, does in LOOKING.items()]
    for action in acts():
        allowed = not action.permission or action.permission in desk.wall.permissions
        named = " NAME" if action.danger is Danger.FINAL else ""
        lines.append(f"{action.id} SEAT{named}: {action.help}." + ("" if allowed else " Your role may not."))
    return lines
