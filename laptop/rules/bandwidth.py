"""How much a leg's peer may send, bits/s: as much as the slowest of those who get it can take.

The loss rule is section 6 of draft-ietf-rmcat-gcc-02: above 10 % the rate falls, below 2 % it rises, between it stays.
A second has some 60 packets and says little alone: what falls has lost that much for some seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

FIRST = 2_000_000.0
"""At first, and never more: 640 x 360 needs no more."""
LEAST = 100_000.0
MUCH_LOSS, LITTLE_LOSS = 0.10, 0.02
NEWEST = 0.25
"""How much the newest second counts in the loss of the last ones."""
AT_RANDOM, AT_RANDOM_BITS = 0.20, 600_000.0
"""A line that is too narrow for this loses more than a fifth of it. One that loses less loses at random: sending less
would only blur the picture."""
RISE = 1.05
"""Each second."""
GROWTH, GROWTH_BITS = 1.5, 100_000.0
"""A browser's estimate grows no faster than this beyond what it gets, so one that is higher than that is no limit."""


@dataclass(frozen=True)
class Way:
    """One way, to a leg's peer or from it: what its loss allows."""

    bits_per_s: float = FIRST
    lately: float | None = field(default=None, compare=False)
    """Loss of the last seconds, 0 to 1."""

    def after(self, loss: float | None, flow: float) -> "Way":
        """One second later. `loss` 0 to 1, None: nothing was reported; `flow`: what went this way, bits/s."""
        if loss is None:
            return self
        lately = loss if self.lately is None else self.lately + NEWEST * (loss - self.lately)
        bits_per_s = self.bits_per_s
        if loss > MUCH_LOSS and lately > MUCH_LOSS:
            least = LEAST if lately > AT_RANDOM else min(bits_per_s, AT_RANDOM_BITS)
            bits_per_s = max(least, min(bits_per_s, flow or bits_per_s) * (1 - loss / 2))
        elif loss < LITTLE_LOSS:
            bits_per_s = min(FIRST, bits_per_s * RISE)
        return Way(bits_per_s, lately)


def taken(reported: float | None, flow: float) -> float:
    """What a receiver that gets `flow` takes by its own report (REMB, its share for one picture)."""
    if reported is None:
        return FIRST
    return reported if reported < flow else max(reported, flow * GROWTH + GROWTH_BITS)


def allowed(limits: Iterable[float]) -> int:
    """Of all who get it, and of the way that it comes."""
    return round(max(LEAST, min([FIRST, *limits])))
