"""What a key means where calls are shown: for the open panel, a seat's digit, an action, or a slip of the finger."""

from console.actions import Action, by_key, key_of, means, slip
from console.desk import Desk

ALWAYS = ("ctrl+q", "ctrl+c")
"""They leave the console, panel or not."""


def press(desk: Desk, key: str, now_s: float, screen: str = "W") -> Action | None:
    """Takes a key: a printable character, or Textual's name of another one. Returns the action that it asks for, when
    no panel has taken it; all else is done."""
    if desk.filter.typing and key not in ALWAYS:
        desk.filter.press(key)
        return None
    if desk.panel is not None and key not in ALWAYS and desk.press_in_panel(key, now_s):
        return None
    if len(key) == 1 and key.isdecimal() and key.isascii():
        if screen == "A":
            desk.tick(int(key), now_s)
        else:
            desk.press_digit(key, now_s)
        return None
    action = by_key(screen).get(key)
    if action is None:
        _meaningless(desk, key, now_s, screen)
    return action


def _meaningless(desk: Desk, key: str, now_s: float, screen: str) -> None:
    meant = slip(key, screen)
    if meant is not None:
        desk.say(f"{meant.name} is Shift+{meant.shown_key}", now_s)
    elif len(key) == 1 and key.isupper() and key.isascii():
        desk.stray_capital(now_s)
        if means(key, "admit-named"):
            desk.say(f"Admission is {key_of('admit')}, then {key_of('admit-named')}. Or is Caps Lock on?", now_s)
