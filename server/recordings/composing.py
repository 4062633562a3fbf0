"""One picture of both sides and one sound of all: decodes the sources of a recording at growing moments."""

from collections.abc import Iterable, Iterator
from typing import Any

import av
import av.error
import numpy as np

from .placing import Placed

RATE = 48_000
PANEL = 640, 360
HELD_MS = 1000
"""A picture stands until the next one, but no longer: then there is a gap."""
SLIP = RATE * 15 // 1000
"""Sound follows on without a seam as long as it is no further off than this, samples; lip sync allows 40 ms."""
_STRIPE, _DARK, _LIGHT, _NO_COLOUR = 24, 40, 64, 128

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Y (height, width), U and V (half of each), uint8."""


class PictureSource:
    """A source's pictures; `parts`: each one's frames in order, the parts in order."""

    def __init__(self, parts: list[list[Placed]], width: int, height: int) -> None:
        self._width, self._height = width, height
        self._frames = _decoded(parts)
        self._coming: tuple[float, Any] | None = next(self._frames, None)
        self._newest: tuple[float, Any] | None = None
        self._fitted: Planes | None = None

    def at(self, at_ms: float) -> Planes | None:
        """The picture at this moment, fitted into the source's place; None in a gap."""
        while self._coming is not None and self._coming[0] <= at_ms:
            self._newest, self._coming, self._fitted = self._coming, next(self._frames, None), None
        if self._newest is None or at_ms - self._newest[0] > HELD_MS:
            return None
        if self._fitted is None:
            self._fitted = fitted(self._newest[1], self._width, self._height)
        return self._fitted


def side_by_side(panels: list[Planes]) -> Planes:
    y, u, v = (np.concatenate([panel[plane] for panel in panels], axis=1) for plane in range(3))
    return y, u, v


def panel(sources: list[PictureSource], at_ms: float) -> Planes:
    """One side: its only source over all of it, or up to four in a grid; hatched when it has none."""
    pictures = [source.at(at_ms) for source in sources]
    if len(sources) <= 1:
        return (pictures[0] if pictures else None) or hatched(*PANEL)
    width, height = PANEL[0] // 2, PANEL[1] // 2
    cells = [*(picture or hatched(width, height) for picture in pictures), *[_black(width, height)] * 4][:4]
    rows = [side_by_side(cells[:2]), side_by_side(cells[2:])]
    y, u, v = (np.concatenate([row[plane] for row in rows], axis=0) for plane in range(3))
    return y, u, v


def place_size(sources: int) -> tuple[int, int]:
    """How large one of so many sources of a side is shown."""
    return PANEL if sources <= 1 else (PANEL[0] // 2, PANEL[1] // 2)


def hatched(width: int, height: int) -> Planes:
    """What stands where nothing is recorded."""
    rows, columns = np.indices((height, width))
    y = np.where((rows + columns) // _STRIPE % 2, _DARK, _LIGHT).astype(np.uint8)
    blank = np.full((height // 2, width // 2), _NO_COLOUR, np.uint8)
    return y, blank, blank


def fitted(frame: Any, width: int, height: int) -> Planes:
    """A decoded frame of any size, whole and in proportion, in the middle of black."""
    scale = min(width / frame.width, height / frame.height)
    inside = max(2, round(frame.width * scale) // 2 * 2), max(2, round(frame.height * scale) // 2 * 2)
    small = frame.reformat(inside[0], inside[1], "yuv420p")
    y, u, v = _black(width, height)
    left, top = (width - inside[0]) // 4 * 2, (height - inside[1]) // 4 * 2
    for plane, target, half in zip(small.planes, (y, u, v), (1, 2, 2), strict=True):
        pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        rows, columns = top // half, left // half
        target[rows : rows + plane.height, columns : columns + plane.width] = pixels
    return y, u, v


def to_frame(planes: Planes) -> Any:
    height, width = planes[0].shape
    packed = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)
    return av.VideoFrame.from_ndarray(packed, format="yuv420p")


class SoundSource:
    """A source's sound as it is heard from moment to moment."""

    def __init__(self, parts: list[list[Placed]], began_ms: float) -> None:
        self._pieces = self._heard(parts, began_ms)
        self._coming: tuple[int, np.ndarray] | None = next(self._pieces, None)

    def add_to(self, mix: np.ndarray, first: int) -> None:
        """Adds what is heard from sample `first` on to `mix`, float32 (samples, 2)."""
        last = first + len(mix)
        while self._coming is not None and self._coming[0] < last:
            at, sound = self._coming
            begin, end = max(at, first), min(at + len(sound), last)
            if begin < end:
                mix[begin - first : end - first] += sound[begin - at : end - at]
            if at + len(sound) > last:
                return
            self._coming = next(self._pieces, None)

    def _heard(self, parts: list[list[Placed]], began_ms: float) -> Iterator[tuple[int, np.ndarray]]:
        """(first sample, sound); a piece follows on the one before unless it is too far off."""
        following: int | None = None
        for part in parts:
            decoder: Any = av.CodecContext.create("opus", "r")
            for placed in part:
                try:
                    frames = decoder.decode(av.Packet(placed.block.data))
                except (av.error.FFmpegError, ValueError):
                    continue
                at = max(0, round((placed.at_ms - began_ms) * RATE / 1000))
                if following is not None and abs(at - following) <= SLIP:
                    at = following
                for frame in frames:
                    sound = frame.to_ndarray().T.astype(np.float32)
                    if sound.shape[1] == 1:
                        sound = np.repeat(sound, 2, axis=1)
                    yield at, sound
                    at += len(sound)
                following = at


def _black(width: int, height: int) -> Planes:
    blank = np.full((height // 2, width // 2), _NO_COLOUR, np.uint8)
    return np.full((height, width), 16, np.uint8), blank.copy(), blank.copy()


def _decoded(parts: Iterable[list[Placed]]) -> Iterator[tuple[float, Any]]:
    for part in parts:
        decoder: Any = av.CodecContext.create("vp8", "r")
        needs_key = True
        for placed in part:
            if needs_key and not placed.block.key:
                continue
            needs_key = False
            try:
                frames = decoder.decode(av.Packet(placed.block.data))
            except (av.error.FFmpegError, ValueError):
                needs_key = True
                continue
            for frame in frames:
                yield placed.at_ms, frame
