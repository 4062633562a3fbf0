"""What the server does between a call's clients and its agent, for an agent's call in the same process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.server import ServerConnection

from schemas.call import CallState
from schemas.laptop import LegAnswer, LegRefused
from schemas.peer import Answer, CallNotice, Offer, OfferRefused, PeerWelcome, from_peer
from schemas.wire import encode


class Signalling:
    """Of one call. `slots`: how many others each leg can have; `offer` hands (leg, offer_id, sdp) to the agent."""

    def __init__(self, call_id: str, slots: int, offer: Callable[[str, str, str], Awaitable[None]]) -> None:
        self._call_id, self._slots, self._offer = call_id, slots, offer
        self._sockets: dict[str, ServerConnection] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def converse(self, leg: str, protocol: int, socket: ServerConnection) -> None:
        """With a client that has said hello, until its link is closed."""
        self._sockets[leg] = socket
        await socket.send(encode(PeerWelcome(protocol, self._call_id, leg, "recorded", self._slots)))
        await socket.send(encode(CallNotice(CallState.LIVE, "", 1, 2)))
        async for frame in socket:
            message = from_peer.decode(frame)
            if isinstance(message, Offer):
                await self._offer(leg, message.offer_id, message.sdp)

    def pass_on(self, message: Any) -> None:
        """What the agent says, so far as it is for a client."""
        match message:
            case LegAnswer(_, leg, offer_id, sdp):
                self._tell(leg, Answer(offer_id, sdp))
            case LegRefused(_, leg, offer_id, reason):
                self._tell(leg, OfferRefused(offer_id, reason, False))

    def _tell(self, leg: str, message: Answer | OfferRefused) -> None:
        if leg not in self._sockets:
            return  # of a test's own
        task = asyncio.ensure_future(self._sockets[leg].send(encode(message)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
