"""From the laptops to the consoles: one delta frame a tick, made once and shared; ordered events at once.

Media keep the latest value only: levels a call, a picture a call, side and size. A console that is behind gets no delta
(nothing is queued for it but ordered events) and a snapshot when it has caught up; one that stays behind is given up.
Deltas and ordered events are numbered, each on its own; who misses a number asks for a snapshot, which has both.
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

from .connection import framed
from .link import Link

TICK_S = 0.05
QUIET_TICKS = 20
"""A delta goes out at least after so many ticks, so that a console knows that the link lives."""
BEHIND_S = 10.0
SNAPSHOT_EACH_S = 1.0
"""A console that asks for snapshots gets one at most so often; deltas go on meanwhile."""
SAME_TURN_BYTES = 16 * 1024
"""So much may be unsent at a tick without a console being behind, if it is not at the next one: an event that was
written in the same turn of the loop has not gone to the kernel yet."""
KERNEL_BYTES = 32 * 1024
"""The kernel's send buffer (it takes twice this, for its own overhead). What is in there is not seen as unsent, and by
default that is up to 34 s of frames on TCP."""
NOTSENT_LOWAT_BYTES = 16 * 1024
PICTURE_EACH_S = 0.4
"""Consoles want one a second; a laptop that sends more hurts nobody."""
PICTURES_OF_CALL_MAX = 8
"""So many sizes and sides are asked of a laptop at most; of others the oldest is forgotten."""
DELTA_PICTURES_BYTES = MAX_SERVER_FRAME_BYTES // 4
SNAPSHOT_PICTURES_BYTES = MAX_SERVER_FRAME_BYTES // 2

PictureKey = tuple[str, str, int, int]
"""Call, side, width and height of the box."""


class Watcher:
    """A console as the fan-out sees it."""

    def __init__(self, link: Link, role: Role, now_s: float) -> None:
        self.link, self.role = link, role
        self.beat_at = now_s
        self.unused_s = 0.0
        """Since somebody pressed a key at it, as it said with its last beat."""
        self.boxes: tuple[Box, ...] = ()
        self.needs_snapshot = False
        """It has asked for one."""
        self.skipped = False
        """It has missed something: the next that it gets is a snapshot."""
        self.behind_since: float | None = None
        self.snapshot_due = now_s


class _OfCall:
    """What a snapshot shows of a call's media, as it came."""

    __slots__ = ("health", "levels", "pictures")

    def __init__(self) -> None:
        self.levels: msgspec.Raw | None = None
        self.health: msgspec.Raw | None = None
        self.pictures: dict[PictureKey, bytes] = {}


class FanOut:
    """`snapshot_of_calls(tick, order)` gives a Snapshot without media; the media are added here."""

    def __init__(self, snapshot_of_calls: Callable[[int, int], Snapshot], now_ms: Callable[[], int]) -> None:
        self.watchers: set[Watcher] = set()
        self._snapshot_of_calls, self._now_ms = snapshot_of_calls, now_ms
        self._tick = self._order = self._quiet = 0
        self._levels: dict[str, msgspec.Raw] = {}
        self._health: dict[str, msgspec.Raw] = {}
        self._pictures: dict[PictureKey, bytes] = {}
        """Those that have not gone out yet."""
        self._shown_at: dict[PictureKey, float] = {}
        self._newest: dict[str, _OfCall] = {}

    # Each takes a message's frame as it came: a message inside a delta has the same bytes.
    def levels(self, call_id: str, frame: bytes) -> None:
        self._levels[call_id] = self._of(call_id).levels = msgspec.Raw(frame)

    def health(self, call_id: str, frame: bytes) -> None:
        self._health[call_id] = self._of(call_id).health = msgspec.Raw(frame)

    def picture(self, call_id: str, side: str, box: tuple[int, int], frame: bytes) -> None:
        key = call_id, side, *box
        pictures = self._of(call_id).pictures
        self._pictures[key] = pictures[key] = frame
        if len(pictures) > PICTURES_OF_CALL_MAX:
            oldest = next(iter(pictures))
            for kept in (pictures, self._pictures, self._shown_at):
                kept.pop(oldest, None)

    def forget(self, call_id: str) -> None:
        """The call is over: nothing of its media is shown any more."""
        known = self._newest.pop(call_id, None)
        for key in known.pictures if known else ():
            self._shown_at.pop(key, None)

    def _of(self, call_id: str) -> _OfCall:
        found = self._newest.get(call_id)
        if found is None:
            found = self._newest[call_id] = _OfCall()
        return found

    def event(self, make: Callable[[int], CallChanged | SeatChanged]) -> None:
        """An ordered event: `make` gets its number. Goes to every console, behind or not.

        One that can't read this kind gets a snapshot in its place, so that it misses no number.
        """
        self._order += 1
        event = make(self._order)
        frame = framed(encode(event))
        for watcher in tuple(self.watchers):
            if not watcher.link.send_framed(frame, type(event)):
                watcher.skipped = True

    def add(self, link: Link, role: Role) -> Watcher:
        """A console joins: it gets the snapshot now and every delta and event after it."""
        _keep_little(link.connection.transport.get_extra_info("socket"))
        now = time.monotonic()
        watcher = Watcher(link, role, now)
        self.watchers.add(watcher)
        self._send_snapshot(watcher, self._snapshot(), now)
        return watcher

    def tick(self) -> None:
        self._quiet += 1
        now = time.monotonic()
        pictures = self._pictures_due(now) if self._pictures else []
        if not (self._levels or self._health or pictures) and self._quiet < QUIET_TICKS:
            self._send(b"", now)
            return
        self._quiet = 0
        self._tick += 1
        if self.watchers:
            media: list[Any] = [list(self._levels.values()), list(self._health.values()), pictures]
            self._send(framed(encode(Delta(self._tick, self._now_ms(), *media))), now)
        self._levels.clear()
        self._health.clear()

    def _pictures_due(self, now: float) -> list[msgspec.Raw]:
        """Takes those that may go out now; what is left is the first at the next tick."""
        due: list[msgspec.Raw] = []
        room = DELTA_PICTURES_BYTES
        for key, frame in tuple(self._pictures.items()):
            if now - self._shown_at.get(key, 0.0) >= PICTURE_EACH_S and (room := room - len(frame)) > 0:
                del self._pictures[key]
                if key[0] in self._newest:
                    self._shown_at[key] = now
                    due.append(msgspec.Raw(frame))
        return due

    def _send(self, frame: bytes, now: float) -> None:
        """`frame` (empty: there is none) to those who keep up, a snapshot to those who have caught up."""
        snapshot = b""
        for watcher in tuple(self.watchers):
            backlog = watcher.link.backlog
            if backlog and self._is_behind(watcher, backlog, now):
                watcher.skipped = watcher.skipped or bool(frame)
                continue
            if not backlog:
                watcher.behind_since = None
            if watcher.skipped or (watcher.needs_snapshot and now >= watcher.snapshot_due):
                snapshot = snapshot or self._snapshot()
                self._send_snapshot(watcher, snapshot, now)
            elif frame:
                watcher.link.connection.send_framed(frame)  # every console speaks deltas

    def _is_behind(self, watcher: Watcher, backlog: int, now: float) -> bool:
        """Looks at a console with something unsent; gives it up when that has lasted too long."""
        if watcher.behind_since is None:
            watcher.behind_since = now
            return backlog > SAME_TURN_BYTES
        if now - watcher.behind_since > BEHIND_S:
            self.watchers.discard(watcher)
            watcher.link.abort(f"behind for {BEHIND_S:g} s")
        return True

    def _send_snapshot(self, watcher: Watcher, snapshot: bytes, now: float) -> None:
        watcher.needs_snapshot = watcher.skipped = False
        watcher.snapshot_due = now + SNAPSHOT_EACH_S
        watcher.link.send_framed(snapshot, Snapshot)

    def _snapshot(self) -> bytes:
        known = self._snapshot_of_calls(self._tick, self._order)
        newest = self._newest.values()
        pictures: list[msgspec.Raw] = []
        room = SNAPSHOT_PICTURES_BYTES
        for of_call in newest:
            for frame in of_call.pictures.values():
                if len(frame) <= room:
                    room -= len(frame)
                    pictures.append(msgspec.Raw(frame))
        media: dict[str, Any] = {
            "levels": [of_call.levels for of_call in newest if of_call.levels is not None],
            "health": [of_call.health for of_call in newest if of_call.health is not None],
            "pictures": pictures,
        }
        return framed(encode(msgspec.structs.replace(known, **media)))


def _keep_little(end: socket.socket | None) -> None:
    """Small kernel buffers, so that a console which does not read is noticed soon."""
    if end is None:
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    if end.family != socket.AF_UNIX:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
