"""What the server makes of recordings on their way in: alarms, ends, receipts and whose they are, by a fake clock."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from laptop.media.part_file import PartFile
from schemas.call import CallState, Outcome
from schemas.laptop import RecordingChunk, RecordingKept, RecordingOffer, RecordingRefused
from schemas.recording import Chunk
from server.recordings import receiving
from server.recordings.keeper import Kept
from server.recordings.part import IncomingPart, Named
from server.recordings.receiving import Receiving
from server.store.audit import Entry
from server.store.recordings import IndexedPart
from server.store.writer import StoreError
from tests.sealed import SEALING, signs

BEGAN_MS = 1_800_000_000_000
NAMED = Named("BWI", "BWI-1", "0001-00000000", "BWI-01")


class Link:
    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.send = self.sent.append

    def speaks(self, _kind: object) -> bool:
        return True


class Place:
    """As much of an establishment as recordings need."""

    code = "BWI"

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}
        self.laptops = {"BWI-01": SimpleNamespace(laptop_id="BWI-01", link=Link())}
        self.recorded: list[str] = []
        self.indexed: list[IndexedPart] = []
        self.ended: list[tuple[str, Outcome]] = []
        self.words: list[str] = []
        self.audit_works = True
        self.writer = SimpleNamespace(write=self._write)

    def live(self, state: CallState = CallState.LIVE) -> None:
        self.calls["BWI-1"] = SimpleNamespace(call_id="BWI-1", laptop_id="BWI-01", state=state)

    def _write(self, unit: Any) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.recorded += [entry.action for entry in unit.entries]
        if self.audit_works:
            self.indexed += [unit.recording] if unit.recording is not None else []
            done.set_result(None)
        else:
            done.set_exception(StoreError("full"))
        return done

    def entry(self, action: str, detail: str, **about: Any) -> Entry:
        return Entry(0, about["who"], about["role"], "", action, about["call_id"], about["accepted"], detail, "BWI")

    def record(self, action: str, _detail: str, **_about: Any) -> None:
        self.recorded.append(action)

    def recording_words(self, _call_id: str, words: str) -> None:
        self.words.append(words)

    def end_by_server(self, call: Any, outcome: Outcome, _who: str, _why: str) -> None:
        self.ended.append((call.call_id, outcome))
        call.state = CallState.ENDING


class Clock:
    """`at`: seconds since the scene began."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return 5000.0 + self.at

    def utc_ms(self) -> int:
        return BEGAN_MS + round(self.at * 1000)


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.clock, self.alarms = Place(), Clock(), []
        self.offered: list[Named] = []
        monkeypatch.setattr(receiving, "time", self.clock)
        monkeypatch.setattr(receiving, "utc_ms", self.clock.utc_ms)
        keeper = SimpleNamespace(offered=self.offered.append, came=lambda *_: self.offered.append(NAMED))
        alarm = SimpleNamespace(raise_=lambda **event: self.alarms.append(event))
        laptop_of = {"old": "BWI-01", "theirs": "BWI-02"}.get
        self.indexed: set[tuple[str, str]] = set()
        known = lambda call_id, part: (call_id, part) in self.indexed  # noqa: E731
        self.receiving = Receiving(self.place, keeper, alarm, laptop_of, known)  # type: ignore[arg-type]

    def look_until(self, seconds: float) -> None:
        while self.clock.at < seconds:
            self.clock.at += 0.25
            self.receiving.look()

    def kept(self, at_s: float) -> None:
        self.receiving.kept(Kept(NAMED, 1000, BEGAN_MS + round(at_s * 1000)))

    @property
    def sent(self) -> list[Any]:
        return self.place.laptops["BWI-01"].link.sent


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


@pytest.mark.parametrize("state", [CallState.LIVE, CallState.PAUSED])
def test_a_copy_that_never_comes_alarms_after_15_s_and_ends_after_60(scene: Scene, state: CallState) -> None:
    scene.look_until(100)
    scene.place.live(state)
    scene.look_until(114.75)
    assert scene.alarms == []
    scene.look_until(115.5)
    assert [alarm["ends_in_s"] for alarm in scene.alarms] == [45] and "15 s old" in scene.place.words[-1]
    scene.look_until(160)
    assert scene.place.ended == [] and len(scene.alarms) == 1
    scene.look_until(170)
    assert scene.place.ended == [("BWI-1", Outcome.RECORDING_FAILED)]


def test_a_copy_that_comes_again_takes_the_alarm_back(scene: Scene) -> None:
    scene.place.live()
    scene.look_until(10)
    scene.kept(9)
    scene.look_until(23.75)
    assert scene.alarms == []
    scene.look_until(30)
    assert len(scene.alarms) == 1
    scene.kept(29)
    scene.look_until(31)
    assert scene.place.words[-1] == "" and scene.place.recorded[-1] == "recording_copied_again"
    scene.look_until(43.75)
    assert len(scene.alarms) == 1
    scene.look_until(45)
    assert len(scene.alarms) == 2 and scene.place.ended == []


def test_a_laptop_whose_clock_runs_ahead_does_not_hide_a_late_copy(scene: Scene) -> None:
    scene.place.live()
    scene.kept(100_000)
    scene.look_until(16)
    assert len(scene.alarms) == 1


def test_a_call_that_waits_or_is_over_needs_no_copy(scene: Scene) -> None:
    for state in (CallState.WAITING, CallState.ENDING, CallState.ENDED):
        scene.place.live(state)
        scene.look_until(scene.clock.at + 70)
    assert scene.alarms == scene.place.ended == []


def test_only_a_call_s_own_laptop_may_send_its_recording(scene: Scene) -> None:
    scene.place.live()
    laptop = scene.place.laptops["BWI-01"]
    scene.receiving.take(laptop, RecordingOffer("BWI-1", "0001-00000000"))  # type: ignore[arg-type]
    scene.receiving.take(laptop, RecordingOffer("old", "0001-00000000"))  # type: ignore[arg-type]
    assert [named.call_id for named in scene.offered] == ["BWI-1", "old"] and scene.sent == []


@pytest.mark.parametrize(
    ("call_id", "part"), [("theirs", "0001-00000000"), ("none", "x"), ("../old", "x"), ("old", "../x")]
)
async def test_what_is_another_s_or_no_name_is_refused(scene: Scene, call_id: str, part: str) -> None:
    laptop = scene.place.laptops["BWI-01"]
    for message in (RecordingOffer(call_id, part), RecordingChunk(call_id, part, 0, b"x")):
        scene.receiving.take(laptop, message)  # type: ignore[arg-type]
    assert scene.offered == [] and {type(one) for one in scene.sent} == {RecordingRefused}
    assert not any(one.again for one in scene.sent) and scene.place.recorded == ["recording_refused"], "noted once"


async def test_the_receipt_follows_the_audit_and_only_a_written_one(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "BWI-1"
    folder.mkdir()
    written = PartFile(folder, "BWI-1", SEALING)
    written.write([Chunk("room", 0, b"x", [])], 1, BEGAN_MS)
    written.end(BEGAN_MS)
    named = Named("BWI", "BWI-1", written.name, "BWI-01")
    part = IncomingPart(written.path, named, signs)
    kept = Kept(named, part.bytes, part.newest_ms, True, part)
    scene.place.audit_works = False
    scene.receiving.kept(kept)
    await asyncio.sleep(0)
    assert scene.sent == [RecordingRefused("BWI-1", written.name, "the audit can't be written", True)]
    scene.place.audit_works = True
    scene.receiving.kept(kept)
    scene.receiving.kept(kept)
    await asyncio.sleep(0)
    assert scene.sent[1:] == [RecordingKept("BWI-1", written.name, part.bytes, True)]
    (unit,) = scene.place.indexed
    assert (unit.call_id, unit.part, unit.laptop_id) == ("BWI-1", written.name, "BWI-01")
    assert (unit.bytes, unit.records, unit.ended) == (part.bytes, 1, "ended") and unit.signer.startswith("SHA256:")
    before = scene.place.recorded.count("recording_verified")
    scene.receiving.kept(kept)
    assert scene.sent[2:] == [RecordingKept("BWI-1", written.name, part.bytes, True)], "a lost receipt comes again"
    assert scene.place.recorded.count("recording_verified") == before


async def test_a_part_that_was_verified_before_a_restart_gets_its_receipt_and_no_second_entry(scene: Scene) -> None:
    scene.indexed.add(("BWI-1", NAMED.part))
    scene.receiving.kept(Kept(NAMED, 1000, BEGAN_MS, True))
    assert scene.sent == [RecordingKept("BWI-1", NAMED.part, 1000, True)]
    assert "recording_verified" not in scene.place.recorded
