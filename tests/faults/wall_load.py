"""Laptops that send levels and pictures, and consoles that take the delay of each level, in one process.

Runs until its standard input ends; then prints as JSON: [monotonic time of arrival, delay in ms] of all, what was lost,
and how late its own loop was at most.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from schemas.console import Beat, ConsoleHello, Delta, to_console
from schemas.laptop import LaptopHello, OpenCall, to_laptop
from schemas.media import Levels, Picture, Side
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, encode

OPTIONS: dict[str, Any] = {
    "compression": None,
    "max_size": MAX_SERVER_FRAME_BYTES,
    "ping_interval": None,
    "proxy": None,
}
LEVELS_PER_S = 10


class Load:
    def __init__(self, url: str, laptops: int, consoles: int, token: str) -> None:
        self._url, self._laptops, self._consoles, self._token = url, laptops, consoles, token
        self.delays: list[tuple[float, float]] = []
        self.lost: list[str] = []
        self.late_ms = 0.0

    async def run(self) -> None:
        ends = [self._laptop(n) for n in range(self._laptops)] + [self._console() for _ in range(self._consoles)]
        tasks = [asyncio.ensure_future(end) for end in (*ends, self._watch_own_loop())]
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            if task.done():
                self.lost.append(repr(task.exception()))
            task.cancel()
        print(json.dumps({"delays": self.delays, "lost": self.lost, "late_ms": self.late_ms}))

    async def _laptop(self, number: int) -> None:
        name = f"BWI-{number + 1:02d}"
        async with connect(f"{self._url}/laptop", **OPTIONS) as link:
            await link.send(encode(LaptopHello(PROTOCOL_VERSION, "BWI", name, f"laptop-token-{name}", "load")))
            while not isinstance(opened := to_laptop.decode(await link.recv()), OpenCall):
                pass
            reading = asyncio.ensure_future(_drain(link))
            pixels, sent = bytes(32 * 14 * 3), 0
            await asyncio.sleep(number / self._laptops / LEVELS_PER_S)
            while not reading.done():
                at_ms = time.monotonic_ns() // 1_000_000
                await link.send(encode(Levels(opened.call_id, at_ms, -200, -100, -300, -250)))
                if sent % LEVELS_PER_S == 0:
                    await link.send(encode(Picture(opened.call_id, Side.FAMILY, at_ms, 32, 14, 32, 14, pixels)))
                sent += 1
                await asyncio.sleep(1 / LEVELS_PER_S)

    async def _console(self) -> None:
        async with connect(f"{self._url}/console", **OPTIONS) as link:
            await link.send(encode(ConsoleHello(PROTOCOL_VERSION, "BWI", self._token)))
            beating = asyncio.ensure_future(_beat(link))
            async for frame in link:
                now_ms = time.monotonic_ns() / 1e6
                message = to_console.decode(frame)
                if isinstance(message, Delta):
                    self.delays += [(now_ms / 1000, now_ms - levels.at_ms) for levels in message.levels]
            beating.cancel()

    async def _watch_own_loop(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.late_ms = max(self.late_ms, (time.monotonic() - before - 0.01) * 1000)


async def _drain(link: ClientConnection) -> None:
    async for _ in link:
        pass


async def _beat(link: ClientConnection) -> None:
    while True:
        await link.send(encode(Beat("", False, 0)))
        await asyncio.sleep(2)


if __name__ == "__main__":
    url, laptops, consoles, token = sys.argv[1:]
    uvloop.run(Load(url, int(laptops), int(consoles), token).run())
