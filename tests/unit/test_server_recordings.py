"""The server's copy of a recording: taken in as it comes, checked, resumed after any cut, found again for a stretch."""

import os
import random
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, example, given, settings

from laptop.media.opened import open_records
from laptop.media.part_file import PartFile, finish_interrupted
from schemas.recording import HEAD_BYTES, Chunk
from server.recordings.keys import EvidenceKey, KeyFileError, own_key, read_key
from server.recordings.opening import open_part
from server.recordings.part import IncomingPart, Named, RefusedPartError
from server.recordings.reading import find_stretch, frames_of
from server.rules.recording import Step, room_needed, step
from tests import recording_1
from tests.mangled import mangled
from tests.sealed import KEY, SEALING, signs

BEGAN = 1_800_000_000_000
EACH_MS = 800


def recorded(folder: Path, records: int = 20, *, keys: tuple[int, ...] = (0,), ended: bool = True) -> PartFile:
    """A part with a record each 0.8 s from BEGAN on, one stream whose key frames are in the records `keys`."""
    folder.mkdir(parents=True, exist_ok=True)
    part = PartFile(folder, folder.name, SEALING)
    for number in range(records):
        chunk = Chunk("room", 0, b"%d" % number * 50, [])
        part.write([chunk], int(number in keys), BEGAN + EACH_MS * number)
    if ended:
        part.end(BEGAN + EACH_MS * records)
    part.close()
    return part


def incoming(tmp_path: Path, part: PartFile) -> IncomingPart:
    return IncomingPart(tmp_path / "server" / part.path.name, Named("BWI", "BWI-1", part.name, "BWI-01"), signs)


def test_a_part_comes_in_whatever_cuts_there_are_and_is_the_same(tmp_path: Path) -> None:
    part = recorded(tmp_path / "BWI-1")
    whole = part.path.read_bytes()
    chance = random.Random(7)
    copy, sent = incoming(tmp_path, part), 0
    while not copy.whole:
        data = whole[sent : sent + chance.randrange(1, 900)]
        copy.take(sent, data)
        sent += len(data)
        if chance.random() < 0.3:
            copy.make_durable()
        if chance.random() < 0.2:  # the server is killed: only what is durable is there
            copy = incoming(tmp_path, part)
            sent = copy.bytes
    assert copy.path.read_bytes() == whole
    assert (copy.records, copy.gaps, copy.newest_ms) == (20, 0, BEGAN + EACH_MS * 20)
    again = incoming(tmp_path, part)
    assert again.whole and again.bytes == len(whole), "stored once: what is whole stays as it is"


def test_what_is_sent_twice_is_stored_once_and_a_hole_is_left(tmp_path: Path) -> None:
    part = recorded(tmp_path / "BWI-1")
    whole = part.path.read_bytes()
    copy = incoming(tmp_path, part)
    copy.take(0, whole[:500])
    copy.take(0, whole[:500])
    copy.take(900, whole[900:1000])
    copy.make_durable()
    assert copy.bytes == 500
    copy.take(300, whole[300:])
    copy.make_durable()
    assert copy.whole and copy.path.read_bytes() == whole


@pytest.mark.parametrize("cut", range(0, 4000, 37))
def test_a_server_that_lost_power_goes_on_after_the_last_whole_record(tmp_path: Path, cut: int) -> None:
    """The file's end may be cut anywhere, and what was never made durable may be zeros."""
    part = recorded(tmp_path / "BWI-1")
    whole = part.path.read_bytes()
    target = tmp_path / "server" / part.path.name
    target.parent.mkdir()
    target.write_bytes(whole[:cut] + bytes(cut % 3 * 100))
    copy = incoming(tmp_path, part)
    assert copy.bytes <= cut and whole.startswith(target.read_bytes())
    copy.take(copy.bytes, whole[copy.bytes :])
    copy.make_durable()
    assert copy.whole and target.read_bytes() == whole


def test_a_changed_byte_is_refused_and_what_came_before_stays(tmp_path: Path) -> None:
    part = recorded(tmp_path / "BWI-1")
    whole = bytearray(part.path.read_bytes())
    whole[2000] ^= 1
    copy = incoming(tmp_path, part)
    copy.take(0, bytes(whole[:1500]))
    copy.make_durable()
    with pytest.raises(RefusedPartError, match="does not hold"):
        copy.take(1500, bytes(whole[1500:]))
    assert incoming(tmp_path, part).bytes <= 1500


def test_an_end_that_another_key_has_signed_is_refused(tmp_path: Path) -> None:
    part = recorded(tmp_path / "BWI-1", ended=False)
    forged = tmp_path / "forged.rec"
    forged.write_bytes(part.path.read_bytes())
    assert finish_interrupted(forged, Ed25519PrivateKey.generate())
    copy = incoming(tmp_path, part)
    with pytest.raises(RefusedPartError, match="not signed by its laptop"):
        copy.take(0, forged.read_bytes())
    assert not open_part(forged, KEY).signed


def test_a_part_that_another_key_is_to_sign_is_refused_before_anything_of_it_is_stored(tmp_path: Path) -> None:
    part = recorded(tmp_path / "BWI-1")
    copy = IncomingPart(tmp_path / "server" / "x.rec", Named("BWI", "BWI-1", part.name, "BWI-01"), lambda *_: False)
    with pytest.raises(RefusedPartError, match=r"SHA256:.* its laptop is not registered with") as refused:
        copy.take(0, part.path.read_bytes())
    assert not refused.value.again and not copy.path.exists()


@pytest.mark.parametrize("named", [("BWI", "BWI-2"), ("BWI", "BWI-1", "0001-00000000"), ("BWI", "BWI-1", None, "X")])
def test_a_part_under_another_name_is_refused(tmp_path: Path, named: tuple[str, ...]) -> None:
    part = recorded(tmp_path / "BWI-1")
    values = ["BWI", "BWI-1", part.name, "BWI-01"]
    for number, value in enumerate(named):
        values[number] = value or values[number]
    copy = IncomingPart(tmp_path / "server" / "x.rec", Named(*values), signs)
    with pytest.raises(RefusedPartError, match="another one"):
        copy.take(0, part.path.read_bytes())


def test_a_full_disk_is_said_and_nothing_half_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = recorded(tmp_path / "BWI-1")
    whole = part.path.read_bytes()
    copy = incoming(tmp_path, part)
    copy.take(0, whole[:1000])
    copy.make_durable()
    usage = os.statvfs(tmp_path)
    monkeypatch.setattr("server.recordings.part.AUDIT_SPARE_BYTES", usage.f_bavail * usage.f_frsize * 2)
    copy.take(1000, whole[1000:])
    with pytest.raises(RefusedPartError, match="disk is full") as refused:
        copy.make_durable()
    assert refused.value.again and copy.path.stat().st_size == 1000


def test_a_recording_of_the_first_format_is_taken_opened_and_found(tmp_path: Path) -> None:
    """As agents made them when each part had a key of its own."""
    key = recording_1.KEY
    copy = IncomingPart(
        tmp_path / recording_1.FILE.name, Named("BWI", "BWI-1", recording_1.FILE.stem, "BWI-01"), lambda *_: True
    )
    copy.take(0, recording_1.PART)
    copy.make_durable()
    assert copy.whole and (copy.records, copy.gaps) == (1, 1)
    part = open_part(copy.path, key)
    assert (part.broken, part.end, part.signed) == ("", "ended", True)
    assert len(part.streams["room"].blocks["audio"]) == 5
    stretch = find_stretch(tmp_path, key, BEGAN, BEGAN + 1000)
    opened = open_records(b"".join(frames_of(stretch.pieces)), stretch.keys)
    assert opened.broken == "" and [len(track.blocks) for track in opened.tracks] == [5]


@settings(max_examples=150, deadline=None)
@given(spoiled=mangled([recording_1.PART]))
@example(spoiled=recording_1.PART + b"A")
def test_a_part_with_spoiled_bytes_is_refused_and_told_wherever_it_is_read(
    tmp_path_factory: pytest.TempPathFactory, spoiled: bytes
) -> None:
    assume(spoiled != recording_1.PART)
    folder = tmp_path_factory.mktemp("spoiled")
    path = folder / recording_1.FILE.name
    copy = IncomingPart(path, Named("BWI", "BWI-1", path.stem, "BWI-01"), lambda *_: True)
    try:
        copy.take(0, spoiled)
        copy.make_durable()
    except RefusedPartError as error:
        assert str(error).strip()
    assert not copy.whole
    path.write_bytes(spoiled)  # as of a disk that went bad
    part = open_part(path, recording_1.KEY)
    assert part.broken or not part.signed
    stretch = find_stretch(folder, recording_1.KEY, BEGAN, BEGAN + 1000)
    opened = open_records(b"".join(frames_of(stretch.pieces)), stretch.keys)
    assert len(opened.tracks) <= 1


def test_a_stretch_begins_at_the_last_key_frame_before_it_and_opens(tmp_path: Path) -> None:
    folder = tmp_path / "BWI-1"
    part = recorded(folder, 40, keys=(0, 10, 30))
    stretch = find_stretch(folder, KEY, BEGAN + 20 * EACH_MS, BEGAN + 22 * EACH_MS)
    assert stretch.complete and len(stretch.keys) == 1
    assert stretch.copied_ms == BEGAN + 40 * EACH_MS
    heads = [frame[32 : 32 + HEAD_BYTES] for frame in frames_of(stretch.pieces)]
    numbers = [int.from_bytes(head[5:13]) for head in heads]
    assert numbers == [0, *range(11, 26)], "BEGIN, then from the record with key frame 10 to just after the stretch"
    assert find_stretch(folder, KEY, BEGAN - 90_000, BEGAN - 60_000).pieces == []
    other = EvidenceKey(pyrage.x25519.Identity.generate())
    assert find_stretch(folder, other, BEGAN, BEGAN + 1000).keys == []
    assert open_part(part.path, other).broken == "it was sealed for another evidence key"


def test_a_stretch_over_two_parts_has_both_keys(tmp_path: Path) -> None:
    folder = tmp_path / "BWI-1"
    recorded(folder, 5)
    recorded(folder, 5, ended=False)
    stretch = find_stretch(folder, KEY, BEGAN, BEGAN + 5000)
    assert len(stretch.keys) == 2 and not stretch.complete and len(stretch.pieces) == 12


def test_the_evidence_key_is_made_once_and_only_for_the_server_s_account(tmp_path: Path) -> None:
    key = own_key(tmp_path / "evidence", "BWI")
    assert own_key(tmp_path / "evidence", "BWI").recipient == key.recipient
    path = tmp_path / "evidence" / "BWI.key"
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    path.write_text("AGE-SECRET-KEY-NONSENSE")
    with pytest.raises(KeyFileError, match="no age identity"):
        own_key(tmp_path / "evidence", "BWI")
    with pytest.raises(KeyFileError, match="can't be read"):
        read_key(tmp_path / "none.key")


def test_a_late_copy_alarms_then_ends() -> None:
    assert [step(age) for age in (0.0, 14.9, 15.0, 59.9, 60.0)] == [
        Step.COPIED, Step.COPIED, Step.ALARM, Step.ALARM, Step.END,
    ]  # fmt: skip
    assert room_needed(1800) == 1800 * 375_000 + 2 * 1024**3
