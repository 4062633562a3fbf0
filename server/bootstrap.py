"""Wires the server: database, establishments, links. The only place where its parts are put together."""

import asyncio
import errno
import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from websockets.asyncio.server import ServerConnection, serve, unix_serve

from schemas.console import from_console
from schemas.laptop import from_laptop
from schemas.limits import OPEN_S
from schemas.peer import from_peer
from schemas.wire import MAX_FRAME_BYTES, Codec

from .alarm import Alarm
from .clocks import keep_time, look_after_memory, look_after_the_audit
from .commanding import Commanding
from .establishment import Establishment, utc_ms
from .establishment_file import EstablishmentFileError, read
from .estate import Estate
from .journal import Journal
from .links.answers import by_path
from .links.bounded import BoundedConnection, places
from .links.console import serve_console
from .links.door import Door
from .links.laptop import serve_laptop
from .links.link import Link, run_link
from .links.peer import serve_peer
from .links.refusals import Refusals
from .links.unix_socket import group_id, open_to
from .logs import log_to_stderr
from .recordings.keeper import Keeper
from .recordings.keys import EvidenceKey, KeyFileError, own_key
from .recordings.receiving import Receiving
from .reviewing import Reviewing
from .rules.call import Call
from .settings import Settings
from .store import tables
from .store.audit import first_broken
from .store.database import open_database, open_for_reading
from .store.recordings import is_indexed, laptop_of_call
from .store.rows import Known, load, take_in
from .store.writer import Writer
from .supervising import Supervising
from .web.pages import load as load_pages

log = structlog.get_logger()

KEPT_MS = 24 * 3600 * 1000
"""Ended calls and answered commands stay in memory for so long."""


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT. SystemExit with one sentence when it can't start."""
    log_to_stderr()
    os.umask(0o077)  # what the server makes is its own, until it says otherwise
    with _only_server(settings.data):
        _check_hook(settings.alarm_hook)
        engine = _open(settings)
        known = _take_in(engine, settings)
        keys = _evidence_keys(settings, known)
        try:
            import uvloop

            loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
        except ImportError:
            loop_factory = None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve(settings, engine, known, keys))
        engine.dispose()
    return 0


def _check_hook(hook: Path | None) -> None:
    if hook is not None and not (hook.is_file() and os.access(hook, os.X_OK)):
        raise SystemExit(f"server: {hook} is no program that can be started; give another with --alarm-hook.")


def verify_audit(data: Path) -> dict[str, Any]:
    """How long the audit is, whether its chain holds, and where it breaks. Works while a server runs."""
    database = Settings(data).database
    if not database.exists():
        raise SystemExit(f"sightline: there is no database in {data}; give the server's folder with --data.")
    engine = open_for_reading(database)
    try:
        with engine.connect() as connection:
            entries, broken = first_broken(connection.execute(select(tables.audit).order_by(tables.audit.c.n)))
    except SQLAlchemyError as error:
        raise SystemExit(f"sightline: {database} can't be read ({_short(error)}).") from error
    finally:
        engine.dispose()
    return {"entries": entries, "intact": broken is None, "first_broken": broken}


def _only_server(data: Path) -> TextIO:
    """A lock that the kernel lets go however this process ends."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data / "server.lock").open("w")
    except OSError as error:
        raise SystemExit(
            f"server: the folder {data} can't be written ({error.strerror}); choose another with --data."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise SystemExit(
            f"server: another server uses {data}; stop it or choose another folder with --data."
        ) from error
    return lock


def _open(settings: Settings) -> Engine:
    try:
        return open_database(settings.database)
    except SQLAlchemyError as error:
        raise SystemExit(
            f"server: the database {settings.database} can't be opened ({_short(error)}); "
            "put a backup in its place or choose another folder with --data."
        ) from error


def _take_in(engine: Engine, settings: Settings) -> list[Known]:
    """All files or none."""
    codes: set[str] = set()
    with engine.begin() as connection:
        for file in settings.establishments:
            try:
                content = read(file)
                if content.code in codes:
                    raise EstablishmentFileError(f"{content.code} is given twice")
                codes.add(content.code)
                take_in(connection, content)
            except EstablishmentFileError as error:
                raise SystemExit(
                    f"server: the establishment's file {file} was not taken in: {error}; correct it."
                ) from error
        known = load(connection, utc_ms() - KEPT_MS)
    if not known:
        raise SystemExit(f"server: {settings.data} holds no establishment yet; give its file with --establishment.")
    return known


def _evidence_keys(settings: Settings, known: list[Known]) -> dict[str, EvidenceKey]:
    try:
        return {one.code: own_key(settings.evidence_keys, one.code) for one in known}
    except KeyFileError as error:
        raise SystemExit(f"server: the evidence key {error}; put it back from a backup.") from error


def _laptop_of(engine: Engine, place: Establishment, call_id: str) -> str | None:
    with engine.connect() as connection:
        return laptop_of_call(connection, place.code, call_id)


def _is_indexed(engine: Engine, place: Establishment, call_id: str, part: str) -> bool:
    with engine.connect() as connection:
        return is_indexed(connection, place.code, call_id, part)


async def _serve(settings: Settings, engine: Engine, known: list[Known], keys: dict[str, EvidenceKey]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    writer = Writer(engine, loop)
    journal = Journal(settings.journal, writer)
    estate = Estate([Establishment(one, writer, settings.laptop_keys(one.code)) for one in known], writer)
    commandings = {place.code: Commanding(place, journal) for place in estate.places}
    alarm = Alarm(settings.alarm_hook)
    keeper = Keeper(settings.recordings, loop, estate.signs)
    for place in estate.places:
        place.signers.write_list()
        place.evidence_key = keys[place.code].recipient
        place.free_bytes = lambda: shutil.disk_usage(keeper.root).free
    receiving = {
        place.code: Receiving(
            place, keeper, alarm, partial(_laptop_of, engine, place), partial(_is_indexed, engine, place)
        )
        for place in estate.places
    }
    keeper.on_kept = lambda kept: receiving[kept.named.establishment].kept(kept)
    supervising = {place.code: Supervising(place, alarm) for place in estate.places}
    for place in estate.places:
        place.on_help = partial(_ring_for_help, alarm, place)
    reviewing = {place.code: Reviewing(place, engine, settings.recordings, keys[place.code]) for place in estate.places}
    refused = Refusals(estate.record)
    door = Door(places(), loop.time, loop.call_later)
    paths: dict[str, tuple[Codec, Callable[..., Coroutine[Any, Any, None]]]] = {
        "/laptop": (from_laptop, serve_laptop),
        "/console": (
            from_console,
            partial(serve_console, commandings=commandings, supervising=supervising, reviewings=reviewing),
        ),
        "/peer": (from_peer, serve_peer),
    }

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, BoundedConnection) and connection.request is not None
        codec, serve_link = paths[connection.request.path]
        for head in (connection.request, connection.response):
            if head is not None:
                head.headers.clear()  # some KB in each link that nobody asks for any more
        link = Link(connection, codec, refused)
        await run_link(link, lambda: serve_link(connection, link, estate))

    options: dict[str, Any] = {
        "compression": None,
        "create_connection": partial(BoundedConnection, door=door, refusals=refused),
        "max_size": max(MAX_FRAME_BYTES.values()),
        "ping_interval": None,
        "open_timeout": OPEN_S,
        "close_timeout": 1,
        "server_header": None,
    }
    tcp = await _listen(
        serve(
            handle,
            settings.host,
            settings.port,
            process_request=partial(by_path, estate, tuple(paths), load_pages()),
            start_serving=False,
            **options,
        ),
        f"{settings.host}:{settings.port} is in use; stop the other program or choose another with --port",
    )
    socket = settings.console_socket
    group = group_id(settings.socket_group, socket, settings.data)
    socket.unlink(missing_ok=True)  # left by a server that was killed: the lock says that none runs
    unix = await _listen(
        unix_serve(handle, str(socket), process_request=partial(by_path, estate, ("/console",), {}), **options),
        f"the socket {socket} can't be made; choose another with --socket",
    )
    open_to(socket, group)
    await tcp.start_serving()  # last: when the port answers, all of the server does
    held = " ".join(place.code for place in estate.places)
    estate.record("server_started", f"{settings.host}:{settings.port} {held}")
    log.info(f"listening on ws://{settings.host}:{settings.port} and {socket}")
    clocks = (
        asyncio.ensure_future(keep_time(estate.places, supervising, receiving)),
        asyncio.ensure_future(look_after_the_audit(estate, journal, refused)),
        asyncio.ensure_future(look_after_memory(estate)),
    )
    await stop.wait()
    for clock in clocks:
        clock.cancel()
    tcp.close()
    unix.close()
    socket.unlink(missing_ok=True)
    for server in (tcp, unix):
        try:
            await asyncio.wait_for(server.wait_closed(), 2)
        except TimeoutError:
            pass
    refused.sum_up(at_once=True)
    estate.record("server_stopped", "")
    await asyncio.to_thread(keeper.close)
    await asyncio.to_thread(writer.close)


def _ring_for_help(alarm: Alarm, place: Establishment, call: Call, kind: str, who: str) -> None:
    room = place.known.laptops[call.laptop_id].room
    alarm.raise_(kind="urgent help", establishment=place.code, seat=call.seat, room=room, what_for=kind, by=who)


async def _listen(starting: Any, sentence: str) -> Any:
    try:
        return await starting
    except OSError as error:
        reason = "" if error.errno == errno.EADDRINUSE else f" ({error.strerror})"
        raise SystemExit(f"server: {sentence}{reason}.") from error


def _short(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
