"""A websocket connection with bounds: the door before it, so long until a hello, so many bytes and frames."""

import asyncio
import http
import ipaddress
import resource
import socket
import struct
from typing import Any, cast

from websockets.protocol import State

from schemas.limits import LIMITS, OPEN_S, UNPROVEN_BYTES
from schemas.wire import CloseCode, Link

from ..rules.allowance import Allowance
from .connection import Connection
from .door import Door
from .refusals import Refusals

PIECE_BYTES, UNPROVEN_PIECE_BYTES = 8192, 512
"""Read at a time: the kernel hands over up to 256 KB, in which there can be 40,000 frames, 0.1 s of work. Frames are
counted after each piece."""
CLOSE_S = 1.0
"""A connection that was told to go has so long to go."""
TOLD_AT_ONCE = 64
"""So many turned-away connections at a time are told why; in a flood of them the others are cut off."""
SPARE_DESCRIPTORS = 256
"""For the database, listening sockets, logs, and connections that are being told to go."""


def places() -> int:
    """How many connections this process can have; as many as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE_DESCRIPTORS


class BoundedConnection(Connection):
    """For websockets' `create_connection`. `prove` ends the bounds for strangers, `bound` sets those of a kind."""

    def __init__(self, *arguments: Any, door: Door, refusals: Refusals, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.address = "unknown"
        self.opens_by_s = self.loop.time() + OPEN_S
        self._door, self._refusals = door, refusals
        self._left_bytes = UNPROVEN_BYTES
        self._frames = Allowance(LIMITS[Link.PEER].frames_per_s, LIMITS[Link.PEER].frames_at_once, self.loop.time())
        self._frames_per_s = LIMITS[Link.PEER].frames_per_s
        self._arrived = self._inside = self._proven = False
        self._ending = self._told = False
        self._answer = b""
        self._first = True
        self._timer: asyncio.TimerHandle | None = None

    # What the links say

    def bound(self, kind: Link) -> None:
        """The path says which kind it wants to be."""
        limits = LIMITS[kind]
        self.protocol.max_message_size = limits.frame_bytes
        self._frames = Allowance(limits.frames_per_s, limits.frames_at_once, self.loop.time())
        self._frames_per_s = limits.frames_per_s

    def prove(self, kind: Link, who: str) -> None:
        """Its hello is accepted. WireError when it is one too many."""
        self._door.prove(self, kind, who)
        self._proven = True
        self._stop_timer()

    # The door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.address = address_of(self.transport)
        self._timer = self.loop.call_at(self.opens_by_s, self._too_late)
        status, words = self._door.arrive(self)
        if status:
            self._turn_away(status, words)
            return
        self._arrived = True
        if not self._inside:
            self.transport.pause_reading()

    def let_in(self) -> None:
        self._inside = True
        super().connection_made(self.transport)
        if self._arrived:  # it had to wait, unread
            self.transport.resume_reading()

    def _too_late(self) -> None:
        if not self._inside:
            self._door.leave(self)
            self._arrived = False
            self._turn_away(503, "Too many connections wait here; try again in a few seconds.")
            self.transport.resume_reading()
        elif self.protocol.state is State.CONNECTING:
            self._reject(408, f"No whole websocket request came within {OPEN_S:g} s.")
        else:  # the link itself says that no hello came; this is for one that does not go then
            self._end_soon()

    def _turn_away(self, status: int, words: str) -> None:
        """Told when it has said something: an answer to nothing is lost to many clients. In a flood: cut off."""
        self._over = True
        self._refusals(self.address, f"{status} {words}")
        self._answer = _response(status, words)
        self._stop_timer()
        if self._door.told >= TOLD_AT_ONCE:
            self.transport.abort()
            return
        self._door.told += 1
        self._told = True
        self._end_soon()

    def _reject(self, status: int, words: str) -> None:
        """Ends what is no websocket yet."""
        self._over = True
        self._refusals(self.address, f"{status} {words}")
        self.transport.write(_response(status, words))
        self.transport.close()

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self._proven and not self._over:
            super().data_received(data)
        else:
            self._of_stranger(data)

    def _of_stranger(self, data: bytes) -> None:
        if self._over:
            if self._answer:
                self.transport.write(self._answer)
                self._answer = b""
                self.transport.close()
            return
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._fail(1009, f"more than {UNPROVEN_BYTES // 1024} KiB before an accepted hello")
            return
        if self._first and data[:4] != b"GET "[: len(data)]:
            self._reject(400, "This is no websocket request; only Sightline's programs speak here.")
            return
        self._first = False
        super().data_received(data)

    def to_library(self, data: bytes) -> None:
        step = PIECE_BYTES if self._proven else UNPROVEN_PIECE_BYTES
        for start in range(0, len(data), step):
            super().to_library(data[start : start + step])
            if self._over:
                return
        if self.protocol.state is State.CLOSING:
            self._end_soon()
        elif self.protocol.handshake_exc is not None and not self._over:
            self._over = True
            self._refusals(self.address, f"400 {self.protocol.handshake_exc}")
            self.transport.close()

    def process_event(self, event: Any) -> None:
        if self.request is None or (not self._over and self.allows_frame()):
            super().process_event(event)

    def allows_frame(self) -> bool:
        """Counts one; it is not taken when there are too many of them."""
        if self._frames.take(self.loop.time()):
            return True
        self._fail(CloseCode.TOO_FAST, f"more than {self._frames_per_s} frames a second")
        return False

    def _fail(self, code: int, reason: str) -> None:
        """Nothing more is read. Whoever waits for a message is told by the close."""
        if self.protocol.state is State.CONNECTING:
            self._reject(431, "The request is too large.")
            return
        self._over = True
        if self.protocol.state is State.OPEN:
            self.protocol.fail(code, reason)
            self.send_data()
        self._end_soon()

    def _end_soon(self) -> None:
        """It was told to go, and has a second for it, whatever it sends."""
        if not self._ending:
            self._ending = True
            self._stop_timer()
            self._timer = self.loop.call_later(CLOSE_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._told:
            self._door.told -= 1
        if self._arrived:
            self._door.leave(self)
        if self._inside:
            super().connection_lost(exc)

    def eof_received(self) -> None:
        if self._inside:
            super().eof_received()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _response(status: int, words: str) -> bytes:
    phrase = http.HTTPStatus(status).phrase
    body = f"{words}\n".encode()
    head = (
        f"HTTP/1.1 {status} {phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "Retry-After: 2",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def address_of(transport: asyncio.Transport) -> str:
    """Where strangers are counted together: an IPv4 address, an IPv6 network (one has 2**64 addresses), an account."""
    end = transport.get_extra_info("socket")
    if end is not None and end.family == socket.AF_UNIX:
        credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return f"uid {struct.unpack('3i', credentials)[1]}"
    name = transport.get_extra_info("peername")
    if not name:
        return "unknown"
    if ":" not in name[0]:
        return str(name[0])
    address = ipaddress.IPv6Address(name[0].partition("%")[0])
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))
