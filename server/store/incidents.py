"""Incidents in the database, with the calls they belong to, and what the audit says of such a call."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, or_, select, update

from ..rules.call import Call
from ..rules.incident import FINAL, Incident
from . import tables
from .audit import Entry

STORY_MAX = 400
"""Newest entries of a call that its story is told from."""

FLAGGED = ("reference", "establishment", "call_id", "category", "note", "flagged_by", "pressed_at_ms", "filed_at_ms")
"""What an incident is filed with; it never changes."""


@dataclass(frozen=True)
class Filed:
    """An incident and the call in which it was flagged, as far as the database knows both."""

    incident: Incident
    call: Call


def write_incident(connection: Connection, incident: Incident) -> None:
    """A new one, or a new form of one that is known."""
    body = {"state": str(incident.state), "body": msgspec.json.encode(incident).decode()}
    if incident.version == 1:
        columns = {name: getattr(incident, name) for name in FLAGGED}
        connection.execute(insert(tables.incident).values(**columns, **body))
    else:
        changed = update(tables.incident).where(tables.incident.c.reference == incident.reference).values(**body)
        if connection.execute(changed).rowcount != 1:
            raise LookupError(f"{incident.reference} is not in the database")


def load_incidents(connection: Connection, establishment: str, since_ms: int) -> dict[str, Filed]:
    """By reference: all that are not signed off, and those that were filed from `since_ms` on."""
    incident, call = tables.incident, tables.call
    rows = connection.execute(
        select(incident, call.c.body.label("call_body"))
        .join(call, call.c.call_id == incident.c.call_id)
        .where(incident.c.establishment == establishment)
        .where(or_(incident.c.state.not_in([str(state) for state in FINAL]), incident.c.filed_at_ms >= since_ms))
    )
    return {row.reference: Filed(_incident(row), msgspec.json.decode(row.call_body, type=Call)) for row in rows}


def _incident(row: Row[Any]) -> Incident:
    if row.body:
        return msgspec.json.decode(row.body, type=Incident)
    # Flagged before there were reviews.
    return Incident(*(getattr(row, name) for name in FLAGGED))


def entries_of_call(connection: Connection, call_id: str) -> list[Entry]:
    """The newest entries of the audit that belong to this call, oldest first."""
    audit = tables.audit
    rows = connection.execute(
        select(audit).where(audit.c.call_id == call_id).order_by(audit.c.n.desc()).limit(STORY_MAX)
    ).all()
    return [
        Entry(r.at_ms, r.who, r.role, r.session, r.action, r.call_id, bool(r.accepted), r.detail, r.establishment)
        for r in reversed(rows)
    ]
