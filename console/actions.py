"""The one table of actions: keys, words, danger and permission; footer, help, palette and keys all come from it."""

from dataclasses import dataclass, replace
from enum import IntEnum


class Danger(IntEnum):
    """What a key does; the class decides how hard it is to press by mistake."""

    LOOKS = 0
    RECORDED = 1
    ACTS = 2
    FINAL = 3


@dataclass(frozen=True)
class Action:
    """`keys`: printable characters or Textual's key names, the first is shown; without one it is in the palette only.
    `permission` is "" for anybody."""

    id: str
    keys: tuple[str, ...]
    name: str
    """As the message row calls it."""
    footer: str
    help: str
    danger: Danger
    permission: str = ""
    screens: str = "W"
    """W: the wall; F: one call in focus; A: an admission; S: the laptops of remote support; L: one
    laptop's details; Q: flagged incidents; R: one review; H: the help."""

    @property
    def shown_key(self) -> str:
        """The first of its keys, as screens name it; empty for what only the palette has."""
        return shown_as(self.keys[0]) if self.keys else ""


_SHOWN = {"question_mark": "?", "escape": "Esc", "enter": "Enter", " ": "space", "pagedown": "PgDn", "pageup": "PgUp"}


def shown_as(key: str) -> str:
    """A key as screens name it: `F12`, `^P`, `Esc`, `x`."""
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
    return key.upper() if len(key) in (2, 3) and key[0] == "f" else _SHOWN.get(key, key)


_TABLE = (
    Action("help", ("?",), "Help", "help", "this page, with why a key is off", Danger.LOOKS, screens="WSLQR"),
    Action(
        "palette", ("ctrl+p",), "Find an action", "find", "find any action by its words", Danger.LOOKS, screens="WSLQR"
    ),
    Action(
        "pictures",
        (".",),
        "Pictures",
        "",
        "pictures as images, fine, colour, grey, lean, none, or by the line",
        Danger.LOOKS,
    ),
    Action("theme", (), "Next theme", "", "dark, light, high contrast or monochrome", Danger.LOOKS, screens="WSLQR"),
    Action("go-wall", ("f2",), "Wall", "wall", "the wall with the live calls", Danger.LOOKS, "view", "QRFA"),
    Action("go-reviews", ("f4",), "Reviews", "", "the flagged incidents", Danger.LOOKS, "review", "WR"),
    Action("next", ("j", "down"), "Next", "", "choose the next incident", Danger.LOOKS, screens="Q"),
    Action("before", ("k", "up"), "Before", "", "choose the incident before", Danger.LOOKS, screens="Q"),
    Action("open", ("enter",), "Open", "open", "open the incident, with a reason", Danger.RECORDED, "review", "Q"),
    Action("review-sort", ("s",), "Sort", "sort", "overdue, newest, or by seat first", Danger.LOOKS, screens="Q"),
    Action("filter", ("/",), "Filter", "", "only what has the words that you type", Danger.LOOKS, screens="WQS"),
    Action("filter-clear", ("escape",), "All", "", "without the filter", Danger.LOOKS, screens="WQS"),
    Action("play", (" ",), "Play", "play", "play the stretch, or stop", Danger.LOOKS, "review", "R"),
    Action("step-back", (",",), "Step back", "step", "one picture back", Danger.LOOKS, "review", "R"),
    Action("step-on", (".",), "Step on", "step", "one picture on", Danger.LOOKS, "review", "R"),
    Action("skip-back", ("h", "left"), "5 s back", "5 s", "five seconds back", Danger.LOOKS, "review", "R"),
    Action("skip-on", ("l", "right"), "5 s on", "5 s", "five seconds on", Danger.LOOKS, "review", "R"),
    Action("mark-before", ("[",), "Mark before", "mark", "to the flag, act or end before", Danger.LOOKS, "review", "R"),
    Action("mark-after", ("]",), "Mark after", "mark", "to the flag, act or end after", Danger.LOOKS, "review", "R"),
    Action("speed-1", ("1",), "Normal speed", "×", "play as it was", Danger.LOOKS, "review", "R"),
    Action("speed-2", ("2",), "Double speed", "×", "play at double speed", Danger.LOOKS, "review", "R"),
    Action("read-again", ("r",), "Read again", "read", "read the recording again", Danger.RECORDED, "review", "R"),
    Action("finding", ("e",), "Finding", "finding", "write what you have seen", Danger.RECORDED, "review", "R"),
    Action("decide", ("D",), "Decide", "decide", "a decision, measures, D again", Danger.ACTS, "review", "R"),
    Action("update", ("U",), "Needs updating", "update", "back with a question", Danger.ACTS, "review", "R"),
    Action("sign-off", ("O",), "Sign off", "sign off", "close it; O again signs off", Danger.FINAL, "review", "R"),
    Action("back", ("q", "escape"), "Back", "list", "back to the list", Danger.LOOKS, screens="R"),
    Action("leave", ("ctrl+q", "ctrl+c"), "Quit", "", "leave the console", Danger.LOOKS, screens="RFHA"),
    Action("focus", ("enter",), "Focus", "open", "the chosen call over the whole screen", Danger.LOOKS),
    Action("focus-back", ("q", "escape"), "Back", "wall", "back to the wall", Danger.LOOKS, screens="F"),
    Action("call-before", ("h", "left"), "Call before", "call", "the call before, by seat", Danger.LOOKS, screens="F"),
    Action("call-next", ("l", "right"), "Next call", "call", "the next call, by seat", Danger.LOOKS, screens="F"),
    Action("older", ("j", "down"), "Older", "older", "further back in the timeline", Danger.LOOKS, screens="F"),
    Action("newer", ("k", "up"), "Newer", "newer", "towards now in the timeline", Danger.LOOKS, screens="F"),
    Action(
        "focus-side", ("s",), "Sides", "side", "both sides, or one over the whole screen", Danger.LOOKS, screens="F"
    ),
    Action(
        "details", ("d",), "Details", "", "the people: vetting, restrictions, authority", Danger.LOOKS, "view", "WA"
    ),
    Action("copy", ("c",), "Copy", "", "copy the call's reference, where the terminal lets it", Danger.LOOKS),
    Action("move-left", ("h", "left"), "Left", "", "choose the call to the left", Danger.LOOKS),
    Action("move-down", ("j", "down"), "Down", "", "choose the call below", Danger.LOOKS),
    Action("move-up", ("k", "up"), "Up", "", "choose the call above", Danger.LOOKS),
    Action("move-right", ("l", "right"), "Right", "", "choose the call to the right", Danger.LOOKS),
    Action("side", ("s",), "Other side", "side", "turn the chosen tile round: family or room large", Danger.LOOKS),
    Action("side-all", ("g",), "Other side of all", "all", "turn all tiles round", Danger.LOOKS),
    Action(
        "attend",
        ("a",),
        "Next that needs eyes",
        "next",
        "the call that needs eyes most; again: the one after it",
        Danger.LOOKS,
    ),
    Action(
        "unseen", ("u",), "Longest unseen", "unseen", "the call that nobody has looked at for longest", Danger.LOOKS
    ),
    Action("previous", ("b",), "Back", "", "back to the call before", Danger.LOOKS),
    Action("ok-seen", ("o",), "OK, seen", "seen", "I have seen this call's alarms", Danger.RECORDED, "watch"),
    Action(
        "shelve",
        ("z",),
        "Shelve",
        "shelve",
        "put this call's alarm aside for some minutes: a letter",
        Danger.RECORDED,
        "watch",
    ),
    Action("by-need", ("t",), "By need", "", "a list by need in place of the seats, for a while", Danger.LOOKS),
    Action("here", ("m",), "I am here", "", "I am here: answers the question after ten minutes", Danger.LOOKS),
    Action(
        "flag", ("f",), "Flag", "flag", "flag an incident: a letter, a note if you like, Enter", Danger.RECORDED, "flag"
    ),
    Action(
        "admit",
        ("f3",),
        "Admit",
        "admit",
        "look at the caller who waits, to admit or to refuse",
        Danger.FINAL,
        "admit",
    ),
    Action("tick", (" ",), "Tick", "", "tick the next point; 1 to 7 each one", Danger.RECORDED, "admit", "A"),
    Action("caller-before", ("h", "left"), "Caller before", "caller", "who waits before", Danger.LOOKS, screens="A"),
    Action("caller-next", ("l", "right"), "Next caller", "caller", "who waits after", Danger.LOOKS, screens="A"),
    Action("admission-back", ("q", "escape"), "Back", "back", "back; the caller waits on", Danger.LOOKS, screens="A"),
    Action("admit-named", ("A",), "Admit", "admit", "admit this device; A again", Danger.FINAL, "admit", "A"),
    Action("refuse", ("X",), "Refuse", "refuse", "refuse it: a letter is the reason", Danger.FINAL, "refuse", "A"),
    Action("notice", ("N",), "Notice", "notice", "a notice to both sides or one: a digit", Danger.ACTS, "notice"),
    Action("warn", ("W",), "Warning", "warn", "a warning, which counts: a digit", Danger.ACTS, "warn"),
    Action("pause", ("P",), "Pause", "pause", "pause at once; a digit says why afterwards", Danger.ACTS, "pause"),
    Action("resume", ("R",), "Resume", "resume", "go on after a pause: a letter", Danger.ACTS, "resume"),
    Action(
        "one-side",
        ("V",),
        "One side",
        "side",
        "voice or video of one side off, or on: f or r, then s, p or b",
        Danger.ACTS,
        "one_side",
    ),
    Action("extend", ("+",), "More time", "time", "more time: 1 to 3 and a reason", Danger.ACTS, "extend"),
    Action("end", ("X",), "End", "end", "end the call: a reason, X again", Danger.FINAL, "end"),
    Action("have", ("I",), "I have the watch", "have", "I have the watch of this seat", Danger.ACTS, "watch"),
    Action("yield", ("Y",), "Offer the watch", "give", "you have the watch: offer it, a digit", Danger.ACTS, "watch"),
    Action(
        "urgent-help",
        ("f12",),
        "Urgent help",
        "help!",
        "urgent help: a letter rings everywhere",
        Danger.ACTS,
        "urgent_help",
    ),
    Action(
        "quit", ("q", "ctrl+q", "ctrl+c"), "Quit", "quit", "leave the console; calls go on", Danger.LOOKS, screens="WSQ"
    ),
    Action("laptop-down", ("j", "down"), "Down", "", "the next laptop", Danger.LOOKS, "health", "S"),
    Action("laptop-up", ("k", "up"), "Up", "", "the laptop before", Danger.LOOKS, "health", "S"),
    Action("laptop-next", ("l", "right"), "Next laptop", "", "the next laptop's details", Danger.LOOKS, "health", "L"),
    Action("laptop-previous", ("h", "left"), "Laptop before", "", "the one before", Danger.LOOKS, "health", "L"),
    Action(
        "laptop-open", ("enter",), "Details", "details", "one laptop's details; logged", Danger.LOOKS, "health", "S"
    ),
    Action("laptop-sort", ("s",), "Sort", "sort", "by seat, or the gravest first", Danger.LOOKS, "health", "S"),
    Action("laptop-list", ("f7", "escape", "q"), "Laptops", "list", "back to the list", Danger.LOOKS, "health", "L"),
    Action("help-back", ("q", "escape"), "Back", "back", "back to the screen below", Danger.LOOKS, screens="H"),
    Action("help-down", ("j", "down"), "Further", "further", "a row further down", Danger.LOOKS, screens="H"),
    Action("help-up", ("k", "up"), "Back up", "", "a row further up", Danger.LOOKS, screens="H"),
    Action("help-page-down", ("pagedown", " "), "Page down", "page", "a page further", Danger.LOOKS, screens="H"),
    Action("help-page-up", ("pageup",), "Page up", "", "a page back", Danger.LOOKS, screens="H"),
    Action("help-first", ("home",), "First", "", "the first row", Danger.LOOKS, screens="H"),
    Action("help-last", ("end",), "Last", "", "the last row", Danger.LOOKS, screens="H"),
)
"""Digits choose a seat (01 to 99) and are no actions; Enter only opens and Space does nothing, so they never act."""

_IN_ADMISSION_TOO = ("help", "palette", "theme", "pictures", "here", "flag", "notice", "urgent-help")
_IN_FOCUS_TOO = ("help", "palette", "theme", "pictures", "here", "attend", "unseen", "previous", "copy", "details")


def _of_the_wall(action: Action) -> bool:
    """What acts on the chosen call acts in focus as well, with the same key."""
    return "W" in action.screens and (action.danger >= Danger.RECORDED or action.id in _IN_FOCUS_TOO)


def _everywhere(action: Action) -> Action:
    more = ("F" if _of_the_wall(action) else "") + ("A" if action.id in _IN_ADMISSION_TOO else "")
    return replace(action, screens=action.screens + more) if more else action


ACTIONS = tuple(map(_everywhere, _TABLE))

BY_ID: dict[str, Action] = {}
_in_force: list[Action] = []


def take(table: tuple[Action, ...]) -> None:
    """From here on the actions have the keys of this table: a person's own keymap, before the console starts."""
    _in_force[:] = table
    BY_ID.clear()
    BY_ID.update({action.id: action for action in table})


def of_screen(screen: str) -> tuple[Action, ...]:
    """In the order of footer and help."""
    return tuple(action for action in _in_force if screen in action.screens)


def by_key(screen: str) -> dict[str, Action]:
    return {key: action for action in of_screen(screen) for key in action.keys}


take(ACTIONS)


def key_of(action_id: str) -> str:
    """The key of this action as screens name it, a person's own where they have one."""
    return BY_ID[action_id].shown_key or f"{BY_ID['palette'].shown_key} {BY_ID[action_id].name}"


def together(*action_ids: str) -> str:
    """The keys of actions of one kind: `hjkl`, or `left down up right` where a key has a name."""
    keys = [key_of(action_id) for action_id in action_ids]
    return ("" if all(len(key) == 1 for key in keys) else " ").join(keys)


def means(key: str, action_id: str) -> bool:
    """Whether a key, as `by_key` has it, asks for this action."""
    return key in BY_ID[action_id].keys


def slip(key: str, screen: str = "W") -> Action | None:
    """The act whose capital was meant by a lower-case `key` that means nothing else."""
    keys = by_key(screen)
    action = keys.get(key.upper()) if len(key) == 1 and key.islower() and key not in keys else None
    return action if action is not None and action.danger >= Danger.ACTS else None
