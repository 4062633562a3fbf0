"""The short way of frequent frames: whatever pieces the stream comes in and whatever lies between, nothing is lost,
changed or out of order; and what is not allowed is refused as it is on the long way."""

import asyncio
import os
import random
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from schemas.laptop import LaptopHello, LeaseRequest, from_laptop
from schemas.limits import LIMITS
from schemas.media import Picture, Side
from schemas.wire import PROTOCOL_VERSION, CloseCode, WireError, encode
from schemas.wire import Link as Kind
from server.links.bounded import BoundedConnection
from server.links.door import Door
from server.links.link import Link, run_link
from server.links.refusals import Refusals

WITHIN_S = 10.0
HANDSHAKE = (
    b"GET /laptop HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def framed(data: bytes, opcode: Opcode = Opcode.BINARY, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


HELLO = framed(encode(LaptopHello(PROTOCOL_VERSION, "BWI", "BWI-01", "x" * 20, "test")))
CLOSE = framed(struct.pack("!H", 1000), Opcode.CLOSE)


def lease(nonce: int) -> bytes:
    """A small message that says which one it is."""
    return encode(LeaseRequest("BWI-1", 1, nonce))


def picture(nonce: int, size: int) -> bytes:
    return encode(Picture("BWI-1", Side.ROOM, nonce, 40, 25, 40, 25, os.urandom(size)))


@dataclass
class Taken:
    """What the server's end of the one connection got."""

    seen: list[tuple[int, bytes]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    welcome: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    fail_at: int = -1
    left_to_recv: int = 0

    def take(self, message: Any, frame: bytes) -> None:
        number = message.nonce if isinstance(message, LeaseRequest) else message.at_ms
        if number == self.fail_at:
            raise WireError(CloseCode.NOT_UNDERSTOOD, "not this one")
        self.seen.append((number, frame))


@asynccontextmanager
async def serving(taken: Taken) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, BoundedConnection)
        link = Link(connection, from_laptop, lambda who, why: taken.refused.append(why))

        async def talk() -> None:
            await link.hello(LaptopHello)
            link.prove("laptop BWI-01", "BWI")
            taken.welcome.set()
            await link.each(taken.take)

        try:
            await run_link(link, talk)
        finally:
            taken.left_to_recv = connection.left_to_recv
            taken.ended.set()

    loop = asyncio.get_running_loop()
    door = Door(100, loop.time, loop.call_later)
    refusals = Refusals(lambda action, who, detail: None)
    options: dict[str, Any] = {
        "compression": None,
        "create_connection": partial(BoundedConnection, door=door, refusals=refusals),
        "ping_interval": None,
        "close_timeout": 1,
    }
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        reader, writer = await asyncio.open_connection(*next(iter(server.sockets)).getsockname()[:2])
        try:
            yield reader, writer
        finally:
            writer.close()


async def send(writer: asyncio.StreamWriter, pieces: Sequence[bytes]) -> None:
    """Each piece in a packet of its own, as far as the kernel lets us."""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


async def ended(writer: asyncio.StreamWriter, taken: Taken) -> None:
    writer.write_eof()
    await asyncio.wait_for(taken.ended.wait(), WITHIN_S)


def cut(stream: bytes, seed: int) -> list[bytes]:
    """Pieces of 1 to 2,000 bytes, often of 1 to 8."""
    chance, pieces = random.Random(seed), []
    while stream:
        size = chance.choice((1, 2, 5, 7, 8, 13, 2000))
        pieces.append(stream[:size])
        stream = stream[size:]
    return pieces


async def closed(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The close frame's code and reason, after whatever else came."""
    data = await asyncio.wait_for(reader.read(-1), WITHIN_S)
    at = 0
    while at < len(data):
        opcode, size = data[at] & 15, data[at + 1]
        if opcode == Opcode.CLOSE:
            return struct.unpack("!H", data[at + 2 : at + 4])[0], data[at + 4 : at + 2 + size].decode()
        at += 2 + size
    return 0, ""


@pytest.mark.parametrize("seed", range(12))
async def test_messages_arrive_whole_and_in_order_however_the_stream_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    messages = [
        lease(n) if chance.random() < 0.7 else picture(n, chance.choice((60, 119, 3000, 70_000))) for n in range(60)
    ]
    stream = [framed(message) for message in messages]
    stream.insert(chance.randrange(60), framed(b"are you there", Opcode.PING))
    stream.insert(chance.randrange(60), framed(b"", Opcode.PING))
    if seed % 3 == 0:  # from here on everything goes the library's way
        n = chance.randrange(len(stream))
        whole = lease(999)
        stream[n:n] = [framed(whole[:5], fin=False), framed(whole[5:], Opcode.CONT)]
    taken = Taken()
    async with serving(taken) as (reader, writer):
        await send(writer, [HANDSHAKE])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [HELLO])
        await asyncio.wait_for(taken.welcome.wait(), WITHIN_S)
        await send(writer, cut(b"".join(stream) + CLOSE, seed))
        await ended(writer, taken)
    got = [frame for number, frame in taken.seen if number != 999]
    assert got == messages, f"seed {seed}"
    assert ((999, lease(999)) in taken.seen) is (seed % 3 == 0)
    assert taken.left_to_recv == 1, "only the hello went the long way, and what came from a fragment on"


async def test_frames_that_come_before_the_answer_to_the_handshake_are_taken_too() -> None:
    taken = Taken()
    async with serving(taken) as (reader, writer):
        first = framed(lease(1))
        await send(writer, [HANDSHAKE + HELLO + first[:7]])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [first[7:] + framed(lease(2)) + CLOSE])
        await ended(writer, taken)
    assert [number for number, _ in taken.seen] == [1, 2]


async def test_what_came_together_with_the_hello_keeps_its_place() -> None:
    taken = Taken()
    async with serving(taken) as (reader, writer):
        await send(writer, [HANDSHAKE])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [HELLO + b"".join(framed(lease(n)) for n in range(12)), framed(lease(12)), CLOSE])
        await ended(writer, taken)
    assert [number for number, _ in taken.seen] == list(range(13))


REFUSED = {
    "text": (framed(b"hello", Opcode.TEXT), CloseCode.NOT_UNDERSTOOD, "text"),
    "no message of ours": (framed(b"\xc1"), CloseCode.NOT_UNDERSTOOD, "not understood"),
    "too large": (struct.pack("!BBQ", 0x82, 0xFF, 10_000_000) + bytes(4), 1009, ""),
    "too large by a fragment": (struct.pack("!BBQ", 0x02, 0xFF, 10_000_000) + bytes(4), 1009, ""),
    "not masked": (Frame(Opcode.BINARY, lease(5)).serialize(mask=False), 1002, ""),
    "a close that is not masked": (b"\x88\x00", 1002, ""),
    "a reserved bit": (b"\xc2" + framed(lease(5))[1:], 1002, ""),
    "an unknown kind of frame": (b"\x83" + framed(lease(5))[1:], 1002, ""),
    "a long ping": (b"\x89\xfe\x00\x80" + bytes(4 + 128), 1002, ""),
    "a continuation of nothing": (framed(b"x", Opcode.CONT), 1002, ""),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_allowed_is_refused_after_what_was(name: str) -> None:
    wrong, code, words = REFUSED[name]
    taken = Taken()
    async with serving(taken) as (reader, writer):
        await send(writer, [HANDSHAKE])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [HELLO, framed(lease(1)), framed(lease(2)) + wrong])
        found, reason = await closed(reader)
        await ended(writer, taken)
    assert [number for number, _ in taken.seen] == [1, 2]
    assert found == code and words in reason, reason


async def test_what_is_wrong_for_its_taker_ends_the_link_and_nothing_after_it_is_taken() -> None:
    taken = Taken(fail_at=3)
    async with serving(taken) as (reader, writer):
        await send(writer, [HANDSHAKE])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [HELLO])
        await send(writer, [framed(lease(1)), framed(lease(2)) + framed(lease(3)) + framed(lease(4))])
        assert await closed(reader) == (CloseCode.NOT_UNDERSTOOD, "not this one")
        await ended(writer, taken)
    assert [number for number, _ in taken.seen] == [1, 2] and taken.refused


async def test_frames_are_counted_on_the_short_way_too() -> None:
    taken = Taken()
    most = LIMITS[Kind.LAPTOP].frames_at_once
    async with serving(taken) as (reader, writer):
        await send(writer, [HANDSHAKE])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [HELLO])
        await asyncio.wait_for(taken.welcome.wait(), WITHIN_S)
        await send(writer, [b"".join(framed(lease(n)) for n in range(2 * most))])
        assert (await closed(reader))[0] == CloseCode.TOO_FAST
        await ended(writer, taken)
    numbers = [number for number, _ in taken.seen]
    assert numbers == list(range(len(numbers))) and most / 2 < len(numbers) < 1.5 * most


async def test_an_endless_frame_in_tiny_pieces_costs_its_bytes_and_not_their_square() -> None:
    """Each piece is looked at once: putting the beginning together again for each would be 8 GB of copies here."""
    taken = Taken()
    whole = framed(picture(1, 200_000))
    async with serving(taken) as (reader, writer):
        await send(writer, [HANDSHAKE])
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, [HELLO])
        await send(writer, [whole[n : n + 20] for n in range(0, len(whole), 20)])
        await send(writer, [framed(lease(2)), CLOSE])
        await ended(writer, taken)
    assert [number for number, _ in taken.seen] == [1, 2]
