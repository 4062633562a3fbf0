"""Hostile clients of a server, a sixth of each kind, from addresses of their own; says at the end what came of it.

Random frames, huge frames and tiny ones, half-open connections, slow readers (with a good token), slow senders, floods
of connections and requests. Each comes back as soon as it has been cut off.
"""

import asyncio
import contextlib
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import uvloop
from websockets.frames import Opcode

from schemas.console import ConsoleHello
from schemas.wire import PROTOCOL_VERSION, encode
from tests.hostile import binary, request

PATIENCE_S = 8.0
HUGE = binary(bytes(300_000))
UNFINISHED = b"\x82\xfe\xff\xff" + HUGE[8:60_000]
TINY = binary(b"", opcode=Opcode.PING) * 40_000
"""As many frames as the kernel hands over at once."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Attackers:
    def __init__(self, port: int, clients: int, seconds: float, token: str, seed: int) -> None:
        self._port, self._clients, self._seconds, self._token = port, clients, seconds, token
        self._random = random.Random(seed)
        self.count: Counter[str] = Counter()

    async def run(self) -> dict[str, int]:
        kinds: list[Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]] = [
            self._random_frames,
            self._huge_frames,
            self._half_open,
            self._slow_reader,
            self._slow_sender,
            self._flood,
        ]
        clients = [self._client(n, kinds[n % len(kinds)]) for n in range(self._clients)]
        tasks = [asyncio.ensure_future(client) for client in clients]
        await asyncio.sleep(self._seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return dict(self.count)

    async def _client(self, number: int, attack: Callable[..., Awaitable[None]]) -> None:
        """Two addresses for each ten clients, none of them the address of those who are served."""
        name = attack.__name__.strip("_")
        address = f"127.0.{1 + number % 6}.{1 + number // 30}"
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    reader, writer = await asyncio.open_connection(
                        "127.0.0.1", self._port, local_addr=(address, 0), limit=4096
                    )
                    self.count[name] += 1
                    try:
                        await attack(reader, writer)
                    finally:
                        writer.transport.abort()
            await asyncio.sleep(0)

    async def _upgrade(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bool:
        writer.write(request(path))
        head = await reader.readuntil(b"\r\n\r\n")
        self.count[head.split(b"\r\n")[0].decode()] += 1
        return b" 101 " in head

    async def _until_closed(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(4096):
                pass

    async def _random_frames(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rng = self._random
        if await self._upgrade(reader, writer, rng.choice(["/laptop", "/console", "/peer"])):
            for _ in range(rng.randint(1, 300)):
                opcode = rng.choice([Opcode.BINARY, Opcode.TEXT, Opcode.PING, Opcode.PONG])
                writer.write(binary(rng.randbytes(rng.randint(0, 60)), opcode=opcode))
            await self._until_closed(reader)

    async def _huge_frames(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await self._upgrade(reader, writer, self._random.choice(["/laptop", "/console", "/peer"])):
            writer.write(self._random.choice([HUGE, UNFINISHED, TINY]))
            await writer.drain()
            await self._until_closed(reader)

    async def _half_open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = request("/console")
        writer.write(said[: self._random.randint(0, len(said) - 1)])
        await self._until_closed(reader)

    async def _slow_reader(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accepted, beating with pings, and not reading."""
        if await self._upgrade(reader, writer, "/console"):
            writer.write(binary(encode(ConsoleHello(PROTOCOL_VERSION, "BWI", self._token))))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            while True:
                writer.write(binary(b"x" * 125, opcode=Opcode.PING))
                await asyncio.sleep(0.02)

    async def _slow_sender(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A byte at a time, of the request or of a frame that never ends."""
        said = request("/peer")
        if self._random.random() < 0.5:
            if not await self._upgrade(reader, writer, "/peer"):
                return
            said = HUGE
        ended = asyncio.ensure_future(self._until_closed(reader))
        try:
            for byte in said:
                if ended.done():
                    return
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)
        finally:
            ended.cancel()

    async def _flood(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Comes and goes; or asks for a page."""
        match self._random.randint(0, 3):
            case 0:
                self._come_and_go(writer.get_extra_info("sockname")[0])
            case 1:
                await self._upgrade(reader, writer, "/health")
            case 2:
                await self._upgrade(reader, writer, f"/{self._random.randbytes(4).hex()}")
            case _:
                await self._upgrade(reader, writer, "/peer")

    def _come_and_go(self, address: str) -> None:
        """A burst of connections that nobody waits for."""
        for _ in range(50):
            with socket.socket() as end:
                end.setblocking(False)
                end.bind((address, 0))
                end.connect_ex(("127.0.0.1", self._port))
                self.count["came_and_went"] += 1


if __name__ == "__main__":
    began = time.process_time()
    port, clients, seconds, token, seed = sys.argv[1:]
    attackers = Attackers(int(port), int(clients), float(seconds), token, int(seed))
    count = uvloop.run(attackers.run())
    print(json.dumps(count | {"cores": (time.process_time() - began) / float(seconds)}))
