"""The audit's hash chain: each entry's hash covers the one before, so a changed, removed or inserted entry shows."""

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import msgspec
from sqlalchemy import Row

BEGIN = "0" * 64
"""Stands for the hash before the first entry."""


@dataclass(frozen=True)
class Entry:
    """Who did what, and whether it was accepted; `at_ms` UTC. `establishment` empty: of the server as a whole."""

    at_ms: int
    who: str
    role: str
    session: str
    action: str
    call_id: str
    accepted: bool
    detail: str
    establishment: str = ""


@dataclass(frozen=True)
class Head:
    """Number and hash of the newest entry."""

    n: int = 0
    hash: str = BEGIN

    def next(self, entry: Entry) -> "Head":
        n = self.n + 1
        values = astuple(entry)
        # Entries from before there were several establishments have none, and their hashes must still fit.
        fields = msgspec.json.encode((n, *(values if entry.establishment else values[:-1])))
        return Head(n, hashlib.sha256(self.hash.encode() + fields).hexdigest())


def first_broken(rows: Iterable[Row[tuple[object, ...]]]) -> tuple[int, int | None]:
    """Rows of the audit table in order -> (how many, number of the first one that does not fit or None)."""
    head = Head()
    count, broken = 0, None
    for row in rows:
        count += 1
        if broken is not None:
            continue
        entry = Entry(
            row.at_ms,
            row.who,
            row.role,
            row.session,
            row.action,
            row.call_id,
            bool(row.accepted),
            row.detail,
            row.establishment,
        )
        head = head.next(entry)
        if (head.n, head.hash) != (row.n, row.hash):
            broken = row.n
    return count, broken
