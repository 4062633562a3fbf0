"""Clients of Janus' video room that play the same clip as the demo's callers: each publishes once and subscribes to all
the others of its room, in a second connection, as Janus wants it.

    python -m benchmarks.peers_of_others.janus_clients --url ws://… --legs 2 --clip FILE --recordings FOLDER

On stdout, a JSON line each: "all connected"; at {"do": "report"} on stdin "report" with each leg's received packets.
It ends with stdin.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
from functools import partial
from pathlib import Path
from typing import Any

import websockets
from aiortc import RTCPeerConnection, RTCSessionDescription

from demo.peers import aiortc_internals, clip
from demo.peers.json_lines import read_commands, say
from demo.peers.peer import CODECS, CONFIGURATION, add_section
from demo.peers.playing import Performance, Track
from demo.peers.prepared_sound import prepared_sound
from demo.peers.receiving import Received

ROOM = 1234
KEEP_ALIVE_S = 25.0
ANSWER_S = 10.0


class Session:
    """One websocket with its session: requests, their answers, and the events of its handles."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._id = socket, 0
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._up: dict[int, asyncio.Event] = {}

    async def up(self, handle: int) -> None:
        """Returns when Janus says that this handle's connection is there."""
        await self._up.setdefault(handle, asyncio.Event()).wait()

    async def open(self) -> None:
        self._reader = asyncio.create_task(self._read())
        self._id = (await self.ask({"janus": "create"}, final=("success",)))["data"]["id"]
        self._keeper = asyncio.create_task(self._keep_alive())

    async def attach(self) -> int:
        answer = await self.ask({"janus": "attach", "plugin": "janus.plugin.videoroom"}, final=("success",))
        return answer["data"]["id"]

    async def say(self, handle: int, body: dict[str, Any], jsep: dict[str, Any] | None = None) -> dict[str, Any]:
        """A message to the plugin, and the event or the answer that came of it."""
        message: dict[str, Any] = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            message["jsep"] = jsep
        answer = await self.ask(message, final=("event", "success"))
        said = answer.get("plugindata", {}).get("data", {})
        if "error" in said:
            raise RuntimeError(f"Janus: {said['error']}")
        return answer

    async def ask(self, message: dict[str, Any], final: tuple[str, ...]) -> dict[str, Any]:
        transaction = secrets.token_hex(8)
        future = self._answers[transaction] = asyncio.get_running_loop().create_future()
        whole = {**message, "transaction": transaction}
        if self._id:
            whole["session_id"] = self._id
        await self._socket.send(json.dumps(whole))
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    answer = await future
                    if answer["janus"] in final:
                        return answer
                    if answer["janus"] == "error":
                        raise RuntimeError(f"Janus: {answer['error']['reason']}")
                    future = self._answers[transaction] = asyncio.get_running_loop().create_future()
        finally:
            self._answers.pop(transaction, None)

    async def _read(self) -> None:
        async for frame in self._socket:
            answer = json.loads(frame)
            if answer["janus"] == "webrtcup":
                self._up.setdefault(answer["sender"], asyncio.Event()).set()
            future = self._answers.get(answer.get("transaction", ""))
            if future is not None and not future.done() and answer["janus"] != "ack":
                future.set_result(answer)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            await self._socket.send(
                json.dumps({"janus": "keepalive", "session_id": self._id, "transaction": secrets.token_hex(8)})
            )


class Client:
    """One leg of the room."""

    def __init__(self, number: int, session: Session, performance: Performance) -> None:
        self.number, self.received = number, Received()
        self.feed = 0
        self._session, self._performance = session, performance
        self._out, self._in = RTCPeerConnection(CONFIGURATION), RTCPeerConnection(CONFIGURATION)

    async def publish(self) -> None:
        handle = await self._session.attach()
        joined = await self._session.say(
            handle, {"request": "join", "ptype": "publisher", "room": ROOM, "display": f"leg {self.number}"}
        )
        self.feed = joined["plugindata"]["data"]["id"]
        for kind in CODECS:
            transceiver = add_section(self._out, Track(self._performance, kind), "sendonly")
            if kind == "video":
                aiortc_internals.answer_key_frame_requests(transceiver.sender, self._performance.ask_for_key_frame)
        await self._out.setLocalDescription(await self._out.createOffer())
        offer = {"type": "offer", "sdp": self._out.localDescription.sdp}
        answer = await self._session.say(handle, {"request": "publish"}, offer)
        await self._out.setRemoteDescription(RTCSessionDescription(answer["jsep"]["sdp"], "answer"))
        async with asyncio.timeout(ANSWER_S):  # Janus has no such feed before
            await self._session.up(handle)

    async def subscribe(self, feeds: list[int]) -> None:
        handle = await self._session.attach()
        offer = await self._session.say(
            handle,
            {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed} for feed in feeds]},
        )
        await self._in.setRemoteDescription(RTCSessionDescription(offer["jsep"]["sdp"], "offer"))
        for transceiver in self._in.getTransceivers():
            counted = partial(self.received.packet, transceiver.kind)
            aiortc_internals.receive_encoded(transceiver.receiver, counted, lambda frame: None)
        await self._in.setLocalDescription(await self._in.createAnswer())
        answer = {"type": "answer", "sdp": self._in.localDescription.sdp}
        await self._session.say(handle, {"request": "start"}, answer)

    async def receives_all(self, sources: int) -> None:
        """Returns when packets of every kind come steadily from the others."""
        while min(self.received.packets.values()) < 20 * sources:  # noqa: ASYNC110, no event tells it
            await asyncio.sleep(0.05)


async def run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    film, prepared = clip.read(arguments.clip), prepared_sound()
    async with websockets.connect(
        arguments.url, subprotocols=[websockets.Subprotocol("janus-protocol")], compression=None, max_size=None
    ) as socket:
        session = Session(socket)
        await session.open()
        await session.say(
            await session.attach(),
            {
                "request": "create", "room": ROOM, "publishers": arguments.legs, "bitrate": 2_000_000,
                "audiocodec": "opus", "videocodec": "vp8", "record": True, "rec_dir": str(arguments.recordings),
                "audiolevel_ext": False, "videoorient_ext": False, "playoutdelay_ext": False,
            },
        )  # fmt: skip
        clients = [
            Client(number, session, Performance(film, prepared, 1.7 * number, lambda number, at: None))
            for number in range(arguments.legs)
        ]
        for client in clients:
            await client.publish()
        for client in clients:
            await client.subscribe([other.feed for other in clients if other is not client])
        async with asyncio.timeout(30):
            await asyncio.gather(*(client.receives_all(len(clients) - 1) for client in clients))
        say("all connected")

        def take(line: bytes) -> None:
            if json.loads(line)["do"] == "report":
                say("report", received=[client.received.packets for client in clients])

        read_commands(take, stop.set)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Clients of Janus' video room.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--legs", type=int, required=True)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True)
    asyncio.run(run(parser.parse_args()))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
