"""Pictures for consoles: frames are decoded in one thread; of some one is made for each side, size and mode wanted.

When a side's picture is due, what came since the last one is decoded together: each frame rests on the one before. Left
out are frames that nothing rests on, unless the picture shows just them, and all that came before a key frame. Which
frame is shown is drawn by chance, among those also which are left out else: no sender can know which ones nobody sees.
When the thread falls behind, it drops what waits and begins again at a key frame.
A side with several devices is one picture of all of them.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import av
import av.error

from schemas.media import Box, Picture, Side, side_of

from .mosaic import mosaic
from .picture_modes import small_picture
from .vp8_header import Headers

BACKLOG_MAX = 400
"""Frames of one side that may wait: about 4 s of four devices. They are decoded together when a picture of one of them
is due, since waking for each costs half as much again as decoding it."""
KEY_FRAME_ASKED_EACH_S = 1.0
SPREAD = 0.4
"""Of the time between two pictures: within it the moment of each is drawn by chance."""
GONE_S = 3.0
"""A device without a frame for so long is left out of its side's picture, when another is there."""

OnPicture = Callable[[Picture], None]


class _Waiting(NamedTuple):
    """An encoded frame. `came_at`: CLOCK_MONOTONIC, s; `due`: the boxes that are to be filled by it."""

    leg: str
    data: bytes
    key: bool
    came_at: float
    due: tuple[Box, ...]


@dataclass
class _Stream:
    """One device's decoder; used by the thread only."""

    decoder: Any
    headers: Headers = field(default_factory=Headers)
    needs_key: bool = True
    asked_at: float = 0.0
    newest: Any = None
    """The newest decoded frame, which came at `newest_at`."""
    newest_at: float = 0.0
    left_out: tuple[bytes, float] | None = None
    """A frame that is newer still, not decoded since nothing rests on it, and when it came."""


class PictureMaker:
    """`on_picture` and `on_behind(leg)`, which asks for a key frame, are called in its thread. `offset_s` spreads many
    laptops over the second; `chance()` draws from 0 to 1."""

    def __init__(
        self,
        call_id: str,
        offset_s: float,
        on_picture: OnPicture,
        on_behind: Callable[[str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.errors = 0
        self.dropped = 0
        """Frames that were left out because the thread was behind."""
        self._call_id, self._offset_s, self._chance = call_id, offset_s, chance
        self._on_picture, self._on_behind = on_picture, on_behind
        self._boxes: tuple[Box, ...] = ()
        self._sides: frozenset[Side] = frozenset()
        """Those that somebody looks at."""
        self._due_at: dict[Box, float] = {}
        """When a box is due again: CLOCK_MONOTONIC, s."""
        self._look_at: dict[Side, float] = {}
        """When the first box of a side is."""
        self._owed: set[Box] = set()
        """Due, and not filled yet; used by the thread only."""
        self._legs: set[str] = set()
        self._waiting: dict[Side, deque[_Waiting]] = {side: deque() for side in Side}
        self._streams: dict[str, _Stream] = {}
        self._broken: set[str] = set()
        """What waits now does not go on from what was decoded before."""
        self._due: set[Side] = set()
        """The sides whose frames are to be decoded now."""
        self._wake = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Frames that have not been decoded yet."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def want(self, boxes: list[Box]) -> None:
        """Frames of a side that nobody looks at are not decoded; it begins again at a key frame."""
        sides = frozenset(box.side for box in boxes)
        with self._wake:
            self._broken |= {leg for leg in self._legs if side_of(leg) in sides - self._sides}
            self._boxes, self._sides = tuple(boxes), sides
            self._due_at = {box: due for box, due in self._due_at.items() if box in boxes}
            self._look_at.clear()
            self._wake_for(*sides)

    def add(self, leg: str, data: bytes, key: bool, came_at: float) -> None:
        """An encoded VP8 frame; `came_at` CLOCK_MONOTONIC, s."""
        self._legs.add(leg)
        side = side_of(leg)
        if side not in self._sides:
            return
        with self._wake:
            waiting = self._waiting[side]
            if len(waiting) >= BACKLOG_MAX:
                self._broken |= {one.leg for one in waiting}
                self.dropped += len(waiting)
                waiting.clear()
            if key and side not in self._due:  # nothing later rests on what was before
                self._waiting[side] = waiting = deque(one for one in waiting if one.leg != leg)
            due = self._due_boxes(side, came_at) if came_at >= self._look_at.get(side, came_at) else ()
            waiting.append(_Waiting(leg, data, key, came_at, due))
            if key or due:
                self._wake_for(side)

    def stop(self) -> None:
        with self._wake:
            self._running = False
            self._wake_for(*Side)
        self._thread.join(1)

    def _wake_for(self, *sides: Side) -> None:
        self._due.update(sides)
        self._wake.notify()

    def _due_boxes(self, side: Side, came_at: float) -> tuple[Box, ...]:
        """Each the first time at once, then once in each part of a second of this laptop's own beat."""
        boxes = [box for box in self._boxes if box.side == side]
        due = tuple(box for box in boxes if came_at >= self._due_at.get(box, came_at))
        for box in due:
            beat = int((came_at + self._offset_s) * box.per_s) + 1
            self._due_at[box] = (beat + SPREAD * self._chance()) / box.per_s - self._offset_s
        self._look_at[side] = min(self._due_at[box] for box in boxes)
        return due

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._due)
                if not self._running:
                    return
                batch = [one for side in self._due for one in self._waiting[side]]
                for side in self._due:
                    self._waiting[side].clear()
                self._due.clear()
                broken, self._broken = self._broken, set()
            for leg in broken:
                self._begin_again(leg, self._stream(leg))
            for one in batch:
                self._take(one)

    def _stream(self, leg: str) -> _Stream:
        stream = self._streams.get(leg)
        if stream is None:
            decoder = av.CodecContext.create("vp8", "r")
            decoder.thread_count = 1
            stream = self._streams[leg] = _Stream(decoder)
        return stream

    def _begin_again(self, leg: str, stream: _Stream) -> None:
        stream.needs_key, stream.asked_at, stream.left_out = True, time.monotonic(), None
        self._on_behind(leg)

    def _take(self, one: _Waiting) -> None:
        self._owed.update(one.due)
        stream = self._stream(one.leg)
        if stream.needs_key and not one.key:
            if time.monotonic() - stream.asked_at >= KEY_FRAME_ASKED_EACH_S:
                self._begin_again(one.leg, stream)
            return
        stream.needs_key = False
        if stream.headers.disposable(one.data):
            stream.left_out = one.data, one.came_at
        else:
            stream.left_out = None
            self._decode(one.leg, stream, one.data, one.came_at)
        side = side_of(one.leg)
        owed = [box for box in self._owed if box.side == side]
        if owed:
            self._show(side, owed, stream, one.came_at)

    def _decode(self, leg: str, stream: _Stream, data: bytes, came_at: float) -> None:
        try:
            for frame in stream.decoder.decode(av.Packet(data)):
                stream.newest, stream.newest_at = frame, came_at
        except (av.error.FFmpegError, ValueError):
            self.errors += 1
            self._begin_again(leg, stream)

    def _show(self, side: Side, owed: list[Box], stream: _Stream, came_at: float) -> None:
        """Fills the boxes, if the frame that came at this moment in this stream can be shown."""
        frames = self._newest_of(side, came_at)
        if stream.newest is None or stream.newest_at != came_at:
            return  # broken, or hidden: the next one will do
        whole = mosaic(frames)
        for box in owed:
            self._owed.discard(box)
            if box in self._boxes:
                self._on_picture(self._picture(whole, box, came_at))

    def _newest_of(self, side: Side, now: float) -> list[Any]:
        """Of each device that is there, in the order of their names."""
        streams = [self._streams[leg] for leg in self._caught_up(side)]
        return [one.newest for one in streams if one.newest is not None and now - one.newest_at < GONE_S]

    def _caught_up(self, side: Side) -> list[str]:
        """The legs of a side, in the order of their names, with the frames decoded that had been left out."""
        legs = sorted(leg for leg in self._streams if side_of(leg) == side)
        for leg in legs:
            stream = self._streams[leg]
            left_out, stream.left_out = stream.left_out, None
            if left_out is not None:
                self._decode(leg, stream, *left_out)
        return legs

    def _picture(self, frame: Any, box: Box, came_at: float) -> Picture:
        width, height, pixels = small_picture(frame, box.width, box.height, box.mode)
        at_ms = round(came_at * 1000)
        return Picture(self._call_id, box.side, at_ms, box.width, box.height, width, height, pixels, box.mode)
