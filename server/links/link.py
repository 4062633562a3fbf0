"""One websocket of any kind: hello in time, limits, one clear close for what is not understood; sends never wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from websockets.exceptions import ConnectionClosed

from schemas.limits import OPEN_S
from schemas.wire import (
    OLDEST_PROTOCOL_VERSION,
    PROTOCOL_VERSION,
    CloseCode,
    Codec,
    Message,
    WireError,
    encode,
)

from .bounded import BoundedConnection
from .connection import framed

log = structlog.get_logger()

BACKLOG_MAX_BYTES = 8 * 1024 * 1024
"""Unsent bytes at which a link is given up: ordered messages are never dropped, so it would grow without bound."""

Refuse = Callable[[str, str], None]
"""(who, why) of a refused link, for the audit."""


class Link:
    """`send` writes at once or buffers; `messages` yields what came in, decoded, and ends when the link does; `each`
    hands the same over, for a link on which much comes in."""

    def __init__(self, connection: BoundedConnection, codec: Codec, on_refused: Refuse) -> None:
        self.connection, self._codec, self.refused = connection, codec, on_refused
        connection.bound(codec.link)
        self.peer = str(connection.remote_address or "unix socket")
        self.who = f"{codec.link} at {self.peer}"
        self.protocol = OLDEST_PROTOCOL_VERSION
        """What both ends speak, from the hello on."""
        self.proven = False
        self.given_up = ""
        """Why it was aborted."""
        self._received = 0
        """So many messages were taken with `recv`."""

    async def hello(self, kind: type[Message]) -> Any:
        """The first message. WireError when it does not come in time, is another one, or its protocol is too old."""
        try:
            async with asyncio.timeout_at(self.connection.opens_by_s):
                frame = await self.connection.recv()
            self._received += 1
        except TimeoutError:
            raise WireError(CloseCode.NOT_UNDERSTOOD, f"no hello within {OPEN_S:g} s") from None
        message = self._codec.decode(frame)
        if not isinstance(message, kind):
            raise WireError(CloseCode.NOT_UNDERSTOOD, f"the first message must be {kind.__name__}")
        protocol: int = getattr(message, "protocol", 0)
        if not OLDEST_PROTOCOL_VERSION <= protocol <= PROTOCOL_VERSION:
            spoken = f"{OLDEST_PROTOCOL_VERSION} to {PROTOCOL_VERSION}"
            raise WireError(
                CloseCode.PROTOCOL_VERSION, f"protocol {protocol} is not spoken here, only {spoken}; update"
            )
        self.protocol = protocol
        return message

    def prove(self, who: str, where: str) -> None:
        """The hello is accepted: this is `who` at `where`. WireError when too many of them are connected."""
        self.connection.prove(self._codec.link, f"{who} at {where}")
        self.who, self.proven = who, True

    async def messages(self) -> AsyncIterator[tuple[Any, bytes]]:
        """(message, its frame), until the link closes. WireError for what is not understood."""
        async for frame in self.connection:
            message = self._codec.decode(frame)
            assert isinstance(frame, bytes)
            yield message, frame

    async def each(self, take: Callable[[Any, bytes], None]) -> None:
        """`take(message, frame)` for each message as soon as it is there; returns when the link closes.

        WireError as with `messages`, and whatever `take` raises.
        """
        serving = asyncio.current_task()
        assert serving is not None
        failure: Exception | None = None
        decode = self._codec.decode

        def take_frame(frame: bytes) -> None:
            nonlocal failure
            try:
                take(decode(frame), frame)
            except Exception as error:
                failure, self.connection.take = error, None
                serving.cancel()

        try:
            while self.connection.left_to_recv > self._received:
                await self._take_received(take)
            self.connection.take = take_frame
            while True:  # what the short way leaves over
                await self._take_received(take)
        except asyncio.CancelledError:
            if failure is None:
                raise
            serving.uncancel()
            raise failure from None
        finally:
            self.connection.take = None

    async def _take_received(self, take: Callable[[Any, bytes], None]) -> None:
        frame = await self.connection.recv()
        self._received += 1
        message = self._codec.decode(frame)
        assert isinstance(frame, bytes)
        take(message, frame)

    def speaks(self, kind: type[Message]) -> bool:
        """False for a kind that is newer than the protocol of this link: the other end could not read it."""
        return kind.since <= self.protocol

    def send(self, message: Message) -> None:
        """A message that the other end can't read is not sent."""
        self.send_frame(encode(message), type(message))

    def send_frame(self, frame: bytes, kind: type[Message]) -> bool:
        """A message's bytes, see `send_framed`."""
        return self.send_framed(framed(frame), kind)

    def send_framed(self, frame: bytes, kind: type[Message]) -> bool:
        """What `framed` has made, once for all who get it. Never waits, never raises; a link whose backlog has no end
        is aborted.

        False when the other end can't read this kind: nothing is sent.
        """
        if not self.speaks(kind):
            return False
        self.connection.send_framed(frame)
        if self.backlog > BACKLOG_MAX_BYTES:
            self.abort("too far behind")
        return True

    @property
    def backlog(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self.connection.transport.get_write_buffer_size()

    @property
    def quiet_s(self) -> float:
        """How long nothing has come in, no pong either."""
        return time.monotonic() - self.connection.heard_at

    def is_silent(self, seconds: float) -> bool:
        """True when nothing has come in for so long."""
        return self.quiet_s > seconds

    async def ping(self) -> None:
        """Whoever lives answers it, and so is heard; `connection.latency` is how long that took."""
        try:
            asyncio.ensure_future(await self.connection.ping()).add_done_callback(_seen)
        except ConnectionClosed:
            pass

    def abort(self, why: str) -> None:
        log.warning("link aborted", who=self.who, why=why)
        self.given_up = self.given_up or why
        self.connection.transport.abort()

    async def close(self, error: WireError) -> None:
        """Tells the peer why, and has it logged and put into the audit."""
        self.refused(self.who, f"{int(error.code)} {error.reason}")
        await self.connection.close(error.code, error.reason)


def _seen(pong: asyncio.Future[float]) -> None:
    """A pong that never came is told by the silence, not by a warning."""
    if not pong.cancelled():
        pong.exception()


async def run_link(link: Link, serve: Callable[[], Any]) -> None:
    """Runs a link's conversation; every way that it can end comes through here."""
    try:
        await serve()
    except WireError as error:
        await link.close(error)
        return
    except ConnectionClosed:
        pass
    protocol = link.connection.protocol
    said = protocol.close_sent
    if said is not None and not protocol.close_rcvd_then_sent and said.code not in (1000, 1001):
        link.refused(link.who, f"{said.code} {said.reason}")  # too large, too fast, no websocket frame
    elif link.proven:
        log.info("link closed", who=link.who, code=protocol.close_rcvd.code if protocol.close_rcvd else None)
