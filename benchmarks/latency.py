"""From a sound to the painted meter, and from the officer's key to the far peer's last packet and the confirmation.

Each round is a whole demo: six calls on a console of 200 x 60 in a pseudo-terminal, bursts of sound at known times,
then each call ended by its keys. Beside it, where it exists, aiortc's own way: MediaRelay decodes, a loop measures each
frame, and an end is `RTCPeerConnection.close()`; it has neither a server nor a screen between, so it is ahead by that.
"""

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.peers_of_others.run import relay_latency
from demo.chain import Chain
from demo.figures import percentile
from demo.headless import running

CALLS = 6
ROUNDS, BURSTS_S = 17, 7.0
QUICK_ROUNDS, QUICK_BURSTS_S = 1, 6.0


def measure(*, quick: bool) -> Iterator[Figure]:
    delays: list[float] = []
    last_packets: list[float] = []
    confirmations: list[float] = []
    for _ in range(QUICK_ROUNDS if quick else ROUNDS):
        with running(Chain(CALLS)) as run:
            run.admit_all()
            run.measure_bursts(QUICK_BURSTS_S if quick else BURSTS_S)
            for seat in run.chain.plan.seats:
                run.end(seat)
            run.terminal.wait_for(lambda _: False, 0.5)
            last_packets += run.order_to_last_packet_ms(run.chain.callers.report())
            confirmations += [done.took_ms for _, done in run.measured.ends]
            delays += run.measured.delays_ms
            if run.measured.bursts_missed:
                raise RuntimeError(f"{run.measured.bursts_missed} bursts were never shown")
    theirs = relay_latency(seconds=6, closes=2) if quick else relay_latency(seconds=30)
    sound, end = percentile(delays, 0.99), percentile(last_packets, 0.99)
    confirmed = percentile(confirmations, 0.99)
    usual = "aiortc MediaRelay, sound to its level, no screen"
    yield Figure(
        "sound_to_painted_meter_p99_ms", sound, usual, theirs.level_p99_ms, len(delays), "<= 150", sound <= 150
    )
    yield Figure(
        "end_key_to_last_packet_p99_ms",
        end,
        "aiortc close(), no server",
        theirs.close_p99_ms,
        len(last_packets),
        "<= 50",
        end <= 50,
    )
    yield Figure(
        "end_key_to_confirmation_p99_ms",
        confirmed,
        "none: aiortc's relay confirms nothing",
        None,
        len(confirmations),
        "<= 150",
        confirmed <= 150,
    )
