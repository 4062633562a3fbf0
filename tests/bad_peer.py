"""A family device that keeps to no rule: aiortc with raw access to what it sends, on a call of tests.legs_rig."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.rtp import RtpPacket

from demo.peers.peer import CONFIGURATION
from laptop.media.aiortc_internals.inlet import CLAIMED_LEVEL
from laptop.media.rtp import build
from schemas.laptop import LegAnswer, LegRefused
from tests.legs_rig import OneCall, eventually

CODECS = {"audio": "audio/opus", "video": "video/VP8"}


class BadPeer:
    """`offer` and, when it was answered, send whatever you like by `rtp` and `rtcp`."""

    def __init__(self, rig: OneCall, leg: str, kinds: tuple[str, ...] = ("audio", "video"), codec: str = "") -> None:
        self._rig, self.leg = rig, leg
        self.connection = RTCPeerConnection(CONFIGURATION)
        for kind in kinds:
            transceiver = self.connection.addTransceiver(kind, "sendrecv")
            wanted = (codec or CODECS[kind]) if kind == "video" else CODECS[kind]
            known = RTCRtpSender.getCapabilities(kind).codecs
            transceiver.setCodecPreferences([one for one in known if one.mimeType in (wanted, f"{kind}/rtx")])
        self._sequence = {kind: 1000 for kind in CODECS}

    async def offer(self, change: Callable[[str], str] = lambda sdp: sdp) -> LegAnswer | LegRefused:
        """What the agent says to it."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer_id = secrets.token_hex(4)
        await self._rig.call.offer(self.leg, offer_id, change(self.connection.localDescription.sdp))
        said = [m for m in self._rig.sent if isinstance(m, LegAnswer | LegRefused) and m.offer_id == offer_id]
        return said[-1]

    async def connect(self) -> None:
        answer = await self.offer()
        assert isinstance(answer, LegAnswer), answer.reason
        await self.connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        await eventually(lambda: self.connection.connectionState == "connected", "the bad peer is connected")

    @property
    def transport(self) -> Any:
        return self.connection.getTransceivers()[0].sender.transport

    def payload_type(self, kind: str) -> int:
        transceiver = next(t for t in self.connection.getTransceivers() if t.kind == kind)
        return transceiver._codecs[0].payloadType

    def ssrc(self, kind: str) -> int:
        return next(t for t in self.connection.getTransceivers() if t.kind == kind).sender._ssrc

    def packet(self, kind: str, payload: bytes, timestamp: int, marker: bool = True, ssrc: int = 0) -> bytes:
        """The next one of its row."""
        self._sequence[kind] = (self._sequence[kind] + 1) & 0xFFFF
        return RtpPacket(
            payload_type=self.payload_type(kind),
            marker=int(marker),
            sequence_number=self._sequence[kind],
            timestamp=timestamp & 0xFFFFFFFF,
            ssrc=ssrc or self.ssrc(kind),
            payload=payload,
        ).serialize()

    async def sounds(self, frames: list[bytes], claimed_dbov: int, seconds: float) -> None:
        """Opus in real time, each packet with this level in its header (RFC 6464), whatever it sounds like."""
        audio = next(t for t in self.connection.getTransceivers() if t.kind == "audio")
        level = next(one.id for one in audio._headerExtensions if one.uri == CLAIMED_LEVEL)
        extension = bytes((0xBE, 0xDE, 0, 1, level << 4, claimed_dbov, 0, 0))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(round(seconds * 50)):
            await asyncio.sleep(max(0.0, began + number * 0.02 - loop.time()))
            self._sequence["audio"] = (self._sequence["audio"] + 1) & 0xFFFF
            about = self.payload_type("audio"), False, self._sequence["audio"], number * 960, self.ssrc("audio")
            await self.send(build(*about, extension, frames[number % len(frames)]))

    async def send(self, data: bytes) -> None:
        """Encrypted as it must be, whatever it says; RTCP by its second byte."""
        await self.transport._send_rtp(data)

    def send_plain(self, data: bytes) -> None:
        """To the agent's port as it is, from a port of its own: as any stranger can."""
        pair = self.transport.transport._connection._nominated[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(data, pair.remote_addr)

    async def close(self) -> None:
        await self.connection.close()


async def pictures(peer: BadPeer, frames: list[bytes], per_s: float, seconds: float) -> None:
    """VP8 frames in packets of at most 1,100 bytes, as fast as asked for, while the connection stands."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    number = 0
    while (now := loop.time()) - began < seconds:
        if number > (now - began) * per_s:
            await asyncio.sleep(0.005)
            continue
        frame = frames[number % len(frames)]
        parts = [frame[at : at + 1100] for at in range(0, len(frame), 1100)]
        for n, part in enumerate(parts):
            descriptor = b"\x10" if n == 0 else b"\x00"
            last = n == len(parts) - 1
            try:
                await peer.send(peer.packet("video", descriptor + part, round((now - began) * 90_000), last))
            except ConnectionError:  # it was put out
                return
        number += 1
