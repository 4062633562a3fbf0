"""The laptops' health while the server runs, and those who look at it: remote support, who is sent nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schemas.health import AgentHealth, HealthDelta, HealthSnapshot, LaptopView
from schemas.media import CallHealth
from schemas.wire import encode

from .rules.call import OPEN, CallState
from .rules.health import Known, Presence, Told, views

if TYPE_CHECKING:
    from .establishment import Establishment
    from .links.link import Link

EACH_S = 1.0
UNWATCHED_S = 5.0
"""While nobody of support looks: since when a fault is there is then known to this much."""
GOODBYES = (1000, 1001)
"""Close codes of an end that was meant (RFC 6455, 7.4.1)."""


class Health:
    """Keeps the latest of each laptop only; a support console that is behind is skipped and gets a snapshot later."""

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._presence: dict[str, Presence] = {}
        self._told: dict[str, Told] = {}
        self._views: dict[str, LaptopView] = {}
        self._tick = 0
        self._due = 0.0
        self.watchers: dict[Link, bool] = {}
        """Each with whether it needs a snapshot."""

    # From the laptops

    def came(self, laptop_id: str, software: str) -> None:
        self._presence[laptop_id] = self._known(laptop_id).came(_utc_ms(), software)
        self._told.pop(laptop_id, None)

    def went(self, laptop_id: str, link: Link) -> None:
        close = link.connection.protocol.close_rcvd
        goodbye = close is not None and close.code in GOODBYES
        self._presence[laptop_id] = self._known(laptop_id).went(_utc_ms(), goodbye)

    def agent_told(self, laptop_id: str, health: AgentHealth) -> None:
        told = self._told.get(laptop_id, Told())
        self._told[laptop_id] = Told(health, _utc_ms(), told.call, told.call_at_ms)

    def call_told(self, laptop_id: str, health: CallHealth) -> None:
        told = self._told.get(laptop_id, Told())
        self._told[laptop_id] = Told(told.agent, told.agent_at_ms, health, _utc_ms())

    def _known(self, laptop_id: str) -> Presence:
        return self._presence.get(laptop_id, Presence())

    # To support

    def add(self, link: Link) -> None:
        self._look(_utc_ms())
        self.watchers[link] = False
        self._due = 0.0
        link.send_frame(self._snapshot(), HealthSnapshot)

    def needs_snapshot(self, link: Link) -> None:
        self.watchers[link] = True

    def remove(self, link: Link) -> None:
        self.watchers.pop(link, None)

    def tick(self) -> None:
        """Called often; once a second (5 s while nobody looks) all laptops are judged; what has changed goes out."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + (EACH_S if self.watchers else UNWATCHED_S)
        changed = self._look(_utc_ms())
        self._tick += 1
        if not self.watchers:
            return
        frame, snapshot = encode(HealthDelta(self._tick, _utc_ms(), changed)), b""
        for link, needs_snapshot in tuple(self.watchers.items()):
            if link.backlog:
                self.watchers[link] = True
            elif needs_snapshot:
                self.watchers[link] = False
                snapshot = snapshot or self._snapshot()
                link.send_frame(snapshot, HealthSnapshot)
            else:
                link.send_frame(frame, HealthDelta)

    def _look(self, now_ms: int) -> list[LaptopView]:
        """Judges all laptops anew; those that look different now."""
        open_calls = {
            call.laptop_id: call
            for call in self._place.calls.values()
            if call.state in (*OPEN, CallState.ENDING)
        }  # fmt: skip
        known: list[Known] = []
        for laptop in self._place.known.laptops.values():
            end = self._place.laptops.get(laptop.id)
            known.append(
                Known(
                    laptop.id,
                    laptop.seat,
                    self._known(laptop.id),
                    self._told.get(laptop.id, Told()),
                    open_calls.get(laptop.id),
                    _round_trip_s(end.link) if end else None,
                )
            )
        before, self._views = self._views, {}
        for view in views(known, before, now_ms):
            self._views[view.laptop_id] = view
        return [view for view in self._views.values() if before.get(view.laptop_id) != view]

    def _snapshot(self) -> bytes:
        return encode(HealthSnapshot(self._tick, _utc_ms(), list(self._views.values())))


def _round_trip_s(link: Link) -> float | None:
    """Of the newest ping that was answered; None before the first. Less than a millisecond may be 0."""
    connection = link.connection
    return connection.latency if connection.latency or not connection.pending_pings else None


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000
