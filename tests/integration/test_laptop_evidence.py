"""A stretch read from recordings as the agent makes them: marks at their times, over two parts, with their gaps."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from demo.peers import clip
from laptop.media.evidence_reader import Reader
from laptop.media.opened import open_records
from laptop.media.recording import Recording
from laptop.media.stream import Piece
from schemas.incident import EvidenceOutcome, EvidencePicture
from schemas.laptop import EvidenceDone, EvidencePart, EvidenceWanted, from_laptop
from schemas.media import Box, Side
from schemas.wire import encode
from server.recordings.reading import find_stretch, frames_of
from tests import marked_clip
from tests.sealed import KEY, SEALING
from tests.server_rig import wait_until

BEGAN_MS = 1_800_000_000_000
"""The server's time at second 0 of the scene."""
FIRST_S, AWAY_S, SECOND_S = 10, 4, 10
PICTURES_PER_S, SOUNDS_PER_S = 25, 50


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, an agent that was away for four, and ten more in another part; each second has a mark of its own.

    The sender's clock runs 2 % slow: after ten seconds the stream's own times are 0.2 s off.
    """
    folder = tmp_path_factory.mktemp("recordings")
    marked_clip.make(folder / "marked.webm", 30)
    source = clip.read(folder / "marked.webm")
    zero = time.monotonic()
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()

    def server_ms(at: float) -> int:
        return BEGAN_MS + round((at - boot - zero) * 1000)

    for begin, seconds in ((0, FIRST_S), (FIRST_S + AWAY_S, SECOND_S)):
        recording = Recording(folder, "BWI-1", SEALING, lambda at: None, lambda words: None, server_ms)
        recording.start(1)
        for number in range(begin * PICTURES_PER_S, (begin + seconds) * PICTURES_PER_S):
            at = zero + number / PICTURES_PER_S
            slow = 0.98 * number
            for side in ("family-1", "room"):
                data = source.pictures[number]
                size = (marked_clip.WIDTH, marked_clip.HEIGHT)
                key = clip.is_key_frame(data)
                recording.add(Piece(side, "video", data, round(slow * 90_000 / PICTURES_PER_S), at, key, size))
                for sound in (2 * number, 2 * number + 1):
                    stamp = round(0.98 * sound * 48_000 / SOUNDS_PER_S)
                    recording.add(Piece(side, "audio", source.sound[sound], stamp, at, True, (0, 0)))
            if number % PICTURES_PER_S == 0:
                time.sleep(0.22)  # real time goes on, so that durable records with dates lie within
        recording.finish()
    return folder


def wanted(**fields: object) -> EvidenceWanted:
    values: dict[str, object] = {
        "request_id": "r", "call_id": "BWI-1", "pressed_at_ms": BEGAN_MS + 12_000, "from_ms": -13_000, "to_ms": 13_000,
        "copied_ms": BEGAN_MS + 100_000, "to_come": False, "boxes": [Box(side, 48, 28) for side in Side], "keys": [],
    }  # fmt: skip
    return EvidenceWanted(**(values | fields))  # type: ignore[arg-type]


def sent(folder: Path, what: EvidenceWanted) -> tuple[bytes, list[bytes]]:
    """The records and keys that a server with this copy sends."""
    pressed = what.pressed_at_ms
    stretch = find_stretch(folder / "BWI-1", KEY, pressed + what.from_ms, pressed + what.to_ms)
    return b"".join(frames_of(stretch.pieces)), stretch.keys


def read(
    folder: Path, what: EvidenceWanted, change: Callable[[bytes], bytes] = lambda data: data
) -> tuple[list[EvidencePicture], list[EvidencePart], EvidenceDone]:
    data, keys = sent(folder, what)
    said: list[EvidencePart | EvidenceDone] = []
    Reader(what, open_records(change(data), keys), said.append).read()  # type: ignore[arg-type]
    parts = [message for message in said if isinstance(message, EvidencePart)]
    assert isinstance(said[-1], EvidenceDone) and len(parts) == len(said) - 1
    return [picture for part in parts for picture in part.pictures], parts, said[-1]


def mark(picture: EvidencePicture) -> int:
    return marked_clip.read(np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3))


def test_each_mark_is_at_its_time_in_both_parts(recorded: Path) -> None:
    assert len(list((recorded / "BWI-1").glob("*.rec"))) == 2
    pictures, _, done = read(recorded, wanted())
    assert done.outcome == EvidenceOutcome.WHOLE
    for side in Side:
        of_side = [picture for picture in pictures if picture.side == side]
        assert [p.at_ms for p in of_side] == sorted({p.at_ms for p in of_side})
        for picture in of_side:
            second = (picture.at_ms + 12_000) / 1000
            assert {int(second - 0.1), int(second + 0.1)} & {mark(picture)}, (side, picture.at_ms, mark(picture))
        assert len(of_side) >= (FIRST_S + SECOND_S) * 4 - 4


def test_gaps_say_where_and_why(recorded: Path) -> None:
    _, _, done = read(recorded, wanted())
    of_room = [gap for gap in done.gaps if gap.side == Side.ROOM]
    assert [gap.words for gap in of_room] == [
        "before the recording began",
        "the laptop did not record here",
        "after the recording ended",
    ]
    away = of_room[1]
    assert abs(away.from_ms - (FIRST_S + 1 - 12) * 1000) <= 500, "a picture stands for a second"
    assert abs(away.to_ms - (FIRST_S + AWAY_S - 12) * 1000) <= 500


def test_levels_are_those_of_the_sound_and_none_where_none_is_recorded(recorded: Path) -> None:
    _, parts, _ = read(recorded, wanted())
    assert {levels.side for levels in parts[0].levels} == set(Side)
    for levels in parts[0].levels:
        second = {int((levels.from_ms + 100 * n + 12_000) // 1000): level for n, level in enumerate(levels.rms)}
        for inside in (2, 5, 8, 16, 20):
            assert second[inside] is not None and abs(second[inside] / 10 - marked_clip.LEVEL_DBFS) <= 1
        assert second[12] is None and second[-1] is None


def test_parts_are_small_and_pictures_fit_their_box(recorded: Path) -> None:
    pictures, parts, _ = read(recorded, wanted(boxes=[Box(side, 640, 640) for side in Side]))
    assert all(len(msgspec.msgpack.encode(part)) <= 40 * 1024 for part in parts)
    assert {(picture.width, picture.height) for picture in pictures} == {(128, 72)}


def test_a_side_with_two_devices_shows_both(tmp_path: Path) -> None:
    marked_clip.make(tmp_path / "marked.webm", 8)
    source = clip.read(tmp_path / "marked.webm")
    zero, boot = time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
    recording = Recording(
        tmp_path, "BWI-1", SEALING, lambda at: None, lambda words: None, lambda at: BEGAN_MS + round((at - boot) * 1000)
    )
    recording.start(1)
    size = (marked_clip.WIDTH, marked_clip.HEIGHT)
    for name, first_s in (("family-1", 0), ("family-2", 4)):
        for number in range(3 * PICTURES_PER_S):
            at = zero + number / PICTURES_PER_S
            data = source.pictures[first_s * PICTURES_PER_S + number]
            recording.add(Piece(name, "video", data, number * 3600, at, clip.is_key_frame(data), size))
    recording.finish()
    box = [Box(Side.FAMILY, 120, 68)]
    pictures, _, _ = read(tmp_path, wanted(pressed_at_ms=BEGAN_MS, from_ms=0, to_ms=3000, boxes=box))
    assert len(pictures) >= 10
    for one in pictures:
        whole = np.frombuffer(one.pixels, np.uint8).reshape(one.height, one.width, 3)
        middle = whole[one.height // 4 : one.height * 3 // 4]
        left, right = marked_clip.read(middle[:, : one.width // 2]), marked_clip.read(middle[:, one.width // 2 :])
        assert right == left + 4 and left in (one.at_ms // 1000, one.at_ms // 1000 - 1)


def test_a_stretch_that_is_not_over_is_read_as_far_as_the_copy_goes(recorded: Path) -> None:
    pictures, _, done = read(recorded, wanted(to_come=True, copied_ms=BEGAN_MS + 12_000 + 5_500))
    assert done.outcome == EvidenceOutcome.TO_COME and done.until_ms == 5_500
    assert max(picture.at_ms for picture in pictures) <= 5_500
    _, _, done = read(recorded, wanted(to_come=True, copied_ms=0))
    assert done.outcome == EvidenceOutcome.TO_COME and done.until_ms == -13_000


def test_what_is_not_there_or_does_not_open_is_said(recorded: Path, tmp_path: Path) -> None:
    _, _, done = read(tmp_path, wanted())
    assert (done.outcome, done.words) == (EvidenceOutcome.NOTHING, "The recording has nothing of this stretch.")

    def one_bit(data: bytes) -> bytes:
        return data[: len(data) // 2] + bytes((data[len(data) // 2] ^ 1,)) + data[len(data) // 2 + 1 :]

    for change in (one_bit, lambda data: data[:-7], lambda data: os.urandom(5000), lambda data: data[40:]):
        pictures, _, done = read(recorded, wanted(), change)
        assert done.outcome == EvidenceOutcome.FAILED and "could not be opened" in done.words and not pictures
    data, _ = sent(recorded, wanted())
    assert open_records(data, []).broken and open_records(data, [os.urandom(32)] * 2).broken


def test_it_is_a_program_at_low_priority_that_ends_when_nobody_reads(recorded: Path) -> None:
    what = wanted(boxes=[Box(side, 128, 72) for side in Side])
    data, keys = sent(recorded, what)
    asked = encode(msgspec.structs.replace(what, keys=keys))
    process = subprocess.Popen(
        [sys.executable, "-m", "laptop.media.evidence_reader"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(len(asked).to_bytes(4) + asked + data)
    process.stdin.close()
    assert process.stdout is not None
    try:
        size = int.from_bytes(process.stdout.read(4))
        assert isinstance(from_laptop.decode(process.stdout.read(size)), EvidencePart)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        process.stdout.close()
        wait_until(lambda: process.poll() is not None, "it ends", 20)
        assert process.returncode in (0, -signal.SIGPIPE)
    finally:
        process.kill()
        process.wait()
