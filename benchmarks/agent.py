"""The processor's time of a call: server, agents and console of ours, beside aiortc's MediaRelay and MediaRecorder.

Both serve the same clients, which play the same file (640 x 360, 25 pictures a second, Opus). Ours carries, records,
measures levels ten times a second, makes two pictures a second and shows them on a wall of 200 x 60; aiortc's relays,
records, and measures levels. Times are user and system, of all processes but the clients', divided by the calls.
"""

import time
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.peers_of_others.run import relay_cores
from demo.chain import Chain
from demo.headless import running
from demo.peers.clip import MEDIA
from demo.processes import Part

CALLS = 6
SECONDS, QUICK_SECONDS = 60.0, 10.0
CLIP = MEDIA / "pair.webm"
PEER = "aiortc MediaRelay + MediaRecorder, one call of the same file"


def measure(*, quick: bool) -> Iterator[Figure]:
    seconds = QUICK_SECONDS if quick else SECONDS
    ours, agent = _ours(seconds)
    theirs, recorded = relay_cores(seconds=seconds, clip=CLIP)
    peer = f"{PEER}; it recorded {recorded:.0%} of the pictures"
    yield Figure("agent_call_cores", ours, peer, theirs, CALLS, "<= 0.1 of theirs", ours <= 0.1 * theirs)
    yield Figure("agent_alone_call_cores", agent, peer, theirs, CALLS, "none: a part of the above", True)


def _ours(seconds: float) -> tuple[float, float]:
    """Cores a call: of all our processes, and of the agent alone."""
    with running(Chain(CALLS, clip=CLIP, decode=False)) as run:
        run.admit_all()
        run.terminal.wait_for(lambda _: False, 2)  # the first pictures and the admissions are over
        assert run.terminal.part is not None
        agents = list(run.chain.laptops.values())
        parts = [run.chain.server, run.terminal.part, *agents]
        used, of_agents, began = _cpu_s(parts), _cpu_s(agents), time.monotonic()
        run.terminal.wait_for(lambda _: False, seconds)
        took = time.monotonic() - began
        return (_cpu_s(parts) - used) / took / CALLS, (_cpu_s(agents) - of_agents) / took / CALLS


def _cpu_s(parts: list[Part]) -> float:
    return sum(part.cpu_s() for part in parts)
