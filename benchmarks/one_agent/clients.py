"""Two legs for each call, that log when each packet was sent and came: through an agent, or connected directly.

    python -m benchmarks.one_agent.clients --server ws://… --calls 8 --clips steady.webm pair.webm
    python -m benchmarks.one_agent.clients --direct --clips steady.webm pair.webm

The two legs of a call play different clips, so that each packet is known by its bytes. On stdout, JSON lines: "flowing"
when every leg gets sound and pictures; for {"do": "delays"} on stdin the delays since the command before, ms; for
{"do": "sent"} when each frame was sent: {leg: {kind: [[at, checksum], …]}}.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
import time
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
import websockets
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RtpPacket, is_rtcp

from demo.peers import aiortc_internals, clip
from demo.peers.json_lines import read_commands, say
from demo.peers.peer import CODECS, CONFIGURATION, add_section
from demo.peers.playing import Performance, Track
from demo.peers.prepared_sound import prepared_sound
from schemas.peer import Answer, Offer, PeerHello, to_peer
from schemas.wire import PROTOCOL_VERSION, encode

FLOWING = 50
LOOK_S = 0.02


class Log:
    """What went out and came in, of all legs of this process."""

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        self.delays_ms: list[float] = []
        send = RTCDtlsTransport._send_rtp

        log = self.sent

        async def stamped(self: RTCDtlsTransport, data: bytes) -> None:
            if not is_rtcp(data):
                log[zlib.crc32(RtpPacket.parse(data).payload)] = time.monotonic()
            await send(self, data)

        RTCDtlsTransport._send_rtp = stamped

    def came(self, payload: bytes) -> None:
        sent_at = self.sent.get(zlib.crc32(payload))
        if sent_at is not None:
            self.delays_ms.append((time.monotonic() - sent_at) * 1000)


class Logged(Performance):
    """Knows when it gave each frame away."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.given: dict[str, list[tuple[float, int]]] = {kind: [] for kind in CODECS}

    def sound(self, tick: int) -> bytes:
        return self._note("audio", super().sound(tick))

    def picture(self, tick: int) -> bytes:
        return self._note("video", super().picture(tick))

    def _note(self, kind: str, frame: bytes) -> bytes:
        self.given[kind].append((time.monotonic(), zlib.crc32(frame)))
        return frame


class Leg:
    def __init__(self, name: str, log: Log, performance: Logged) -> None:
        self.name, self.performance = name, performance
        self.came = {"audio": 0, "video": 0}
        self.connection = RTCPeerConnection(CONFIGURATION)
        self._log = log

    def prepare(self) -> None:
        for kind in CODECS:
            transceiver = add_section(self.connection, Track(self.performance, kind), "sendrecv")
            if kind == "video":
                aiortc_internals.answer_key_frame_requests(transceiver.sender, self.performance.ask_for_key_frame)
            aiortc_internals.receive_encoded(transceiver.receiver, partial(self._count, kind), lambda frame: None)

    def _count(self, kind: str, payload: bytes) -> None:
        self.came[kind] += 1
        self._log.came(payload)

    async def connect(self, server: str) -> None:
        self.prepare()
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self._socket = await websockets.connect(f"{server}/peer", compression=None)
        await self._socket.send(encode(PeerHello(PROTOCOL_VERSION, self.name)))
        await self._socket.send(encode(Offer(secrets.token_hex(8), self.connection.localDescription.sdp)))
        while not isinstance(answer := to_peer.decode(await self._socket.recv()), Answer):
            pass
        await self.connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))

    async def call(self, other: "Leg") -> None:
        self.prepare()
        other.prepare()
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp
        await other.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await other.connection.setLocalDescription(await other.connection.createAnswer())
        answer = other.connection.localDescription.sdp
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))


async def run(arguments: argparse.Namespace) -> None:
    log, prepared = Log(), prepared_sound()
    films = [clip.read(Path(name)) for name in arguments.clips]
    legs: list[Leg] = []
    for n in range(arguments.calls):
        for film, leg in zip(films, ("room", "family-1"), strict=True):
            performance = Logged(film, prepared, 1.3 * n, lambda number, at: None)
            legs.append(Leg(f"C{n}/{leg}", log, performance))
    if arguments.direct:
        await legs[0].call(legs[1])
    else:
        for leg in legs:
            await leg.connect(arguments.server)
    while not all(min(leg.came.values()) >= FLOWING for leg in legs):  # noqa: ASYNC110, no event tells it
        await asyncio.sleep(LOOK_S)
    say("flowing")
    log.delays_ms.clear()

    def take(line: bytes) -> None:
        match json.loads(line)["do"]:
            case "delays":
                say("delays", ms=log.delays_ms)
                log.delays_ms.clear()
            case "sent":
                say("sent", legs={leg.name: leg.performance.given for leg in legs})

    stop = asyncio.Event()
    read_commands(take, stop.set)
    await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Clients that log, for the media benchmark.")
    parser.add_argument("--server", default="")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--clips", nargs=2, required=True)
    arguments = parser.parse_args()
    aiortc_internals.use_interface("127.0.0.1")
    uvloop.run(run(arguments))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
