"""What a call costs its agent and what the agent adds to it, beside aiortc's own way, Janus, and no agent at all.

All play the same files (demo/media: 640 x 360, 25 pictures a second, VP8 at about 600 kbit/s in three temporal
layers, as our pages have browsers send it; Opus). Ours carries, records sealed and durable, sends the recording to
the server, measures levels ten times a second and makes pictures for a wall of 200 x 60. Times are user and system,
of all the agent's processes. QUICK leaves out the four devices.
"""

import random
import time
from collections.abc import Iterator

import psutil

from benchmarks.figures import Figure
from benchmarks.one_agent.run import delays, kill, many_calls
from benchmarks.peers_of_others.janus import janus_cores
from benchmarks.peers_of_others.janus_server import JanusAbsent
from benchmarks.peers_of_others.run import relay_cores
from demo.chain import Chain
from demo.figures import percentile
from demo.headless import running
from demo.peers.clip import MEDIA

SECONDS, QUICK_SECONDS = 60.0, 3.0
CLIP = MEDIA / "pair.webm"
DEVICES = 4
KILLS, QUICK_KILLS = 50, 1
ORDERS, QUICK_ORDERS = 120, 8
CALLS = 8
SETTLE_S, QUICK_SETTLE_S = 5.0, 1.0


def measure(*, quick: bool) -> Iterator[Figure]:
    seconds = QUICK_SECONDS if quick else SECONDS
    settle_s = QUICK_SETTLE_S if quick else SETTLE_S
    cores, rss = _agent(1, seconds, settle_s)
    theirs, recorded = relay_cores(seconds=seconds, clip=CLIP)
    relay = f"aiortc MediaRelay + MediaRecorder, the same two legs; it recorded {recorded:.0%} of the pictures"
    met = cores <= 0.06 and cores <= 0.05 * theirs
    yield Figure("media_call_cores", cores, relay, theirs, 1, "<= 0.06 and <= 0.05 of theirs", met)
    yield _beside_janus("media_call_cores_beside_janus", cores, 2, seconds, None)
    if not quick:
        many_legs, _ = _agent(DEVICES, seconds, settle_s)
        yield _beside_janus("media_room_and_4_cores", many_legs, 1 + DEVICES, seconds, 0.25)
    yield Figure("media_call_rss_mb", rss, "none", None, 1, "<= 140", rss <= 140)
    yield from _delay(2.0 if quick else 30.0)
    yield from _many(3.0 if quick else 30.0, QUICK_ORDERS if quick else ORDERS)
    yield _kills(QUICK_KILLS if quick else KILLS)


def _agent(devices: int, seconds: float, settle_s: float) -> tuple[float, float]:
    """Cores and MB of all processes of one laptop's agent, with one call of the room and so many family devices."""
    several = 1 if devices > 1 else 0  # the seat that has them
    with running(Chain(1, clip=CLIP, decode=False, second_device_at=several, devices=devices)) as run:
        run.admit_all()
        run.terminal.wait_for(lambda _: False, settle_s)
        agent = next(iter(run.chain.laptops.values()))
        used, began = agent.cpu_s(), time.monotonic()
        run.terminal.wait_for(lambda _: False, seconds)
        cores = (agent.cpu_s() - used) / (time.monotonic() - began)
        carried = run.chain.callers.report()
        if any(min(peer["packets"].values()) < 20 * seconds * devices for peer in carried.values()):
            raise RuntimeError("not every leg got sound and pictures of every other one")
        return cores, rss_mb(agent.process.pid)


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children, MB; pages that they share are counted in each."""
    one = psutil.Process(pid)
    return sum(each.memory_info().rss for each in (one, *one.children(recursive=True))) / 1e6


def _beside_janus(name: str, ours: float, legs: int, seconds: float, most: float | None) -> Figure:
    """At most 2.5 times Janus', which measures no levels and makes no pictures."""
    goal = "<= 2.5 of theirs" if most is None else f"<= {most} and <= 2.5 of theirs"
    try:
        theirs, words = janus_cores(legs=legs, seconds=seconds, clip=CLIP)
    except JanusAbsent as error:
        return Figure(name, ours, str(error), None, 1, goal, False)
    return Figure(name, ours, words, theirs, 1, goal, ours <= 2.5 * theirs and (most is None or ours <= most))


def _delay(seconds: float) -> Iterator[Figure]:
    found = delays(seconds)
    peer = "the same two peers connected directly: their own delay"
    for word, share, most in (("p50", 0.5, 5.0), ("p99", 0.99, 15.0)):
        added, direct = found.added(share), percentile(found.direct, share)
        name = f"media_delay_added_{word}_ms"
        yield Figure(name, added, peer, direct, len(found.through), f"<= {most:g}", added <= most)


def _many(seconds: float, orders: int) -> Iterator[Figure]:
    found = many_calls(CALLS, seconds, orders)
    hertz, lag_ms = found.levels_hz, found.lag_p99_ms
    yield Figure("media_8_calls_levels_hz", hertz, "none", None, CALLS, ">= 9.9", hertz >= 9.9)
    yield Figure("media_8_calls_lag_p99_ms", lag_ms, "none", None, CALLS, "<= 50", lag_ms <= 50)
    last = percentile(found.order_ms, 0.99)
    yield Figure("media_order_to_last_packet_p99_ms", last, "none", None, len(found.order_ms), "<= 5", last <= 5)


def _kills(count: int) -> Figure:
    """The worst of so many calls whose agent is killed at a random moment; the seed is 7."""
    rng = random.Random(7)
    kills = [kill(rng) for _ in range(count)]
    worst, errors = max(one.lost_s for one in kills), sum(one.errors for one in kills)
    words = f"the senders' logs of their frames; {sum(one.frames for one in kills)} frames decoded, {errors} errors"
    return Figure("media_kill_lost_s", worst, words, None, count, "<= 1, no error", worst <= 1 and not errors)
