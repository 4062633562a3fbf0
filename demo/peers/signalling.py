"""A client's websocket with the server: comes back by itself while the call goes on."""

import asyncio
import random
from typing import Protocol

import websockets
from websockets.asyncio.client import ClientConnection, connect

from schemas.peer import FromPeer, PeerHello, ToPeer, to_peer
from schemas.wire import MAX_FRAME_BYTES, PROTOCOL_VERSION, CloseCode, Link, WireError, encode

RETRY_S = (0.3, 1.0)
CLOSE_S = 0.3
"""The server has so long to say goodbye, s."""
FINAL = {
    CloseCode.PROTOCOL_VERSION,
    CloseCode.NOT_UNDERSTOOD,
    CloseCode.WRONG_KIND,
    CloseCode.NOT_RECOGNISED,
    CloseCode.CALL_OVER,
}
"""After these there is no use in coming back."""


class SignallingLost(Exception):
    """There is no link at the moment."""


class Listener(Protocol):
    def link_message(self, message: ToPeer) -> None: ...
    def link_lost(self) -> None: ...


class Signalling:
    def __init__(self, server: str, token: str, listener: Listener) -> None:
        self._url, self._token, self._listener = f"{server.rstrip('/')}/{Link.PEER}", token, listener
        self._socket: ClientConnection | None = None

    async def run(self) -> str:
        """Until the server says for good that this token has no place here: returns why, in words."""
        while True:
            try:
                async with connect(
                    self._url,
                    max_size=4 * MAX_FRAME_BYTES[Link.PEER],
                    compression=None,
                    open_timeout=5,
                    close_timeout=CLOSE_S,
                    proxy=None,
                ) as socket:
                    await self._converse(socket)
            except (OSError, TimeoutError, websockets.WebSocketException, WireError) as error:
                if isinstance(error, WireError):
                    return error.reason
            finally:
                gone, self._socket = self._socket, None
                if gone is not None:
                    self._listener.link_lost()
            if gone is not None and gone.close_code in FINAL:
                return gone.close_reason or f"closed with {gone.close_code}"
            await asyncio.sleep(random.uniform(*RETRY_S))

    async def _converse(self, socket: ClientConnection) -> None:
        await socket.send(encode(PeerHello(PROTOCOL_VERSION, self._token)), text=False)
        self._socket = socket
        try:
            async for frame in socket:
                self._listener.link_message(to_peer.decode(frame))
        except asyncio.CancelledError:
            # Left to itself, websockets would report an internal error to the server.
            await socket.close(websockets.CloseCode.GOING_AWAY)
            raise

    async def send(self, message: FromPeer) -> None:
        """SignallingLost when there is no link."""
        if self._socket is None:
            raise SignallingLost
        try:
            await self._socket.send(encode(message), text=False)
        except websockets.ConnectionClosed as error:
            raise SignallingLost from error
