"""The opened records of a stretch in the order of the server's time: each source's frames, at offsets from a flag."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import av
import av.error

from schemas.incident import PICTURE_HELD_MS
from schemas.matroska import Block
from schemas.media import Side, side_of

from ..rules.dates import Dates, StreamDates
from .opened import Opened, Track


class Timeline:
    """Offsets are ms from `pressed_at_ms`; nothing after `until_ms` is given. `dates`: for the words of gaps."""

    def __init__(self, opened: Opened, pressed_at_ms: int, from_ms: int, until_ms: int) -> None:
        self._pressed_at_ms, self._from_ms, self._until_ms = pressed_at_ms, from_ms, until_ms
        self.dates = Dates(running=sorted(opened.records))
        self._dated: list[tuple[Track, StreamDates]] = []
        for number, track in enumerate(opened.tracks):
            dates = StreamDates()
            for date in track.dates:
                dates.add(date.at_ms, date.utc_ms)
            if dates.utc:
                self.dates.streams[f"{track.source}/{number}", track.kind] = dates
                self._dated.append((track, dates))
        self._dated.sort(key=lambda dated: dated[1].utc[0])

    def sources(self, side: Side) -> list[str]:
        return sorted({track.source for track, _ in self._dated if side_of(track.source) == side})

    def blocks(self, source: str, kind: str) -> Iterator[tuple[int, Block]]:
        """(offset, encoded frame)"""
        return ((at_ms, block) for _, at_ms, block in self._of_tracks(source, kind))

    def frames(self, source: str, on_each: Callable[[], None]) -> Iterator[tuple[int, Any]]:
        """(offset, decoded frame), from shortly before the stretch on; each rests on those since its key frame.
        `on_each` is called for each one that is decoded."""
        begin_ms = self._key_before(source)
        decoder: Any = None
        part: Track | None = None
        needs_key = True
        for track, at_ms, block in self._of_tracks(source, "video"):
            if track is not part:
                part, decoder, needs_key = track, av.CodecContext.create("vp8", "r"), True
                decoder.thread_count = 1
            if at_ms < begin_ms or (needs_key and not block.key):
                continue
            needs_key = False
            on_each()
            try:
                frames = decoder.decode(av.Packet(block.data))
            except (av.error.FFmpegError, ValueError):
                needs_key = True
                continue
            if at_ms >= self._from_ms - PICTURE_HELD_MS:
                yield from ((at_ms, frame) for frame in frames)

    def _key_before(self, source: str) -> int:
        """The offset of the last key frame from which the beginning of the stretch can be decoded."""
        found = -sys.maxsize
        for at_ms, block in self.blocks(source, "video"):
            if at_ms > self._from_ms - PICTURE_HELD_MS:
                break
            if block.key:
                found = at_ms
        return found

    def _of_tracks(self, source: str, kind: str) -> Iterator[tuple[Track, int, Block]]:
        for track, dates in self._dated:
            if (track.source, track.kind) != (source, kind):
                continue
            for block in track.blocks:
                at_ms = dates.utc_ms(block.at_ms) - self._pressed_at_ms
                if at_ms > self._until_ms:
                    break
                yield track, at_ms, block


class NewestFrame:
    """The newest of a source's frames at growing moments."""

    def __init__(self, frames: Iterator[tuple[int, Any]]) -> None:
        self._frames = frames
        self._coming: tuple[int, Any] | None = next(frames, None)
        self._newest: tuple[int, Any] | None = None

    def at(self, at_ms: int) -> tuple[int, Any] | None:
        """(offset, frame); None when the newest one is too old to stand for this moment."""
        while self._coming is not None and self._coming[0] <= at_ms:
            self._newest, self._coming = self._coming, next(self._frames, None)
        newest = self._newest
        return newest if newest is not None and at_ms - newest[0] <= PICTURE_HELD_MS else None
