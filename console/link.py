"""The websocket to the server: joins, comes back for ever, probes the time, and beats.

What comes in is handed to `receive` at once, in order. `send` is immediate while the link is there; nothing is queued
for later, so an act pressed while the link is away is not done.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from console.settings import Settings
from schemas.console import Beat, ConsoleHello, TimeProbe, to_console
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, CloseCode, WireError, encode

RETRY_FIRST_S, RETRY_MOST_S = 0.25, 1.0
BEAT_S = 2.0
SILENT_S = 6.0
"""After so long without a frame the connection is given up and made anew: a dead one can look open for ever."""
OPEN_S = 3.0
FINAL_CLOSES = (CloseCode.NOT_RECOGNISED, CloseCode.PROTOCOL_VERSION)
BACKLOG_BYTES = 64 * 1024


class Refused(Exception):
    """The server does not want this console; trying again would not help. Says why in one sentence."""


class Link:
    """`receive(message, now_s)` takes each message; `size()` gives columns and rows; `beat()` the next Beat.

    `gone(words)` is called when a connection has ended or could not be made. Times are time.monotonic().
    """

    def __init__(
        self,
        settings: Settings,
        receive: Callable[[Any, float], None],
        gone: Callable[[str], None],
        beat: Callable[[], Beat],
        size: Callable[[], tuple[int, int]],
    ) -> None:
        self._settings = settings
        self._receive, self._gone, self._beat, self._size = receive, gone, beat, size
        self._connection: ClientConnection | None = None
        self._heard_s = 0.0

    async def run(self) -> None:
        """Until cancelled. Refused when the server says no for good."""
        wait_s = RETRY_FIRST_S
        while True:
            try:
                await self._talk()
                wait_s = RETRY_FIRST_S
                self._gone("the server closed the link")
            except ConnectionClosed as error:
                close = error.rcvd
                if close is not None and close.code in FINAL_CLOSES:
                    raise Refused(close.reason) from error
                wait_s = RETRY_FIRST_S
                self._gone(close.reason if close and close.reason else "the link broke")
            except InvalidURI as error:
                raise Refused(f"{self._settings.server} is no server address; it looks like ws://host:port") from error
            except (InvalidHandshake, WireError) as error:
                self._gone(str(error))
            except OSError as error:
                self._gone("the server does not answer" if isinstance(error, TimeoutError) else _plain(error))
            except Exception as error:  # a fault of ours that one message has set off must not end the link for good
                self._gone(f"a message could not be taken in: {type(error).__name__}")
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_MOST_S, wait_s * 2)

    def send(self, message: Any) -> bool:
        """True when the frame has been handed to the socket; False when there is no link, or it takes nothing."""
        connection = self._connection
        if connection is None or connection.transport.get_write_buffer_size() > BACKLOG_BYTES:
            return False
        # Straight to the protocol: a key's command must not wait for the loop's next turn.
        try:
            connection.protocol.send_binary(encode(message))
            connection.send_data()
        except Exception:  # the protocol refuses to send while it closes, in several ways
            return False
        return True

    async def _talk(self) -> None:
        settings = self._settings
        limits: dict[str, Any] = {
            "max_size": MAX_SERVER_FRAME_BYTES,
            "compression": None,
            "ping_interval": None,
            "open_timeout": OPEN_S,
            "close_timeout": 0.2,
        }
        if settings.socket is not None:
            opening = unix_connect(str(settings.socket), uri="ws://localhost/console", **limits)
        else:
            opening = connect(f"{(settings.server or '').rstrip('/')}/console", proxy=None, **limits)
        async with opening as connection:
            columns, rows = self._size()
            hello = ConsoleHello(PROTOCOL_VERSION, settings.establishment, settings.token, columns, rows)
            await connection.send(encode(hello))
            self._heard_s = time.monotonic()
            self._connection = connection
            company = asyncio.ensure_future(self._keep_company(connection))
            try:
                # `recv` raises ConnectionClosed, with the reason, also when the server closed it well.
                while True:
                    frame = await connection.recv(decode=False)
                    now_s = self._heard_s = time.monotonic()
                    self._receive(to_console.decode(frame), now_s)
            finally:
                self._connection = None
                company.cancel()

    async def _keep_company(self, connection: ClientConnection) -> None:
        """Beats and probes; aborts a connection that is open but silent."""
        while True:
            now_s = time.monotonic()
            if now_s - self._heard_s > SILENT_S:
                connection.transport.abort()
                return
            self.send(TimeProbe(round(now_s * 1000)))
            self.send(self._beat())
            await asyncio.sleep(BEAT_S)


def _plain(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the server's socket is not there"
    return f"the server can't be reached: {error.strerror or error}"
