"""The usual way with aiortc: MediaRelay between room and family (decodes and encodes), MediaRecorder for each leg.

It speaks the server's /peer messages, so the demo's callers are its clients; there is no officer, lease or audit.

    python -m benchmarks.peers_of_others.aiortc_relay --plan plan.json --port 8500 --seconds 30 --recordings FOLDER

Without `--recordings` it only relays. MediaRelay hands the same frame to recorder and sender, and each sets its pts
while it encodes: now and then the sender's encoder refuses a frame and the picture of that side ends. Who waits for
a picture, and needs no file, leaves the recorder out.

On stdout, a JSON line each (`at` and `loud_at` CLOCK_MONOTONIC, s): listening, leg, all connected, loud (the sound of
a leg went from below QUIET_DBFS to above LOUD_DBFS), closed, recording failed, report.
On stdin: {"do": "close", "call": "BWI-01"}, {"do": "stop"}.
`--seconds` counts from when all legs are connected; 0: until stop or the end of stdin.
"""

import argparse
import asyncio
import json
import math
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import aioice.ice
import numpy as np
import websockets
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRecorder, MediaRelay
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.error import FFmpegError
from websockets.asyncio.server import ServerConnection, serve

from demo.peers.json_lines import read_commands, say
from demo.peers.peer import CONFIGURATION
from schemas.call import CallState
from schemas.peer import Answer, CallNotice, Offer, PeerHello, PeerWelcome, from_peer
from schemas.wire import MAX_FRAME_BYTES, PROTOCOL_VERSION, CloseCode, Link, WireError, encode

QUIET_DBFS, LOUD_DBFS = -40.0, -16.0
"""As the demo's watcher of Sightline's meters has them."""


def cpu_s() -> float:
    """User and system time of this process, all its threads, s."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Leg:
    """One client's connection, its recording and the measuring of its sound."""

    def __init__(self, name: str, file: Path | None) -> None:
        self.name, self.file = name, file
        self.call, _, self.side = name.partition("/")
        self.connection = RTCPeerConnection(CONFIGURATION)
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.connected = asyncio.Event()
        self._recorder = MediaRecorder(str(file)) if file is not None else None
        self._recording = False
        self._measuring: asyncio.Task[None] | None = None
        self.connection.on("track", self._take)
        self.connection.on("connectionstatechange", self._changed)

    def _take(self, track: MediaStreamTrack) -> None:
        self.tracks[track.kind] = track

    def _changed(self) -> None:
        if self.connection.connectionState == "connected":
            self.connected.set()
            say("leg", leg=self.name)

    async def answer(self, sdp: str) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in self.connection.getTransceivers():
            transceiver.direction = "sendrecv"
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription.sdp

    async def record_and_measure(self, relay: MediaRelay) -> None:
        if self._recorder is not None:
            for track in self.tracks.values():
                self._recorder.addTrack(relay.subscribe(track))
            await self._recorder.start()
            self._recording = True
        self._measuring = asyncio.create_task(self._measure(relay.subscribe(self.tracks["audio"])))

    def send(self, relay: MediaRelay, other: "Leg") -> None:
        for sender in self.connection.getSenders():
            sender.replaceTrack(relay.subscribe(other.tracks[sender.kind]))

    async def _measure(self, sound: MediaStreamTrack) -> None:
        was_quiet = False
        while True:
            try:
                frame = await sound.recv()
            except MediaStreamError:
                return
            level = _level_dbfs(frame)
            if level <= QUIET_DBFS:
                was_quiet = True
            elif level >= LOUD_DBFS and was_quiet:
                was_quiet = False
                say("loud", leg=self.name, loud_at=time.monotonic())

    async def close(self) -> None:
        await self.connection.close()
        if self._measuring is not None:
            self._measuring.cancel()
        if self._recorder is not None and self._recording:
            self._recording = False
            try:
                await self._recorder.stop()
            except FFmpegError as error:
                say("recording failed", leg=self.name, words=str(error))


class Relay:
    def __init__(self, names: dict[str, str], recordings: Path | None) -> None:
        self.legs: dict[str, Leg] = {}
        self.all_connected = asyncio.Event()
        self.stop = asyncio.Event()
        self._names, self._recordings = names, recordings
        self._relay = MediaRelay()
        self._connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve_peer(self, socket: ServerConnection) -> None:
        try:
            await self._converse(socket)
        except WireError as error:
            await socket.close(error.code, error.reason)
        except websockets.ConnectionClosed:
            pass

    async def _converse(self, socket: ServerConnection) -> None:
        hello = from_peer.decode(await socket.recv())
        name = self._names.get(hello.token) if isinstance(hello, PeerHello) else None
        if name is None:
            await socket.close(CloseCode.NOT_RECOGNISED, "this token is not in the plan")
            return
        call = name.partition("/")[0]
        leg_name = "room" if name.endswith("/room") else "family-1"
        await socket.send(encode(PeerWelcome(PROTOCOL_VERSION, call, leg_name, "This call is recorded.")))
        notice = CallNotice(CallState.LIVE, "live", time.time_ns() // 10**6, 0)
        await socket.send(encode(notice))
        async for frame in socket:
            message = from_peer.decode(frame)
            if isinstance(message, Offer):
                await self._answer(name, socket, message)

    async def _answer(self, name: str, socket: ServerConnection, offer: Offer) -> None:
        self._connections += 1
        file = self._recordings and self._recordings / f"{name.replace('/', '-')}-{self._connections}.mp4"
        leg = Leg(name, file)
        before, self.legs[name] = self.legs.get(name), leg
        if before is not None:
            await before.close()
        try:
            answer = await leg.answer(offer.sdp)
        except InvalidStateError:
            return  # closed while it was being made
        await socket.send(encode(Answer(offer.offer_id, answer)))
        self.start(self._join(leg))

    async def _join(self, leg: Leg) -> None:
        """Media flow as soon as both sides are there."""
        await leg.connected.wait()
        await leg.record_and_measure(self._relay)
        other = self.legs.get(f"{leg.call}/{'family' if leg.side == 'room' else 'room'}")
        if other is not None and other.connected.is_set():
            leg.send(self._relay, other)
            other.send(self._relay, leg)
        if len(self.legs) == len(self._names) and all(each.connected.is_set() for each in self.legs.values()):
            self.all_connected.set()
            say("all connected")

    def start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            sys.stderr.write("".join(traceback.format_exception(error)))
            self.stop.set()

    def command(self, line: bytes) -> None:
        command = json.loads(line)
        if command["do"] == "close":
            self.start(self._close(command["call"]))
        elif command["do"] == "stop":
            self.stop.set()

    async def _close(self, call: str) -> None:
        # The connections first: that is what stops the media, and what is compared. Clients will offer again.
        legs = [self.legs.pop(name) for name in list(self.legs) if self.legs[name].call == call]
        await asyncio.gather(*(leg.connection.close() for leg in legs))
        say("closed", call=call)
        await asyncio.gather(*(leg.close() for leg in legs))

    async def close(self) -> None:
        await asyncio.gather(*(leg.close() for leg in self.legs.values()))


def _level_dbfs(frame: Any) -> float:
    samples = frame.to_ndarray().reshape(-1).astype(np.float32) / 32768
    return 10 * math.log10(max(float(np.dot(samples, samples)) / len(samples), 1e-12))


async def run(arguments: argparse.Namespace) -> None:
    plan = json.loads(arguments.plan.read_bytes())
    relay = Relay({part["token"]: part["name"] for part in plan}, arguments.recordings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, relay.stop.set)
    read_commands(relay.command, relay.stop.set)
    limit = MAX_FRAME_BYTES[Link.PEER]
    async with serve(relay.serve_peer, "127.0.0.1", arguments.port, max_size=limit, compression=None) as server:
        say("listening", port=next(iter(server.sockets)).getsockname()[1])
        relay.start(_window(relay, arguments.seconds))
        await relay.stop.wait()
        await relay.close()


async def _window(relay: Relay, seconds: float) -> None:
    """The processor's time over `seconds` with every leg connected, and then the end."""
    await relay.all_connected.wait()
    if not seconds:
        return
    cpu, began = cpu_s(), time.monotonic()
    await asyncio.sleep(seconds)
    took, used = time.monotonic() - began, cpu_s() - cpu
    files = sorted(str(leg.file) for leg in relay.legs.values() if leg.file is not None)
    say("report", legs=len(relay.legs), seconds=round(took, 2), cpu_s=round(used, 2), recordings=files)
    relay.stop.set()


def main() -> None:
    parser = argparse.ArgumentParser(description="aiortc's own way to relay and record the demo's calls.")
    parser.add_argument("--plan", required=True, type=Path, help="the callers' plan")
    parser.add_argument("--port", type=int, default=0, help="0: a free one, told in `listening`")
    parser.add_argument("--seconds", type=float, default=0.0, help="0: until stopped")
    parser.add_argument("--recordings", type=Path, help="folder for the recordings; without it, none")
    arguments = parser.parse_args()
    # aioice leaves 127.0.0.1 out by itself.
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    asyncio.run(run(arguments))
    sys.stdout.flush()
    os._exit(0)  # encoder threads of the default executor would hold the exit


if __name__ == "__main__":
    main()
