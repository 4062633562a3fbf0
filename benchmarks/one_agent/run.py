"""Runs calls in one agent with their clients, and takes the figures that need no server."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyrage

from benchmarks.one_agent.recorded import held
from benchmarks.peers_of_others.run import Program
from demo.figures import percentile
from demo.peers.clip import MEDIA
from server.recordings.keys import EvidenceKey

START_S, ANSWER_S = 60.0, 30.0
CLIPS = (str(MEDIA / "pair.webm"), str(MEDIA / "steady.webm"))
"""Two legs' clips, 640 x 360 at 25 pictures a second."""
KILL_AFTER_S = 1.5, 4.0
"""A moment between these after the media flow."""


@contextmanager
def calling(calls: int) -> Iterator[tuple[Program, Program, Path, EvidenceKey]]:
    """(agent, clients, the recordings' folder, the key that opens them), with media flowing in every call."""
    key = EvidenceKey(pyrage.x25519.Identity.generate())  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(prefix="sightline-one-agent-") as name:
        agent = Program(
            "benchmarks.one_agent.agent",
            *("--calls", str(calls), "--recordings", name, "--recipient", key.recipient),
        )
        clients = None
        try:
            port = agent.need(lambda e: e["event"] == "listening", START_S, "the agent does not listen")["port"]
            clients = _clients("--server", f"ws://127.0.0.1:{port}", "--calls", str(calls))
            yield agent, clients, Path(name), key
        finally:
            if clients is not None:
                clients.stop()
            agent.stop()


def _clients(*options: str) -> Program:
    clients = Program("benchmarks.one_agent.clients", *options, "--clips", *CLIPS)
    clients.need(lambda e: e["event"] == "flowing", START_S, "no media flow")
    return clients


@dataclass(frozen=True)
class ManyCalls:
    """`levels_hz`: of the call with the fewest. `order_ms`: from an order to its call's last packet."""

    levels_hz: float
    lag_p99_ms: float
    order_ms: list[float]


def many_calls(calls: int, seconds: float, orders: int) -> ManyCalls:
    with calling(calls) as (agent, _, _, _):
        time.sleep(1)
        began = time.monotonic()
        agent.ask("report", ANSWER_S, "no report", do="report", since=began)
        time.sleep(seconds)
        report = agent.ask("report", ANSWER_S, "no report", do="report", since=began)
        took = agent.ask("orders", 20 + orders, "no orders", do="orders", count=orders)["took_ms"]
        return ManyCalls(min(report["levels_hz"]), report["lag_p99_ms"], took)


@dataclass(frozen=True)
class Delays:
    """A packet from its sender to its receiver's handler, ms: through the agent, and the same peers without it."""

    through: list[float]
    direct: list[float]

    def added(self, share: float) -> float:
        return percentile(self.through, share) - percentile(self.direct, share)


def delays(seconds: float) -> Delays:
    clients = _clients("--direct")
    try:
        direct = _delays(clients, seconds)
    finally:
        clients.stop()
    with calling(1) as (_, clients, _, _):
        return Delays(_delays(clients, seconds), direct)


def _delays(clients: Program, seconds: float) -> list[float]:
    time.sleep(1)
    clients.ask("delays", ANSWER_S, "no delays", do="delays")
    time.sleep(seconds)
    return clients.ask("delays", ANSWER_S, "no delays", do="delays")["ms"]


@dataclass(frozen=True)
class Kill:
    """`lost_s`: by how much the newest frame that the recording holds is older than the kill, of the leg and kind that
    lost most; `frames` that it holds; `errors`: what could not be opened or decoded."""

    lost_s: float
    frames: int
    errors: int


def kill(rng: random.Random) -> Kill:
    """kill -9 of the agent at a random moment of a call, and what its recording holds."""
    with calling(1) as (agent, clients, folder, key):
        time.sleep(rng.uniform(*KILL_AFTER_S))
        agent.process.kill()
        killed_at = time.monotonic()
        agent.process.wait()
        sent = clients.ask("sent", ANSWER_S, "no sent", do="sent")["legs"]
        found = held(folder / "C0", key)
    lost_s = 0.0
    for name, given in sent.items():
        for kind, frames in given.items():
            before = [(at, checksum) for at, checksum in frames if at <= killed_at]
            newest_at = _sent_at(before, found.tails.get((name.partition("/")[2], kind), []))
            lost_s = max(lost_s, killed_at - newest_at)
    return Kill(lost_s, found.frames, found.errors)


def _sent_at(given: list[tuple[float, int]], tail: list[int]) -> float:
    """When the newest recorded frame was sent: where the recording's last frames stand in the sender's log. When
    nothing of it was recorded: when the sender began."""
    checksums = [checksum for _, checksum in given]
    for end in range(len(given), len(tail) - 1 if tail else len(given), -1):
        if checksums[end - len(tail) : end] == tail:
            return given[end - 1][0]
    if tail:
        raise RuntimeError("the recording holds frames that were never sent so")
    return given[0][0]
