"""The one table of actions: keys, words, danger and permission; footer, help, palette and keys all come from it."""

from dataclasses import dataclass
from enum import IntEnum


class Danger(IntEnum):
    """What a key does; the class decides how hard it is to press by mistake."""

    LOOKS = 0
    RECORDED = 1
    ACTS = 2
    FINAL = 3


@dataclass(frozen=True)
class Action:
    """`keys`: printable characters or Textual's key names, the first is shown; `permission` is "" for anybody."""

    id: str
    keys: tuple[str, ...]
    name: str
    """As the message row calls it."""
    footer: str
    help: str
    danger: Danger
    permission: str = ""
    screens: str = "W"
    """W: the wall; S: the laptops of remote support; L: one laptop's details."""

    @property
    def shown_key(self) -> str:
        names = {"question_mark": "?", "ctrl+p": "^P", "ctrl+q": "^Q", "escape": "Esc", "enter": "Enter", "f7": "F7"}
        return names.get(self.keys[0], self.keys[0])


ACTIONS = (
    Action("help", ("?",), "Help", "help", "this page, with why a key is off", Danger.LOOKS, screens="WSL"),
    Action(
        "palette", ("ctrl+p",), "Find an action", "find", "find any action by its words", Danger.LOOKS, screens="WSL"
    ),
    Action("move-left", ("h", "left"), "Left", "", "choose the call to the left", Danger.LOOKS),
    Action("move-down", ("j", "down"), "Down", "", "choose the call below", Danger.LOOKS),
    Action("move-up", ("k", "up"), "Up", "", "choose the call above", Danger.LOOKS),
    Action("move-right", ("l", "right"), "Right", "", "choose the call to the right", Danger.LOOKS),
    Action("side", ("s",), "Other side", "side", "turn the chosen tile round: family or room large", Danger.LOOKS),
    Action("side-all", ("g",), "Other side of all", "all", "turn all tiles round", Danger.LOOKS),
    Action("here", ("m",), "I am here", "", "I am here: answers the question after ten minutes", Danger.LOOKS),
    Action(
        "flag", ("f",), "Flag", "flag", "flag an incident: a letter, a note if you like, Enter", Danger.RECORDED, "flag"
    ),
    Action("admit", ("A",), "Admit", "admit", "admit the waiting caller; A again admits", Danger.FINAL, "admit"),
    Action("pause", ("P",), "Pause", "pause", "pause at once: nobody sees or hears", Danger.ACTS, "pause"),
    Action("resume", ("R",), "Resume", "resume", "go on after a pause", Danger.ACTS, "resume"),
    Action("extend", ("+",), "More time", "time", "more time: 1 to 3, a reason, + again", Danger.ACTS, "extend"),
    Action("end", ("X",), "End", "end", "end the call: a reason, X again", Danger.FINAL, "end"),
    Action(
        "quit", ("q", "ctrl+q", "ctrl+c"), "Quit", "quit", "leave the console; calls go on", Danger.LOOKS, screens="WS"
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
)
"""Digits choose a seat (01 to 99) and are no actions; Enter and Space do nothing on the wall, so they never act."""

BY_ID = {action.id: action for action in ACTIONS}
BY_KEY = {key: action for action in ACTIONS if "W" in action.screens for key in action.keys}
"""The wall's."""


def of_screen(screen: str) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if screen in action.screens)


def by_key(screen: str) -> dict[str, Action]:
    return {key: action for action in of_screen(screen) for key in action.keys}


def slip(key: str) -> Action | None:
    """The act whose capital was meant by a lower-case `key` that means nothing else."""
    action = BY_KEY.get(key.upper()) if len(key) == 1 and key.islower() and key not in BY_KEY else None
    return action if action is not None and action.danger >= Danger.ACTS else None
