"""Tells each leg's peer how much it may send (REMB), from what all legs report."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..rules.bandwidth import FIRST, Way, allowed, taken
from .leg import Leg

YOUNG_S = 5.0
"""A browser takes an estimate at once only while its connection is new: then it is told more often."""


@dataclass
class _Known:
    """Of one leg's connection."""

    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    may_send: int = round(FIRST)
    seconds: int = 0


class Bandwidth:
    """`step` once a second, `tell_young` more often."""

    def __init__(self) -> None:
        self._known: dict[Leg, _Known] = {}

    async def step(self, legs: Mapping[str, Leg]) -> None:
        self._known = {leg: self._known.get(leg) or _Known() for leg in legs.values()}
        takes: dict[str, float] = {}
        for leg, known in self._known.items():
            loss, flow, reported = leg.reported()
            known.up = known.up.after(leg.lost_share(), leg.flow_bits)
            known.down = known.down.after(loss, flow)
            takes[leg.name] = min(known.down.bits_per_s, taken(reported, flow))
            known.seconds += 1
        for leg, known in self._known.items():
            known.may_send = allowed([known.up.bits_per_s, *(takes[name] for name in leg.receivers() if name in takes)])
            await leg.tell_bandwidth(known.may_send)

    async def tell_young(self) -> None:
        for leg, known in list(self._known.items()):
            if known.seconds < YOUNG_S:
                await leg.tell_bandwidth(known.may_send)
