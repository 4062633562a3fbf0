"""Pictures for consoles: frames are decoded in one thread; of some one is made for each side, size and mode wanted.

All frames are decoded, since each rests on the one before. When the thread falls behind, it drops what waits and begins
again at a key frame.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import av
import av.error

from schemas.media import Box, Picture, PictureMode, Side

from .picture_modes import small_picture

BATCH_S = 0.1
"""Frames are decoded together, so often: waking for each costs half as much again as decoding it. When somebody looks
closely, twice as often as pictures are wanted."""
BACKLOG_MAX = 60

BoxMade = tuple[Side, int, int, PictureMode]

OnPicture = Callable[[Picture], None]


@dataclass
class _Stream:
    """One side's decoder; used by the thread only."""

    decoder: Any
    needs_key: bool = True
    beats: dict[BoxMade, tuple[int, int]] = field(default_factory=dict)
    """(a second's part, how many parts) in which the box's newest picture was taken."""


class PictureMaker:
    """`on_picture` and `on_behind(side)` are called in its thread. `offset_s` spreads many laptops over the second."""

    def __init__(self, call_id: str, offset_s: float, on_picture: OnPicture, on_behind: Callable[[Side], None]) -> None:
        self.errors = 0
        self._call_id, self._offset_s = call_id, offset_s
        self._on_picture, self._on_behind = on_picture, on_behind
        self._boxes: tuple[Box, ...] = ()
        self._batch_s = BATCH_S
        self._waiting: deque[tuple[Side, bytes, bool, float]] = deque()
        self._dropped: set[Side] = set()
        self._wake = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def want(self, boxes: list[Box]) -> None:
        self._batch_s = min(BATCH_S, 0.5 / max((box.per_s for box in boxes), default=1))
        self._boxes = tuple(boxes)

    def add(self, side: Side, data: bytes, key: bool, came_at: float) -> None:
        """An encoded VP8 frame; `came_at` CLOCK_MONOTONIC, s."""
        with self._wake:
            if len(self._waiting) >= BACKLOG_MAX:
                self._dropped |= {waiting[0] for waiting in self._waiting}
                self._waiting.clear()
            self._waiting.append((side, data, key, came_at))

    def stop(self) -> None:
        with self._wake:
            self._running = False
            self._wake.notify()
        self._thread.join(1)

    def _run(self) -> None:
        streams: dict[Side, _Stream] = {}
        while True:
            with self._wake:
                self._wake.wait_for(lambda: not self._running, self._batch_s)
                if not self._running:
                    return
                batch = tuple(self._waiting)
                self._waiting.clear()
                dropped, self._dropped = self._dropped, set()
            for behind in dropped:
                if behind in streams:
                    streams[behind].needs_key = True
                self._on_behind(behind)
            for side, data, key, came_at in batch:
                stream = streams.get(side)
                if stream is None:
                    decoder = av.CodecContext.create("vp8", "r")
                    decoder.thread_count = 1
                    stream = streams[side] = _Stream(decoder)
                try:
                    self._decode(side, stream, data, key, came_at)
                except (av.error.FFmpegError, ValueError):
                    self.errors += 1
                    stream.needs_key = True
                    self._on_behind(side)

    def _decode(self, side: Side, stream: _Stream, data: bytes, key: bool, came_at: float) -> None:
        if stream.needs_key and not key:
            return
        stream.needs_key = False
        for frame in stream.decoder.decode(av.Packet(data)):
            for box in self._boxes:
                if box.side == side and self._is_due(stream, box, came_at):
                    self._on_picture(self._picture(frame, box, came_at))

    def _is_due(self, stream: _Stream, box: Box, came_at: float) -> bool:
        """The first at once, then one in each part of a second of this laptop's own beat."""
        beat = int((came_at + self._offset_s) * box.per_s), box.per_s
        made = box.side, box.width, box.height, box.mode
        if stream.beats.get(made) == beat:
            return False
        stream.beats[made] = beat
        return True

    def _picture(self, frame: Any, box: Box, came_at: float) -> Picture:
        width, height, pixels = small_picture(frame, box.width, box.height, box.mode)
        at_ms = round(came_at * 1000)
        return Picture(self._call_id, box.side, at_ms, box.width, box.height, width, height, pixels, box.mode)
