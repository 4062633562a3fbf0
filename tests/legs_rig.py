"""An agent's call in the test's own process, its legs real: the demo's clients in processes of their own, and between
them a signalling server that does as the server's does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from benchmarks.one_agent.signalling import Signalling
from benchmarks.peers_of_others.run import Program
from laptop.boottime import boottime
from laptop.media.aiortc_internals.addresses import use_interfaces
from laptop.media.aiortc_internals.pipe import take_rtp_past_stun
from laptop.media.call import Call
from laptop.rules.server_clock import ServerClock
from schemas.laptop import Order, OrderAct, OrderAnswer
from schemas.peer import PeerHello, from_peer
from tests.sealed import SEALING

WITHIN_S = 20.0
LEASE_S = 5.0


async def eventually(condition: Callable[[], Any], what: str, seconds: float = WITHIN_S) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.01)
    return found


class OneCall:
    """A call with so many family devices. `sent` is all that the agent has said; tokens are the legs' names."""

    def __init__(self, folder: Path, devices: int, grace_s: float) -> None:
        self.legs = ["room", *(f"family-{n}" for n in range(1, devices + 1))]
        self.folder, self.sent, self.offers = folder, [], dict.fromkeys(self.legs, 0)
        self.closed = asyncio.Event()
        self.port = 0
        self._signalling = Signalling("BWI-1", devices, self._offer)
        self._programs: list[Program] = []
        self._orders = 0
        self.call = Call(
            "BWI-1", 1, ends_in_s=600, expected_s=1, grace_s=grace_s, laptop_id="BWI-01", folder=folder / "recordings",
            clock=ServerClock(), send=self._say, on_closed=lambda _: self.closed.set(), sealing=SEALING,
            on_recorded=lambda _: None,
        )  # fmt: skip

    def start(self, *legs: str) -> Program:
        """A process with these legs' clients."""
        plan = [{"name": leg, "token": leg, "clip": "steady.webm", "offset_s": 3.0 * n} for n, leg in enumerate(legs)]
        file = self.folder / f"plan-{len(self._programs)}.json"
        file.write_text(json.dumps(plan))
        server = f"ws://127.0.0.1:{self.port}"
        self._programs.append(Program("demo.peers.process", "--server", server, "--plan", str(file), "--no-decode"))
        return self._programs[-1]

    async def connected(self, *legs: str) -> None:
        await eventually(lambda: all(self._is_there(leg) for leg in legs), f"{legs} are connected")

    def _is_there(self, name: str) -> bool:
        leg = self.call.legs.get(name)
        return leg is not None and leg.connected

    def order(self, act: OrderAct, **fields: Any) -> tuple[OrderAnswer, float]:
        """(the agent's answer, when the order was carried out: CLOCK_MONOTONIC, s)."""
        self._orders += 1
        self.call.obey(Order(f"order-{self._orders}", "BWI-1", 1, act, **fields))
        done_at = time.monotonic()
        answer = self.of_kind(OrderAnswer)[-1]
        assert answer.order_id == f"order-{self._orders}"
        return answer, done_at

    def admit(self, *legs: str) -> None:
        for leg in legs:
            answer, _ = self.order(OrderAct.ADMIT, leg=leg)
            assert answer.done, answer.reason

    def of_kind(self, kind: type) -> list[Any]:
        return [message for message in self.sent if isinstance(message, kind)]

    async def report(self, program: Program) -> dict[str, Any]:
        """What each of a process's clients has received, by leg."""
        event = await asyncio.to_thread(program.ask, "report", 10, "no report", do="report")
        return event["peers"]

    async def until(self, program: Program, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first report that is so."""
        deadline = time.monotonic() + WITHIN_S
        while not condition(peers := await self.report(program)):
            assert time.monotonic() < deadline, f"{what}: {summary(peers)}"
            await asyncio.sleep(0.1)
        return peers

    def _say(self, message: Any) -> None:
        self.sent.append(message)
        self._signalling.pass_on(message)

    async def _offer(self, leg: str, offer_id: str, sdp: str) -> None:
        self.offers[leg] += 1
        await self.call.offer(leg, offer_id, sdp)

    async def serve(self, socket: ServerConnection) -> None:
        hello = from_peer.decode(await socket.recv())
        assert isinstance(hello, PeerHello)
        await self._signalling.converse(hello.token, hello.protocol, socket)

    async def lease(self) -> None:
        while True:
            self.call.leased(boottime(), LEASE_S)
            await asyncio.sleep(1)

    async def close(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(program.stop) for program in self._programs))
        if not self.call.carrying.over:
            await self.call.close("the test is over")
        await asyncio.wait_for(self.closed.wait(), WITHIN_S)


@asynccontextmanager
async def one_call(folder: Path, devices: int, grace_s: float = 60.0) -> AsyncIterator[OneCall]:
    use_interfaces("127.0.0.1", "127.0.0.1")
    take_rtp_past_stun()
    rig = OneCall(folder, devices, grace_s)
    async with serve(rig.serve, "127.0.0.1", 0) as server:
        rig.port = next(iter(server.sockets)).getsockname()[1]
        lease = asyncio.ensure_future(rig.lease())
        try:
            yield rig
        finally:
            lease.cancel()
            await rig.close()


def summary(peers: dict[str, Any]) -> dict[str, Any]:
    """For a failed test: packets by receiver and source."""
    return {name: {leg: got["packets"] for leg, got in peer["of_legs"].items()} for name, peer in peers.items()}
