"""When what is recorded was really there: the dates that a recording has of each stream, by the server's clock.

All times are the server's, UTC ms, unless they are named as a stream's own.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise

from schemas.incident import PICTURE_EACH_MS, Gap, Offset
from schemas.media import Side, side_of

LOGGED_MS = 3000
"""A record is made each 0.8 s while the agent records; without one for so long, it did not."""


@dataclass
class StreamDates:
    """One kind of one stream: its own times and when they were, both growing."""

    stream_ms: list[int] = field(default_factory=list[int])
    utc: list[int] = field(default_factory=list[int])

    def add(self, stream_ms: int, utc: int) -> None:
        """Left out when it is no date (0), or does not grow."""
        if utc and (not self.stream_ms or (stream_ms > self.stream_ms[-1] and utc > self.utc[-1])):
            self.stream_ms.append(stream_ms)
            self.utc.append(utc)

    def utc_ms(self, stream_ms: int) -> int:
        """Between two dates in proportion, beyond the first and the last at their distance."""
        after = bisect_left(self.stream_ms, stream_ms)
        if after == 0:
            return self.utc[0] - self.stream_ms[0] + stream_ms
        if after == len(self.stream_ms):
            return self.utc[-1] - self.stream_ms[-1] + stream_ms
        first, last = self.stream_ms[after - 1], self.stream_ms[after]
        share = (stream_ms - first) / (last - first)
        return round(self.utc[after - 1] + share * (self.utc[after] - self.utc[after - 1]))


@dataclass
class Dates:
    """`streams`: (stream, kind) -> dates, a stream named `family-1/3`; `running`: when each record was made."""

    streams: dict[tuple[str, str], StreamDates] = field(default_factory=dict[tuple[str, str], StreamDates])
    running: list[int] = field(default_factory=list[int])

    def of(self, name: str, kind: str) -> StreamDates | None:
        return self.streams.get((name, kind))

    def span(self, side: Side) -> tuple[int, int] | None:
        """The first and the last date of this side's pictures; None when there is none."""
        dated = [
            dates.utc
            for (name, kind), dates in self.streams.items()
            if kind == "video" and side_of(name.partition("/")[0]) == side
        ]
        return (min(utc[0] for utc in dated), max(utc[-1] for utc in dated)) if dated else None

    def ran(self, from_utc: int, to_utc: int) -> bool:
        """Did the agent record all through this time?"""
        before = max((utc for utc in self.running if utc <= from_utc), default=None)
        after = min((utc for utc in self.running if utc >= to_utc), default=None)
        if before is None or after is None:
            return False
        lines = sorted({before, after, *(utc for utc in self.running if before < utc < after)})
        return all(later - earlier <= LOGGED_MS for earlier, later in pairwise(lines))


def gaps(side: Side, missing: list[Offset], pressed_at: int, dates: Dates) -> list[Gap]:
    """`missing`: the moments at which no picture of this side was found, in order; what follows on is one gap."""
    runs: list[tuple[int, int]] = []
    for at in missing:
        if runs and at - runs[-1][1] <= PICTURE_EACH_MS:
            runs[-1] = runs[-1][0], at
        else:
            runs.append((at, at))
    return [Gap(side, first, last, _why(side, first + pressed_at, last + pressed_at, dates)) for first, last in runs]


def _why(side: Side, first: int, last: int, dates: Dates) -> str:
    span = dates.span(side)
    if span is None:
        return "nothing of this side is recorded"
    if last <= span[0]:
        return "before the recording began"
    if first >= span[1]:
        return "after the recording ended"
    if dates.ran(first, last):
        return "recorded, but no picture came from this side"
    return "the laptop did not record here"
