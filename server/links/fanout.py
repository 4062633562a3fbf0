"""From the laptops to the consoles: one delta frame a tick, made once and shared; ordered events at once.

A console that is behind gets no delta (nothing is queued for it but ordered events) and a snapshot when it has caught
up; one that stays behind is given up. Media keep the latest value only: levels a call, a picture a call, side and size.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.call import Role
from schemas.console import CallChanged, Delta, SeatChanged, Snapshot
from schemas.media import Box
from schemas.wire import MAX_SERVER_FRAME_BYTES, encode

from .link import Link

TICK_S = 0.05
QUIET_TICKS = 20
"""A delta goes out at least after so many ticks, so that a console knows that the link lives."""
BEHIND_S = 10.0
NOTSENT_LOWAT_BYTES = 16 * 1024
SNAPSHOT_PICTURES_BYTES = MAX_SERVER_FRAME_BYTES // 2


class Watcher:
    """A console as the fan-out sees it."""

    def __init__(self, link: Link, role: Role) -> None:
        self.link, self.role = link, role
        self.beat_at = time.monotonic()
        self.unused_s = 0.0
        """Since somebody pressed a key at it, as it said with its last beat."""
        self.boxes: tuple[Box, ...] = ()
        self.needs_snapshot = False
        self.behind_since: float | None = None


class FanOut:
    """`snapshot_of_calls(tick, order)` gives a Snapshot without media; the media are added here."""

    def __init__(self, snapshot_of_calls: Callable[[int, int], Snapshot], now_ms: Callable[[], int]) -> None:
        self.watchers: set[Watcher] = set()
        self._snapshot_of_calls, self._now_ms = snapshot_of_calls, now_ms
        self._tick = self._order = self._quiet = 0
        self._levels: dict[str, msgspec.Raw] = {}
        self._health: dict[str, msgspec.Raw] = {}
        self._pictures: dict[tuple[str, str, int, int], msgspec.Raw] = {}
        self._newest: dict[str, dict[Any, msgspec.Raw]] = {}
        """Call -> what a snapshot shows of it."""

    # Each takes a message's frame as it came: a message inside a delta has the same bytes.
    def levels(self, call_id: str, frame: bytes) -> None:
        self._levels[call_id] = self._keep(call_id, "levels", frame)

    def health(self, call_id: str, frame: bytes) -> None:
        self._health[call_id] = self._keep(call_id, "health", frame)

    def picture(self, call_id: str, side: str, box: tuple[int, int], frame: bytes) -> None:
        self._pictures[(call_id, side, *box)] = self._keep(call_id, (side, *box), frame)

    def forget(self, call_id: str) -> None:
        """The call is over: nothing of its media is shown any more."""
        self._newest.pop(call_id, None)

    def _keep(self, call_id: str, what: Any, frame: bytes) -> msgspec.Raw:
        raw = msgspec.Raw(frame)
        self._newest.setdefault(call_id, {})[what] = raw
        return raw

    def event(self, make: Callable[[int], CallChanged | SeatChanged]) -> None:
        """An ordered event: `make` gets its number. Goes to every console, behind or not.

        One that can't read this kind gets a snapshot in its place, so that it misses no number.
        """
        self._order += 1
        event = make(self._order)
        frame = encode(event)
        for watcher in tuple(self.watchers):
            if not watcher.link.send_frame(frame, type(event)):
                watcher.needs_snapshot = True

    def add(self, link: Link, role: Role) -> Watcher:
        """A console joins: it gets the snapshot now and every delta and event after it."""
        transport_socket = link.connection.transport.get_extra_info("socket")
        if transport_socket is not None and transport_socket.family in (socket.AF_INET, socket.AF_INET6):
            transport_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
        watcher = Watcher(link, role)
        self.watchers.add(watcher)
        link.send_frame(self._snapshot(), Snapshot)
        return watcher

    def tick(self) -> None:
        self._quiet += 1
        if not (self._levels or self._health or self._pictures) and self._quiet < QUIET_TICKS:
            return
        self._quiet = 0
        self._tick += 1
        if self.watchers:
            media: list[Any] = [list(kept.values()) for kept in (self._levels, self._health, self._pictures)]
            self._send(encode(Delta(self._tick, self._now_ms(), *media)))
        self._levels.clear()
        self._health.clear()
        self._pictures.clear()

    def _send(self, frame: bytes) -> None:
        snapshot = b""
        for watcher in tuple(self.watchers):
            if watcher.link.backlog:
                watcher.needs_snapshot = True
                now = time.monotonic()
                watcher.behind_since = watcher.behind_since or now
                if now - watcher.behind_since > BEHIND_S:
                    self.watchers.discard(watcher)
                    watcher.link.abort(f"behind for {BEHIND_S:g} s")
                continue
            watcher.behind_since = None
            if watcher.needs_snapshot:
                watcher.needs_snapshot = False
                snapshot = snapshot or self._snapshot()
                watcher.link.send_frame(snapshot, Snapshot)
            else:
                watcher.link.send_frame(frame, Delta)

    def _snapshot(self) -> bytes:
        known = self._snapshot_of_calls(self._tick, self._order)
        levels = [kept["levels"] for kept in self._newest.values() if "levels" in kept]
        health = [kept["health"] for kept in self._newest.values() if "health" in kept]
        pictures: list[msgspec.Raw] = []
        room = SNAPSHOT_PICTURES_BYTES
        for kept in self._newest.values():
            for what, raw in kept.items():
                if isinstance(what, tuple) and (room := room - len(memoryview(raw))) > 0:
                    pictures.append(raw)
        media: dict[str, Any] = {"levels": levels, "health": health, "pictures": pictures}
        return encode(msgspec.structs.replace(known, **media))
