"""When each frame of a recording was really made: sound and picture of a source by its sender's own clock. Pure.

A stream's times follow the frames' arrival, so what came late stands late. RTCP sender reports say for both kinds what
RTP time was what time of one clock, the sender's: by it they fit together (RFC 3550, 6.4.1). That clock is laid onto
the server's by the quickest arrivals: what is left is the shortest way that a packet took.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.matroska import Block
from schemas.recording import Date

WINDOW_MS = 10_000
"""Within this time clocks do not drift apart by a millisecond that matters, and some packet comes quickly."""
OTHER_CLOCK_MS = 1000
"""A step by more than this between two reports is another clock: another device, or one that was set."""


@dataclass(frozen=True)
class Placed:
    """`at_ms`: the server's time, UTC ms; a fraction matters for sound."""

    at_ms: float
    block: Block


@dataclass(frozen=True)
class _Dated:
    """`own_ms`: by the clock that is to be laid onto the server's."""

    date: Date
    own_ms: float


def place(blocks: dict[str, list[Block]], dates: list[Date]) -> dict[str, list[Placed]]:
    """A stream's frames by kind, at the server's time and in order; frames of which nothing is known are left out."""
    known = [date for date in dates if date.utc_ms]
    reported = {date.kind for date in known if date.ntp_ms}
    by_sender = reported >= {kind for kind, some in blocks.items() if some}
    dated: list[_Dated] = []
    for origin in {(date.kind, date.origin) for date in known}:
        of_origin = [date for date in known if (date.kind, date.origin) == origin]
        with_clock = [date for date in of_origin if date.ntp_ms] if by_sender else []
        dated += [_Dated(d, d.ntp_ms) for d in with_clock] or [_Dated(d, d.at_ms) for d in of_origin]
    lay = _onto_server(dated)
    found: dict[str, list[Placed]] = {}
    for kind, some in blocks.items():
        points = sorted((d.date.at_ms, lay[id(d)] - d.date.at_ms, d.date.origin) for d in dated if d.date.kind == kind)
        if points:
            found[kind] = _in_order(Placed(block.at_ms + _shift(points, block.at_ms), block) for block in some)
    return found


def _onto_server(dated: list[_Dated]) -> dict[int, float]:
    """Identity of a dated frame -> when it was made by the server's clock."""
    made: dict[int, float] = {}
    for clock in _clocks(dated):
        windows: dict[int, tuple[float, float]] = {}
        """Number of the window -> (least of the server's clock less this one, in the middle of which it is)."""
        for one in clock:
            window = round(one.own_ms // WINDOW_MS)
            least = one.date.utc_ms - one.own_ms
            middle = (window + 0.5) * WINDOW_MS
            windows[window] = min(windows.get(window, (least, middle)), (least, middle))
        points = sorted((middle, least) for least, middle in windows.values())
        for one in clock:
            made[id(one)] = one.own_ms + _between(points, one.own_ms)
    return made


def _clocks(dated: list[_Dated]) -> Iterable[list[_Dated]]:
    """Those of one and the same clock together: the sender's, or a kind's own where no report has come."""
    groups: list[list[_Dated]] = []
    newest: dict[object, tuple[float, list[_Dated]]] = {}
    for one in sorted(dated, key=lambda d: d.date.utc_ms):
        key = "sender" if one.date.ntp_ms and one.own_ms == one.date.ntp_ms else (one.date.kind, one.date.origin)
        distance = one.date.utc_ms - one.own_ms
        before = newest.get(key)
        if before is None or abs(distance - before[0]) > OTHER_CLOCK_MS:
            groups.append([])
            before = distance, groups[-1]
        before[1].append(one)
        newest[key] = distance, before[1]
    return groups


def _shift(points: list[tuple[int, float, int]], at_ms: int) -> float:
    """What to add to a stream's time; between two dates of one origin in proportion."""
    after = bisect_left(points, (at_ms,))
    if after == len(points):
        return points[-1][1]
    if after == 0 or points[after][0] == at_ms:
        return points[after][1]
    first, last = points[after - 1], points[after]
    if first[2] != last[2]:
        return first[1]
    return first[1] + (last[1] - first[1]) * (at_ms - first[0]) / (last[0] - first[0])


def _between(points: list[tuple[float, float]], at: float) -> float:
    after = bisect_left(points, (at,))
    if after == 0:
        return points[0][1]
    if after == len(points):
        return points[-1][1]
    (first, low), (last, high) = points[after - 1], points[after]
    return low + (high - low) * (at - first) / (last - first)


def _in_order(placed: Iterable[Placed]) -> list[Placed]:
    return sorted(placed, key=lambda one: one.at_ms)
