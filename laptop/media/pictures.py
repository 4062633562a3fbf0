"""Pictures for consoles: frames are decoded in one thread; once a second one is made for each side and size wanted.

All frames are decoded, since each rests on the one before. When the thread falls behind, it drops what waits and begins
again at a key frame.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import av
import av.error
import numpy as np

from schemas.media import Box, Picture, Side

EACH_S = 1.0
BATCH_S = 0.1
"""Frames are decoded together, so often: waking for each costs half as much again as decoding it."""
BACKLOG_MAX = 60
SIZE_MIN = 2

OnPicture = Callable[[Picture], None]


@dataclass
class _Stream:
    """One side's decoder; used by the thread only."""

    decoder: Any
    needs_key: bool = True
    shown_at: dict[Box, float] = field(default_factory=dict)


class PictureMaker:
    """`on_picture` and `on_behind(side)` are called in its thread. `offset_s` spreads many laptops over the second."""

    def __init__(self, call_id: str, offset_s: float, on_picture: OnPicture, on_behind: Callable[[Side], None]) -> None:
        self.errors = 0
        self._call_id, self._offset_s = call_id, offset_s
        self._on_picture, self._on_behind = on_picture, on_behind
        self._boxes: tuple[Box, ...] = ()
        self._waiting: deque[tuple[Side, bytes, bool, float]] = deque()
        self._dropped: set[Side] = set()
        self._wake = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def want(self, boxes: list[Box]) -> None:
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
                self._wake.wait_for(lambda: not self._running, BATCH_S)
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
                if box.side == side and self._is_due(stream, box):
                    self._on_picture(self._picture(frame, box, came_at))

    def _is_due(self, stream: _Stream, box: Box) -> bool:
        """The first at once, then one in each second of this laptop's own beat."""
        beat = (time.monotonic() + self._offset_s) // EACH_S
        if stream.shown_at.get(box) == beat:
            return False
        stream.shown_at[box] = beat
        return True

    def _picture(self, frame: Any, box: Box, came_at: float) -> Picture:
        width, height, pixels = small_picture(frame, box.width, box.height)
        at_ms = round(came_at * 1000)
        return Picture(self._call_id, box.side, at_ms, box.width, box.height, width, height, pixels)


def small_picture(frame: Any, box_width: int, box_height: int) -> tuple[int, int, bytes]:
    """A decoded frame fitted in a box: width, height, and its rows of RGB from the top without padding."""
    width, height = fitted(frame.width, frame.height, box_width, box_height)
    plane = frame.reformat(width, height, "rgb24", interpolation="AREA").planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, : width * 3]
    return width, height, np.ascontiguousarray(rows).tobytes()


def fitted(width: int, height: int, box_width: int, box_height: int) -> tuple[int, int]:
    """The largest size within the box that keeps the picture's proportions; at least 2 x 2 pixels."""
    scale = min(box_width / width, box_height / height)
    fit = max(SIZE_MIN, round(width * scale)), max(SIZE_MIN, round(height * scale))
    return min(fit[0], box_width), min(fit[1], box_height)
