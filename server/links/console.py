"""A console: who is at it is known by the kernel (Unix socket) or by a token; it sees the wall and gives commands."""

import asyncio
import pwd
import socket
import struct
import time
import uuid
from collections.abc import Mapping

import structlog
from websockets.asyncio.server import ServerConnection

from schemas.attention import Acknowledge, Shelve
from schemas.console import Beat, Boxes, Command, ConsoleHello, ConsoleWelcome, SnapshotRequest, TimeProbe, TimeReply
from schemas.health import HealthSnapshot
from schemas.wire import CloseCode, WireError

from ..commanding import Commanding, Officer
from ..establishment import Establishment, utc_ms
from ..establishment_file import token_hash
from ..estate import Estate
from ..reviewing import REVIEW_MESSAGES, Reviewing
from ..rules.permissions import ANY_ESTABLISHMENT, HEALTH, PERMISSIONS, VIEW, may
from ..store.rows import StaffRow
from ..supervising import Supervising
from .fanout import Watcher
from .link import Link
from .pulse import Pulse
from .support import serve_support

log = structlog.get_logger()

SILENT_S = 10.0
"""A console beats every 2 s; one that has not for so long is given up."""
LOOKED_AT_S = 1.0


async def serve_console(
    connection: ServerConnection,
    link: Link,
    estate: Estate,
    commandings: Mapping[str, Commanding],
    supervising: Mapping[str, Supervising],
    reviewings: Mapping[str, Reviewing],
) -> None:
    hello: ConsoleHello = await link.hello(ConsoleHello)
    place, staff = _recognise(hello, connection, link, estate)
    commanding = commandings[place.code]
    officer = Officer(staff.name, staff.role, uuid.uuid4().hex)
    link.prove(f"console of {staff.name}", place.code)
    if not may(staff.role, VIEW) and not link.speaks(HealthSnapshot):
        raise WireError(CloseCode.PROTOCOL_VERSION, f"protocol {link.protocol} has no view for {staff.role}; update")
    log.info("console opened", staff=staff.name, role=str(staff.role))
    opened = "view_opened" if may(staff.role, VIEW) else "health_opened"
    place.record(opened, link.peer, who=staff.name, role=str(staff.role), session=officer.session)
    permissions = sorted(PERMISSIONS[staff.role])
    link.send(
        ConsoleWelcome(
            link.protocol, officer.session, staff.name, staff.role, place.code, place.name, utc_ms(), permissions
        )
    )
    alive = Pulse(link, LOOKED_AT_S, SILENT_S, pings=False)
    try:
        if may(staff.role, VIEW):
            await _serve_wall(link, place, commanding, supervising[place.code], reviewings[place.code], officer)
        else:
            await serve_support(link, place, staff, officer.session)
    finally:
        alive.cancel()
        log.info("console closed", staff=staff.name)


async def _serve_wall(
    link: Link,
    place: Establishment,
    commanding: Commanding,
    supervising: Supervising,
    reviewing: Reviewing,
    officer: Officer,
) -> None:
    watcher = place.fanout.add(link, officer.role, officer.name, officer.session)
    supervising.joined(watcher)
    place.looking.joined(watcher)
    place.marks.joined(watcher)
    commands: set[asyncio.Task[None]] = set()

    def take(message: object, _: bytes) -> None:
        if isinstance(message, Command):
            work = commanding.give(message, officer, link.send)
        elif isinstance(message, REVIEW_MESSAGES):
            work = reviewing.take(message, officer, link)
        else:
            _take(message, watcher, place)
            return
        task = asyncio.ensure_future(work)
        commands.add(task)
        task.add_done_callback(commands.discard)

    try:
        await link.each(take)
    finally:
        reviewing.console_gone(officer.session)
        place.fanout.watchers.discard(watcher)
        place.boxes_changed()
        place.record("view_closed", link.given_up, who=officer.name, role=str(officer.role), session=officer.session)


def _recognise(
    hello: ConsoleHello, connection: ServerConnection, link: Link, estate: Estate
) -> tuple[Establishment, StaffRow]:
    """The establishment that is to be opened, and who opens it; WireError when there is no such person or right."""
    place = estate.place(hello.establishment)
    if place is None:
        raise WireError(CloseCode.NOT_RECOGNISED, f"{hello.establishment} is not held by this server")
    user = _unix_user(connection)
    if user:
        found = estate.staff(lambda person: person.unix_user == user)
        unknown = f"the account {user} belongs to nobody on the staff list"
    else:
        secret = token_hash(hello.token)
        found = estate.staff(lambda person: bool(hello.token) and person.token_hash == secret)
        unknown = "the token belongs to nobody on the staff list"
    if found is None:
        raise WireError(CloseCode.NOT_RECOGNISED, unknown)
    home, staff = found
    link.who = f"console of {staff.name}"
    if home is not place and not may(staff.role, ANY_ESTABLISHMENT):
        raise WireError(CloseCode.NOT_RECOGNISED, f"{home.code}'s {staff.role} may not open {place.code}")
    if not (may(staff.role, VIEW) or may(staff.role, HEALTH)):
        raise WireError(CloseCode.NOT_RECOGNISED, f"the role {staff.role} may not open the wall")
    return place, staff


def _unix_user(connection: ServerConnection) -> str:
    """The account at the other end of a Unix socket, from the kernel; empty on TCP."""
    end = connection.transport.get_extra_info("socket")
    if end is None or end.family != socket.AF_UNIX:
        return ""
    credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _take(message: object, watcher: Watcher, place: Establishment) -> None:
    match message:
        case Boxes(boxes, focus_call, focus):
            watcher.look_at(boxes, focus_call, focus)
            place.boxes_changed()
        case TimeProbe(sent_ms):
            watcher.link.send(TimeReply(sent_ms, utc_ms()))
        case SnapshotRequest():
            watcher.needs_snapshot = True
        case Beat(selected, focused, idle_ms):
            watcher.beat_at, watcher.unused_s = time.monotonic(), idle_ms / 1000
            watcher.selected, watcher.focused = selected, focused and bool(selected)
        case Acknowledge() | Shelve():
            place.marks.take(message, watcher)
        case _:
            raise WireError(CloseCode.NOT_UNDERSTOOD, f"{type(message).__name__} was not expected here")
