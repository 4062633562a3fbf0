"""A source's stream: Matroska with VP8 and Opus, written so that each record ends with a whole cluster.

libav's muxer keeps a cluster of a second to itself before it hands any of it on, which is lost in a kill; and its
clusters go over the records' borders. Ours are written and read here, in bytes; players take it (RFC 9559).
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

VIDEO, AUDIO = 1, 2
"""Track numbers."""
TRACKS = {"video": VIDEO, "audio": AUDIO}
KINDS = {number: kind for kind, number in TRACKS.items()}
_KEY = 0x80
_REACH_MS = 30_000
"""A block's time is 16 bits, signed, from its cluster's."""
_UNKNOWN_SIZE = bytes.fromhex("01ffffffffffffff")
_EBML, _SEGMENT, _INFO, _TRACKS = (bytes.fromhex(id_) for id_ in ("1a45dfa3", "18538067", "1549a966", "1654ae6b"))
_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK = bytes.fromhex("1f43b675"), b"\xe7", b"\xa3"
_OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
"""RFC 7845, 5.1: version 1, stereo, nothing skipped, 48 kHz."""


class Block(NamedTuple):
    """One encoded frame; `at_ms` in the stream's time."""

    track: int
    at_ms: int
    key: bool
    data: bytes


def header(width: int, height: int) -> bytes:
    """Everything before the first cluster; the size is the first picture's, later ones may have another."""
    ebml = _element(
        _EBML,
        _number("4286", 1), _number("42f7", 1), _number("42f2", 4), _number("42f3", 8), _text("4282", "matroska"),
        _number("4287", 4), _number("4285", 2),
    )  # fmt: skip
    info = _element(_INFO, _number("2ad7b1", 1_000_000), _text("4d80", "sightline"), _text("5741", "sightline"))
    picture = _element("e0", _number("b0", width), _number("ba", height))
    video = _element(
        "ae", _number("d7", VIDEO), _number("73c5", VIDEO), _number("83", 1), _text("86", "V_VP8"), picture
    )
    sound = _element("e1", _element("b5", struct.pack(">d", 48_000.0)), _number("9f", 2))
    audio = _element(
        "ae", _number("d7", AUDIO), _number("73c5", AUDIO), _number("83", 2), _text("86", "A_OPUS"),
        _element("63a2", _OPUS_HEAD), _number("56bb", 80_000_000), sound,
    )  # fmt: skip
    return b"".join((ebml, _SEGMENT, _UNKNOWN_SIZE, info, _element(_TRACKS, video, audio)))


def clusters(blocks: Sequence[Block]) -> bytes:
    """Whole clusters with these blocks, in the order of their times."""
    ordered = sorted(blocks, key=lambda block: block.at_ms)
    found: list[bytes] = []
    at = 0
    while at < len(ordered):
        base = ordered[at].at_ms
        end = at
        parts = [_number(_TIMESTAMP, base)]
        while end < len(ordered) and ordered[end].at_ms - base <= _REACH_MS:
            track, at_ms, key, data = ordered[end]
            parts += (
                _SIMPLE_BLOCK,
                (len(data) + 4 | 0x10000000).to_bytes(4),
                struct.pack(">BhB", 0x80 | track, at_ms - base, _KEY if key else 0),
                data,
            )
            end += 1
        found.append(_element(_CLUSTER, *parts))
        at = end
    return b"".join(found)


def blocks(data: bytes) -> Iterator[Block]:
    """What `header` and `clusters` have written, read again; ends where it is something else or not whole."""
    at, base = 0, 0
    while at < len(data):
        id_, begin, size = _next(data, at)
        if id_ in (_SEGMENT, _CLUSTER):
            at = begin  # look inside
            continue
        if size is None or begin + size > len(data):
            return
        if id_ == _TIMESTAMP:
            base = int.from_bytes(data[begin : begin + size])
        elif id_ == _SIMPLE_BLOCK and size >= 4:
            track, relative, flags = struct.unpack_from(">BhB", data, begin)
            yield Block(track & 0x7F, base + relative, bool(flags & _KEY), data[begin + 4 : begin + size])
        at = begin + size


def _next(data: bytes, at: int) -> tuple[bytes, int, int | None]:
    """(an element's identity, where its content begins, its size or None when it is not known or the data end)."""
    id_bytes = _width(data[at])
    id_ = data[at : at + id_bytes]
    at += id_bytes
    if at >= len(data):
        return id_, at, None
    size_bytes = _width(data[at])
    size = int.from_bytes(data[at : at + size_bytes]) & ~(1 << 7 * size_bytes)
    whole = at + size_bytes <= len(data)
    return id_, at + size_bytes, size if whole and size != (1 << 7 * size_bytes) - 1 else None


def _width(first: int) -> int:
    """How many bytes a number has whose first byte is this one; a zero, which is no valid one, stands for eight."""
    return max(1, 9 - first.bit_length()) if first else 8


def _element(id_: str | bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    name = bytes.fromhex(id_) if isinstance(id_, str) else id_
    return b"".join((name, (len(inside) | 1 << 56).to_bytes(8), inside))


def _number(id_: str | bytes, value: int) -> bytes:
    return _element(id_, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def _text(id_: str, value: str) -> bytes:
    return _element(id_, value.encode())
