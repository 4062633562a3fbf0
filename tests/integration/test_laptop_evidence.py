"""A stretch read from recordings as the agent makes them: marks at their times, over two files, with their gaps."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from demo.peers import clip
from laptop.media.evidence_reader import Reader, Wanted
from laptop.media.recording import Piece, Recording
from schemas.incident import EvidenceOutcome, EvidencePicture
from schemas.laptop import EvidenceDone, EvidencePart, from_laptop
from schemas.media import Box, Side
from tests import marked_clip
from tests.server_rig import wait_until

BEGAN_MS = 1_800_000_000_000
"""The server's time at second 0 of the scene."""
FIRST_S, AWAY_S, SECOND_S = 10, 4, 10
PICTURES_PER_S, SOUNDS_PER_S = 25, 50


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, an agent that was away for four, and ten more in other files; each second has a mark of its own.

    The sender's clock runs 2 % slow: after ten seconds the file's own times are 0.2 s off.
    """
    folder = tmp_path_factory.mktemp("recordings")
    marked_clip.make(folder / "marked.webm", 30)
    source = clip.read(folder / "marked.webm")
    zero = time.monotonic()
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()

    def server_ms(at: float) -> int:
        return BEGAN_MS + round((at - boot - zero) * 1000)

    for begin, seconds in ((0, FIRST_S), (FIRST_S + AWAY_S, SECOND_S)):
        recording = Recording(folder, "BWI-1", lambda at: None, lambda words: None, server_ms)
        recording.start(1)
        for number in range(begin * PICTURES_PER_S, (begin + seconds) * PICTURES_PER_S):
            at = zero + number / PICTURES_PER_S
            slow = 0.98 * number
            for side in Side:
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


def wanted(folder: Path, **fields: object) -> Wanted:
    values: dict[str, object] = {
        "folder": str(folder / "BWI-1"), "request_id": "r", "pressed_at_ms": BEGAN_MS + 12_000, "from_ms": -13_000,
        "to_ms": 13_000, "now_ms": BEGAN_MS + 100_000, "recording": False,
        "boxes": [Box(side, 48, 28) for side in Side],
    }  # fmt: skip
    return Wanted(**(values | fields))  # type: ignore[arg-type]


def read(what: Wanted) -> tuple[list[EvidencePicture], list[EvidencePart], EvidenceDone]:
    said: list[EvidencePart | EvidenceDone] = []
    Reader(what, said.append).read()  # type: ignore[arg-type]
    parts = [message for message in said if isinstance(message, EvidencePart)]
    assert isinstance(said[-1], EvidenceDone) and len(parts) == len(said) - 1
    return [picture for part in parts for picture in part.pictures], parts, said[-1]


def mark(picture: EvidencePicture) -> int:
    return marked_clip.read(np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3))


def test_each_mark_is_at_its_time_in_both_files(recorded: Path) -> None:
    assert len(list((recorded / "BWI-1").glob("*.mkv"))) == 4
    pictures, _, done = read(wanted(recorded))
    assert done.outcome == EvidenceOutcome.WHOLE
    for side in Side:
        of_side = [picture for picture in pictures if picture.side == side]
        assert [p.at_ms for p in of_side] == sorted({p.at_ms for p in of_side})
        for picture in of_side:
            second = (picture.at_ms + 12_000) / 1000
            assert {int(second - 0.1), int(second + 0.1)} & {mark(picture)}, (side, picture.at_ms, mark(picture))
        assert len(of_side) >= (FIRST_S + SECOND_S) * 4 - 4


def test_gaps_say_where_and_why(recorded: Path) -> None:
    _, _, done = read(wanted(recorded))
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
    _, parts, _ = read(wanted(recorded))
    assert {levels.side for levels in parts[0].levels} == set(Side)
    for levels in parts[0].levels:
        second = {int((levels.from_ms + 100 * n + 12_000) // 1000): level for n, level in enumerate(levels.rms)}
        for inside in (2, 5, 8, 16, 20):
            assert second[inside] is not None and abs(second[inside] / 10 - marked_clip.LEVEL_DBFS) <= 1
        assert second[12] is None and second[-1] is None


def test_parts_are_small_and_pictures_fit_their_box(recorded: Path) -> None:
    pictures, parts, _ = read(wanted(recorded, boxes=[Box(side, 640, 640) for side in Side]))
    assert all(len(msgspec.msgpack.encode(part)) <= 40 * 1024 for part in parts)
    assert {(picture.width, picture.height) for picture in pictures} == {(128, 72)}


def test_a_stretch_that_is_not_over_is_read_as_far_as_it_is_on_the_disk(recorded: Path) -> None:
    pictures, _, done = read(wanted(recorded, recording=True, now_ms=BEGAN_MS + 12_000 + 8_000))
    assert done.outcome == EvidenceOutcome.TO_COME and done.until_ms == 5_500
    assert max(picture.at_ms for picture in pictures) <= 5_500
    _, _, done = read(wanted(recorded, recording=True, now_ms=BEGAN_MS))
    assert done.outcome == EvidenceOutcome.TO_COME and done.until_ms == -13_000


def test_what_is_not_there_is_said(recorded: Path, tmp_path: Path) -> None:
    _, _, done = read(wanted(tmp_path))
    assert (done.outcome, done.words) == (EvidenceOutcome.NOTHING, "This laptop has no recording of the call.")
    (tmp_path / "BWI-1").mkdir()
    (tmp_path / "BWI-1" / "durable.log").write_bytes(b"\xff\x00 nonsense\n1795530000.123 1000 family=1 room=2\n")
    _, _, done = read(wanted(tmp_path))
    assert done.outcome == EvidenceOutcome.NOTHING and "has no dates" in done.words
    log = (recorded / "BWI-1" / "durable.log").read_bytes()
    (tmp_path / "BWI-1" / "durable.log").write_bytes(log)
    _, _, done = read(wanted(tmp_path))
    assert (done.outcome, done.words) == (EvidenceOutcome.NOTHING, "The file of the recording is gone.")
    for file in (recorded / "BWI-1").glob("*.mkv"):
        whole = file.read_bytes()
        (tmp_path / "BWI-1" / file.name).write_bytes(whole[: len(whole) // 2 + 7])
    pictures, _, done = read(wanted(tmp_path))
    assert done.outcome == EvidenceOutcome.WHOLE and pictures and len(done.gaps) > 2, "cut files are read to their cut"
    for file in (recorded / "BWI-1").glob("*.mkv"):
        (tmp_path / "BWI-1" / file.name).write_bytes(os.urandom(5000))
    _, _, done = read(wanted(tmp_path))
    assert done.outcome == EvidenceOutcome.NOTHING


def test_it_is_a_program_at_low_priority_that_ends_when_nobody_reads(recorded: Path) -> None:
    what = msgspec.json.encode(wanted(recorded, boxes=[Box(side, 128, 72) for side in Side])).decode()
    process = subprocess.Popen([sys.executable, "-m", "laptop.media.evidence_reader", what], stdout=subprocess.PIPE)
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
