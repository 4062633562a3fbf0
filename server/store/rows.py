"""Rows to what the rules know, and back."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Integer, Row, cast, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from schemas.call import CallState, Role

from ..establishment_file import EstablishmentFile, EstablishmentFileError, check_overlaps, token_hash
from ..rules.call import Call, Policy
from ..rules.signing import Registered
from . import tables


@dataclass(frozen=True)
class LaptopRow:
    id: str
    seat: int
    room: str
    token_hash: str


@dataclass(frozen=True)
class StaffRow:
    name: str
    role: Role
    unix_user: str | None
    token_hash: str | None


@dataclass(frozen=True)
class Known:
    """All that a server needs in memory of an establishment. Calls: those that have not ended, and the last day's."""

    code: str
    name: str
    hall: str
    policy: Policy
    laptops: dict[str, LaptopRow]
    staff: list[StaffRow]
    calls: dict[str, Call]
    peer_tokens: dict[str, tuple[str, str]]
    """Token's hash -> (call id, leg)."""
    answers: dict[str, bytes]
    """Command id -> the answer that was given."""
    signing_keys: list[Registered]
    incidents_of_day: dict[str, int]
    """Day as in the reference (2026-1124) -> the newest incident's number; one dict for all establishments of a server,
    since references are theirs together."""


def call_row(call: Call) -> dict[str, object]:
    return {
        "starts_at_ms": call.starts_at_ms,
        "ends_at_ms": call.ends_at_ms,
        "state": str(call.state),
        "version": call.version,
        "epoch": call.epoch,
        "outcome": None if call.outcome is None else str(call.outcome),
        "body": msgspec.json.encode(call).decode(),
    }


def take_in(connection: Connection, content: EstablishmentFile) -> int:
    """Laptops, staff and policy as the file says; bookings that are new, and of those that are known what the file
    says now of their people's vetting. Returns how many bookings were added.

    EstablishmentFileError when a new booking overlaps one that is known, or something is another establishment's.
    """
    _check_nobody_elses(connection, content)
    row = {"name": content.name, "hall": content.hall, "policy": msgspec.json.encode(content.policy).decode()}
    statement = upsert(tables.establishment).values(code=content.code, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=row))
    here = {"establishment": content.code}
    connection.execute(delete(tables.laptop).where(tables.laptop.c.establishment == content.code))
    connection.execute(delete(tables.staff).where(tables.staff.c.establishment == content.code))
    for laptop in content.laptops:
        secret = token_hash(laptop.token)
        connection.execute(
            insert(tables.laptop).values(id=laptop.id, seat=laptop.seat, room=laptop.room, token_hash=secret, **here)
        )
    for person in content.staff:
        values = {
            "name": person.name,
            "role": str(person.role),
            "unix_user": person.unix_user or None,
            "token_hash": token_hash(person.token) if person.token else None,
        }
        connection.execute(insert(tables.staff).values(**values, **here))
    ours = tables.call.c.establishment == content.code
    known = connection.execute(select(tables.call).where(ours, tables.call.c.state != CallState.ENDED)).all()
    references = set(connection.execute(select(tables.call.c.call_id)).scalars())
    new = [booking for booking in content.bookings if booking.reference not in references]
    check_overlaps(
        [(row.laptop_id, row.starts_at_ms, row.ends_at_ms, row.call_id) for row in known]
        + [(b.laptop, b.starts_at_ms, b.ends_at_ms, b.reference) for b in new]
    )
    _vet_anew(connection, content, {row.call_id: row.body for row in known})
    seats = {laptop.id: laptop.seat for laptop in content.laptops}
    for booking in new:
        call = booking.as_call(seats[booking.laptop])
        connection.execute(
            insert(tables.call).values(
                call_id=call.call_id,
                laptop_id=call.laptop_id,
                room_token_hash=token_hash(booking.room_token),
                family_token_hash=token_hash(booking.family_token),
                **here,
                **call_row(call),
            )
        )
        for leg, token in booking.tokens.items():
            if leg not in ("room", "family-1"):
                values = {"token_hash": token_hash(token), "call_id": call.call_id, "leg": leg}
                connection.execute(insert(tables.device).values(**values, **here))
    return len(new)


def _vet_anew(connection: Connection, content: EstablishmentFile, bodies: dict[str, str]) -> None:
    """A restriction or an authority of today holds for a call that was booked before it."""
    for booking in content.bookings:
        if booking.reference not in bodies:
            continue
        call = msgspec.json.decode(bodies[booking.reference], type=Call)
        now = booking.as_call(call.seat)
        if (now.callers, now.authority) == (call.callers, call.authority):
            continue
        call = call.changed(callers=now.callers, authority=now.authority)
        connection.execute(update(tables.call).where(tables.call.c.call_id == call.call_id).values(**call_row(call)))


def load(connection: Connection, since_ms: int) -> list[Known]:
    """The establishments that the database holds, by code. Ended calls only from `since_ms` on."""
    number = func.max(cast(func.substr(tables.incident.c.reference, 15), Integer))
    day = func.substr(tables.incident.c.reference, 5, 9)
    numbers = {row[0]: row[1] for row in connection.execute(select(day, number).group_by(day))}
    places = connection.execute(select(tables.establishment).order_by(tables.establishment.c.code)).all()
    return [_load_one(connection, place, numbers, since_ms) for place in places]


def _load_one(connection: Connection, place: Row[Any], numbers: dict[str, int], since_ms: int) -> Known:
    laptop, staff, call, command = tables.laptop.c, tables.staff.c, tables.call.c, tables.command.c
    laptops = connection.execute(
        select(tables.laptop).where(laptop.establishment == place.code).order_by(laptop.seat)
    ).all()
    people = connection.execute(select(tables.staff).where(staff.establishment == place.code)).all()
    recent = (call.state != CallState.ENDED) | (call.ends_at_ms >= since_ms)
    calls = connection.execute(select(tables.call).where(call.establishment == place.code, recent)).all()
    answers = connection.execute(
        select(tables.command).where(command.establishment == place.code, command.at_ms >= since_ms)
    ).all()
    tokens = {row.room_token_hash: (row.call_id, "room") for row in calls}
    tokens |= {row.family_token_hash: (row.call_id, "family-1") for row in calls}
    known = {row.call_id for row in calls}
    devices = connection.execute(select(tables.device).where(tables.device.c.establishment == place.code)).all()
    tokens |= {row.token_hash: (row.call_id, row.leg) for row in devices if row.call_id in known}
    return Known(
        code=place.code,
        name=place.name,
        hall=place.hall,
        policy=msgspec.json.decode(place.policy, type=Policy),
        laptops={row.id: LaptopRow(row.id, row.seat, row.room, row.token_hash) for row in laptops},
        staff=[StaffRow(row.name, Role(row.role), row.unix_user, row.token_hash) for row in people],
        calls={row.call_id: msgspec.json.decode(row.body, type=Call) for row in calls},
        peer_tokens=tokens,
        answers={row.command_id: row.answer for row in answers},
        signing_keys=_signing_keys(connection, place.code),
        incidents_of_day=numbers,
    )


def write_signing_key(connection: Connection, establishment: str, registered: Registered) -> None:
    row = {"token_hash": registered.token_hash, "since_ms": registered.since_ms}
    about = {"establishment": establishment, "laptop_id": registered.laptop_id, "key": registered.key}
    statement = upsert(tables.signing_key).values(**about, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(about), set_=row))


def _signing_keys(connection: Connection, establishment: str) -> list[Registered]:
    table = tables.signing_key
    ours = select(table).where(table.c.establishment == establishment).order_by(table.c.laptop_id, table.c.since_ms)
    rows = connection.execute(ours).all()
    return [Registered(row.laptop_id, row.key, row.token_hash, row.since_ms) for row in rows]


def _check_nobody_elses(connection: Connection, content: EstablishmentFile) -> None:
    """Laptops, accounts, bookings and tokens belong to one establishment each: by them the server knows who belongs
    where."""
    laptop, staff, call = tables.laptop.c, tables.staff.c, tables.call.c

    def elsewhere(wanted: Column[Any], code: Column[Any], values: list[str]) -> tuple[str, str] | None:
        found = connection.execute(select(wanted, code).where(wanted.in_(values), code != content.code)).first()
        return None if found is None else (found[0], found[1])

    for what, found in (
        ("laptop", elsewhere(laptop.id, laptop.establishment, [one.id for one in content.laptops])),
        ("account", elsewhere(staff.unix_user, staff.establishment, [s.unix_user for s in content.staff])),
        ("booking", elsewhere(call.call_id, call.establishment, [b.reference for b in content.bookings])),
    ):
        if found is not None:
            raise EstablishmentFileError(f"the {what} {found[0]} belongs to {found[1]} already; give it another name")
    secrets = [token_hash(one.token) for one in content.laptops]
    secrets += [token_hash(person.token) for person in content.staff if person.token]
    secrets += [token_hash(token) for b in content.bookings for token in b.tokens.values()]
    for wanted, code in (
        (laptop.token_hash, laptop.establishment),
        (staff.token_hash, staff.establishment),
        (call.room_token_hash, call.establishment),
        (call.family_token_hash, call.establishment),
        (tables.device.c.token_hash, tables.device.c.establishment),
    ):
        found = elsewhere(wanted, code, secrets)
        if found is not None:
            raise EstablishmentFileError(f"one of its tokens is used at {found[1]} already; give it one of its own")
