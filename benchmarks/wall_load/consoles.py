"""A console, or one of its peers, in a pseudo-terminal of 200 x 60 with the feed's 36 calls."""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from benchmarks.wall_load.feed import Feed
from benchmarks.wall_load.over_ssh import through_sshd
from benchmarks.wall_load.stalls import VARIABLE
from benchmarks.wall_load.terminal import HAS_SEXTANTS, SHOWS_IMAGES, AnsweringTerminal, FarTerminal, StoppingTerminal
from demo.terminal import Terminal
from demo.wall import ShownWatcher, wait

COLUMNS, ROWS = 200, 60
RATE, ROUND_TRIP_S, BUFFER = 50_000, 0.04, 256 * 1024
OURS, LINES, STOCK = "ours", "lines", "stock"
PEERS = {LINES: "one Line-API widget a tile", STOCK: "stock widgets"}
SLIPS = (("p", "Pause is Shift"), ("x", "End is Shift"))
"""Keys that only say something, and what; taken in turn."""
ANSWER_S = 5.0


class Line(StrEnum):
    """What is between the program and who looks at its screen."""

    NONE = "none"
    FAR = "far"
    """RATE, ROUND_TRIP_S and BUFFER."""
    SSH = "ssh"
    """sshd and ssh, with RATE and ROUND_TRIP_S between them."""
    IMAGES = "images"
    """The terminal shows Kitty's pictures."""
    SEXTANTS = "sextants"
    """The terminal has characters of six pixels."""
    STOPPING = "stopping"
    """The terminal can be made to stop reading."""


@dataclass
class Running:
    what: str
    terminal: Terminal
    process: psutil.Process
    """Of the program itself, or of ssh."""
    first_s: float
    """From start to the last tile's name."""
    stalls: Path


@contextmanager
def running(
    what: str, feed: Feed, folder: Path, warm_s: float, profile: str = "", line: Line = Line.NONE
) -> Iterator[Running]:
    """After `warm_s`. MissingError for SSH where there is no sshd."""
    name = f"{what}-{line}-{profile}"
    state = folder / f"state-{name}"
    (state / "sightline").mkdir(parents=True, exist_ok=True)
    if profile:
        (state / "sightline" / "console.json").write_text(f'{{"pictures": "{profile}"}}')
    stalls = folder / f"{name}.stalls"
    environment = {"XDG_STATE_HOME": str(state)}
    if line is Line.STOPPING:
        environment[VARIABLE] = str(stalls)
    command, terminal = _command(what, feed), _terminal(line)
    with ExitStack() as stack:
        stack.callback(terminal.close)
        if line is Line.SSH:
            remote = environment | {"COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            command = stack.enter_context(through_sshd(folder / name, command, remote, RATE, ROUND_TRIP_S))
        began = time.monotonic()
        part = terminal.start(command, folder / f"{name}.err", **environment)
        stack.callback(part.process.wait)
        stack.callback(part.process.kill)
        if not terminal.wait_for(lambda t: t.shows("36 HARRIS36"), 60):
            raise RuntimeError(f"{name} shows no wall: {part.log.read_text()[-400:]}")
        first_s = time.monotonic() - began
        terminal.wait_for(lambda _: False, warm_s)
        yield Running(what, terminal, psutil.Process(part.process.pid), first_s, stalls)


def _terminal(line: Line) -> Terminal:
    match line:
        case Line.FAR:
            return FarTerminal(COLUMNS, ROWS, RATE, ROUND_TRIP_S, BUFFER)
        case Line.IMAGES:
            return AnsweringTerminal(COLUMNS, ROWS, SHOWS_IMAGES)
        case Line.SEXTANTS:
            return AnsweringTerminal(COLUMNS, ROWS, HAS_SEXTANTS)
        case Line.STOPPING:
            return StoppingTerminal(COLUMNS, ROWS)
        case _:
            return Terminal(COLUMNS, ROWS)


def _command(what: str, feed: Feed) -> Sequence[str]:
    if what != OURS:
        return [sys.executable, "-m", "benchmarks.wall_load.peers", what, str(feed.path)]
    code = (
        "import sys; from pathlib import Path; from console import bootstrap; "
        "from console.settings import Settings; from benchmarks.wall_load.stalls import watched; "
        "loop = bootstrap._loop; bootstrap._loop = lambda: watched(loop()); "
        f"sys.exit(bootstrap.run(Settings('BWI', Path({str(feed.path)!r}), None)))"
    )
    return [sys.executable, "-c", code]


@dataclass
class Seen:
    cpu: float
    """Cores."""
    kbytes_per_s: float
    keys_ms: list[float]
    unanswered: int


def watch(one: Running, seconds: float) -> Seen:
    """Keys at random times; each is answered before the next, or given up after ANSWER_S."""
    terminal = one.terminal
    cpu, out, at = sum(one.process.cpu_times()[:2]), terminal.bytes_out, time.monotonic()
    rng, end = random.Random(1), at + seconds
    delays: list[float] = []
    unanswered = count = 0
    while time.monotonic() < end:
        key, words = SLIPS[count % 2]
        count += 1
        answer = ShownWatcher(words if one.what == OURS else f"KEY {count:05d}", ROWS - 2)
        pressed = terminal.press(key)
        if wait(terminal, answer, ANSWER_S) and answer.shown_at is not None:
            delays.append((answer.shown_at - pressed) * 1000)
        else:
            unanswered += 1
        terminal.wait_for(lambda _: False, rng.uniform(0.05, 0.25))
    took = time.monotonic() - at
    used = sum(one.process.cpu_times()[:2]) - cpu
    return Seen(used / took, (terminal.bytes_out - out) / took / 1000, delays, unanswered)


def see(
    what: str, feed: Feed, folder: Path, seconds: float, warm_s: float, profile: str = "", line: Line = Line.NONE
) -> Seen:
    with running(what, feed, folder, warm_s, profile, line) as one:
        return watch(one, seconds)
