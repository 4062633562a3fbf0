"""When what is recorded was really there: the dates that the recording's log has of each file, by the server's clock.

All times are the server's, UTC ms, unless they are named as a file's own.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from schemas.incident import PICTURE_EACH_MS, Gap, Offset
from schemas.media import Side

_DATE = re.compile(r"(?P<file>[a-z]+(?:-\d+)?\.mkv):(?P<kind>audio|video)=(?P<at>\d+)@(?P<utc>\d+)")
_SERVER = re.compile(r"server=(?P<utc>\d+)")
FILE_GONE = "the file of the recording is gone"
LOGGED_MS = 3000
"""The log has a line each second while the agent records; without one for so long, it did not."""


@dataclass
class FileDates:
    """One kind of one file: times in the file and when they were, both growing."""

    file_ms: list[int] = field(default_factory=list[int])
    utc: list[int] = field(default_factory=list[int])

    def utc_ms(self, file_ms: int) -> int:
        """Between two dates in proportion, beyond the first and the last at their distance."""
        after = bisect_left(self.file_ms, file_ms)
        if after == 0:
            return self.utc[0] - self.file_ms[0] + file_ms
        if after == len(self.file_ms):
            return self.utc[-1] - self.file_ms[-1] + file_ms
        first, last = self.file_ms[after - 1], self.file_ms[after]
        share = (file_ms - first) / (last - first)
        return round(self.utc[after - 1] + share * (self.utc[after] - self.utc[after - 1]))


@dataclass
class Dates:
    """`files`: (name, kind) -> dates; `running`: when the log was written."""

    files: dict[tuple[str, str], FileDates] = field(default_factory=dict[tuple[str, str], FileDates])
    running: list[int] = field(default_factory=list[int])

    def of(self, name: str, kind: str) -> FileDates | None:
        return self.files.get((name, kind))

    def span(self, side: Side) -> tuple[int, int] | None:
        """The first and the last date of this side's pictures; None when there is none."""
        dated = [
            dates.utc for (name, kind), dates in self.files.items() if kind == "video" and name.startswith(f"{side}")
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


def read_dates(lines: Iterable[str]) -> Dates:
    """From the lines of `durable.log`; what a line does not say, or says wrongly, is left out."""
    dates = Dates()
    for line in lines:
        logged = _SERVER.search(line)
        if logged is not None and int(logged["utc"]):
            dates.running.append(int(logged["utc"]))
        for found in _DATE.finditer(line):
            of_file = dates.files.setdefault((found["file"], found["kind"]), FileDates())
            at, utc = int(found["at"]), int(found["utc"])
            if not of_file.file_ms or (at > of_file.file_ms[-1] and utc > of_file.utc[-1]):
                of_file.file_ms.append(at)
                of_file.utc.append(utc)
    return dates


def gaps(side: Side, missing: list[Offset], pressed_at: int, dates: Dates, gone: bool) -> list[Gap]:
    """`missing`: the moments at which no picture of this side was found, in order; what follows on is one gap.

    `gone`: a file of this side that has dates is not there any more.
    """
    runs: list[tuple[int, int]] = []
    for at in missing:
        if runs and at - runs[-1][1] <= PICTURE_EACH_MS:
            runs[-1] = runs[-1][0], at
        else:
            runs.append((at, at))
    return [
        Gap(side, first, last, FILE_GONE if gone else _why(side, first + pressed_at, last + pressed_at, dates))
        for first, last in runs
    ]


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
