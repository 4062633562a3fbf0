"""Pictures for consoles: frames are decoded in one thread; of some one is made for each side, size and mode wanted.

All frames of a side that somebody looks at are decoded, since each rests on the one before; when its picture is due,
those that came since the last. When the thread falls behind, it drops what waits and begins again at a key frame.
A side with several devices is one picture of all of them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import av.error

from schemas.media import Box, Picture, PictureMode, Side, side_of

from .mosaic import mosaic
from .picture_modes import small_picture

BACKLOG_MAX = 150
"""Frames that may wait: about 3 s of both sides. They are decoded together when a picture of one of them is due, since
waking for each costs half as much again as decoding it."""
KEY_FRAME_ASKED_EACH_S = 1.0
GONE_S = 3.0
"""A device without a frame for so long is left out of its side's picture, when another is there."""

BoxMade = tuple[Side, int, int, PictureMode]

OnPicture = Callable[[Picture], None]


@dataclass
class _Stream:
    """One device's decoder; used by the thread only."""

    decoder: Any
    needs_key: bool = True
    asked_at: float = 0.0
    newest: Any = None
    """The newest decoded frame, which came at `newest_at`."""
    newest_at: float = 0.0


class PictureMaker:
    """`on_picture` and `on_behind(leg)`, which asks for a key frame, are called in its thread. `offset_s` spreads many
    laptops over the second."""

    def __init__(self, call_id: str, offset_s: float, on_picture: OnPicture, on_behind: Callable[[str], None]) -> None:
        self.errors = 0
        self.dropped = 0
        """Frames that were left out because the thread was behind."""
        self._call_id, self._offset_s = call_id, offset_s
        self._on_picture, self._on_behind = on_picture, on_behind
        self._boxes: tuple[Box, ...] = ()
        self._per_s: dict[Side, int] = {}
        """Of each side that somebody looks at, the pace of its fastest box."""
        self._beats: dict[Side, int] = {}
        self._made: dict[BoxMade, tuple[int, int]] = {}
        """(a second's part, how many parts) in which the box's newest picture was taken."""
        self._legs: set[str] = set()
        self._waiting: deque[tuple[str, bytes, bool, float]] = deque()
        self._streams: dict[str, _Stream] = {}
        self._broken: set[str] = set()
        """What waits now does not go on from what was decoded before."""
        self._due = False
        self._wake = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Frames that have not been decoded yet."""
        return len(self._waiting)

    def want(self, boxes: list[Box]) -> None:
        """Frames of a side that nobody looks at are not decoded; it begins again at a key frame."""
        per_s: dict[Side, int] = {}
        for box in boxes:
            per_s[box.side] = max(box.per_s, per_s.get(box.side, 1))
        with self._wake:
            self._broken |= {leg for leg in self._legs if side_of(leg) in per_s.keys() - self._per_s.keys()}
            self._boxes, self._per_s = tuple(boxes), per_s
            self._beats.clear()
            self._notify()

    def add(self, leg: str, data: bytes, key: bool, came_at: float) -> None:
        """An encoded VP8 frame; `came_at` CLOCK_MONOTONIC, s."""
        self._legs.add(leg)
        side = side_of(leg)
        per_s = self._per_s.get(side)
        if per_s is None:
            return
        beat = int((came_at + self._offset_s) * per_s)
        with self._wake:
            if len(self._waiting) >= BACKLOG_MAX:
                self._broken |= {waiting[0] for waiting in self._waiting}
                self.dropped += len(self._waiting)
                self._waiting.clear()
            self._waiting.append((leg, data, key, came_at))
            if key or self._beats.get(side) != beat:
                self._beats[side] = beat
                self._notify()

    def stop(self) -> None:
        with self._wake:
            self._running = False
            self._notify()
        self._thread.join(1)

    def _notify(self) -> None:
        self._due = True
        self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._due)
                if not self._running:
                    return
                self._due = False
                batch = tuple(self._waiting)
                self._waiting.clear()
                broken, self._broken = self._broken, set()
            for leg in broken:
                self._begin_again(leg, self._streams.get(leg))
            for leg, data, key, came_at in batch:
                stream = self._stream(leg)
                try:
                    self._decode(leg, stream, data, key, came_at)
                except (av.error.FFmpegError, ValueError):
                    self.errors += 1
                    self._begin_again(leg, stream)

    def _stream(self, leg: str) -> _Stream:
        stream = self._streams.get(leg)
        if stream is None:
            decoder = av.CodecContext.create("vp8", "r")
            decoder.thread_count = 1
            stream = self._streams[leg] = _Stream(decoder)
        return stream

    def _begin_again(self, leg: str, stream: _Stream | None) -> None:
        if stream is not None:
            stream.needs_key, stream.asked_at = True, time.monotonic()
        self._on_behind(leg)

    def _decode(self, leg: str, stream: _Stream, data: bytes, key: bool, came_at: float) -> None:
        if stream.needs_key and not key:
            if time.monotonic() - stream.asked_at >= KEY_FRAME_ASKED_EACH_S:
                self._begin_again(leg, stream)
            return
        stream.needs_key = False
        side = side_of(leg)
        for frame in stream.decoder.decode(av.Packet(data)):
            stream.newest, stream.newest_at = frame, came_at
            due = [box for box in self._boxes if box.side == side and self._is_due(box, came_at)]
            if due:
                whole = mosaic(self._newest_of(side, came_at))
                for box in due:
                    self._on_picture(self._picture(whole, box, came_at))

    def _newest_of(self, side: Side, now: float) -> list[Any]:
        """Of each device that is there, in the order of their names."""
        here = sorted(leg for leg in self._streams if side_of(leg) == side)
        streams = (self._streams[leg] for leg in here)
        return [one.newest for one in streams if one.newest is not None and now - one.newest_at < GONE_S]

    def _is_due(self, box: Box, came_at: float) -> bool:
        """The first at once, then one in each part of a second of this laptop's own beat."""
        beat = int((came_at + self._offset_s) * box.per_s), box.per_s
        made = box.side, box.width, box.height, box.mode
        if self._made.get(made) == beat:
            return False
        self._made[made] = beat
        return True

    def _picture(self, frame: Any, box: Box, came_at: float) -> Picture:
        width, height, pixels = small_picture(frame, box.width, box.height, box.mode)
        at_ms = round(came_at * 1000)
        return Picture(self._call_id, box.side, at_ms, box.width, box.height, width, height, pixels, box.mode)
