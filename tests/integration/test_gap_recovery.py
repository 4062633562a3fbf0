"""A frame that is lost between a real server and a console's link and state: the gap is seen, the snapshot mends it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from console.desk import Desk
from console.link import Link
from console.settings import Settings
from schemas.call import Category
from schemas.console import CallChanged, Delta, Flag, Snapshot, SnapshotRequest, from_console, to_console
from schemas.laptop import OpenCall
from schemas.media import Levels, Side
from schemas.wire import MAX_SERVER_FRAME_BYTES
from tests.server_rig import OFFICER_TOKEN, Console, Laptop, Server, running_server

from .test_console_server import until

OPTIONS: dict[str, Any] = {"compression": None, "max_size": MAX_SERVER_FRAME_BYTES}


class Line:
    """Between console and server; leaves out what `loses` names, and notes what went which way."""

    def __init__(self, server: Server, loses: Callable[[Any], bool]) -> None:
        self._url, self._loses = f"{server.url}/console", loses
        self.lost: list[Any] = []
        self.up: list[Any] = []
        self.down: list[Any] = []

    async def carry(self, console: ServerConnection) -> None:
        async with connect(self._url, **OPTIONS) as server:
            upwards = asyncio.ensure_future(self._up(console, server))
            try:
                async for frame in server:
                    message = to_console.decode(frame)
                    if not self.lost and self._loses(message):
                        self.lost.append(message)
                        continue
                    self.down.append(message)
                    await console.send(frame)
            except ConnectionClosed:
                pass
            finally:
                upwards.cancel()

    async def _up(self, console: ServerConnection, server: Any) -> None:
        async for frame in console:
            self.up.append(from_console.decode(frame))
            await server.send(frame)


@asynccontextmanager
async def at_a_lossy_line(server: Server, loses: Callable[[Any], bool]) -> AsyncIterator[tuple[Desk, Line]]:
    line = Line(server, loses)
    async with serve(line.carry, "127.0.0.1", 0, **OPTIONS) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        settings = Settings("BWI", None, f"ws://127.0.0.1:{port}", OFFICER_TOKEN)
        desk = Desk(time.monotonic(), lambda message: link.send(message))
        link = Link(settings, desk.receive, desk.gone, lambda: desk.beat(time.monotonic()), lambda: (200, 60))
        running = asyncio.ensure_future(link.run())
        try:
            await until(lambda: "BWI-1" in desk.wall.calls)
            yield desk, line
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def is_first_flag(message: Any) -> bool:
    return isinstance(message, CallChanged) and message.call.incidents == 1


def has_level(message: Any) -> bool:
    return isinstance(message, Delta) and any(one.at_ms == 5 for one in message.levels)


@pytest.mark.parametrize("loses", [is_first_flag, has_level])
async def test_what_was_lost_is_in_the_snapshot_that_the_gap_asks_for(
    tmp_path: Path, loses: Callable[[Any], bool]
) -> None:
    with running_server(tmp_path) as server, Laptop(server) as laptop, Console(server) as colleague:
        laptop.next(OpenCall)
        colleague.call("BWI-1", lambda call: True)
        async with at_a_lossy_line(server, loses) as (desk, line):
            for n in (1, 2):
                # In a thread: the line between has to run meanwhile.
                assert (await asyncio.to_thread(colleague.give, Flag(Category.OTHER, "", n))).accepted
            laptop.send(Levels("BWI-1", 5, -100, -90, -200, -190))
            await until(lambda: line.lost)
            # The next of its kind shows that one is missing.
            await until(lambda: any(isinstance(message, SnapshotRequest) for message in line.up))
            await until(lambda: sum(isinstance(message, Snapshot) for message in line.down) == 2)
            await until(lambda: desk.wall.calls["BWI-1"].incidents == 2)
            levels = desk.wall.media_of(desk.wall.calls["BWI-1"]).levels
            await until(lambda: levels[Side.FAMILY].now == -100)
            asked = sum(isinstance(message, SnapshotRequest) for message in line.up)
            for n in (3, 4, 5):
                assert (await asyncio.to_thread(colleague.give, Flag(Category.OTHER, "", n))).accepted
            await until(lambda: desk.wall.calls["BWI-1"].incidents == 5)
            now = sum(isinstance(message, SnapshotRequest) for message in line.up)
            assert now == asked, "after the snapshot it goes on without a gap"
