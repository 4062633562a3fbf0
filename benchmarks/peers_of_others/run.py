"""Runs aiortc's own way under the demo's callers and measures its two delays.

One call at once: decoding, encoding twice and recording it takes about a core, and with six calls on two cores a sound
needs more than a second to its level. So its figures here are those of a relay that is not overloaded.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from demo.establishment import Plan, write
from demo.figures import percentile
from demo.peers.clip import PICTURES_PER_SECOND
from demo.processes import wait_or_kill

CALLS = 1
FLUSHED_S = 20.0
"""How long the relay may take to finish its recordings."""
CLOSES = 10
ROOT = Path(__file__).parent.parent.parent
BURST_PREPARED_S = 0.45
START_S, ANSWER_S = 60.0, 3.0
SETTLE_S = 3.0
"""After all are connected: the encoders have found their rate."""

Event = dict[str, Any]


@dataclass(frozen=True)
class RelayLatency:
    """`level_ms`: from a burst's sound to its level, measured in the relay. `close_ms`: from the order to close a call
    to the last RTP packet that either of its clients received (0: it came before the order). `cpu_cores`: the relay's,
    while it relays and records all calls. `missed`: bursts whose level was never seen.
    """

    level_ms: list[float]
    close_ms: list[float]
    missed: int
    cpu_cores: float

    @property
    def level_p99_ms(self) -> float:
        return percentile(self.level_ms, 0.99)

    @property
    def close_p99_ms(self) -> float:
        return percentile(self.close_ms, 0.99)


class Program:
    """A child that speaks JSON lines; `stop` ends it by closing its stdin, and by force when that is not enough."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.events: list[Event] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    def say(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, condition: Callable[[Event], bool], seconds: float, *, since: int = 0) -> Event | None:
        """The first event from number `since` on that fulfils the condition; None after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = next((event for event in self.events[since:] if condition(event)), None)
                left = deadline - time.monotonic()
                if found is not None or left <= 0:
                    return found
                self._changed.wait(left)

    def need(self, condition: Callable[[Event], bool], seconds: float, what: str, *, since: int = 0) -> Event:
        event = self.wait_for(condition, seconds, since=since)
        if event is None:
            raise RuntimeError(f"the comparison with aiortc did not run: {what}")
        return event

    def ask(self, answer: str, within_s: float, what: str, **command: Any) -> Event:
        """The first `answer` after this command; RuntimeError with `what` when there is none."""
        seen = len(self.events)
        self.say(**command)
        return self.need(lambda e: e["event"] == answer, within_s, what, since=seen)

    def cpu_s(self) -> float:
        """User and system time since the start, s (Linux: clock ticks of 10 ms)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def stop(self, within_s: float = 5.0) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        wait_or_kill(self.process, within_s)


@contextmanager
def relaying(calls: int, clip: Path | None = None, *options: str) -> Iterator[tuple[Plan, Program, Program, Path]]:
    """The relay with the demo's callers connected to it: the plan, the relay, the callers, the recordings' folder."""
    with tempfile.TemporaryDirectory(prefix="sightline-aiortc-") as name:
        folder = Path(name)
        plan = write(folder / "establishment.json", calls, now=datetime.now(UTC), unix_user="", clip=clip)
        plan_file = folder / "callers.json"
        plan_file.touch(mode=0o600)
        plan_file.write_text(json.dumps(plan.peers_as_json()))
        relay = Program(
            "benchmarks.peers_of_others.aiortc_relay", "--plan", str(plan_file), "--recordings", str(folder), *options
        )
        callers = None
        try:
            port = relay.need(lambda e: e["event"] == "listening", START_S, "the relay does not listen")["port"]
            server = f"ws://127.0.0.1:{port}"
            callers = Program("demo.peers.process", "--server", server, "--plan", str(plan_file), "--no-decode")
            relay.need(lambda e: e["event"] == "all connected", START_S, "not all callers connect")
            yield plan, relay, callers, folder
        finally:
            if callers is not None:
                callers.stop()
            relay.stop()


def relay_latency(*, seconds: float, calls: int = CALLS, closes: int = CLOSES) -> RelayLatency:
    """Bursts at each client in turn for so many seconds, then `closes` ends; the clients come back after each."""
    with relaying(calls) as (plan, relay, callers, _):
        time.sleep(SETTLE_S)
        return _measure(plan, relay, callers, seconds, closes)


def relay_cores(*, seconds: float, clip: Path) -> tuple[float, float]:
    """Cores that the relay takes for one call of two legs that play this clip, recorded, over so many seconds; and the
    share of the pictures that its recordings hold. A relay that records less than came has done less for its cores.
    """
    with relaying(1, clip) as (_, relay, _, folder):
        connected = time.monotonic()
        time.sleep(SETTLE_S)
        cpu, began = relay.cpu_s(), time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
        cores = (relay.cpu_s() - cpu) / (ended - began)
        relay.stop(FLUSHED_S)
        sent = (ended - connected) * PICTURES_PER_SECOND
        return cores, min(1.0, min(_pictures(file) for file in folder.glob("*.mp4")) / sent)


def _pictures(recording: Path) -> int:
    try:
        with av.open(str(recording)) as container:
            return sum(stream.frames for stream in container.streams if stream.type == "video")
    except FFmpegError:  # it was cut off before its end was written
        return 0


def _measure(plan: Plan, relay: Program, callers: Program, seconds: float, count: int) -> RelayLatency:
    levels: list[float] = []
    closes: list[float] = []
    missed = 0
    cpu, began = relay.cpu_s(), time.monotonic()
    for number, peer in enumerate(cycle(plan.peers)):
        if time.monotonic() - began >= seconds:
            break
        delay = _burst_ms(number, peer.name, relay, callers)
        if delay is None:
            missed += 1
        else:
            levels.append(delay)
    cores = (relay.cpu_s() - cpu) / (time.monotonic() - began)
    for number, seat in enumerate(islice(cycle(plan.seats), count)):
        if number:
            _wait_for_return(relay)
        closes.append(_close_ms(plan.peers_of(plan.call_at(seat)), relay, callers))
    return RelayLatency(levels, closes, missed, cores)


def _close_ms(names: list[str], relay: Program, callers: Program) -> float:
    ordered = time.monotonic()
    relay.ask("closed", 20, "a call does not close", do="close", call=names[0].partition("/")[0])
    # The clients come back at the earliest 0.3 s after the close; until then a packet that still came would be counted.
    time.sleep(0.2)
    peers = callers.ask("report", 10, "the callers do not report", do="report")["peers"]
    last = max(peers[name]["last_at"] or 0.0 for name in names)
    return max(0.0, (last - ordered) * 1000)


def _wait_for_return(relay: Program) -> None:
    """The callers of the call that was closed last are connected again, and the encoders have found their rate."""
    closed = max(n for n, event in enumerate(relay.events) if event["event"] == "closed")
    relay.need(lambda e: e["event"] == "all connected", START_S, "the callers do not come back", since=closed)
    time.sleep(SETTLE_S)


def _burst_ms(number: int, peer: str, relay: Program, callers: Program) -> float | None:
    seen_by_callers, seen_by_relay = len(callers.events), len(relay.events)
    callers.say(do="burst", peer=peer, id=number, at=time.monotonic() + BURST_PREPARED_S)
    burst = callers.need(
        lambda e: e["event"] == "burst" and e["id"] == number, 5, "a burst was not played", since=seen_by_callers
    )
    loud = relay.wait_for(
        lambda e: e["event"] == "loud" and e["leg"] == peer and e["loud_at"] >= burst["sound_at"],
        ANSWER_S,
        since=seen_by_relay,
    )
    return None if loud is None else (loud["loud_at"] - burst["sound_at"]) * 1000


if __name__ == "__main__":
    found = relay_latency(seconds=float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
    print(
        json.dumps(
            {
                "level_p99_ms": round(found.level_p99_ms, 1),
                "close_p99_ms": round(found.close_p99_ms, 1),
                "bursts": len(found.level_ms),
                "closes": len(found.close_ms),
                "missed": found.missed,
                "relay_cpu_cores": round(found.cpu_cores, 2),
            }
        )
    )
