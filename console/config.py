"""A person's own settings: `$XDG_CONFIG_HOME/sightline/console.toml`, which the console reads and never writes.

What the console itself remembers from one time to the next is in `$XDG_STATE_HOME/sightline/console.json`.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

LARGEST_BYTES = 64 * 1024


class ConfigError(Exception):
    """A file that is refused; says which, and why, in one sentence."""


@dataclass(frozen=True)
class Config:
    """`theme` is empty where the file says nothing; `keys` by the action's id."""

    theme: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def config_file() -> Path:
    return _folder("XDG_CONFIG_HOME", ".config") / "console.toml"


def state_file() -> Path:
    return _folder("XDG_STATE_HOME", ".local/state") / "console.json"


def _folder(variable: str, otherwise: str) -> Path:
    """An XDG folder of ours; a relative path in the variable is ignored, as the specification says."""
    named = os.environ.get(variable, "")
    return (Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~")) / otherwise) / "sightline"


def read(file: Path | None = None) -> Config:
    """The settings of `file`, or of the usual one, which need not be there. ConfigError when they can't be used."""
    path = file or config_file()
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ConfigError(f"{path} is larger than {LARGEST_BYTES // 1024} KiB")
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if file is not None:
            raise ConfigError(f"{path} is not there") from None
        return Config()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from error
    return _taken(found, path)


def _taken(found: dict[str, Any], path: Path) -> Config:
    if unknown := found.keys() - {"theme", "keys"}:
        raise ConfigError(f"{path} has {min(unknown)!r}, which nobody knows; it may have theme and [keys]")
    theme, keys = found.get("theme", ""), found.get("keys", {})
    if not isinstance(theme, str) or not isinstance(keys, dict):
        raise ConfigError(f"{path}: theme is a word and keys a table")
    own: dict[str, tuple[str, ...]] = {}
    for action, named in cast(dict[str, object], keys).items():
        listed = cast(list[object], [named] if isinstance(named, str) else named)
        if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
            raise ConfigError(f"{path}: the keys of {action} are a word or a list of words")
        own[action] = tuple(cast(list[str], listed))
    return Config(theme, own)


def remembered() -> dict[str, str]:
    """What was chosen last time; empty when nothing, or nothing readable, is there."""
    try:
        found = json.loads(state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def remember(**chosen: str) -> None:
    """Keeps these for the next time. A home that can't be written to is no reason to stop watching."""
    file = state_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = file.with_name(f"{file.name}.{os.getpid()}")
        aside.write_text(json.dumps(remembered() | chosen), encoding="utf-8")
        aside.replace(file)
    except OSError:
        pass
