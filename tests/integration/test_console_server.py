"""A scripted server for the console's tests, on a real Unix socket or port, and the tests of the link against it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve, unix_serve
from websockets.exceptions import ConnectionClosed

from console.link import Link, Refused
from console.settings import Settings
from schemas.call import CallerView, CallState, CallView, LegView, Role, SeatView
from schemas.console import (
    Beat,
    CallChanged,
    Command,
    ConsoleHello,
    ConsoleWelcome,
    Delta,
    Snapshot,
    SnapshotRequest,
    TimeProbe,
    TimeReply,
    from_console,
)
from schemas.media import CallHealth, LegHealth, Levels, Picture, RecordingState, Side
from schemas.wire import PROTOCOL_VERSION, CloseCode, encode

WITHIN_S = 10.0
NEVER_MS = 2**53


def utc_ms() -> int:
    return time.time_ns() // 1_000_000


def mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def seat_view(number: int, **changes: Any) -> SeatView:
    fields: dict[str, Any] = {
        "seat": number,
        "laptop_id": f"BWI-{number:02d}",
        "room": f"Visits {number}",
        "online": True,
    }
    return SeatView(**fields | changes)


def call_view(seat: int, surname: str = "HARRIS", state: CallState = CallState.LIVE, **changes: Any) -> CallView:
    now = utc_ms()
    admitted = state not in (CallState.WAITING, CallState.BOOKED)
    fields: dict[str, Any] = {
        "call_id": f"call-{seat}",
        "version": 3,
        "epoch": 1,
        "seat": seat,
        "state": state,
        "prison_number": f"A{1000 + seat}BC",
        "forename": "Owen",
        "surname": surname,
        "callers": [CallerView("Carol Harris", "mother", "adult", "family-1")],
        "legs": [LegView("room", True, True), LegView("family-1", True, admitted)],
        "starts_at_ms": now - 600_000,
        "ends_at_ms": now + 1_200_500,
        "latest_end_ms": now + 1_200_500 + 600_000,
    }
    return CallView(**fields | changes)


def levels(call: CallView, family: int = -220, room: int = -300) -> Levels:
    return Levels(call.call_id, mono_ms(), family, min(30, family + 30), room, min(30, room + 30))


def health(call: CallView, recording: RecordingState = RecordingState.RECORDING, words: str = "") -> CallHealth:
    legs = [LegHealth(leg, True, 20, 1, 2.0, 31.0, 25.0, 400.0) for leg in ("room", "family-1")]
    return CallHealth(call.call_id, True, "", recording, 400, 60_000, words, legs)


def picture(
    call: CallView, side: Side, colour: tuple[int, int, int], box: tuple[int, int], size: tuple[int, int]
) -> Picture:
    width, height = size
    return Picture(call.call_id, side, mono_ms(), *box, width, height, bytes(colour) * (width * height))


class Server:
    """Answers each console as its server would: welcome, snapshot, time; a delta each 0.2 s while `beating`.

    Runs in a thread of its own; what consoles sent is in `received`, with the time (CLOCK_MONOTONIC, s).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seats = [seat_view(1), seat_view(2)]
        self.calls: list[CallView] = []
        self.media: list[Any] = []
        self.role = Role.OFFICER
        self.permissions = ["view", "admit", "refuse", "extend", "end", "flag", "pause", "resume"]
        self.staff_name = "R. Hughes"
        self.close_with: tuple[int, str] | None = None
        self.beating = True
        self.received: list[tuple[float, Any]] = []
        self._consoles: set[ServerConnection] = set()
        self._tick = self._order = 0
        self._loop = asyncio.new_event_loop()
        self._up, self._stop = threading.Event(), asyncio.Event()
        self._thread: threading.Thread | None = None

    # -- for the test

    def start(self) -> None:
        self._up.clear()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._up.wait(WITHIN_S)

    def stop(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(WITHIN_S)
            assert not self._thread.is_alive()
            self._thread = None

    def send(self, *messages: Any) -> float:
        """To all consoles; returns when it went out."""
        frames = [encode(message) for message in messages]
        at = time.monotonic()
        self._loop.call_soon_threadsafe(self._send, frames)
        return at

    def show(self, *media: Any) -> float:
        """A delta with these levels, healths and pictures."""
        return self.send(self.delta(*media))

    def delta(self, *media: Any) -> Delta:
        self._tick += 1
        kinds = [[m for m in media if isinstance(m, kind)] for kind in (Levels, CallHealth, Picture)]
        return Delta(self._tick, utc_ms(), *kinds)

    def change(self, call: CallView) -> None:
        self._order += 1
        self.calls = [c for c in self.calls if c.call_id != call.call_id] + [call]
        self.send(CallChanged(self._order, call))

    def got(self, kind: type) -> list[Any]:
        return [message for _, message in list(self.received) if isinstance(message, kind)]

    def wait_for(self, kind: type, count: int = 1) -> list[Any]:
        deadline = time.monotonic() + WITHIN_S
        while len(found := self.got(kind)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} {kind.__name__} came"
            time.sleep(0.005)
        return found

    def command(self, count: int = 1) -> Command:
        """The `count`-th command that came."""
        return self.wait_for(Command, count)[count - 1]

    # -- in the thread

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        async with unix_serve(self._talk, str(self.path), compression=None, close_timeout=0.1):
            self._up.set()
            beats = asyncio.ensure_future(self._beat())
            await self._stop.wait()
            beats.cancel()
        self.path.unlink(missing_ok=True)

    async def _talk(self, connection: ServerConnection) -> None:
        if self.close_with is not None:
            await connection.close(*self.close_with)
            return
        while True:
            try:
                frame = await connection.recv()
            except ConnectionClosed:  # a console that was killed says no goodbye
                return
            message = from_console.decode(frame)
            self.received.append((time.monotonic(), message))
            match message:
                case ConsoleHello():
                    await connection.send(encode(self._welcome()))
                    await connection.send(encode(self._snapshot()))
                    self._consoles.add(connection)
                case TimeProbe(sent_ms):
                    await connection.send(encode(TimeReply(sent_ms, utc_ms())))
                case SnapshotRequest():
                    await connection.send(encode(self._snapshot()))
                case _:
                    pass

    async def _beat(self) -> None:
        while True:
            if self.beating:
                self._send([encode(self.delta())])
            await asyncio.sleep(0.2)

    def _send(self, frames: list[bytes]) -> None:
        for console in tuple(self._consoles):
            for frame in frames:
                try:
                    console.protocol.send_binary(frame)
                    console.send_data()
                except Exception:
                    self._consoles.discard(console)
                    break

    def _welcome(self) -> ConsoleWelcome:
        return ConsoleWelcome(
            PROTOCOL_VERSION, "session", self.staff_name, self.role, "BWI", "Berwyn", utc_ms(), self.permissions
        )

    def _snapshot(self) -> Snapshot:
        kinds = [[m for m in self.media if isinstance(m, kind)] for kind in (Levels, CallHealth, Picture)]
        return Snapshot(self._tick, self._order, utc_ms(), self.seats, self.calls, *kinds)


@contextmanager
def serving(path: Path, **settings: Any) -> Iterator[Server]:
    server = Server(path / "console.sock")
    for name, value in settings.items():
        setattr(server, name, value)
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def until(condition: Callable[[], Any], seconds: float = WITHIN_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.005)


class Ends:
    """A link with nothing behind it but lists."""

    def __init__(self, path: Path | None, server: str | None = None) -> None:
        self.messages: list[Any] = []
        self.gone: list[str] = []
        settings = Settings("BWI", path, server)
        self.link = Link(settings, lambda m, _: self.messages.append(m), self.gone.append, self.beat, lambda: (200, 60))

    def beat(self) -> Beat:
        return Beat("", True, 0)

    def got(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]


async def test_the_link_joins_probes_the_time_and_beats(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ends = Ends(server.path)
        task = asyncio.create_task(ends.link.run())
        await until(lambda: ends.got(Snapshot) and ends.got(TimeReply) and server.got(Beat))
        hello = server.got(ConsoleHello)[0]
        assert (hello.protocol, hello.establishment, hello.token, hello.columns) == (PROTOCOL_VERSION, "BWI", "", 200)
        task.cancel()


async def test_the_link_comes_back_by_itself_and_queues_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ends = Ends(server.path)
        task = asyncio.create_task(ends.link.run())
        await until(lambda: ends.got(Snapshot))
        await asyncio.to_thread(server.stop)
        await until(lambda: ends.gone)
        assert ends.link.send(TimeProbe(123_456)) is False
        await asyncio.to_thread(server.start)
        await until(lambda: len(ends.got(Snapshot)) == 2)
        assert not [m for m in server.got(TimeProbe) if m.sent_ms == 123_456]
        task.cancel()


async def test_the_link_comes_back_after_a_message_that_could_not_be_taken_in(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ends = Ends(server.path)
        faults = iter([KeyError("a fault of ours")])

        def receive(message: Any, _: float) -> None:
            if isinstance(message, Snapshot) and (fault := next(faults, None)):
                raise fault
            ends.messages.append(message)

        ends.link._receive = receive
        task = asyncio.create_task(ends.link.run())
        await until(lambda: ends.got(Snapshot))
        assert ends.gone == ["a message could not be taken in: KeyError"]
        task.cancel()


async def test_the_link_works_over_a_port_and_sends_its_token() -> None:
    hellos: list[ConsoleHello] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None and connection.request.path == "/console"
        hellos.append(from_console.decode(await connection.recv()))
        await connection.close(CloseCode.NOT_RECOGNISED, "the token belongs to nobody on the staff list")

    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        link = Ends(None, f"ws://127.0.0.1:{port}").link
        link._settings = Settings("BWI", None, f"ws://127.0.0.1:{port}", "secret")
        with pytest.raises(Refused, match="belongs to nobody"):
            await asyncio.wait_for(link.run(), WITHIN_S)
    assert hellos[0].token == "secret"


@pytest.mark.parametrize("code", [CloseCode.NOT_RECOGNISED, CloseCode.PROTOCOL_VERSION])
async def test_a_refusal_is_final(tmp_path: Path, code: CloseCode) -> None:
    with serving(tmp_path, close_with=(int(code), "not here")) as server, pytest.raises(Refused, match="not here"):
        await asyncio.wait_for(Ends(server.path).link.run(), WITHIN_S)


async def test_another_close_is_not_final(tmp_path: Path) -> None:
    with serving(tmp_path, close_with=(int(CloseCode.TOO_SLOW), "behind for 10 s")) as server:
        ends = Ends(server.path)
        task = asyncio.create_task(ends.link.run())
        await until(lambda: len(ends.gone) >= 2)
        assert "behind for 10 s" in ends.gone
        server.close_with = None
        await until(lambda: ends.got(Snapshot))
        task.cancel()
