"""What a recording holds that was cut by kill -9."""

import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.error import FFmpegError

from server.recordings.keys import EvidenceKey
from server.recordings.opening import open_call

TAIL = 5
"""So many frames in a row tell one place of a clip from any other."""

Tails = dict[tuple[str, str], list[int]]
"""(leg, kind) -> the checksums of its newest frames, the newest last."""


@dataclass
class Held:
    """`errors`: parts that can't be opened and frames that can't be decoded."""

    frames: int = 0
    errors: int = 0
    tails: Tails = field(default_factory=dict)


def held(folder: Path, key: EvidenceKey) -> Held:
    found = Held()
    for part in open_call(folder, key):
        found.errors += bool(part.broken)
        for stream in part.streams.values():
            for kind, blocks in stream.blocks.items():
                found.tails[stream.source, kind] = [zlib.crc32(block.data) for block in blocks[-TAIL:]]
            decoded, errors = _decoded(bytes(stream.data))
            found.frames += decoded
            found.errors += errors
    return found


def _decoded(data: bytes) -> tuple[int, int]:
    frames = errors = 0
    try:
        with av.open(io.BytesIO(data), "r") as container:
            for packet in container.demux():
                try:
                    frames += len(packet.decode())
                except FFmpegError:
                    errors += 1
    except FFmpegError:
        errors += 1
    return frames, errors
