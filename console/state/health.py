"""What support is told: the laptops, which one is chosen, and what has happened to them since the console began."""

from collections import deque
from dataclasses import dataclass, field

from schemas.health import Cause, HealthDelta, HealthSnapshot, LaptopView

from .filtering import Filter
from .health_words import phase, severity, state, verdict

EVENTS_KEPT = 200
"""The newest; older ones fall away."""


@dataclass(frozen=True)
class Event:
    """A laptop's verdict as it was at `at_ms` (server's time, UTC ms)."""

    at_ms: int
    laptop: LaptopView


@dataclass
class HealthBoard:
    """`apply` what comes in; a gap in the ticks asks for a snapshot."""

    laptops: dict[str, LaptopView] = field(default_factory=dict[str, LaptopView])
    chosen: str = ""
    opened: bool = False
    """The chosen one's details are looked at."""
    worst_first: bool = False
    filter: Filter = field(default_factory=Filter)
    known: bool = False
    """False: the server has not said anything yet, so nothing is said to be well either."""
    events: deque[Event] = field(default_factory=lambda: deque[Event](maxlen=EVENTS_KEPT))
    _tick: int = -1

    def apply(self, message: HealthSnapshot | HealthDelta) -> bool:
        """True when a frame is missing: a snapshot is needed."""
        gap = isinstance(message, HealthDelta) and message.tick > self._tick + 1
        self._tick = message.tick
        before = self.laptops
        seen = {one.laptop_id: one for one in message.laptops}
        self.laptops = seen if isinstance(message, HealthSnapshot) else before | seen
        for one in message.laptops:
            old = before.get(one.laptop_id)
            if one.cause != (old.cause if old else Cause.NONE):
                self.events.append(Event(one.cause_since_ms or message.server_time_ms, one))
        if self.chosen not in self.laptops:
            self.chosen = next((one.laptop_id for one in self.rows()), "")
        self.known = True
        return gap

    def rows(self) -> list[LaptopView]:
        """By seat, or the gravest first."""
        by_seat = sorted(filter(self._kept, self.laptops.values()), key=lambda one: one.seat)
        return sorted(by_seat, key=severity) if self.worst_first else by_seat

    def filter_words(self) -> str:
        return self.filter.words(len(self.rows()), len(self.laptops))

    def _kept(self, one: LaptopView) -> bool:
        return self.filter.keeps(one.laptop_id, f"{one.seat:02d}", state(one), phase(one), verdict(one))

    def move(self, step: int) -> None:
        """Chooses the laptop so many rows on; stays within the list."""
        order = [one.laptop_id for one in self.rows()]
        if order:
            at = order.index(self.chosen) if self.chosen in order else 0
            self.chosen = order[max(0, min(len(order) - 1, at + step))]

    def events_of(self, laptop_id: str = "") -> list[Event]:
        """The newest first; of one laptop, or of all."""
        return [e for e in reversed(self.events) if not laptop_id or e.laptop.laptop_id == laptop_id]
