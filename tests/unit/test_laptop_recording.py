"""The recording on the agent's disk: sealed, real Matroska inside, durable each second, and honest about the disk."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyrage
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from demo.peers.clip import MEDIA, is_key_frame
from demo.peers.clip import read as read_clip
from laptop.media.call_key import take_key
from laptop.media.part_file import Sealing, finish_interrupted, parts
from laptop.media.recording import Recording, RecordingError
from laptop.media.stream import Piece, SenderReport
from schemas.recording import FrameReader, nonce, part_key, read_begin, sealing_key
from server.recordings.keys import EvidenceKey
from server.recordings.opening import OpenedPart
from tests.sealed import KEY, SEALING, SIGNER, opened, played

OTHER = EvidenceKey(pyrage.x25519.Identity.generate())  # type: ignore[attr-defined]
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


def test_an_agent_that_starts_anew_goes_on_in_another_part_with_the_call_s_key(tmp_path: Path) -> None:
    """Also when what the one before recorded was handed over meanwhile; and no two parts are sealed alike."""
    handed_over = tmp_path / "handed over" / "BWI-1"
    handed_over.mkdir(parents=True)
    for _ in range(3):
        kept = Kept(tmp_path)
        kept.recording.start(60)
        play(kept.recording, "room", 1)
        kept.recording.finish()
        (part,) = parts(tmp_path / "BWI-1")
        part.rename(handed_over / part.name)
    found = opened(handed_over)
    begins = [part.begin for part in found if part.begin]
    assert len({begin.wrapped for begin in begins}) == 1 and [begin.step for begin in begins] == [0, 1, 2]
    assert [begin.part[:4] for begin in begins] == ["0001", "0002", "0003"]
    call_key = KEY.unwrap(begins[0].wrapped)
    assert call_key and len({part_key(begin, call_key) for begin in begins}) == 3
    assert all(played(part.streams["room"])[0] == 25 for part in found)


def test_what_a_laptop_keeps_for_its_next_agent_opens_nothing_that_it_has_recorded(tmp_path: Path) -> None:
    for _ in range(2):
        kept = Kept(tmp_path)
        kept.recording.start(60)
        kept.recording.finish()
    content = (tmp_path / "call.key").read_bytes()
    assert (tmp_path / "call.key").stat().st_mode & 0o077 == 0
    (key,) = [field for field in msgspec.msgpack.decode(content) if isinstance(field, bytes) and len(field) == 32]
    for path in parts(tmp_path / "BWI-1"):
        frames = list(FrameReader().feed(path.read_bytes()))
        begin, record = read_begin(frames[0]), frames[1]
        for tried in (key, sealing_key(begin, key), part_key(begin, key)):
            with pytest.raises(InvalidTag):
                AESGCM(tried).decrypt(nonce(1), record.body, record.bound_to(begin))
        call_key = KEY.unwrap(begin.wrapped)
        assert call_key
        AESGCM(part_key(begin, call_key)).decrypt(nonce(1), record.body, record.bound_to(begin))


def test_another_call_another_evidence_key_and_a_spoiled_file_begin_with_a_new_key(tmp_path: Path) -> None:
    seen = set()
    for call_id, recipient in (("BWI-1", KEY.recipient), ("BWI-2", KEY.recipient), ("BWI-2", OTHER.recipient)):
        run = take_key(tmp_path, call_id, recipient)
        assert run.step == 0
        seen.add(run.key)
    assert take_key(tmp_path, "BWI-2", OTHER.recipient).step == 1
    for spoiled in (b"spoiled", b"", b"\x95\xa1\xff"):
        (tmp_path / "call.key").write_bytes(spoiled)
        run = take_key(tmp_path, "BWI-2", OTHER.recipient)
        assert run.step == 0 and run.key not in seen
        seen.add(run.key)
    assert len(seen) == 6


def test_a_disk_put_back_to_an_older_state_does_not_seal_two_parts_alike(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.recording.start(60)
    kept.recording.finish()
    before = (tmp_path / "call.key").read_bytes()
    for _ in range(2):
        (tmp_path / "call.key").write_bytes(before)
        kept = Kept(tmp_path)
        kept.recording.start(60)
        kept.recording.finish()
    begins = [part.begin for part in opened(tmp_path / "BWI-1") if part.begin]
    assert [begin.step for begin in begins] == [0, 1, 1]
    call_key = KEY.unwrap(begins[0].wrapped)
    assert call_key and len({part_key(begin, call_key) for begin in begins}) == 3


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


@pytest.mark.parametrize("broken", ["full", "unsynced"])
def test_a_write_or_an_fsync_that_fails_is_never_counted_as_durable(tmp_path: Path, broken: str) -> None:
    """/dev/full takes no byte; a pipe takes bytes, and its fsync fails."""
    kept = Kept(tmp_path)
    kept.recording.start(60)
    part = kept.recording.part
    assert part is not None
    wait_until(lambda: len(kept.durable) >= 2)
    reading, writing = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full if broken == "full" else writing, part._descriptor)
        wait_until(lambda: bool(kept.failed))
        durable, said = part.durable_bytes, len(kept.durable)
        assert "the disk can't be written" in kept.failed[0]
        play(kept.recording, "room", 1)
        kept.recording.finish()
        assert (part.durable_bytes, len(kept.durable), len(kept.failed)) == (durable, said, 1) and not part.ended
        assert durable == part.path.stat().st_size
        if broken == "unsynced":
            assert os.read(reading, 10), "bytes were taken"
    finally:
        for descriptor in (reading, writing, full):
            os.close(descriptor)
    assert finish_interrupted(part.path, SIGNER)
    assert only(tmp_path).gaps == said


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
