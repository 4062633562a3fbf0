"""The recording on the agent's disk: real Matroska, durable each second, and honest when the disk takes nothing."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from demo.peers.clip import MEDIA, is_key_frame
from demo.peers.clip import read as read_clip
from laptop.media.recording import Piece, Recording, RecordingError
from schemas.media import Side


class Kept:
    def __init__(self, folder: Path, call_id: str = "BWI-1") -> None:
        self.durable: list[float] = []
        self.failed: list[str] = []
        self.recording = Recording(folder, call_id, self.durable.append, self.failed.append)


def play(recording: Recording, side: Side, seconds: float, *, start_at: int = 0, clock_from: int = 12345) -> None:
    """A clip's packets as if they had come in time."""
    clip = read_clip(MEDIA / "steady.webm")
    began = time.monotonic()
    for number in range(int(seconds * 25)):
        came_at = began + number / 25
        picture = clip.pictures[start_at + number]
        recording.add(
            Piece(side, "video", picture, clock_from + number * 3600, came_at, is_key_frame(picture), (640, 360))
        )
        for half in (0, 1):
            sound = clip.sound[(start_at + number) * 2 + half]
            recording.add(Piece(side, "audio", sound, 777 + (number * 2 + half) * 960, came_at, True, (0, 0)))


def content(file: Path) -> tuple[int, int, list[float]]:
    """Pictures and sounds that can be decoded, and the pictures' times, s."""
    pictures, sounds, times = 0, 0, []
    with av.open(str(file)) as container:
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    pictures += 1
                    times.append(frame.time)
                else:
                    sounds += 1
    return pictures, sounds, times


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_both_sides_play_and_nothing_is_missing(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    assert len(kept.durable) == 1, "start returns when the first record is durable"
    play(kept.recording, Side.FAMILY, 4)
    play(kept.recording, Side.ROOM, 4)
    kept.recording.finish()
    assert kept.failed == []
    for side in Side:
        pictures, sounds, times = content(tmp_path / "BWI-1" / f"{side}.mkv")
        assert (pictures, sounds) == (100, 200)
        assert times == sorted(times) and abs(times[-1] - times[0] - 3.96) < 0.01
    assert kept.recording.recorded_ms == pytest.approx(3960, abs=25)


def test_a_copy_taken_after_a_durable_record_plays(tmp_path: Path) -> None:
    """As after kill -9: what was durable then can be decoded, without the end of the file."""
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, Side.FAMILY, 4)
    file = tmp_path / "BWI-1" / "family.mkv"
    durable = len(kept.durable)
    wait_until(lambda: len(kept.durable) >= durable + 2)
    shutil.copy(file, tmp_path / "copy.mkv")
    kept.recording.finish()
    assert content(tmp_path / "copy.mkv")[0] >= 75


def test_it_stays_durable_when_nothing_flows(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    wait_until(lambda: len(kept.durable) >= 3)
    assert kept.durable == sorted(kept.durable)
    kept.recording.finish()
    assert len((tmp_path / "BWI-1" / "durable.log").read_text().splitlines()) >= 3


def test_a_picture_begins_at_a_key_frame(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    play(kept.recording, Side.FAMILY, 4, start_at=1)
    kept.recording.finish()
    clip = read_clip(MEDIA / "steady.webm")
    first_key = next(number for number in clip.keys if number >= 1)
    assert content(tmp_path / "BWI-1" / "family.mkv")[0] == 100 - (first_key - 1)


def test_an_agent_that_starts_anew_goes_on_in_another_file(tmp_path: Path) -> None:
    for _ in range(2):
        kept = Kept(tmp_path)
        kept.recording.start(60)
        play(kept.recording, Side.ROOM, 1)
        kept.recording.finish()
    assert sorted(path.name for path in (tmp_path / "BWI-1").glob("*.mkv")) == ["room-2.mkv", "room.mkv"]
    assert content(tmp_path / "BWI-1" / "room.mkv")[0] == content(tmp_path / "BWI-1" / "room-2.mkv")[0] == 25


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


def test_a_disk_that_takes_nothing_is_said_before_anything_is_carried(tmp_path: Path) -> None:
    (tmp_path / "BWI-1").mkdir()
    (tmp_path / "BWI-1" / "durable.log").symlink_to("/dev/full")
    kept = Kept(tmp_path)
    with pytest.raises(RecordingError, match="No space left"):
        kept.recording.start(60)
    assert kept.durable == []


def test_a_call_id_that_is_no_folder_name_is_refused(tmp_path: Path) -> None:
    for name in ("../escape", "", ".hidden", "a/b", "a\0b"):
        with pytest.raises(RecordingError, match="no name for a folder"):
            Kept(tmp_path, name)
