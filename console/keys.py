"""`python -m console.keys`: the keys of all screens as docs/keys.md has them, from the table of actions."""

from console.actions import ACTIONS

SCREENS = {"W": "The wall", "S": "Remote support: the laptops", "L": "Remote support: one laptop"}


def markdown() -> str:
    """A table a screen."""
    parts = ["# Keys\n\nMade by `make keys` from `console/actions.py`, as help, footer and palette are.\n"]
    for letter, name in SCREENS.items():
        rows = [f"| {' '.join(f'`{k}`' for k in a.keys)} | {a.help} |" for a in ACTIONS if letter in a.screens]
        parts.append("\n".join([f"## {name}\n", "| key | does |", "| --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(markdown(), end="")
