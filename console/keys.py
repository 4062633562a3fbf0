"""`python -m console.keys`: the keys of all screens as docs/keys.md has them, from the table of actions."""

from console.actions import ACTIONS, Action

SCREENS = {
    "W": "The wall",
    "S": "Remote support: the laptops",
    "L": "Remote support: one laptop",
    "Q": "The duty governor: flagged incidents",
    "R": "The duty governor: one review",
}


def markdown() -> str:
    """A table a screen."""
    parts = ["# Keys\n\nMade by `make keys` from `console/actions.py`, as help, footer and palette are.\n"]
    for letter, name in SCREENS.items():
        rows = [f"| {_keys(action)} | {action.help} |" for action in ACTIONS if letter in action.screens]
        parts.append("\n".join([f"## {name}\n", "| key | does |", "| --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def _keys(action: Action) -> str:
    return " ".join(f"`{'space' if key == ' ' else key}`" for key in action.keys)


if __name__ == "__main__":
    print(markdown(), end="")
