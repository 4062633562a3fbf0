"""The index of recordings: each part that is whole here, and whose it is."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from . import tables


@dataclass(frozen=True)
class IndexedPart:
    """`chain`: its head, hexadecimal; `signer`: the fingerprint of the key that signed its end, which is `ended`."""

    establishment: str
    call_id: str
    part: str
    laptop_id: str
    verified_at_ms: int
    bytes: int
    records: int
    gaps: int
    ended: str
    chain: str
    signer: str


def write_part(connection: Connection, part: IndexedPart) -> None:
    """Once: what is in the index stays as it is."""
    connection.execute(upsert(tables.recording).values(**asdict(part)).on_conflict_do_nothing())


def is_indexed(connection: Connection, establishment: str, call_id: str, part: str) -> bool:
    table = tables.recording.c
    ours = (table.establishment == establishment) & (table.call_id == call_id) & (table.part == part)
    return connection.execute(select(table.part).where(ours)).first() is not None


def laptop_of_call(connection: Connection, establishment: str, call_id: str) -> str | None:
    """Whose call it is or was; None when the establishment has none of this name."""
    ours = (tables.call.c.establishment == establishment) & (tables.call.c.call_id == call_id)
    return connection.execute(select(tables.call.c.laptop_id).where(ours)).scalar()
