"""All establishments of one server: who belongs to which. Each is apart; only the writer and the audit are shared."""

import asyncio
from collections.abc import Callable, Iterable

from .establishment import Establishment, utc_ms
from .recordings.part import Named
from .store.audit import Entry
from .store.rows import StaffRow
from .store.writer import Unit, Writer


class Estate:
    def __init__(self, places: Iterable[Establishment], writer: Writer) -> None:
        self.writer = writer
        self._places = {place.code: place for place in places}

    @property
    def places(self) -> tuple[Establishment, ...]:
        return tuple(self._places.values())

    def place(self, code: str) -> Establishment | None:
        return self._places.get(code)

    def signs(self, named: Named, key: bytes) -> bool:
        """Whether a part's laptop is registered with this signing key. From any thread."""
        return self._places[named.establishment].signers.knows(named.laptop_id, key)

    def of_peer(self, token_hash: str) -> tuple[Establishment, tuple[str, str]] | None:
        """(establishment, (call, leg)) that a family device's or room's token is good for."""
        for place in self._places.values():
            found = place.known.peer_tokens.get(token_hash)
            if found is not None:
                return place, found
        return None

    def staff(self, is_this_one: Callable[[StaffRow], bool]) -> tuple[Establishment, StaffRow] | None:
        """(establishment whose list the person is on, the person)."""
        for place in self._places.values():
            for person in place.known.staff:
                if is_this_one(person):
                    return place, person
        return None

    def entry(
        self, action: str, detail: str, *, who: str = "server", role: str = "server", accepted: bool = True
    ) -> Entry:
        """An audit entry of the server as a whole."""
        return Entry(utc_ms(), who, role, "", action, "", accepted, detail)

    def record(
        self, action: str, detail: str, *, who: str = "server", role: str = "server", accepted: bool = True
    ) -> None:
        """An audit entry of the server as a whole that nothing waits for."""
        self.write(self.entry(action, detail, who=who, role=role, accepted=accepted))

    def write(self, entry: Entry) -> asyncio.Future[None]:
        return self.writer.write(Unit((entry,)))
