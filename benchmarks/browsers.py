"""Debian's Chromium at the ends of a call: pictures a second, freezes and made-up sound by the browsers' own getStats.

Beside it the same two pages with the same cameras, connected with one another without an agent; over a bad line both go
the same way, with the same loss and delay. The rig is the tests' own (tests/browser).
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure
from tests.browser import direct
from tests.browser.bad_line import BadLine
from tests.browser.chromium import Chromium, install_chromium
from tests.browser.stage import Stage, browsers, five_legs, settle, stage
from tests.browser.watching import Span, over

SECONDS, QUICK_SECONDS = 60.0, 4.0
LOSSES, QUICK_LOSSES = (0.02, 0.05, 0.10), (0.05,)
DELAY_S, SEED = 0.1, 7
SETTLE_S = 4.0
"""After the first pictures: players have found how long to wait, encoders their rate."""
PEER = "the same two pages connected directly"


def measure(*, quick: bool) -> Iterator[Figure]:
    install_chromium()
    seconds = QUICK_SECONDS if quick else SECONDS
    yield from pair(seconds)
    if not quick:
        yield from five(seconds)
    for loss in QUICK_LOSSES if quick else LOSSES:
        yield from bad_line(loss, seconds)


def pair(seconds: float) -> Iterator[Figure]:
    """Nothing between but the agent."""
    spans, theirs = _call(seconds), _direct(seconds)
    pictures, gap = min(s.frames_per_s for s in spans), max(s.longest_gap_s for s in spans) * 1000
    their_pictures, their_gap = min(s.frames_per_s for s in theirs), max(s.longest_gap_s for s in theirs) * 1000
    n = sum(s.frames for s in spans)
    yield Figure("browsers_pair_pictures_per_s", pictures, PEER, their_pictures, n, ">= 24", pictures >= 24)
    yield Figure("browsers_pair_longest_gap_ms", gap, PEER, their_gap, n, "< 500", gap < 500)


def five(seconds: float) -> Iterator[Figure]:
    """What the browsers of the room and of a family's first device have of all others."""
    folder = tempfile.TemporaryDirectory(prefix="sightline-browsers-")
    with folder as name, five_legs(Path(name)) as (_, room, family):
        spans = _measured(room, family, seconds, slots=4)
    pictures, gap = min(s.frames_per_s for s in spans), max(s.longest_gap_s for s in spans) * 1000
    n = sum(s.frames for s in spans)
    yield Figure("browsers_five_pictures_per_s", pictures, "none", None, n, ">= 24", pictures >= 24)
    yield Figure("browsers_five_longest_gap_ms", gap, "none", None, n, "< 500", gap < 500)


def bad_line(loss: float, seconds: float) -> Iterator[Figure]:
    """Both sides together: how long pictures stood, of a minute; how much of the sound was made up."""
    with BadLine(loss=loss, delay_s=DELAY_S, seed=SEED) as line:
        ours = _call(seconds, line)
    with BadLine(loss=loss, delay_s=DELAY_S, seed=SEED) as line:
        theirs = _direct(seconds, line)
    n = sum(s.frames for s in ours)
    for what, of in (("frozen_s_a_minute", _frozen_s), ("made_up_share", _made_up)):
        own, other = of(ours), of(theirs)
        name = f"browsers_loss_{round(loss * 100)}_{what}"
        yield Figure(name, own, f"{PEER}, over the same line", other, n, "<= 1.2 of theirs", own <= 1.2 * other)
    own, other = (min(s.kbit_per_s for s in spans) for spans in (ours, theirs))
    name = f"browsers_loss_{round(loss * 100)}_picture_kbit_per_s"
    yield Figure(name, own, f"{PEER}, over the same line", other, n, ">= 0.5 of theirs", own >= 0.5 * other)


def _frozen_s(spans: list[Span]) -> float:
    return sum(s.frozen_s / s.seconds * 60 for s in spans) / len(spans)


def _made_up(spans: list[Span]) -> float:
    return sum(s.concealed_share for s in spans) / len(spans)


def _call(seconds: float, line: BadLine | None = None) -> list[Span]:
    return _two(seconds, line, Stage.join)


def _direct(seconds: float, line: BadLine | None = None) -> list[Span]:
    return _two(seconds, line, lambda call, room, family: direct.connect(call.url, family, room))


def _two(seconds: float, line: BadLine | None, join: Callable[[Stage, Chromium, Chromium], None]) -> list[Span]:
    """What the room's and the family's browser received; the line is the family's."""
    with tempfile.TemporaryDirectory(prefix="sightline-browsers-") as name:
        folder = Path(name)
        with stage(folder) as call, browsers(folder, "steady", "pair") as (room, family):
            if line is not None:
                family.before_each_page(line.script())
            join(call, room, family)
            return _measured(room, family, seconds)


def _measured(room: Chromium, family: Chromium, seconds: float, slots: int = 1) -> list[Span]:
    settle(room, family, seconds=60)
    time.sleep(SETTLE_S)
    return over(seconds, room, family, slots=slots)
