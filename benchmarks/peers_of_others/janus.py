"""The processor's time that Janus' video room takes for the same legs, which it records."""

import time
from pathlib import Path

from benchmarks.peers_of_others.janus_server import serving
from benchmarks.peers_of_others.run import Program

START_S = 60.0
SETTLE_S = 2.0


def janus_cores(*, legs: int, seconds: float, clip: Path) -> tuple[float, str]:
    """Cores over so many seconds with `legs` in one room, each of which receives all the others; and what was run.

    JanusAbsent when it can't be run; RuntimeError when not every leg receives, or nothing was recorded.
    """
    with serving() as janus:
        clients = Program(
            "benchmarks.peers_of_others.janus_clients",
            *("--url", janus.url, "--legs", str(legs), "--clip", str(clip), "--recordings", str(janus.recordings)),
        )
        try:
            clients.need(lambda e: e["event"] == "all connected", START_S, "not every leg receives all the others")
            time.sleep(SETTLE_S)
            before = _received(clients)
            cpu, began = janus.cpu_s(), time.monotonic()
            time.sleep(seconds)
            used, took = janus.cpu_s() - cpu, time.monotonic() - began
            carried = [now - was for now, was in zip(_received(clients), before, strict=True)]
        finally:
            clients.stop()
        recorded = sum(file.stat().st_size for file in janus.recordings.iterdir())
        if min(carried) < 40 * took * (legs - 1) or not recorded:
            raise RuntimeError(f"Janus carried too little to be compared: {carried} packets in {took:.0f} s")
        words = f"Janus {janus.version} video room, {legs} legs, recorded {recorded / 1e6:.1f} MB"
        return used / took, words


def _received(clients: Program) -> list[int]:
    report = clients.ask("report", 10, "the clients do not report", do="report")
    return [sum(packets.values()) for packets in report["received"]]
