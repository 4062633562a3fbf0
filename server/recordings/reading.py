"""Finds the records of a stretch in the server's copies, with what they need to be decoded: the key frames before it.

Sealed as they are: nothing here opens anything but the wrapped keys.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from schemas.recording import (
    BEFORE_ALL,
    CHAIN_BYTES,
    FRAME_BYTES_MAX,
    HEAD_BYTES,
    RECORD_EACH_S,
    Begin,
    BrokenRecordingError,
    FrameKind,
    Head,
    frame_head,
    part_key,
    read_begin,
    whole_frame,
)

from .keys import EvidenceKey
from .part import SUFFIX

EACH_MS = round(RECORD_EACH_S * 1000)
HELD_MS = 2000
"""What is shown at the stretch's beginning may be so old; and a record is sealed after its frames have come."""
PART_BYTES_MAX = 64 * 1024 * 1024
"""Of one part, for one stretch. Where a key frame lies further back, pictures are missing until the next one."""


@dataclass(frozen=True)
class _Place:
    """Where a frame lies, and what its head says."""

    at: int
    size: int
    head: Head


@dataclass
class Stretch:
    """`pieces`: (file, offset, bytes) of frames, each part's after one another; `keys`: of these parts, in order.

    `copied_ms`: when the newest record here was made, UTC ms (0: there is none); `complete`: the newest part is ended.
    """

    pieces: list[tuple[Path, int, int]] = field(default_factory=list[tuple[Path, int, int]])
    keys: list[bytes] = field(default_factory=list[bytes])
    copied_ms: int = 0
    complete: bool = False


def find_stretch(folder: Path, key: EvidenceKey, from_ms: int, to_ms: int) -> Stretch:
    """What of a call's recording in `folder` belongs to this time (server's, UTC ms). OSError."""
    stretch = Stretch()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        places = list(_places(path))
        if not places:
            continue
        stretch.complete = places[-1].head.kind == FrameKind.END
        stretch.copied_ms = max(stretch.copied_ms, *(place.head.at_ms for place in places))
        try:
            begin = _begin(path, places[0])
        except BrokenRecordingError:  # the disk went bad: what is in it can't be opened any more
            continue
        unwrapped = key.unwrap(begin.wrapped)
        wanted = _wanted([p for p in places[1:] if p.head.kind != FrameKind.END], from_ms, to_ms)
        if unwrapped is None or not wanted:
            continue
        stretch.keys.append(part_key(begin, unwrapped))
        stretch.pieces.append((path, 0, places[0].size))
        stretch.pieces += [(path, place.at, place.size) for place in wanted]
    return stretch


def frames_of(pieces: list[tuple[Path, int, int]]) -> Iterator[bytes]:
    """Each frame after the chain before it, as an EvidenceRecords carries them. OSError."""
    for path, at, size in pieces:
        with path.open("rb") as file:
            file.seek(max(0, at - CHAIN_BYTES))
            before = file.read(CHAIN_BYTES) if at else BEFORE_ALL
            yield before + file.read(size)


def _wanted(places: list[_Place], from_ms: int, to_ms: int) -> list[_Place]:
    """From the record with the last key frame of each stream before the stretch, to the first record after it."""
    inside = [n for n, p in enumerate(places) if from_ms - HELD_MS <= p.head.at_ms <= to_ms + 2 * EACH_MS]
    if not inside:
        return []
    streams = 0
    for n in inside:
        streams |= places[n].head.streams
    first, total = inside[0], sum(places[n].size for n in inside)
    missing = streams & ~places[first].head.keys
    while missing and first > 0 and total + places[first - 1].size <= PART_BYTES_MAX:
        first -= 1
        total += places[first].size
        missing &= ~places[first].head.keys
    return places[first : inside[-1] + 1]


def _places(path: Path) -> Iterator[_Place]:
    """By their heads alone: what is here was checked when it came."""
    with path.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at + HEAD_BYTES + CHAIN_BYTES <= size:
            file.seek(at)
            head = file.read(HEAD_BYTES)
            length = 4 + int.from_bytes(head[:4])
            if not HEAD_BYTES + CHAIN_BYTES <= length <= min(FRAME_BYTES_MAX, size - at):
                return
            try:
                yield _Place(at, length, frame_head(head))
            except BrokenRecordingError:
                return
            at += length


def _begin(path: Path, place: _Place) -> Begin:
    with path.open("rb") as file:
        return read_begin(whole_frame(file.read(place.size), BEFORE_ALL))
