"""Reads one stretch of a recording: small pictures and levels of both sides. A program of its own at low priority.

    python -m laptop.media.evidence_reader < REQUEST

On its standard input: the server's EvidenceWanted after its length (4 bytes, highest first), then the stretch's records
until the input ends. What it finds comes on the standard output, each message of the wire after its length; the last is
EvidenceDone. It ends when nobody reads from it, and keeps nothing.
"""

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import av.error

from schemas.incident import (
    EVIDENCE_PICTURE_MAX,
    LEVEL_EACH_MS,
    PICTURE_EACH_MS,
    EvidenceLevels,
    EvidenceOutcome,
    EvidencePicture,
    Gap,
)
from schemas.laptop import EvidenceDone, EvidencePart, EvidenceWanted, to_laptop
from schemas.media import Box, Side
from schemas.wire import Message, encode

from ..rules.dates import gaps
from .levels import decoded, opus_decoder, rms_level
from .mosaic import mosaic
from .opened import Opened, open_records
from .picture_modes import small_picture
from .timeline import NewestFrame, Timeline

PART_BYTES = 24 * 1024
STILL_READING_S = 5.0
CPU_S = 300
GAPS_MAX = 64


def main() -> int:
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    size = int.from_bytes(sys.stdin.buffer.read(4))
    wanted = to_laptop.decode(sys.stdin.buffer.read(size))
    assert isinstance(wanted, EvidenceWanted)
    try:
        Reader(wanted, open_records(sys.stdin.buffer.read(), wanted.keys), _write).read()
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

    def __init__(self, wanted: EvidenceWanted, opened: Opened, write: Callable[[Message], None]) -> None:
        self._wanted, self._broken, self._send = wanted, opened.broken, write
        self._until_ms = wanted.to_ms
        if wanted.to_come:
            self._until_ms = min(wanted.to_ms, wanted.copied_ms - wanted.pressed_at_ms)
        self._timeline = Timeline(opened, wanted.pressed_at_ms, wanted.from_ms, self._until_ms)
        self._sent_at = time.monotonic()
        self._found = False

    def read(self) -> None:
        wanted = self._wanted
        if self._broken:
            self._done(EvidenceOutcome.FAILED, f"The recording could not be opened ({self._broken})."[:500])
            return
        missing: dict[Side, list[int]] = {side: [] for side in Side}
        self._send_levels()
        self._send_pictures(missing)
        found_gaps: list[Gap] = []
        for side in Side:
            found_gaps += gaps(side, missing[side], wanted.pressed_at_ms, self._timeline.dates)
        if self._until_ms < wanted.to_ms:
            words = "The stretch is not over yet, or not all of it has come to the server."
            self._done(EvidenceOutcome.TO_COME, words, found_gaps)
        elif not self._found:
            self._done(EvidenceOutcome.NOTHING, "The recording has nothing of this stretch.", found_gaps)
        else:
            self._done(EvidenceOutcome.WHOLE, "", found_gaps)

    def _send_levels(self) -> None:
        """Of a side with several devices: the loudest one's."""
        wanted = self._wanted
        count = max(0, (self._until_ms - wanted.from_ms) // LEVEL_EACH_MS)
        levels: list[EvidenceLevels] = []
        for side in Side:
            loudest: list[int | None] = [None] * count
            for source in self._timeline.sources(side):
                for slot, level in self._levels_of(source, count).items():
                    before = loudest[slot]
                    loudest[slot] = level if before is None else max(level, before)
            self._found |= any(level is not None for level in loudest)
            levels.append(EvidenceLevels(side, wanted.from_ms, loudest))
        self._write(EvidencePart(wanted.request_id, [], levels))

    def _levels_of(self, source: str, count: int) -> dict[int, int]:
        """Slot -> RMS of what this source's sound was in it."""
        sums: dict[int, tuple[float, int]] = {}
        decoder = opus_decoder()
        for at_ms, block in self._timeline.blocks(source, "audio"):
            slot = (at_ms - self._wanted.from_ms) // LEVEL_EACH_MS
            if 0 <= slot < count:
                self._say_still_reading()
                try:
                    squares, samples, _ = decoded(decoder, block.data)
                except av.error.FFmpegError:
                    continue
                before = sums.get(slot, (0.0, 0))
                sums[slot] = before[0] + squares, before[1] + samples
        return {slot: rms_level(squares, samples) for slot, (squares, samples) in sums.items() if samples}

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
        """Four a second; a picture that stands for several of them is given once.

        Of a side with several devices: all that have a picture then, as on the wall.
        """
        width, height = min(box.width, EVIDENCE_PICTURE_MAX[0]), min(box.height, EVIDENCE_PICTURE_MAX[1])
        timeline = self._timeline
        sources = [NewestFrame(timeline.frames(s, self._say_still_reading)) for s in timeline.sources(box.side)]
        given: int | None = None
        for at_ms in range(self._wanted.from_ms, self._until_ms + 1, PICTURE_EACH_MS):
            newest = [found for source in sources if (found := source.at(at_ms)) is not None]
            if not newest:
                yield _Moment(box.side, at_ms, False)
                continue
            taken_ms = max(at for at, _ in newest)
            picture = None
            if given is None or taken_ms > given:
                given, self._found = taken_ms, True
                picture = EvidencePicture(
                    box.side, taken_ms, *small_picture(mosaic([f for _, f in newest]), width, height)
                )
            yield _Moment(box.side, at_ms, True, picture)

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
