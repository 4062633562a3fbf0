"""`python -m console.keys`: the keys of all screens as docs/keys.md has them, from the table of actions."""

from console.actions import ACTIONS, Action

SCREENS = {
    "W": "The wall",
    "F": "One call in focus",
    "A": "An admission",
    "S": "Remote support: the laptops",
    "L": "Remote support: one laptop",
    "Q": "The duty governor: flagged incidents",
    "R": "The duty governor: one review",
    "H": "Help",
}


INTRODUCTION = """# Keys

Made by `make keys` from `console/actions.py`, as help, footer and palette are.

Other keys are given by name in `~/.config/sightline/console.toml` (`$XDG_CONFIG_HOME`), for all screens that have the
action:

```
theme = "light"            # dark, light, high-contrast, monochrome; the palette changes it too

[keys]
flag = "i"
move-down = ["j", "down", "ctrl+n"]
```

A keymap is refused, with the pair named, when an act would share its key with anything else or with a small letter that
is in use, when it would be the neighbour of another key (UK QWERTY), when one letter would be two different acts, or
when a terminal would not pass the key on. Acts keep capitals; digits, Enter, Space and Escape never act.
"""


def markdown() -> str:
    """A table a screen."""
    parts = [INTRODUCTION]
    for letter, name in SCREENS.items():
        rows = [
            f"| {_keys(action)} | {action.help} | `{action.id}` |" for action in ACTIONS if letter in action.screens
        ]
        parts.append("\n".join([f"## {name}\n", "| key | does | name |", "| --- | --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def _keys(action: Action) -> str:
    return (
        "in the palette" if not action.keys else " ".join(f"`{'space' if key == ' ' else key}`" for key in action.keys)
    )


if __name__ == "__main__":
    print(markdown(), end="")
