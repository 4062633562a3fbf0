"""How a figure is told: one JSON line, ours beside the peer's from the same run."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`ours` and `theirs` in the unit that the name ends with. `theirs` None: the peer could not be run, `peer` says why;
    such a figure is never counted as met by comparison."""

    name: str
    ours: float
    peer: str
    theirs: float | None
    n: int
    goal: str
    met: bool

    def line(self) -> str:
        ratio = round(self.ours / self.theirs, 3) if self.theirs else None
        return json.dumps(
            {
                "figure": self.name,
                "ours": round(self.ours, 4),
                "peer": self.peer,
                "theirs": None if self.theirs is None else round(self.theirs, 4),
                "ratio": ratio,
                "n": self.n,
                "goal": self.goal,
                "met": self.met,
            }
        )


def percentile(values: list[float], share: float) -> float:
    """Nearest-rank percentile: share 0.99 of n values is the value at rank ceil(0.99 n)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-share * len(ordered) // 1)
    return ordered[min(len(ordered) - 1, max(0, int(rank) - 1))]
