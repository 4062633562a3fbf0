"""The fan-out of a real server process on real sockets: what a console that does not read costs the others, and what it
gets when it reads again."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.uri import parse_uri

from schemas.call import Category
from schemas.console import (
    Beat,
    Boxes,
    CallChanged,
    ConsoleHello,
    Delta,
    Flag,
    SeatChanged,
    Snapshot,
    SnapshotRequest,
    to_console,
)
from schemas.laptop import LaptopHello, OpenCall, to_laptop
from schemas.media import Box, Levels, Picture, Side
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, encode
from server.links.fanout import BEHIND_S, KERNEL_BYTES, SAME_TURN_BYTES
from tests.server_rig import OFFICER_TOKEN, Console, Laptop, Server, establishment, running_server, wait_until

RECEIVE_BYTES = 8 * 1024
"""A console's own receive buffer on TCP, so that it hides little; the kernel takes twice this."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as found:
        yield found


class RawConsole:
    """A console that reads only when it is told to. Its beats go on, so that it is given up for nothing but its
    reading."""

    def __init__(self, server: Server, over: str) -> None:
        if over == "unix":
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(str(server.folder / "console.sock"))
        else:
            self._socket = socket.socket()
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            self._socket.connect(("127.0.0.1", server.port))
        self._protocol = ClientProtocol(parse_uri("ws://localhost/console"), max_size=MAX_SERVER_FRAME_BYTES)
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        self.bytes_read = 0
        self._waiting: list[Any] = []
        self._socket.settimeout(10)
        while not isinstance(self._protocol.state.name, str) or self._protocol.state.name != "OPEN":
            self._read()
        self.say(ConsoleHello(PROTOCOL_VERSION, "BWI", "" if over == "unix" else OFFICER_TOKEN))
        self._beating = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def say(self, message: Any) -> None:
        self._protocol.send_binary(encode(message))
        self._flush()

    def next(self, where: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message that fulfils `where`."""
        while True:
            while self._waiting:
                message = self._waiting.pop(0)
                if where(message):
                    return message
            self._read()

    def close(self) -> None:
        self._beating.set()
        self._socket.close()

    def is_cut_off(self) -> bool:
        """True when the server has ended the connection and nothing is left to read."""
        try:
            while self._socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def _beat(self) -> None:
        while not self._beating.wait(1):
            with suppress(OSError):
                self.say(Beat("", False, 0))

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._socket.sendall(data)

    def _read(self) -> None:
        data = self._socket.recv(1 << 16)
        assert data, "the server has closed the link"
        self.bytes_read += len(data)
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._waiting.append(to_console.decode(event.data))


@pytest.fixture
def raw(server: Server) -> Iterator[Callable[[str], RawConsole]]:
    with ExitStack() as stack:

        def make(over: str) -> RawConsole:
            console = RawConsole(server, over)
            stack.callback(console.close)
            return console

        yield make


def opened(server: Server) -> tuple[Laptop, str]:
    laptop = Laptop(server)
    return laptop, laptop.next(OpenCall).call_id


@pytest.mark.parametrize("over", ["unix", "tcp"])
def test_a_console_that_reads_again_finds_little_that_is_old_then_a_snapshot_and_every_event(
    server: Server, raw: Callable[[str], RawConsole], over: str
) -> None:
    laptop, call_id = opened(server)
    stalled = raw(over)
    first = stalled.next(lambda m: isinstance(m, Snapshot))
    officer = Console(server)
    officer.next(Snapshot)
    pixels = os.urandom(60 * 1024)
    events, ticks, n = 0, 0, 0
    began = time.monotonic()
    # Far more than its buffers hold goes to the one that reads.
    while ticks < 60 or events < 5 or time.monotonic() - began < 3:
        assert time.monotonic() - began < BEHIND_S - 2, "it took too long: the stalled console is given up soon"
        n += 1
        laptop.send(Levels(call_id, n, -100, -100, -100, -100))
        laptop.send(Picture(call_id, Side.ROOM, n, 160, 128, 160, 128, pixels))
        officer.next(Delta, lambda d, n=n: any(one.at_ms == n for one in d.levels))
        ticks += 1
        if ticks % 10 == 0:
            events += officer.give(Flag(Category.OTHER, "", 0)).accepted
    laptop.send(Levels(call_id, 10_000, -100, -100, -100, -100))
    officer.next(Delta, lambda d: any(one.at_ms == 10_000 for one in d.levels))

    before = stalled.bytes_read
    tick, order, changes = first.tick, first.order, 0
    while True:
        message = stalled.next()
        match message:
            case Delta():
                assert message.tick == tick + 1, "no gap without a snapshot"
                tick = message.tick
            case CallChanged() | SeatChanged():
                assert message.order == order + 1, "no event is missing"
                order = message.order
                changes += isinstance(message, CallChanged)
            case Snapshot():
                break
    old = stalled.bytes_read - before
    # The one frame that did not fit stands in the server's own buffer.
    most = 2 * (KERNEL_BYTES + RECEIVE_BYTES) + SAME_TURN_BYTES + len(pixels) + 4096 * changes
    assert old - len(encode(message)) < most, f"{old} bytes were hidden in buffers"
    assert message.order == order and message.tick > tick + 10, "deltas were skipped, events were not"
    assert [one.at_ms for one in message.levels] == [10_000], "the snapshot has the newest"
    assert message.calls[0].incidents == events
    following = stalled.next(lambda m: isinstance(m, Delta))
    assert following.tick == message.tick + 1


def test_who_asks_for_snapshots_without_end_gets_one_a_second_and_all_deltas(
    server: Server, raw: Callable[[str], RawConsole]
) -> None:
    laptop, call_id = opened(server)
    console = raw("tcp")
    tick = console.next(lambda m: isinstance(m, Snapshot)).tick
    laptop.send(Picture(call_id, Side.ROOM, 1, 100, 100, 100, 100, bytes(30_000)))
    snapshots = 0
    began = time.monotonic()
    for n in range(40):
        console.say(SnapshotRequest())
        console.say(SnapshotRequest())
        laptop.send(Levels(call_id, n, -100, -100, -100, -100))
        message = console.next(lambda m: isinstance(m, (Delta, Snapshot)))
        assert message.tick == tick + isinstance(message, Delta) or isinstance(message, Snapshot)
        tick = message.tick
        snapshots += isinstance(message, Snapshot)
    assert 1 <= snapshots <= 2 + (time.monotonic() - began)


def test_a_console_with_nothing_but_events_behind_it_is_given_up_all_the_same(
    server: Server, raw: Callable[[str], RawConsole]
) -> None:
    """No laptop measures anything, so there is hardly a delta to be skipped."""
    laptop, _ = opened(server)
    stalled = raw("unix")
    stalled.next(lambda m: isinstance(m, Snapshot))
    officer = Console(server)
    officer.next(Snapshot)
    commands = [officer.command(Flag(Category.OTHER, "n" * 400, 0)) for _ in range(400)]
    for n, command in enumerate(commands):
        officer.send(command)
        if n % 50 == 49:  # within what an officer's console may send
            officer.answer(command)
            time.sleep(0.25)
    wait_until(lambda: "behind for 10 s" in server.log.read_text(), "it is given up", BEHIND_S + 10)
    stalled._socket.settimeout(0.5)
    wait_until(stalled.is_cut_off, "its connection is gone")

    def in_the_audit() -> bool:
        return "behind for 10 s" in [row.detail for row in server.audit("view_closed")]

    wait_until(in_the_audit, "the audit says why the view was closed")
    assert officer.give(Flag(Category.OTHER, "", 0)).accepted
    laptop.close()


# Three of ten

LAPTOPS, BOXES, CONSOLES, STALLED = 2, 3, 10, 3
WIDTH, HEIGHT = 100, 100


def several_laptops() -> dict[str, Any]:
    content = establishment()
    booking = content["bookings"][0]
    content["laptops"] = [
        {"id": f"BWI-0{n}", "seat": n, "room": f"Visits {n}", "token": f"laptop-token-{n:06d}"}
        for n in range(1, LAPTOPS + 1)
    ]
    content["bookings"] = [
        booking
        | {
            "reference": f"BWI-{n}",
            "laptop": f"BWI-0{n}",
            "room_token": f"room-token-{n:08d}",
            "family_token": f"family-token-{n:06d}",
        }
        for n in range(1, LAPTOPS + 1)
    ]
    return content


class Load:
    """Laptops that measure, consoles that read, and some that stop reading when they are told to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.delays_ms: list[float] = []
        self.stop_reading = asyncio.Event()
        self.ready = 0

    async def laptop(self, number: int) -> None:
        pixels = os.urandom(WIDTH * HEIGHT * 3)
        async with connect(f"{self.server.url}/laptop", compression=None, ping_interval=None) as link:
            token = f"laptop-token-{number:06d}"
            await link.send(encode(LaptopHello(PROTOCOL_VERSION, "BWI", f"BWI-0{number}", token, "t")))
            while not isinstance(opening := to_laptop.decode(await link.recv(decode=False)), OpenCall):
                pass
            self.ready += 1
            n = 0
            while True:
                n += 1
                await link.send(encode(Levels(opening.call_id, _now_us(), -100, -100, -100, -100)))
                size = WIDTH + n % BOXES, HEIGHT
                picture = Picture(opening.call_id, Side.ROOM, _now_us(), *size, WIDTH, HEIGHT, pixels)
                await link.send(encode(picture))
                await asyncio.sleep(0.1)

    async def console(self, *, stalls: bool) -> None:
        options: dict[str, Any] = {"compression": None, "ping_interval": None, "max_size": MAX_SERVER_FRAME_BYTES}
        async with connect(f"{self.server.url}/console", **options) as link:
            await link.send(encode(ConsoleHello(PROTOCOL_VERSION, "BWI", OFFICER_TOKEN)))
            await link.send(encode(Boxes([Box(Side.ROOM, WIDTH, HEIGHT)])))
            beats = asyncio.ensure_future(self._beat(link))
            try:
                while not (stalls and self.stop_reading.is_set()):
                    message = to_console.decode(await link.recv(decode=False))
                    now = _now_us()
                    if isinstance(message, Snapshot):
                        self.ready += 1
                    if isinstance(message, Delta) and not stalls:
                        self.delays_ms += [(now - one.at_ms) / 1000 for one in message.levels]
                link.transport.pause_reading()
                await asyncio.sleep(3600)
            finally:
                beats.cancel()

    async def _beat(self, link: Any) -> None:
        while True:
            await asyncio.sleep(1)
            with suppress(Exception):
                await link.send(encode(Beat("", False, 0)))

    async def p99_ms(self, values: int, seconds: float) -> float:
        """Over at least so many levels and so long a time from now on."""
        self.delays_ms.clear()
        began = time.monotonic()
        while len(self.delays_ms) < values or time.monotonic() - began < seconds:
            assert time.monotonic() - began < 60, "the consoles that read get nothing"
            await asyncio.sleep(0.05)
        return sorted(self.delays_ms)[int(len(self.delays_ms) * 0.99)]


def _now_us() -> int:
    return time.monotonic_ns() // 1000


async def test_three_stalled_consoles_of_ten_cost_neither_memory_nor_the_others_time(tmp_path: Path) -> None:
    with running_server(tmp_path, several_laptops()) as server:
        load = Load(server)
        tasks = [asyncio.ensure_future(load.laptop(n)) for n in range(1, LAPTOPS + 1)]
        tasks += [asyncio.ensure_future(load.console(stalls=n < STALLED)) for n in range(CONSOLES)]
        try:
            wanted = LAPTOPS + CONSOLES
            while load.ready < wanted:
                assert not any(task.done() for task in tasks), [t.exception() for t in tasks if t.done()]
                await asyncio.sleep(0.05)
            process = psutil.Process(server.process.pid)
            usual = await load.p99_ms(400, 4)
            memory = process.memory_info().rss
            load.stop_reading.set()
            # The best of three stretches: what a busy machine does to one of them is not what the stalled ones do.
            with_stalled = min([await load.p99_ms(250, 2.7) for _ in range(3)])
            grown = process.memory_info().rss - memory
            # 2 laptops x 3 boxes x 2.5 pictures of 30 KB are 0.45 MB each second to each of the three: 11 MB in all.
            assert grown < 5e6, f"{grown / 1e6:.1f} MB more"
            assert with_stalled < 1.5 * usual + 30, f"p99 {usual:.1f} ms, with stalled consoles {with_stalled:.1f} ms"
            deadline = time.monotonic() + BEHIND_S + 10
            while server.log.read_text().count("behind for 10 s") < STALLED:
                assert time.monotonic() < deadline, "the stalled ones are given up"
                await asyncio.sleep(0.1)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
