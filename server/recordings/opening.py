"""Opens a call's recording with the evidence key: for `sightline recording`, never in the running server."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.matroska import KINDS, Block, blocks
from schemas.recording import (
    Begin,
    BrokenRecordingError,
    Chunk,
    Date,
    Frame,
    FrameKind,
    FrameReader,
    nonce,
    part_key,
    read_begin,
    read_end,
    read_second,
)

from .keys import EvidenceKey
from .part import SUFFIX, is_signed

_READ_BYTES = 1024 * 1024
_AFTER_THE_END = "something stands after its end"


@dataclass
class Stream:
    """One source in one part. `data`: its Matroska; `blocks`: kind -> its frames; `dates` of some of them."""

    source: str
    data: bytearray = field(default_factory=bytearray)
    blocks: dict[str, list[Block]] = field(default_factory=dict[str, list[Block]])
    dates: list[Date] = field(default_factory=list[Date])

    def add(self, chunk: Chunk) -> None:
        self.data += chunk.data
        self.dates += chunk.dates
        for block in blocks(chunk.data):
            self.blocks.setdefault(KINDS.get(block.track, ""), []).append(block)


@dataclass
class OpenedPart:
    """`first_ms`, `last_ms`: when its first and newest record were made, UTC ms. `end`: "" when it has none (yet).

    `broken`: why it could not be read further; empty when it could. `signed`: its end is the laptop's.
    """

    path: Path
    begin: Begin | None = None
    streams: dict[str, Stream] = field(default_factory=dict[str, Stream])
    records: int = 0
    gaps: int = 0
    first_ms: int = 0
    last_ms: int = 0
    end: str = ""
    signed: bool = False
    broken: str = ""


def open_call(folder: Path, key: EvidenceKey) -> list[OpenedPart]:
    """All parts in a call's folder, the server's or a laptop's, the oldest first. OSError when one can't be read."""
    return [open_part(path, key) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def open_part(path: Path, key: EvidenceKey) -> OpenedPart:
    """As far as it goes: a part that is still written, or was cut, is opened to its last whole record."""
    part = OpenedPart(path)
    cipher: AESGCM | None = None
    try:
        for frame in _frames(path):
            if frame.kind == FrameKind.BEGIN:
                part.begin = read_begin(frame)
                secret = key.unwrap(part.begin.wrapped)
                if secret is None:
                    part.broken = "it was sealed for another evidence key"
                    return part
                cipher = AESGCM(part_key(part.begin, secret))
            elif frame.kind == FrameKind.END:
                end = read_end(frame)
                part.end = str(end.reason)
                part.signed = part.begin is not None and is_signed(part.begin, frame, end)
            elif part.begin is not None and cipher is not None:
                _take(part, frame, cipher.decrypt(nonce(frame.head.index), frame.body, frame.bound_to(part.begin)))
    except BrokenRecordingError as error:
        part.broken = str(error)
    except InvalidTag:
        part.broken = "a record does not open with its key"
    return part


def _take(part: OpenedPart, frame: Frame, plain: bytes) -> None:
    part.first_ms = part.first_ms or frame.head.at_ms
    part.last_ms = frame.head.at_ms
    part.records += frame.kind == FrameKind.RECORD
    part.gaps += frame.kind == FrameKind.GAP
    for chunk in read_second(plain).chunks:
        part.streams.setdefault(chunk.source, Stream(chunk.source)).add(chunk)


def _frames(path: Path) -> Iterator[Frame]:
    reader, ended = FrameReader(), False
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            for frame in reader.feed(data):
                if ended:
                    raise BrokenRecordingError(_AFTER_THE_END)
                ended = frame.kind == FrameKind.END
                yield frame
    if ended and reader.missing:
        raise BrokenRecordingError(_AFTER_THE_END)
