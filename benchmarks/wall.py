"""The wall of 36 calls in a pseudo-terminal of 200 x 60, read by pyte: processor, bytes, and from a key to the screen.

Beside it the same wall with one Line-API widget a tile, and with stock widgets, on the same link and state and feed.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.hub_load.installation import MissingError
from benchmarks.wall_load.consoles import LINES, OURS, PEERS, STOCK, Line, Seen, running, see, watch
from benchmarks.wall_load.feed import Feed, feeding
from benchmarks.wall_load.moments import longest_stall_s, resizes_s, snapshots_s
from demo.figures import percentile

SECONDS, QUICK_SECONDS = 12.0, 2.0
WARM_S, QUICK_WARM_S = 2.0, 1.0
STOPPED_S, QUICK_STOPPED_S = 10.0, 2.0
CPU_SHARE = {LINES: 0.3, STOCK: 0.12}
KBYTES = {"grey": 30, "lean": 30, "text": 10}
"""Most KB/s of a profile."""
QUICK_LEAVES_OUT = ("grey", "lean")
NOBODY = "none"


def measure(*, quick: bool) -> Iterator[Figure]:
    sys.setswitchinterval(0.0005)  # what arrives is timed by a thread that pyte must not hold up
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with feeding(folder) as feed:
            yield from _Run(feed, folder, quick).figures()


class _Run:
    def __init__(self, feed: Feed, folder: Path, quick: bool) -> None:
        self._feed, self._folder, self._quick = feed, folder, quick
        self._seconds, self._warm_s = (QUICK_SECONDS, QUICK_WARM_S) if quick else (SECONDS, WARM_S)

    def figures(self) -> Iterator[Figure]:
        first_s: dict[str, float] = {}
        seen: dict[str, Seen] = {}
        with running(OURS, self._feed, self._folder, self._warm_s) as ours:
            first_s[OURS], seen[OURS] = ours.first_s, watch(ours, self._seconds)
            whole_s = snapshots_s(ours, self._feed, 2 if self._quick else 12)
            settled_s = resizes_s(ours, 4 if self._quick else 24, "HARRIS")
        for what in PEERS:
            with running(what, self._feed, self._folder, self._warm_s) as theirs:
                first_s[what], seen[what] = theirs.first_s, watch(theirs, self._seconds)
        for what, share in CPU_SHARE.items():
            ratio = seen[OURS].cpu / seen[what].cpu
            goal = f"<= {share} of it"
            yield Figure("wall_cpu_cores", seen[OURS].cpu, PEERS[what], seen[what].cpu, 1, goal, ratio <= share)
        kbytes, lines = seen[OURS].kbytes_per_s, seen[LINES].kbytes_per_s
        yield Figure("wall_colour_kbytes_s", kbytes, PEERS[LINES], lines, 1, "<= 100", kbytes <= 100)
        kbytes = self._see(line=Line.IMAGES).kbytes_per_s
        yield Figure("wall_kitty_kbytes_s", kbytes, PEERS[LINES], lines, 1, "<= 60", kbytes <= 60)
        if not self._quick:
            yield from self._fine(seen[OURS])
        for profile, goal in KBYTES.items():
            if not (self._quick and profile in QUICK_LEAVES_OUT):
                kbytes = self._see(profile=profile).kbytes_per_s
                yield Figure(f"wall_{profile}_kbytes_s", kbytes, NOBODY, None, 1, f"<= {goal}", kbytes <= goal)
        yield from _keys("local", seen, 5, 12)
        paint_s = first_s[OURS]
        yield Figure("wall_first_paint_s", paint_s, PEERS[LINES], first_s[LINES], 1, "<= 0.6", paint_s <= 0.6)
        worst_s = max(whole_s)
        yield Figure("wall_snapshot_to_full_s", worst_s, NOBODY, None, len(whole_s), "<= 0.3, each", worst_s <= 0.3)
        worst_s = max(settled_s)
        yield Figure("wall_resize_s", worst_s, NOBODY, None, len(settled_s), "<= 0.2, each", worst_s <= 0.2)
        yield from self._slow_lines()
        yield from self._stalls()

    def _fine(self, half_blocks: Seen) -> Iterator[Figure]:
        """Cells of six and of four pixels."""
        cells = (("sextants", self._see(line=Line.SEXTANTS)), ("quadrants", self._see(profile="fine")))
        beside = "the same in half blocks"
        for name, fine in cells:
            kbytes, other = fine.kbytes_per_s, half_blocks.kbytes_per_s
            yield Figure(f"wall_{name}_kbytes_s", kbytes, beside, other, 1, "<= 100", kbytes <= 100)
            yield Figure(f"wall_{name}_cpu_cores", fine.cpu, beside, half_blocks.cpu, 1, "none", True)

    def _slow_lines(self) -> Iterator[Figure]:
        peers = () if self._quick else tuple(PEERS)
        for line, name, goal in ((Line.FAR, "50kb_line", 90), (Line.SSH, "50kb_ssh", 100)):
            try:
                seen = {what: self._see(what, line=line) for what in (OURS, *peers)}
            except MissingError as error:
                yield Figure(f"wall_key_{name}_p95_ms", float("nan"), str(error), None, 0, f"<= {goal}", False)
                continue
            yield from _keys(name, seen, None, goal)

    def _stalls(self) -> Iterator[Figure]:
        """While the terminal reads nothing."""
        ours_ms = self._stall_ms(OURS)
        if self._quick:
            yield Figure("wall_stall_unread_ms", ours_ms, "not run", None, 1, "<= 50", ours_ms <= 50)
            return
        for what, words in PEERS.items():
            yield Figure("wall_stall_unread_ms", ours_ms, words, self._stall_ms(what), 1, "<= 50", ours_ms <= 50)

    def _stall_ms(self, what: str) -> float:
        with running(what, self._feed, self._folder, self._warm_s, line=Line.STOPPING) as one:
            return longest_stall_s(one, QUICK_STOPPED_S if self._quick else STOPPED_S) * 1000

    def _see(self, what: str = OURS, profile: str = "", line: Line = Line.NONE) -> Seen:
        return see(what, self._feed, self._folder, self._seconds, self._warm_s, profile, line)


def _keys(where: str, seen: dict[str, Seen], p50: int | None, p95: int) -> Iterator[Figure]:
    """One figure a peer, or one alone."""
    ours = seen[OURS]
    for share, goal in ((0.5, p50), (0.95, p95)):
        mine = percentile(ours.keys_ms, share) if ours.keys_ms else float("inf")
        met = goal is None or (mine <= goal and not ours.unanswered)
        name = f"wall_key_{where}_p{round(share * 100)}_ms"
        words = "none" if goal is None else f"<= {goal}"
        peers = [what for what in seen if what != OURS]
        for what in peers:
            keys, lost = seen[what].keys_ms, seen[what].unanswered
            peer = PEERS[what] + (f": {lost} keys not answered in 5 s" if lost else "")
            other = percentile(keys, share) if keys else None
            yield Figure(name, mine, peer, other, len(ours.keys_ms), words, met)
        if not peers:
            yield Figure(name, mine, "not run", None, len(ours.keys_ms), words, met)
