"""From the laptops to the consoles: one delta frame a tick, made once and shared; ordered events at once.

Media keep the latest value only: levels a call, a picture a call, side, size and mode. A console that looks at one call
closely gets that call's pictures in a delta of its own, under the same number. A console that is behind gets no delta
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
from schemas.wire import Message, encode

from ..rules.picture_boxes import BoxKey, for_every_call, key_of
from ..rules.supervision import counts, is_used
from .connection import framed
from .link import Link
from .pictures import PictureKey, Pictures

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


class Watcher:
    """A console as the fan-out sees it."""

    def __init__(self, link: Link, role: Role, now_s: float) -> None:
        self.link, self.role = link, role
        self.beat_at = now_s
        self.name = self.session = self.selected = ""
        """Whose console it is, and the call that is chosen at it."""
        self.focused = False
        self.unused_s = 0.0
        """Since somebody pressed a key at it, as it said with its last beat."""
        self.boxes: tuple[Box, ...] = ()
        self.focus_call = ""
        self.focus: tuple[Box, ...] = ()
        self._close: list[PictureKey] = []
        self.needs_snapshot = False
        """It has asked for one."""
        self.skipped = False
        """It has missed something: the next that it gets is a snapshot."""
        self.behind_since: float | None = None
        self.snapshot_due = now_s

    def is_used(self, now_s: float) -> bool:
        """Somebody sits at it: of any role, governors look too."""
        beat_age_s = now_s - self.beat_at
        return is_used(beat_age_s, self.unused_s + beat_age_s)

    def counts(self, now_s: float) -> bool:
        """Somebody watches at it."""
        beat_age_s = now_s - self.beat_at
        return counts(self.role, beat_age_s, self.unused_s + beat_age_s)

    def look_at(self, boxes: list[Box], focus_call: str, focus: list[Box]) -> None:
        """What it shows of every call, and of the one that it looks at closely."""
        self.boxes, self.focus_call = tuple(boxes), focus_call
        self.focus = tuple(focus) if focus_call else ()
        self._close = [(focus_call, key_of(box)) for box in self.focus]

    def close(self, pictures: dict[PictureKey, msgspec.Raw]) -> tuple[PictureKey, ...]:
        """Those of these that it has asked for."""
        return tuple(key for key in self._close if key in pictures)


class _OfCall:
    """What a snapshot shows of a call's media, as it came."""

    __slots__ = ("health", "levels")

    def __init__(self) -> None:
        self.levels: msgspec.Raw | None = None
        self.health: msgspec.Raw | None = None


class FanOut:
    """`snapshot_of_calls(tick, order)` gives a Snapshot without media; the media are added here."""

    def __init__(self, snapshot_of_calls: Callable[[int, int], Snapshot], now_ms: Callable[[], int]) -> None:
        self.watchers: set[Watcher] = set()
        self._snapshot_of_calls, self._now_ms = snapshot_of_calls, now_ms
        self._tick = self._order = self._quiet = 0
        self._levels: dict[str, msgspec.Raw] = {}
        self._health: dict[str, msgspec.Raw] = {}
        self._pictures = Pictures()
        self._newest: dict[str, _OfCall] = {}

    # Each takes a message's frame as it came: a message inside a delta has the same bytes.
    def levels(self, call_id: str, frame: bytes) -> None:
        self._levels[call_id] = self._of(call_id).levels = msgspec.Raw(frame)

    def health(self, call_id: str, frame: bytes) -> None:
        self._health[call_id] = self._of(call_id).health = msgspec.Raw(frame)

    def picture(self, call_id: str, box: BoxKey, frame: bytes) -> None:
        self._of(call_id)
        self._pictures.take(call_id, box, frame)

    def boxes_changed(self) -> tuple[Box, ...]:
        """A console asks for other pictures, or has come or gone: what all together want of every call now."""
        every = for_every_call(watcher.boxes for watcher in self.watchers)
        focused = [(watcher.focus_call, watcher.focus) for watcher in self.watchers if watcher.focus]
        self._pictures.want(every, focused)
        return every

    def forget(self, call_id: str) -> None:
        """The call is over: nothing of its media is shown any more."""
        self._newest.pop(call_id, None)
        self._pictures.forget(call_id)

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

    def tell(self, message: Message) -> None:
        """To every console that can read it, behind or not; it has no number."""
        frame = framed(encode(message))
        for watcher in tuple(self.watchers):
            watcher.link.send_framed(frame, type(message))

    def add(self, link: Link, role: Role, name: str = "", session: str = "") -> Watcher:
        """A console joins: it gets the snapshot now and every delta and event after it."""
        _keep_little(link.connection.transport.get_extra_info("socket"))
        now = time.monotonic()
        watcher = Watcher(link, role, now)
        watcher.name, watcher.session = name, session
        self.watchers.add(watcher)
        self._send_snapshot(watcher, self._snapshot(), now)
        return watcher

    def tick(self) -> None:
        self._quiet += 1
        now = time.monotonic()
        shared, close = self._pictures.shared(now), self._pictures.close(now)
        if not (self._levels or self._health or shared or close) and self._quiet < QUIET_TICKS:
            self._send({}, {}, now)
            return
        self._quiet = 0
        self._tick += 1
        if self.watchers:
            self._send(self._frames(shared, close), close, now)
        self._levels.clear()
        self._health.clear()

    def _frames(
        self, shared: list[msgspec.Raw], close: dict[PictureKey, msgspec.Raw]
    ) -> dict[tuple[PictureKey, ...], bytes]:
        """The delta that all share, under (), and one for each set of pictures that somebody looks at closely."""
        levels, health = list(self._levels.values()), list(self._health.values())
        now_ms = self._now_ms()

        def frame(pictures: list[msgspec.Raw]) -> bytes:
            media: list[Any] = [levels, health, pictures]
            return framed(encode(Delta(self._tick, now_ms, *media)))

        return {
            mine: frame([*shared, *(close[key] for key in mine)])
            for mine in {(), *(watcher.close(close) for watcher in self.watchers)}
        }

    def _send(
        self, frames: dict[tuple[PictureKey, ...], bytes], close: dict[PictureKey, msgspec.Raw], now: float
    ) -> None:
        """Its frame (there may be none) to each who keeps up, a snapshot to those who have caught up."""
        snapshot = b""
        for watcher in tuple(self.watchers):
            backlog = watcher.link.backlog
            if backlog and self._is_behind(watcher, backlog, now):
                watcher.skipped = watcher.skipped or bool(frames)
                continue
            if not backlog:
                watcher.behind_since = None
            if watcher.skipped or (watcher.needs_snapshot and now >= watcher.snapshot_due):
                snapshot = snapshot or self._snapshot()
                self._send_snapshot(watcher, snapshot, now)
            elif frames:
                watcher.link.connection.send_framed(frames[watcher.close(close)])  # every console speaks deltas

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
        media: dict[str, Any] = {
            "levels": [of_call.levels for of_call in newest if of_call.levels is not None],
            "health": [of_call.health for of_call in newest if of_call.health is not None],
            "pictures": self._pictures.newest(),
        }
        return framed(encode(msgspec.structs.replace(known, **media)))


def _keep_little(end: socket.socket | None) -> None:
    """Small kernel buffers, so that a console which does not read is noticed soon."""
    if end is None:
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    if end.family != socket.AF_UNIX:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
