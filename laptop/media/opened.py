"""Opens the records of a stretch: sealed frames and keys in, each source's frames with their dates out."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.matroska import KINDS, Block, blocks
from schemas.recording import (
    CHAIN_BYTES,
    HEAD_BYTES,
    Begin,
    BrokenRecordingError,
    Date,
    Frame,
    FrameKind,
    nonce,
    read_begin,
    read_second,
    whole_frame,
)


@dataclass
class Track:
    """One kind of one source in one part: its frames, and the dates of some of them."""

    source: str
    kind: str
    blocks: list[Block] = field(default_factory=list[Block])
    dates: list[Date] = field(default_factory=list[Date])


@dataclass
class Opened:
    """`tracks` in the order in which they were recorded; `records`: when each record was made, UTC ms."""

    tracks: list[Track] = field(default_factory=list[Track])
    records: list[int] = field(default_factory=list[int])
    broken: str = ""
    """Why the rest could not be opened; empty when all was."""


def open_records(data: bytes, keys: Iterable[bytes]) -> Opened:
    """`data`: frames, each after the chain before it (EvidenceRecords); `keys`: of the parts that begin in it."""
    opened, waiting = Opened(), iter(keys)
    begin: Begin | None = None
    cipher: AESGCM | None = None
    tracks: dict[tuple[str, str], Track] = {}
    try:
        for frame in _frames(data):
            if frame.kind == FrameKind.BEGIN:
                begin, cipher, tracks = read_begin(frame), AESGCM(next(waiting)), {}
            elif frame.kind in (FrameKind.RECORD, FrameKind.GAP) and begin is not None and cipher is not None:
                plain = cipher.decrypt(nonce(frame.head.index), frame.body, frame.bound_to(begin))
                opened.records.append(frame.head.at_ms)
                for chunk in read_second(plain).chunks:
                    for block in blocks(chunk.data):
                        _track(opened, tracks, chunk.source, KINDS.get(block.track, "")).blocks.append(block)
                    for date in chunk.dates:
                        _track(opened, tracks, chunk.source, date.kind).dates.append(date)
    except (BrokenRecordingError, InvalidTag, StopIteration, ValueError) as error:
        opened.broken = str(error) or type(error).__name__
    return opened


def _track(opened: Opened, tracks: dict[tuple[str, str], Track], source: str, kind: str) -> Track:
    track = tracks.get((source, kind))
    if track is None:
        track = tracks[source, kind] = Track(source, kind)
        opened.tracks.append(track)
    return track


def _frames(data: bytes) -> Iterable[Frame]:
    at = 0
    while at < len(data):
        begin = at + CHAIN_BYTES
        size = 4 + int.from_bytes(data[begin : begin + 4])
        if len(data) - begin < max(size, HEAD_BYTES + CHAIN_BYTES):
            raise BrokenRecordingError("a record is not whole")
        yield whole_frame(data[begin : begin + size], data[at:begin])
        at = begin + size
