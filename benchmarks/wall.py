"""The wall of 36 calls in a pseudo-terminal of 200 x 60, read by pyte: processor, bytes, and from a key to the screen.

Beside it the same wall with one Line-API widget a tile, and with stock widgets, on the same link and state and feed.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.figures import Figure
from benchmarks.wall_load.feed import Feed, feeding
from benchmarks.wall_load.terminal import FarTerminal
from demo.figures import percentile
from demo.terminal import Terminal
from demo.wall import ShownWatcher, wait

COLUMNS, ROWS = 200, 60
SECONDS, QUICK_SECONDS = 12.0, 2.5
WARM_S = 2.0
RATE, ROUND_TRIP_S, BUFFER = 50_000, 0.04, 256 * 1024
OURS, LINES, STOCK = "ours", "lines", "stock"
SLIPS = (("p", "Pause is Shift"), ("x", "End is Shift"))
"""Keys that only say something, and what; taken in turn."""


@dataclass
class Seen:
    cpu: float
    """Cores."""
    kbytes_per_s: float
    keys_ms: list[float]
    unanswered: int
    first_s: float
    """From start to the last tile's name."""


@contextmanager
def started(what: str, feed: Feed, terminal: Terminal, profile: str, folder: Path) -> Iterator[psutil.Process]:
    state = folder / f"state-{what}-{profile}"
    (state / "sightline").mkdir(parents=True, exist_ok=True)
    if profile:
        (state / "sightline" / "console.json").write_text(f'{{"pictures": "{profile}"}}')
    part = terminal.start(_command(what, feed), folder / f"{what}.err", XDG_STATE_HOME=str(state))
    try:
        yield psutil.Process(part.process.pid)
    finally:
        part.process.kill()
        part.process.wait()
        terminal.close()


def _command(what: str, feed: Feed) -> Sequence[str]:
    if what != OURS:
        return [sys.executable, "-m", "benchmarks.wall_load.peers", what, str(feed.path)]
    code = (
        "import sys; from pathlib import Path; from console.bootstrap import run; "
        f"from console.settings import Settings; sys.exit(run(Settings('BWI', Path({str(feed.path)!r}), None)))"
    )
    return [sys.executable, "-c", code]


def see(what: str, feed: Feed, folder: Path, seconds: float, profile: str = "", far: bool = False) -> Seen:
    terminal = FarTerminal(COLUMNS, ROWS, RATE, ROUND_TRIP_S, BUFFER) if far else Terminal(COLUMNS, ROWS)
    began = time.monotonic()
    with started(what, feed, terminal, profile, folder) as process:
        terminal.wait_for(lambda t: t.shows("36 HARRIS36"), 60)
        first_s = time.monotonic() - began
        terminal.wait_for(lambda _: False, WARM_S)
        cpu, out, at = sum(process.cpu_times()[:2]), terminal.bytes_out, time.monotonic()
        keys_ms, unanswered = _press(what, terminal, seconds)
        took = time.monotonic() - at
        return Seen(
            (sum(process.cpu_times()[:2]) - cpu) / took,
            (terminal.bytes_out - out) / took / 1000,
            keys_ms,
            unanswered,
            first_s,
        )


def _press(what: str, terminal: Terminal, seconds: float) -> tuple[list[float], int]:
    """Keys at random times; each is answered before the next, or given up after 5 s."""
    rng, end = random.Random(1), time.monotonic() + seconds
    delays: list[float] = []
    unanswered = count = 0
    while time.monotonic() < end:
        key, words = SLIPS[count % 2]
        count += 1
        answer = ShownWatcher(words, ROWS - 2) if what == OURS else ShownWatcher(f"KEY {count:05d}", 0)
        pressed = terminal.press(key)
        if wait(terminal, answer, 5) and answer.shown_at is not None:
            delays.append((answer.shown_at - pressed) * 1000)
        else:
            unanswered += 1
        terminal.wait_for(lambda _: False, rng.uniform(0.05, 0.25))
    return delays, unanswered


def measure(*, quick: bool) -> Iterator[Figure]:
    seconds = QUICK_SECONDS if quick else SECONDS
    sys.setswitchinterval(0.0005)  # what arrives is timed by a thread that pyte must not hold up
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with feeding(folder) as feed:
            seen = {what: see(what, feed, folder, seconds) for what in (OURS, LINES, STOCK)}
            ours = seen[OURS]
            for what, share, words in ((LINES, 0.3, "one Line-API widget a tile"), (STOCK, 0.12, "stock widgets")):
                theirs = seen[what]
                ratio = ours.cpu / theirs.cpu
                yield Figure("wall_cpu_cores", ours.cpu, words, theirs.cpu, 1, f"<= {share} of it", ratio <= share)
            kbytes, lines = ours.kbytes_per_s, seen[LINES]
            yield Figure("wall_colour_kbytes_s", kbytes, "lines", lines.kbytes_per_s, 1, "<= 100", kbytes <= 100)
            for profile, goal in (("grey", 30), ("lean", 30), ("text", 10)):
                if quick and profile == "grey":
                    continue
                kbytes = see(OURS, feed, folder, seconds, profile).kbytes_per_s
                yield Figure(f"wall_{profile}_kbytes_s", kbytes, "none", None, 1, f"<= {goal}", kbytes <= goal)
            yield from _keys("local", ours, lines, 5, 12)
            yield Figure("wall_first_paint_s", ours.first_s, "lines", lines.first_s, 1, "<= 0.6", ours.first_s <= 0.6)
            far = see(OURS, feed, folder, seconds, far=True)
            beside = see(LINES, feed, folder, seconds, far=True) if not quick else None
            yield from _keys("50kb_line", far, beside, None, 90)


def _keys(where: str, ours: Seen, theirs: Seen | None, p50: int | None, p95: int) -> Iterator[Figure]:
    peer = "one Line-API widget a tile"
    for share, goal in ((0.5, p50), (0.95, p95)):
        mine = percentile(ours.keys_ms, share)
        other = percentile(theirs.keys_ms, share) if theirs is not None and theirs.keys_ms else None
        met = goal is None or (mine <= goal and not ours.unanswered)
        words = peer if other is not None else f"{peer}: no key answered in 5 s, or not run"
        name = f"wall_key_{where}_p{round(share * 100)}_ms"
        yield Figure(name, mine, words, other, len(ours.keys_ms), "none" if goal is None else f"<= {goal}", met)
