"""Which key a laptop signs recordings with: the first one that it shows with its token, until it gets another token.

Trust on enrolment: whoever holds a new token registers a key with it, once. A token that is known later registers
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Registered:
    """`key`: Ed25519, public, 32 bytes; `token_hash`: of the token that it was shown with; `since_ms`: UTC."""

    laptop_id: str
    key: bytes
    token_hash: str
    since_ms: int


@dataclass(frozen=True)
class Verdict:
    """`refused`: why the laptop is not let in, in words; `register`: its key is new with this token."""

    refused: str = ""
    register: bool = False


def judge(known: Sequence[Registered], laptop_id: str, token_hash: str, key: bytes) -> Verdict:
    """`known`: this laptop's keys; `key`: what it shows, empty for an agent from before there were any."""
    current = next((one.key for one in known if one.token_hash == token_hash), None)
    if current is None:
        return Verdict(register=bool(key))
    if key == current:
        return Verdict()
    if not key:
        return Verdict(refused=f"{laptop_id} shows no signing key, but is registered with one; update its agent")
    return Verdict(
        refused=f"{laptop_id} has another signing key than it is registered with; put it back or give it a new token"
    )


def with_new(known: Sequence[Registered], new: Registered) -> tuple[Registered, ...]:
    """Each key once, with the newest token that it was shown with."""
    return (*(one for one in known if one.key != new.key), new)
