"""The agent's link to its server: comes back by itself, and never makes the media wait."""

import asyncio
from collections.abc import Callable

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed, WebSocketException

from schemas.laptop import CallClosed, LaptopHello, LaptopWelcome, LegAnswer, LegRefused, OrderAnswer, to_laptop
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, CloseCode, Message, WireError, encode

from .boottime import boottime
from .settings import Settings

log = structlog.get_logger()

SOFTWARE = "sightline laptop 0.1"
BACK_OFF_S = (0.25, 2.0)
TAKEN_S = 10.0
"""How long another agent with our identity is waited for: it may be our own link that the server still holds."""
SILENT_S = 4.0
BACKLOG_BYTES = 512 * 1024
"""Unsent bytes beyond which levels and pictures are left out; answers never are."""
BUSY_BYTES = 16 * 1024
"""Unsent bytes beyond which recordings and evidence wait: an order's answer waits for one chunk of them at most."""
BUSY_LOOK_S = 0.02
"""How often who waits for that looks again; no event tells it."""


class RefusedError(Exception):
    """The server will not have this laptop; says what to do."""


class ServerLink:
    """`run` until cancelled; RefusedError when the server refuses for good. Set `held` and `on_message` first."""

    def __init__(self, settings: Settings, signing_key: bytes) -> None:
        """`signing_key`: its public half."""
        self.held: Callable[[], tuple[str, int]] = lambda: ("", 0)
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_welcome: Callable[[float, int], None] = lambda asked_at, server_ms: None
        """A new link: the server's time (UTC ms) and when it was asked for (CLOCK_BOOTTIME, s)."""
        self.left_out = 0
        """Messages that were not sent because the line took no more."""
        self._settings, self._signing_key = settings, signing_key
        self._connection: ClientConnection | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def send(self, message: Message) -> None:
        """At once or not at all: while the link is lost nothing is kept, since a returning laptop says anew what is."""
        connection = self._connection
        if connection is None:
            return
        matters = isinstance(message, (OrderAnswer, LegAnswer, LegRefused, CallClosed))
        if matters or connection.transport.get_write_buffer_size() < BACKLOG_BYTES:
            broadcast((connection,), encode(message))
        else:
            self.left_out += 1

    async def say_goodbye(self) -> None:
        """So that the server knows that the agent was stopped and its line has not failed."""
        if self._connection is not None:
            await self._connection.close(1001, "the agent was stopped")

    @property
    def busy(self) -> bool:
        """What can wait has to: the kernel has not taken what was sent before. False without a link."""
        connection = self._connection
        return connection is not None and connection.transport.get_write_buffer_size() > BUSY_BYTES

    def send_frame(self, frame: bytes) -> bool:
        """A message that is encoded already; False when there is no link."""
        if self._connection is None:
            return False
        broadcast((self._connection,), frame)
        return True

    async def run(self) -> None:
        wait_s, taken_for_s = BACK_OFF_S[0], 0.0
        while True:
            try:
                await self._connect_once()
                wait_s, taken_for_s = BACK_OFF_S[0], 0.0
            except ConnectionClosed as closed:
                taken_for_s = self._why_closed(closed, taken_for_s, wait_s)
            except WireError as error:
                log.error("server not understood", reason=error.reason)
            except (OSError, TimeoutError, WebSocketException) as error:
                log.info("server not reached", reason=str(error)[:200])
            finally:
                self._connection = None
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, BACK_OFF_S[1])

    def _why_closed(self, closed: ConnectionClosed, taken_for_s: float, wait_s: float) -> float:
        """How long our identity has been taken; RefusedError when waiting won't help."""
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (0, "")
        if code in (CloseCode.NOT_RECOGNISED, CloseCode.PROTOCOL_VERSION):
            raise RefusedError(f"the server refuses this laptop: {reason}") from closed
        if code == CloseCode.ALREADY_CONNECTED:
            if taken_for_s >= TAKEN_S:
                raise RefusedError(f"the server refuses this laptop: {reason}") from closed
            return taken_for_s + wait_s
        log.warning("server link lost", code=code, reason=reason)
        return 0.0

    async def _connect_once(self) -> None:
        settings = self._settings
        async with connect(
            f"{settings.server}/laptop",
            compression=None,
            max_size=MAX_SERVER_FRAME_BYTES,
            open_timeout=3,
            close_timeout=1,
            ping_interval=1,
            ping_timeout=SILENT_S,
            proxy=None,
        ) as connection:
            call_id, epoch = self.held()
            hello = LaptopHello(
                PROTOCOL_VERSION, settings.establishment, settings.laptop_id, settings.token, SOFTWARE, call_id, epoch,
                self._signing_key,
            )  # fmt: skip
            asked_at = boottime()
            await connection.send(encode(hello))
            async for frame in connection:
                message = to_laptop.decode(frame)
                if isinstance(message, LaptopWelcome):
                    self._connection = connection
                    self.on_welcome(asked_at, message.server_time_ms)
                    log.info("server reached", server=settings.server)
                else:
                    self.on_message(message)
            raise ConnectionClosed(connection.protocol.close_rcvd, connection.protocol.close_sent)
