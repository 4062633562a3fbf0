"""One WebRTC client: a family's device or a room's browser, on one call."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError

from demo.peers import aiortc_internals
from demo.peers.clip import Clip
from demo.peers.playing import Performance, Track
from demo.peers.prepared_sound import PreparedSound
from demo.peers.receiving import Decoder, Decoding, Received
from demo.peers.signalling import RETRY_S, Signalling, SignallingLost
from schemas.call import CallState
from schemas.peer import Answer, CallNotice, Leave, LegStates, NoticeRead, Offer, OfferRefused, PeerWelcome, ToPeer

# No server: candidates come from one interface. With the default policy a second section never gets a transport.
CONFIGURATION = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
NOBODY = "nobody"
"""Whose slot it is before the answer has come, or when the answer does not say."""
CODECS = {"audio": ("audio/opus",), "video": ("video/VP8", "video/rtx")}
SayEvent = Callable[..., None]
"""Called with an event's name and its fields."""
ANSWER_S = 10.0
"""An offer that has no answer, or no connection, after this long is made again."""
LINGER_S = 1.0
"""A connection stays open this long after its call has ended: a packet that still came would be counted."""


@dataclass(frozen=True)
class Part:
    """A client's line in the plan. `clip` as demo.peers.clip reads it."""

    name: str
    token: str
    clip: Clip
    offset_s: float


class Peer:
    """`run` it as a task; what happens to it is told to `say`. `decoding` None: packets are only counted."""

    def __init__(
        self, part: Part, server: str, prepared: PreparedSound, decoding: Decoding | None, say: SayEvent
    ) -> None:
        self.name = part.name
        self.received = Received()
        self.of_legs: dict[str, Received] = {}
        """Leg -> what came in its slot."""
        self.performance = Performance(part.clip, prepared, part.offset_s, self._sound_began)
        self._signalling = Signalling(server, part.token, self)
        self._decoding, self._say = decoding, partial(say, peer=part.name)
        self._welcome = asyncio.Event()
        self._slots = 1
        self._connection_now: RTCPeerConnection | None = None
        self.may_send_bits: int | None = None
        """The other end's newest estimate (REMB), bits/s."""
        self._over = asyncio.Event()
        self._reason = ""
        self._offered: tuple[str, asyncio.Future[Answer | OfferRefused | None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the call has ended, the client left, or the server has no place for it."""
        media = asyncio.create_task(self._keep_media())
        link = asyncio.create_task(self._signalling.run())
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({link, over, media}, return_when=asyncio.FIRST_COMPLETED)
            if media.done():
                media.result()  # it only ends by an error
            if link.done() and not link.cancelled() and not over.done():
                self._reason = link.result()
            if over.done() and self._reason == "ended":
                await asyncio.sleep(LINGER_S)
        finally:
            for task in (media, link, over, *self._tasks):
                task.cancel()
            await asyncio.gather(media, link, over, return_exceptions=True)
            self._say("closed", reason=self._reason or "stopped")

    async def leave(self) -> None:
        """The person hangs up."""
        with contextlib.suppress(SignallingLost):
            await self._signalling.send(Leave())
        self._finish("left")

    def report(self) -> dict[str, Any]:
        of_legs = {leg: received.report() for leg, received in self.of_legs.items()}
        sent = {"sent": dict(self.performance.sent), "may_send_bits": self.may_send_bits}
        return {**self.received.report(), **sent, "of_legs": of_legs}

    async def report_bandwidth(self, bits_per_s: int) -> None:
        """Tells the other end that so much can be taken; the files that are played do not change."""
        if self._connection_now is not None:
            await aiortc_internals.report_bandwidth(self._connection_now, bits_per_s)

    def _may_send(self, bits_per_s: int) -> None:
        self.may_send_bits = bits_per_s

    def link_message(self, message: ToPeer) -> None:
        match message:
            case PeerWelcome():
                self._say("welcome", call=message.call_id, leg=message.leg, words=message.words)
                self._slots = message.slots
                self._welcome.set()
            case Answer() | OfferRefused():
                if self._offered is not None and self._offered[0] == message.offer_id:
                    self._settle(message)
            case CallNotice():
                self._say("state", state=message.state, words=message.words, ends_at_ms=message.ends_at_ms)
                if message.notice_id != "state":
                    self._send_soon(NoticeRead(message.notice_id))
                if message.state == CallState.ENDED:
                    self._finish("ended")
            case LegStates(legs):
                self._say("legs", legs={leg.leg: [leg.here, leg.sound, leg.picture, leg.words] for leg in legs})

    def link_lost(self) -> None:
        """Media may well go on; only an offer that waits for its answer is lost."""
        self._welcome.clear()
        self._settle(None)
        self._say("signalling lost")

    def _settle(self, answer: Answer | OfferRefused | None) -> None:
        if self._offered is not None and not self._offered[1].done():
            self._offered[1].set_result(answer)

    def _finish(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._over.set()

    def _send_soon(self, message: NoticeRead) -> None:
        async def send() -> None:
            with contextlib.suppress(SignallingLost):
                await self._signalling.send(message)

        task = asyncio.create_task(send())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _sound_began(self, number: int, at: float) -> None:
        self._say("burst", id=number, sound_at=at)

    async def _keep_media(self) -> None:
        """One connection after the other: a new one when the last has died and the call goes on."""
        while True:
            await self._welcome.wait()
            connection = self._connection_now = self._connection()
            down = asyncio.Event()
            up = asyncio.Event()

            def changed(connection: RTCPeerConnection = connection, down: Any = down, up: Any = up) -> None:
                if connection.connectionState == "connected":
                    up.set()
                elif connection.connectionState in ("failed", "closed"):
                    down.set()

            connection.on("connectionstatechange", changed)
            try:
                if await self._agree(connection) and await _first_of(up, down, ANSWER_S) is up:
                    self._say("connected")
                    await down.wait()
                    self._say("media lost")
            finally:
                # The one who stops this task waits for it, so the connection is closed even then.
                await connection.close()
            await asyncio.sleep(random.uniform(*RETRY_S))

    async def _agree(self, connection: RTCPeerConnection) -> bool:
        """Offers until there is an answer; False when a new connection is needed."""
        await connection.setLocalDescription(await connection.createOffer())
        while True:
            offer = Offer(secrets.token_hex(8), connection.localDescription.sdp)
            future: asyncio.Future[Answer | OfferRefused | None] = asyncio.get_running_loop().create_future()
            self._offered = (offer.offer_id, future)
            try:
                await self._signalling.send(offer)
                answer = await asyncio.wait_for(future, ANSWER_S)
            except (SignallingLost, TimeoutError):
                return False
            finally:
                self._offered = None
            match answer:
                case Answer():
                    try:
                        await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
                    except (ValueError, InvalidStateError, InvalidAccessError) as error:
                        self._say("refused", reason=f"the answer can't be used: {error}")
                        return False
                    return True
                case OfferRefused(retry=True):
                    await asyncio.sleep(random.uniform(*RETRY_S))
                case OfferRefused():
                    self._say("refused", reason=answer.reason)
                    await asyncio.sleep(ANSWER_S)
                    return False
                case None:
                    return False

    def _connection(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(CONFIGURATION)
        self.performance.new_connection()
        for slot in range(self._slots):
            for kind in ("audio", "video"):
                # The first pair carries both ways; the others are places for more devices.
                what = kind if slot else Track(self.performance, kind)
                transceiver = add_section(connection, what, "recvonly" if slot else "sendrecv")
                if kind == "video" and not slot:
                    aiortc_internals.answer_key_frame_requests(transceiver.sender, self.performance.ask_for_key_frame)
                    aiortc_internals.hear_bandwidth(transceiver.sender, self._may_send)
                self._receive(kind, transceiver)
        return connection

    def _receive(self, kind: str, transceiver: RTCRtpTransceiver) -> None:
        slot = _Slot(self, kind, transceiver, self._decoding)
        aiortc_internals.receive_encoded(transceiver.receiver, slot.packet, slot.frame)

    def of_leg(self, leg: str) -> Received:
        if leg not in self.of_legs:
            self.of_legs[leg] = Received(self.received)
        return self.of_legs[leg]


class _Slot:
    """What comes in one slot; the answer's msid says of which leg it is, before the first packet can come."""

    def __init__(self, peer: Peer, kind: str, transceiver: RTCRtpTransceiver, decoding: Decoding | None) -> None:
        self._peer, self._kind, self._transceiver, self._decoding = peer, kind, transceiver, decoding
        self._received: Received | None = None
        self._decoder: Decoder | None = None

    def packet(self, payload: bytes) -> None:
        if self._received is None:
            leg, _, kind = self._transceiver.receiver.track.id.rpartition("-")
            self._received = self._peer.of_leg(leg if kind == self._kind else NOBODY)
        self._received.packet(self._kind, payload)

    def frame(self, encoded: bytes) -> None:
        assert self._received is not None  # a frame is made of packets
        if self._decoding is None:
            return
        if self._decoder is None:
            ask = partial(aiortc_internals.ask_for_key_frame, self._transceiver.receiver)
            self._decoder = Decoder(self._kind, self._received, ask)
        self._decoding.put(self._decoder, encoded)


def add_section(connection: RTCPeerConnection, what: Track | str, direction: str) -> RTCRtpTransceiver:
    """A sound or a picture of the connection, in the clips' codecs. `what`: what is sent in it, or its kind."""
    transceiver = connection.addTransceiver(what, direction)
    assert isinstance(transceiver, RTCRtpTransceiver)
    known = RTCRtpSender.getCapabilities(transceiver.kind).codecs
    transceiver.setCodecPreferences([codec for codec in known if codec.mimeType in CODECS[transceiver.kind]])
    return transceiver


async def _first_of(one: asyncio.Event, other: asyncio.Event, seconds: float) -> asyncio.Event | None:
    """The event that is set first; None when neither is after `seconds`."""
    waits = {asyncio.create_task(one.wait()): one, asyncio.create_task(other.wait()): other}
    try:
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return waits[done.pop()] if done else None
    finally:
        for wait in waits:
            wait.cancel()
