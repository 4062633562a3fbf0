"""The list of the keys that an establishment's laptops sign recordings with: for whoever checks a recording elsewhere.

A line for each key: the laptop, the key in hexadecimal digits, since when. The database has the same, and the audit.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ..rules.signing import Registered
from .durable import make_names_durable

SUFFIX = ".laptops"
"""Beside the evidence key, under its name."""


class KeyListError(Exception):
    """The list can't be read, or is none; says where."""


def write_list(path: Path, registered: Iterable[Registered]) -> None:
    """OSError when the disk does not take it; then the list is as it was."""
    lines = ["# laptop, Ed25519 public key that it signs the ends of recordings with, registered"]
    for one in registered:
        since = datetime.fromtimestamp(one.since_ms / 1000, UTC).isoformat(timespec="seconds")
        lines.append(f"{one.laptop_id} {one.key.hex()} {since}")
    new = path.with_suffix(".new")
    with new.open("w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    make_names_durable(path.parent)


def read_list(path: Path) -> set[tuple[str, bytes]]:
    """(laptop, key) each. KeyListError."""
    found: set[tuple[str, bytes]] = set()
    try:
        for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                laptop_id, key, *_ = [*line.split(), ""]
                found.add((laptop_id, bytes.fromhex(key)))
                if len(bytes.fromhex(key)) != 32:
                    raise KeyListError(f"{path} has no key in line {number}")
    except OSError as error:
        raise KeyListError(f"{path} can't be read ({error.strerror})") from error
    except ValueError as error:
        raise KeyListError(f"{path} is no list of laptops' keys ({error})") from error
    return found
