"""A person's own keys: actions by id, and the rules that keep a slip of the finger from acting on a call.

The rules look at one screen at a time, on a UK QWERTY keyboard.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from console.actions import Action, Danger

NEIGHBOURS_WITHIN = 1.3
"""Distance between the middles of two keys, in keys."""
ROWS = (
    (0.0, "1234567890-=", '!"£$%^&*()_+'),
    (0.5, "qwertyuiop[]", "QWERTYUIOP{}"),
    (0.75, "asdfghjkl;'#", "ASDFGHJKL:@~"),
    (0.25, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
"""Where each row of keys begins, in keys from the 1, and what it types without and with Shift."""
NAMED_AS = {"question_mark": "?", "space": " "}
CLOSE_THE_DOOR = {"end", "refuse"}
"""The two acts that share a letter: both send somebody away."""
TAKEN = {
    "f1": "terminals show their help with it",
    "f9": "nothing stands beside F12, urgent help",
    "f10": "terminals open their menu with it",
    "f11": "terminals go full screen with it",
    "ctrl+a": "screen takes it",
    "ctrl+b": "tmux takes it",
    "ctrl+s": "it stops a terminal's output",
    "ctrl+z": "it suspends programs",
}
NEVER_ACTS = (" ", "enter", "escape", "tab")
SPECIAL = (
    *("enter", "escape", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"),
    *("up", "down", "left", "right", *(f"f{number}" for number in range(1, 13))),
)


MOST_NAMED = 6
"""So many faults of a refused keymap are told at once."""


class KeymapError(Exception):
    """A keymap that is refused; says why in one sentence."""


@dataclass(frozen=True)
class Fault:
    """Two actions of one screen, or one alone, and the rule that their keys break."""

    screen: str
    first: str
    second: str
    why: str

    def __str__(self) -> str:
        return f"{self.first} and {self.second}: {self.why}" if self.second else f"{self.first}: {self.why}"


def remapped(actions: Sequence[Action], keys: Mapping[str, Sequence[str]]) -> tuple[Action, ...]:
    """The table with other keys for the actions named by id. KeymapError names what is wrong, the pair included."""
    known = {action.id for action in actions}
    for unknown in keys.keys() - known:
        raise KeymapError(f"there is no action {unknown}; docs/keys.md has them all")
    for action_id, own in keys.items():
        if not own and any(action.id == action_id and action.danger >= Danger.ACTS for action in actions):
            raise KeymapError(f"{action_id} would have no key")
        for key in own:
            if reason := _no_key(key):
                raise KeymapError(f"{action_id} can't have {key!r}: {reason}")
    changed = tuple(
        replace(action, keys=tuple(NAMED_AS.get(key, key) for key in keys[action.id])) if action.id in keys else action
        for action in actions
    )
    if new := set(faults(changed)) - set(faults(actions)):
        raise KeymapError("; ".join(sorted({str(fault) for fault in new})[:MOST_NAMED]))
    return changed


def faults(actions: Iterable[Action]) -> list[Fault]:
    """What in the table breaks a rule."""
    actions = list(actions)
    found: list[Fault] = []
    for screen in sorted(set(chain.from_iterable(action.screens for action in actions))):
        bound = [(action, key) for action in actions if screen in action.screens for key in action.keys]
        for at, (action, key) in enumerate(bound):
            found += _alone(screen, action, key)
            for other, other_key in bound[at + 1 :]:
                why = _clash(action, key, other, other_key)
                if why:
                    found.append(Fault(screen, action.id, other.id, why))
    return found + _two_meanings([action for action in actions if action.danger >= Danger.ACTS])


def _two_meanings(acts: list[Action]) -> list[Fault]:
    """A letter has one meaning among the acts of all screens."""
    found: list[Fault] = []
    for at, one in enumerate(acts):
        for two in acts[at + 1 :]:
            both = set(one.keys) & set(two.keys)
            apart = not set(one.screens) & set(two.screens)
            if both and apart and one.id != two.id and {one.id, two.id} != CLOSE_THE_DOOR:
                found.append(Fault(one.screens, one.id, two.id, f"{min(both)!r} would be two different acts"))
    return found


def _alone(screen: str, action: Action, key: str) -> list[Fault]:
    if action.danger < Danger.ACTS:
        return []
    if key in NEVER_ACTS or (len(key) == 1 and key.isdecimal()):
        return [Fault(screen, action.id, "", f"{key!r} never acts on a call")]
    if len(key) == 1 and key.islower():
        return [Fault(screen, action.id, "", f"an act has a capital, and {key!r} is none")]
    return []


def _clash(one: Action, key: str, two: Action, other: str) -> str:
    if one.id == two.id:
        return ""
    if key == other:
        return f"both have {key!r} on one screen"
    acting = [a for a in (one, two) if a.danger >= Danger.ACTS]
    if not acting:
        return ""
    here, there = _place(key), _place(other)
    if here is None or there is None:
        return ""
    if here[:2] == there[:2]:
        harmless = two if one in acting else one
        return f"{key!r} and {other!r} are one key, so Caps Lock would act" if harmless.danger < Danger.ACTS else ""
    near = (here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2 < NEIGHBOURS_WITHIN**2
    return f"{key!r} and {other!r} are neighbours" if near and here[2] == there[2] else ""


def _place(key: str) -> tuple[float, float, bool] | None:
    """Column, row and Shift of a character on the keyboard."""
    key = NAMED_AS.get(key, key)
    for row, (start, plain, shifted) in enumerate(ROWS):
        for with_shift, characters in ((False, plain), (True, shifted)):
            if len(key) == 1 and key in characters:
                return start + characters.index(key), float(row), with_shift
    return None


def _no_key(key: str) -> str:
    """Why a terminal can't be trusted with it; empty for a good one."""
    if key in TAKEN:
        return TAKEN[key]
    if key.startswith(("alt+", "ctrl+shift+")) or key in ("ctrl+enter", "ctrl+space"):
        return "terminals and tmux lose it"
    if key.isdecimal() and len(key) == 1:
        return "digits choose a seat"
    plain = NAMED_AS.get(key, key)
    known = len(plain) == 1 and plain.isprintable() and plain.isascii()
    control = key.startswith("ctrl+") and len(key) == 6 and key[5].islower()
    return "" if known or control or key in SPECIAL else "no terminal has such a key"
