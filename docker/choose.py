"""Prints the part of requirements.lock that one part of Sightline needs, hashes and all: choose.py server

Names an extra of pyproject.toml, or a distribution of the lock. It follows the lock's own `# via` lines; pip refuses to
install (--require-hashes) should one be missing. Needs nothing but Python, so that an image can run it first.
"""

import re
import sys
import tomllib
from pathlib import Path

ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==")
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def entries(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Distribution -> its lines, and which others asked for it."""
    found: dict[str, tuple[str, set[str]]] = {}
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        entry = ENTRY.match(block)
        if entry is None:
            continue
        via = re.sub(r"^.*?# via", "", block, flags=re.DOTALL) if "# via" in block else ""
        found[plain(entry[1])] = block, {plain(name) for name in re.findall(r"[A-Za-z0-9._-]+", via)}
    return found


def plain(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(project: dict[str, object], name: str) -> set[str]:
    """What pyproject.toml asks for itself, for an extra; a distribution stands for itself."""
    about: dict[str, list[str] | dict[str, list[str]]] = project["project"]  # type: ignore[assignment]
    extras: dict[str, list[str]] = about["optional-dependencies"]  # type: ignore[assignment]
    if name not in extras:
        return {plain(name)}
    asked: list[str] = [*about["dependencies"], *extras[name]]
    return {plain(found[0]) for one in asked if (found := NAME.match(one))}


def chosen(lock: str, names: set[str]) -> list[str]:
    """The blocks of these distributions and of all that they need, in the lock's order."""
    known = entries(lock)
    if missing := names - known.keys():
        raise SystemExit(f"choose: requirements.lock has no {', '.join(sorted(missing))}; run: make lock")
    while more := {name for name, (_, via) in known.items() if name not in names and via & names}:
        names = names | more
    return [block for name, (block, _) in known.items() if name in names]


def main() -> None:
    root = Path(__file__).parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    sys.stdout.writelines(
        chosen((root / "requirements.lock").read_text(encoding="utf-8"), wanted(project, sys.argv[1]))
    )


if __name__ == "__main__":
    main()
