"""The one thread that writes. What waits is committed together, and a result is told only after the commit returned.

The queue is bounded: when it is full the work is refused at once, and so is the command behind it. Nothing is dropped
silently.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from ..rules.call import Call
from ..rules.incident import Incident
from ..rules.signing import Registered
from . import tables
from .audit import Entry, Head
from .incidents import write_incident
from .recordings import IndexedPart, write_part
from .rows import call_row, write_signing_key

QUEUE_MAX = 10_000
GROUP_MAX = 500
COMMIT_S = 2.0


class StoreError(Exception):
    """It could not be made durable; nothing of it was kept."""


@dataclass(frozen=True)
class Unit:
    """What becomes durable together or not at all."""

    entries: tuple[Entry, ...] = ()
    call: Call | None = None
    command: tuple[str, int, bytes, str] | None = None
    """Id, time in UTC ms, the answer's frame, the establishment's code."""
    incident: Incident | None = None
    signing_key: tuple[str, Registered] | None = None
    """Of which establishment's laptop."""
    recording: IndexedPart | None = None


class Writer:
    """`write` from the event loop; `close` commits what waits."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self._well = True
        self._committing_since: float | None = None
        self._engine, self._loop = engine, loop
        self._queue: queue.Queue[tuple[Unit, asyncio.Future[None]] | None] = queue.Queue(QUEUE_MAX)
        with engine.connect() as connection:
            newest = connection.execute(
                select(tables.audit.c.n, tables.audit.c.hash).order_by(tables.audit.c.n.desc()).limit(1)
            ).first()
        self._head = Head(newest.n, newest.hash) if newest else Head()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def writable(self) -> bool:
        """False after a failed commit until one succeeds, and while one takes too long: a disk may hang for ever."""
        since = self._committing_since
        return self._well and (since is None or time.monotonic() - since < COMMIT_S)

    def write(self, unit: Unit) -> asyncio.Future[None]:
        """Done when the unit is on the disk; StoreError when it could not be."""
        future: asyncio.Future[None] = self._loop.create_future()
        future.add_done_callback(_seen)
        try:
            self._queue.put_nowait((unit, future))
        except queue.Full:
            future.set_exception(StoreError("too much waits to be written"))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            last = False
            while len(group) < GROUP_MAX:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                group.append(more)
            self._committing_since = time.monotonic()
            self._commit_group(group)
            self._committing_since = None
            if last:
                return

    def _commit_group(self, group: list[tuple[Unit, asyncio.Future[None]]]) -> None:
        error = self._commit([unit for unit, _ in group])
        if error is None or len(group) == 1:
            self._tell([(future, error) for _, future in group])
            return
        # One bad unit must not take the others with it.
        self._tell([(future, self._commit([unit])) for unit, future in group])

    def _commit(self, units: list[Unit]) -> Exception | None:
        head = self._head
        try:
            with self._engine.begin() as connection:
                for unit in units:
                    head = write_unit(connection, unit, head)
        except Exception as error:  # whatever the driver raises, the server goes on and refuses
            return error
        self._head = head
        return None

    def _tell(self, results: list[tuple[asyncio.Future[None], Exception | None]]) -> None:
        def tell() -> None:
            for future, error in results:
                self._well = error is None
                if future.done():
                    continue
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(StoreError(str(error)))

        self._in_loop(tell)

    def _in_loop(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop has ended; nobody waits any more
            pass


def write_unit(connection: Connection, unit: Unit, head: Head) -> Head:
    """Writes one unit inside a transaction; returns the audit's new head."""
    for entry in unit.entries:
        head = head.next(entry)
        connection.execute(insert(tables.audit).values(n=head.n, hash=head.hash, **vars(entry)))
    if unit.call is not None:
        row = call_row(unit.call)
        connection.execute(tables.call.update().where(tables.call.c.call_id == unit.call.call_id).values(**row))
    if unit.incident is not None:
        write_incident(connection, unit.incident)
    if unit.signing_key is not None:
        write_signing_key(connection, *unit.signing_key)
    if unit.recording is not None:
        write_part(connection, unit.recording)
    if unit.command is not None:
        command_id, at_ms, answer, code = unit.command
        values = {"command_id": command_id, "at_ms": at_ms, "answer": answer, "establishment": code}
        statement = upsert(tables.command).values(**values)
        # What was accepted may be refused after all before anybody is told: the last answer is the one that was given.
        own = tables.command.c.establishment == code
        newest = {"at_ms": at_ms, "answer": answer}
        connection.execute(statement.on_conflict_do_update(index_elements=["command_id"], set_=newest, where=own))
    return head


def forget_old_commands(connection: Connection, before_ms: int) -> None:
    connection.execute(delete(tables.command).where(tables.command.c.at_ms < before_ms))


def _seen(future: asyncio.Future[None]) -> None:
    """A failure that nobody waits for is told by `writable`, not by a warning at the end of the program."""
    if not future.cancelled():
        future.exception()
