"""How a figure is told: one JSON line, ours beside the peer's from the same run."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`ours` and `theirs` in the unit that the name ends with.

    `theirs` None: there is no peer or it could not be run; `peer` says so, and no comparison counts as met.
    """

    name: str
    ours: float
    peer: str
    theirs: float | None
    n: int
    goal: str
    met: bool

    def line(self) -> str:
        figure = {
            "figure": self.name,
            "ours": round(self.ours, 4),
            "peer": self.peer,
            "theirs": None if self.theirs is None else round(self.theirs, 4),
            "ratio": round(self.ours / self.theirs, 3) if self.theirs else None,
            "n": self.n,
            "goal": self.goal,
            "met": self.met,
        }
        return json.dumps(figure)
