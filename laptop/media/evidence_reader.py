"""Reads one stretch of a recording: small pictures and levels of both sides. A program of its own at low priority.

    python -m laptop.media.evidence_reader '{"folder": …}'

What it finds comes on the standard output, each message of the wire after its length (4 bytes, highest first); the last
is EvidenceDone. It only reads, so a recording that goes on is not disturbed, and ends when nobody reads from it.
"""

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from schemas.incident import (
    EVIDENCE_PICTURE_MAX,
    LEVEL_EACH_MS,
    PICTURE_EACH_MS,
    PICTURE_HELD_MS,
    EvidenceLevels,
    EvidenceOutcome,
    EvidencePicture,
    Gap,
)
from schemas.laptop import EvidenceDone, EvidencePart
from schemas.media import Box, Side
from schemas.wire import Message, encode

from ..rules.dates import FILE_GONE, Dates, FileDates, gaps, read_dates
from .levels import decoded, opus_decoder, rms_level
from .picture_modes import small_picture
from .recording import DURABLE_LOG

PART_BYTES = 24 * 1024
STILL_READING_S = 5.0
CPU_S = 300
WRITTEN_AFTER_MS = 2500
"""What is recorded is on the disk after so long: a cluster of 1 s, then the next durable record."""
GAPS_MAX = 64


class Wanted(msgspec.Struct, frozen=True):
    """`now_ms`: the server's time; `recording`: the call still goes on."""

    folder: str
    request_id: str
    pressed_at_ms: int
    from_ms: int
    to_ms: int
    now_ms: int
    recording: bool
    boxes: list[Box]


def main() -> int:
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    wanted = msgspec.json.decode(sys.argv[1], type=Wanted)
    try:
        Reader(wanted, _write).read()
    except BrokenPipeError:  # nobody wants it any more
        os._exit(0)
    return 0


def _write(message: Message) -> None:
    frame = encode(message)
    data = len(frame).to_bytes(4) + frame
    while data:
        data = data[os.write(1, data) :]


@dataclass(frozen=True)
class _Moment:
    """What one side shows at one moment of the stretch; `picture` when it is a new one."""

    side: Side
    at_ms: int
    recorded: bool
    picture: EvidencePicture | None = None


class Reader:
    """`read` writes parts and the end through `write`."""

    def __init__(self, wanted: Wanted, write: Callable[[Message], None]) -> None:
        self._wanted, self._send = wanted, write
        self._folder = Path(wanted.folder)
        self._until_ms = wanted.to_ms
        if wanted.recording:
            self._until_ms = min(wanted.to_ms, wanted.now_ms - WRITTEN_AFTER_MS - wanted.pressed_at_ms)
        self._dates = Dates()
        self._sent_at = time.monotonic()
        self._found = False
        self._gone: set[str] = set()
        """Files that have dates and are not there."""

    def read(self) -> None:
        wanted = self._wanted
        try:
            self._dates = read_dates((self._folder / DURABLE_LOG).read_text(errors="replace").splitlines())
        except FileNotFoundError:
            self._done(EvidenceOutcome.NOTHING, "This laptop has no recording of the call.")
            return
        except OSError as error:
            self._done(EvidenceOutcome.FAILED, f"The recording can't be read ({error.strerror}).")
            return
        if not self._dates.files:
            self._done(EvidenceOutcome.NOTHING, "The recording has no dates, so the stretch can't be found in it.")
            return
        missing: dict[Side, list[int]] = {side: [] for side in Side}
        try:
            self._send_levels()
            self._send_pictures(missing)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            self._done(EvidenceOutcome.FAILED, f"The recording can't be read ({error.strerror or error}).")
            return
        found_gaps: list[Gap] = []
        for side in Side:
            gone = any(name.startswith(side) for name in self._gone)
            found_gaps += gaps(side, missing[side], wanted.pressed_at_ms, self._dates, gone)
        if self._until_ms < wanted.to_ms:
            self._done(EvidenceOutcome.TO_COME, "The stretch is not over yet.", found_gaps)
        elif not self._found:
            what = FILE_GONE if self._gone else "the recording has nothing of this stretch"
            self._done(EvidenceOutcome.NOTHING, f"{what[0].upper()}{what[1:]}.", found_gaps)
        else:
            self._done(EvidenceOutcome.WHOLE, "", found_gaps)

    def _send_levels(self) -> None:
        wanted = self._wanted
        count = max(0, (self._until_ms - wanted.from_ms) // LEVEL_EACH_MS)
        levels: list[EvidenceLevels] = []
        for side in Side:
            sums: list[tuple[float, int]] = [(0.0, 0)] * count
            decoder = opus_decoder()
            for at_ms, packet in self._packets(side, "audio"):
                slot = (at_ms - wanted.from_ms) // LEVEL_EACH_MS
                if 0 <= slot < count:
                    try:
                        squares, samples, _ = decoded(decoder, bytes(packet))
                    except av.error.FFmpegError:
                        continue
                    sums[slot] = sums[slot][0] + squares, sums[slot][1] + samples
            rms = [rms_level(squares, samples) if samples else None for squares, samples in sums]
            self._found |= any(level is not None for level in rms)
            levels.append(EvidenceLevels(side, wanted.from_ms, rms))
        self._write(EvidencePart(wanted.request_id, [], levels))

    def _send_pictures(self, missing: dict[Side, list[int]]) -> None:
        """Both sides in step, so that what has come can be played."""
        sides = [self._moments(box) for box in self._wanted.boxes]
        waiting: list[EvidencePicture] = []
        for at_sides in zip(*sides, strict=True):
            for moment in at_sides:
                if not moment.recorded:
                    missing[moment.side].append(moment.at_ms)
                if moment.picture is None:
                    continue
                if waiting and sum(len(p.pixels) for p in (*waiting, moment.picture)) > PART_BYTES:
                    self._write(EvidencePart(self._wanted.request_id, waiting, []))
                    waiting = []
                waiting.append(moment.picture)
        if waiting:
            self._write(EvidencePart(self._wanted.request_id, waiting, []))

    def _moments(self, box: Box) -> Iterator[_Moment]:
        """Four a second; a picture that stands for several of them is given once."""
        width, height = min(box.width, EVIDENCE_PICTURE_MAX[0]), min(box.height, EVIDENCE_PICTURE_MAX[1])
        frames = self._frames(box.side)
        coming, newest, given = next(frames, None), None, None
        for at_ms in range(self._wanted.from_ms, self._until_ms + 1, PICTURE_EACH_MS):
            while coming is not None and coming[0] <= at_ms:
                newest, coming = coming, next(frames, None)
            if newest is None or at_ms - newest[0] > PICTURE_HELD_MS:
                yield _Moment(box.side, at_ms, False)
                continue
            taken_ms, frame = newest
            picture = None
            if taken_ms != given:
                given, self._found = taken_ms, True
                picture = EvidencePicture(box.side, taken_ms, *small_picture(frame, width, height))
            yield _Moment(box.side, at_ms, True, picture)

    def _frames(self, side: Side) -> Iterator[tuple[int, Any]]:
        """(offset ms, decoded frame), from shortly before the stretch on; each rests on those since its key frame."""
        for file, dates in self._files(side, "video"):
            begin_ms = self._key_before(file, dates)
            decoder = av.CodecContext.create("vp8", "r")
            decoder.thread_count = 1
            needs_key = True
            for at_ms, packet in self._of_file(file, dates, "video"):
                if at_ms < begin_ms or (needs_key and not packet.is_keyframe):
                    continue
                needs_key = False
                try:
                    frames = decoder.decode(av.Packet(bytes(packet)))
                except (av.error.FFmpegError, ValueError):
                    needs_key = True
                    continue
                if at_ms >= self._wanted.from_ms - PICTURE_HELD_MS:
                    yield from ((at_ms, frame) for frame in frames)

    def _key_before(self, file: Path, dates: FileDates) -> int:
        """The offset of the last key frame from which the beginning of the stretch can be decoded."""
        found = -sys.maxsize
        for at_ms, packet in self._of_file(file, dates, "video"):
            if at_ms > self._wanted.from_ms - PICTURE_HELD_MS:
                break
            if packet.is_keyframe:
                found = at_ms
        return found

    def _packets(self, side: Side, kind: str) -> Iterator[tuple[int, Any]]:
        for file, dates in self._files(side, kind):
            yield from self._of_file(file, dates, kind)

    def _files(self, side: Side, kind: str) -> list[tuple[Path, FileDates]]:
        """The files of one side that may hold something of the stretch, in the order in which they were recorded."""
        first = self._wanted.pressed_at_ms + self._wanted.from_ms - PICTURE_HELD_MS
        last = self._wanted.pressed_at_ms + self._until_ms
        dated = [(self._folder / name, d) for (name, k), d in self._dates.files.items() if k == kind]
        # A date is of the newest frame of its second, so a file begins a little before its first one.
        of_side = [
            (file, dates)
            for file, dates in dated
            if file.name.startswith(side) and dates.utc[0] - 2000 <= last and dates.utc[-1] + 2000 >= first
        ]
        return sorted(of_side, key=lambda found: found[1].utc[0])

    def _of_file(self, file: Path, dates: FileDates, kind: str) -> Iterator[tuple[int, Any]]:
        """(offset ms, packet) of one file until the stretch is over or the file ends, even amid a packet."""
        try:
            with av.open(str(file)) as container:
                for packet in container.demux(*(s for s in container.streams if s.type == kind)):
                    self._say_still_reading()
                    if packet.pts is None or packet.time_base is None or not packet.size:
                        continue
                    at_ms = dates.utc_ms(round(packet.pts * packet.time_base * 1000)) - self._wanted.pressed_at_ms
                    if at_ms > self._until_ms:
                        return
                    yield at_ms, packet
        except FileNotFoundError:
            self._gone.add(file.name)
        except (av.error.InvalidDataError, av.error.EOFError):
            return

    def _write(self, part: EvidencePart) -> None:
        self._sent_at = time.monotonic()
        self._send(part)

    def _say_still_reading(self) -> None:
        if time.monotonic() - self._sent_at > STILL_READING_S:
            self._write(EvidencePart(self._wanted.request_id, [], []))

    def _done(self, outcome: EvidenceOutcome, words: str, found_gaps: list[Gap] | None = None) -> None:
        until_ms = max(self._until_ms, self._wanted.from_ms)
        self._send(EvidenceDone(self._wanted.request_id, outcome, words, until_ms, (found_gaps or [])[:GAPS_MAX]))


if __name__ == "__main__":
    sys.exit(main())
