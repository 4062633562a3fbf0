"""Several calls in one agent without a server: it admits whoever comes, gives itself leases, and wants two pictures a
second of each call.

    python -m benchmarks.one_agent.agent --calls 8 --devices 1 --recordings FOLDER --recipient age1…

Clients speak the server's /peer messages; their token is CALL/LEG. On stdout, JSON lines: listening, and an answer to
each command on stdin: {"do": "report", "since": s} (CLOCK_MONOTONIC), {"do": "orders", "count": n}.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.one_agent.signalling import Signalling
from demo.figures import percentile
from demo.peers.json_lines import read_commands, say
from laptop.boottime import boottime
from laptop.media.aiortc_internals.addresses import use_interfaces
from laptop.media.aiortc_internals.check import check_version
from laptop.media.aiortc_internals.pipe import Pipe, take_rtp_past_stun
from laptop.media.call import Call
from laptop.media.part_file import Sealing
from laptop.rules.server_clock import ServerClock
from schemas.laptop import Order, OrderAct
from schemas.media import Box, Levels, Side
from schemas.peer import PeerHello, from_peer

BOXES = [Box(Side.FAMILY, 32, 14), Box(Side.ROOM, 15, 8)]
LOOK_S = 0.01
AFTER_S = 0.1
"""How long after an order a packet that were still sent would be seen."""
BETWEEN_S = 0.25


class OneCall:
    def __init__(self, call_id: str, devices: int, folder: Path, sealing: Sealing) -> None:
        self.call_id = call_id
        self.signalling = Signalling(call_id, devices, lambda *offer: self.call.offer(*offer))
        self.levels: list[float] = []
        """When each was told."""
        self._orders = 0
        self.call = Call(
            call_id, 1, ends_in_s=3600, expected_s=1, grace_s=60, laptop_id=call_id, folder=folder, sealing=sealing,
            clock=ServerClock(), send=self._take, on_closed=lambda _: None, on_recorded=lambda _: None,
        )  # fmt: skip
        self.call.want_pictures(BOXES)

    def _take(self, message: Any) -> None:
        if isinstance(message, Levels):
            self.levels.append(time.monotonic())
        self.signalling.pass_on(message)

    def order(self, act: OrderAct, leg: str = "") -> None:
        self._orders += 1
        self.call.obey(Order(f"{self.call_id}-{self._orders}", self.call_id, 1, act, leg))

    def look(self) -> None:
        """A lease each second, and whoever waits is let in."""
        self.call.leased(boottime(), 5.0)
        for name, leg in self.call.legs.items():
            if name != "room" and leg.connected and name not in self.call.admitted:
                self.order(OrderAct.ADMIT, name)


class Agent:
    def __init__(self, calls: list[OneCall]) -> None:
        self.calls = {one.call_id: one for one in calls}
        self.late: list[float] = []
        self.sent_at: dict[int, float] = {}
        """Pipe -> when it sent its newest packet."""
        self._watch_sending()

    def _watch_sending(self) -> None:
        send, sent_at = Pipe.send, self.sent_at

        def stamped(self: Pipe, packet: bytes) -> None:
            send(self, packet)
            sent_at[id(self)] = time.monotonic()

        Pipe.send = stamped

    async def serve(self, socket: ServerConnection) -> None:
        hello = from_peer.decode(await socket.recv())
        assert isinstance(hello, PeerHello)
        call_id, _, leg = hello.token.partition("/")
        with contextlib.suppress(ConnectionClosed):
            await self.calls[call_id].signalling.converse(leg, hello.protocol, socket)

    async def look(self) -> None:
        while True:
            for one in self.calls.values():
                one.look()
            await asyncio.sleep(0.5)

    async def be_late(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            asked = loop.time()
            await asyncio.sleep(LOOK_S)
            self.late.append(loop.time() - asked - LOOK_S)

    def report(self, since: float) -> None:
        """Of what has been since then."""
        now = time.monotonic()
        hertz = [sum(at >= since for at in one.levels) / (now - since) for one in self.calls.values()]
        late = self.late or [0.0]
        say("report", levels_hz=hertz, lag_p99_ms=percentile(late, 0.99) * 1000)
        self.late.clear()

    async def orders(self, count: int) -> None:
        """Pauses the calls in turn; from the order's arrival in this process to the last packet of its call."""
        took: list[float] = []
        calls = list(self.calls.values())
        loop = asyncio.get_running_loop()
        for n in range(count):
            one = calls[n % len(calls)]
            done = asyncio.Event()
            given_at = 0.0

            def obey(one: OneCall = one, done: asyncio.Event = done) -> None:
                one.order(OrderAct.PAUSE)
                done.set()

            def arrive(obey: Any = obey) -> None:  # in another thread, as from a network's
                nonlocal given_at
                given_at = time.monotonic()
                loop.call_soon_threadsafe(obey)

            await asyncio.to_thread(arrive)
            await done.wait()
            await asyncio.sleep(AFTER_S)
            # KeyError for a leg that was never sent a packet: then nothing was measured.
            last = max(self.sent_at[id(leg._pipe)] for leg in one.call.legs.values())
            took.append(max(0.0, last - given_at) * 1000)
            one.order(OrderAct.RESUME)
            await asyncio.sleep(BETWEEN_S)
        say("orders", took_ms=took)


async def run(arguments: argparse.Namespace) -> None:
    sealing = Sealing("BENCH-01", arguments.recipient, Ed25519PrivateKey.generate())
    calls = [OneCall(f"C{n}", arguments.devices, arguments.recordings, sealing) for n in range(arguments.calls)]
    agent = Agent(calls)
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(agent.look()), asyncio.ensure_future(agent.be_late())]
    async with serve(agent.serve, "127.0.0.1", 0) as server:
        say("listening", port=next(iter(server.sockets)).getsockname()[1])

        def take(line: bytes) -> None:
            command = json.loads(line)
            if command["do"] == "report":
                agent.report(command["since"])
            elif command["do"] == "orders":
                tasks.append(asyncio.ensure_future(agent.orders(command["count"])))

        read_commands(take, stop.set)
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(one.call.close("the benchmark is over") for one in calls))


def main() -> None:
    parser = argparse.ArgumentParser(description="Several calls in one agent, for the media benchmark.")
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--recipient", required=True)
    arguments = parser.parse_args()
    check_version()
    take_rtp_past_stun()
    use_interfaces("127.0.0.1", "127.0.0.1")
    uvloop.run(run(arguments))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
