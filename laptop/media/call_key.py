"""A call's key on the laptop: made with its first part, wrapped for the evidence key. An agent that is started anew in
the call goes on with it.

What lies on the disk for the next agent is only what its own part will be sealed with (`next_key`): a laptop that is
taken away opens nothing of what it has recorded. A laptop has one call at a time, so it keeps one such file.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pyrage
import structlog
from msgspec import Meta

from schemas.recording import KEY_BYTES, STEPS_MAX, next_key

from ..durable import replace

log = structlog.get_logger()

_age: Any = pyrage
"""The module has no types that a checker reads."""
FILE = "call.key"


@dataclass(frozen=True)
class RunKey:
    """What this run seals with: see `sealing_key`. `wrapped`, `step`: for BEGIN."""

    wrapped: bytes
    step: int
    key: bytes


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """What is on the disk for the next run of this call."""

    call_id: str
    recipient: str
    wrapped: bytes
    step: Annotated[int, Meta(ge=0, lt=STEPS_MAX)]
    key: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]


def take_key(folder: Path, call_id: str, recipient: str) -> RunKey:
    """The key for a new part; no later run gets it again, however this one ends.

    OSError when the disk does not take what the next run needs; ValueError when `recipient` is no evidence key.
    """
    path = folder / FILE
    kept = _read(path)
    if kept is None or (kept.call_id, kept.recipient) != (call_id, recipient) or kept.step == STEPS_MAX - 1:
        key = secrets.token_bytes(KEY_BYTES)
        try:
            wrapped = _age.encrypt(key, [_age.x25519.Recipient.from_str(recipient)])
        except _age.RecipientError as error:
            raise ValueError("the server has given no evidence key to record for") from error
        kept = _Kept(call_id, recipient, wrapped, 0, key)
    following = _Kept(call_id, recipient, kept.wrapped, kept.step + 1, next_key(kept.key))
    replace(path, msgspec.msgpack.encode(following))
    return RunKey(kept.wrapped, kept.step, kept.key)


def _read(path: Path) -> _Kept | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("what was kept of a call's key can't be read; this run makes another", error=str(error))
        return None
