"""An establishment's evidence key (age, X25519): what is recorded there is sealed for it.

The private half lies in the server's data folder, readable by the server's account alone.
"""

import os
from pathlib import Path
from typing import Any

import pyrage

from .durable import append, make_names_durable

_age: Any = pyrage
"""The module has no types that a checker reads."""


class KeyFileError(Exception):
    """The file holds no evidence key, or can't be read; says which file."""


class EvidenceKey:
    """`recipient`: the public half, for laptops."""

    def __init__(self, identity: Any) -> None:
        self._identity = identity
        self.recipient = str(identity.to_public())

    def unwrap(self, wrapped: bytes) -> bytes | None:
        """A call's key; None when it was wrapped for another establishment."""
        try:
            return _age.decrypt(wrapped, [self._identity])
        except (_age.DecryptError, ValueError):
            return None


def read_key(path: Path) -> EvidenceKey:
    """From an age identity file; comments are allowed. KeyFileError."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="ascii").splitlines()]
        secret = next(line for line in lines if line and not line.startswith("#"))
        return EvidenceKey(_age.x25519.Identity.from_str(secret))
    except OSError as error:
        raise KeyFileError(f"{path} can't be read ({error.strerror})") from error
    except (StopIteration, UnicodeDecodeError, _age.IdentityError) as error:
        raise KeyFileError(f"{path} holds no age identity") from error


def own_key(folder: Path, code: str) -> EvidenceKey:
    """The establishment's key in `folder`, made at the first start. KeyFileError."""
    path = folder / f"{code}.key"
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise KeyFileError(f"{path} can't be written ({error.strerror})") from error
    return read_key(path)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity = _age.x25519.Identity.generate()
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    append(new, f"# public key: {identity.to_public()}\n{identity}\n".encode())
    os.rename(new, path)
    make_names_durable(path.parent)
    make_names_durable(path.parent.parent)
