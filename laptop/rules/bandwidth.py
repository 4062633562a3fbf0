"""How much a leg's peer may send, bits/s: as much as the slowest of those who get it can take.

The loss rule is section 6 of draft-ietf-rmcat-gcc-02: above 10 % the rate falls, below 2 % it rises, between it stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FIRST = 2_000_000.0
"""At first, and never more: 640 x 360 needs no more."""
LEAST = 100_000.0
MUCH_LOSS, LITTLE_LOSS = 0.10, 0.02
RISE = 1.05
"""Each second."""
GROWTH, GROWTH_BITS = 1.5, 100_000.0
"""A browser's estimate grows no faster than this beyond what it gets, so one that is higher than that is no limit."""


@dataclass(frozen=True)
class Way:
    """One way, to a leg's peer or from it: what its loss allows."""

    bits_per_s: float = FIRST

    def after(self, loss: float | None, flow: float) -> "Way":
        """One second later. `loss` 0 to 1, None: nothing was reported; `flow`: what went this way, bits/s."""
        if loss is None or LITTLE_LOSS <= loss <= MUCH_LOSS:
            return self
        if loss > MUCH_LOSS:
            return Way(max(LEAST, min(self.bits_per_s, flow or self.bits_per_s) * (1 - loss / 2)))
        return Way(min(FIRST, self.bits_per_s * RISE))


def taken(reported: float | None, flow: float) -> float:
    """What a receiver that gets `flow` takes by its own report (REMB, its share for one picture)."""
    if reported is None:
        return FIRST
    return reported if reported < flow else max(reported, flow * GROWTH + GROWTH_BITS)


def allowed(limits: Iterable[float]) -> int:
    """Of all who get it, and of the way that it comes."""
    return round(max(LEAST, min([FIRST, *limits])))
