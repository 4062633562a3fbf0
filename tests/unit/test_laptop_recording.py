"""The recording on the agent's disk: sealed, real Matroska inside, durable each second, and honest about the disk."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.peers.clip import MEDIA, is_key_frame
from demo.peers.clip import read as read_clip
from laptop.media.part_file import Sealing, finish_interrupted, parts
from laptop.media.recording import Recording, RecordingError
from laptop.media.stream import Piece, SenderReport
from server.recordings.opening import OpenedPart
from tests.sealed import SEALING, SIGNER, opened, played

SOURCES = ("family-1", "room")


class Kept:
    def __init__(self, folder: Path, call_id: str = "BWI-1", sealing: Sealing = SEALING) -> None:
        self.durable: list[float] = []
        self.failed: list[str] = []
        self.recording = Recording(folder, call_id, sealing, self.durable.append, self.failed.append)


def play(recording: Recording, source: str, seconds: float, *, start_at: int = 0, clock_from: int = 12345) -> None:
    """A clip's packets as if they had come in time."""
    clip = read_clip(MEDIA / "steady.webm")
    began = time.monotonic()
    for number in range(int(seconds * 25)):
        came_at = began + number / 25
        picture = clip.pictures[start_at + number]
        recording.add(
            Piece(source, "video", picture, clock_from + number * 3600, came_at, is_key_frame(picture), (640, 360))
        )
        for half in (0, 1):
            sound = clip.sound[(start_at + number) * 2 + half]
            recording.add(Piece(source, "audio", sound, 777 + (number * 2 + half) * 960, came_at, True, (0, 0)))


def only(folder: Path) -> OpenedPart:
    (part,) = opened(folder / "BWI-1")
    assert part.broken == ""
    return part


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_both_sides_play_and_nothing_is_missing(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    assert len(kept.durable) == 1, "start returns when the first record is durable"
    for source in SOURCES:
        play(kept.recording, source, 4)
    kept.recording.finish()
    assert kept.failed == []
    part = only(tmp_path)
    assert part.end == "ended" and part.signed
    for source in SOURCES:
        pictures, sounds, times = played(part.streams[source])
        assert (pictures, sounds) == (100, 200)
        assert times == sorted(times) and abs(times[-1] - times[0] - 3.96) < 0.01
    assert 3960 <= kept.recording.recorded_ms <= 4500, "from the start of the recording on"


def test_no_medium_lies_open_on_the_disk(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, "room", 2)
    kept.recording.finish()
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    clip = read_clip(MEDIA / "steady.webm")
    assert len(data) > sum(len(picture) for picture in clip.pictures[:50])
    for packet in (*clip.pictures[:50], *clip.sound[:100]):
        assert packet[10:30] not in data
    assert b"matroska" not in data
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "BWI-1").iterdir())


def test_a_copy_taken_after_a_durable_record_plays(tmp_path: Path) -> None:
    """As after kill -9: what was durable then can be decoded, without the end of the file."""
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, "family-1", 4)
    durable = len(kept.durable)
    wait_until(lambda: len(kept.durable) > durable)
    shutil.copytree(tmp_path / "BWI-1", tmp_path / "copy" / "BWI-1")
    kept.recording.finish()
    part = only(tmp_path / "copy")
    assert part.end == "" and played(part.streams["family-1"])[0] == 100


def test_an_interrupted_part_is_signed_as_far_as_it_goes_wherever_it_was_cut(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, "room", 2)
    kept.recording.finish()
    (path,) = parts(tmp_path / "BWI-1")
    whole = path.read_bytes()
    for cut in (*range(1, len(whole), len(whole) // 40), len(whole) - 1):
        path.write_bytes(whole[:cut])
        if not finish_interrupted(path, SIGNER):
            assert not path.exists() and cut < 1000, "only a part without its beginning goes"
            continue
        part = only(tmp_path)
        assert (part.end, part.signed) == ("interrupted", True)
    path.write_bytes(whole)
    assert finish_interrupted(path, SIGNER) and path.read_bytes() == whole


def test_it_stays_durable_when_nothing_flows(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    wait_until(lambda: len(kept.durable) >= 3)
    assert kept.durable == sorted(kept.durable)
    kept.recording.finish()
    part = only(tmp_path)
    assert part.gaps >= 3 and part.records == 0


def test_a_picture_begins_at_a_key_frame(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, "family-1", 4, start_at=1)
    kept.recording.finish()
    clip = read_clip(MEDIA / "steady.webm")
    first_key = next(number for number in clip.keys if number >= 1)
    assert played(only(tmp_path).streams["family-1"])[0] == 100 - (first_key - 1)


def test_an_agent_that_starts_anew_goes_on_in_another_part_with_another_key(tmp_path: Path) -> None:
    for _ in range(2):
        kept = Kept(tmp_path)
        kept.recording.start(60)
        play(kept.recording, "room", 1)
        kept.recording.finish()
    first, second = opened(tmp_path / "BWI-1")
    assert first.begin and second.begin and first.begin.wrapped != second.begin.wrapped
    assert played(first.streams["room"])[0] == played(second.streams["room"])[0] == 25


def test_the_sender_s_clock_is_noted_beside_the_arrival(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, "room", 1)
    kept.recording.report(SenderReport("room", "video", 12345, 5_000_000.0))
    wait_until(lambda: len(kept.durable) >= 3)
    play(kept.recording, "room", 1, start_at=25, clock_from=12345 + 90_000)
    kept.recording.finish()
    dates = [date for date in only(tmp_path).streams["room"].dates if date.kind == "video" and date.ntp_ms]
    assert dates and all(date.origin == dates[0].origin for date in dates)
    assert dates[-1].ntp_ms == 5_000_000 + 1960


def test_no_room_on_the_disk_is_said_before_anything_is_carried(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    kept = Kept(tmp_path)
    with pytest.raises(RecordingError, match="GB are needed"):
        kept.recording.start(free)  # more seconds than the disk has bytes
    assert kept.durable == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "BWI-1").write_text("a file where the folder should be")
    with pytest.raises(RecordingError, match="can't be written"):
        Kept(tmp_path).recording.start(60)


def test_without_an_evidence_key_nothing_is_recorded(tmp_path: Path) -> None:
    kept = Kept(tmp_path, sealing=Sealing("BWI-01", "", SIGNER))
    with pytest.raises(RecordingError, match="no evidence key"):
        kept.recording.start(60)
    assert kept.durable == []


def test_a_call_id_that_is_no_folder_name_is_refused(tmp_path: Path) -> None:
    for name in ("../escape", "", ".hidden", "a/b", "a\0b"):
        with pytest.raises(RecordingError, match="no name for a folder"):
            Kept(tmp_path, name)
