"""Remote support's screen: what the board keeps, what is said of a laptop, and that each row has the screen's width."""

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.desk import Desk
from console.painting.health import detail_rows, header, laptop_rows
from console.state import health_words as words
from console.state.ages import clock
from console.state.attention import Severity
from console.state.health import HealthBoard
from console.state.health_words import severity, state, verdict
from console.state.link import LinkState
from console.state.safe_text import cell_width
from schemas.call import Role
from schemas.console import ConsoleWelcome, SnapshotRequest
from schemas.health import (
    NEVER_MS,
    UNKNOWN,
    CallPhase,
    Cause,
    FailedSide,
    HealthDelta,
    HealthSnapshot,
    LaptopView,
    LegKind,
    LegNumbers,
    OpenLaptop,
    RecordingFault,
    WhyNot,
)
from schemas.media import RecordingState

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"
NOW_MS, NOW_S = 1_780_000_000_000, 100.0
WELCOME = ConsoleWelcome(2, "session", "T. Novak", Role.SUPPORT, "BWI", "Berwyn", NOW_MS, ["health"])


def laptop(seat: int, **changes: Any) -> LaptopView:
    fields: dict[str, Any] = {
        "laptop_id": f"BWI-{seat:02d}",
        "seat": seat,
        "online": True,
        "changed_at_ms": NOW_MS - 3_600_000,
        "version": [1, 4, 2],
        "round_trip_ms": 4,
        "drops": 0,
        "up_s": 7200,
        "cpu_per_mille": 310,
        "loop_lag_ms": 2,
        "disk_free_mib": 212 * 1024,
        "disk_total_mib": 256 * 1024,
        "clock_known": True,
        "clock_offset_ms": 10,
        "call": CallPhase.ON,
        "call_ends_at_ms": NOW_MS + 600_000,
        "carrying": True,
        "why_not": WhyNot.CARRYING,
        "recording": RecordingState.RECORDING,
        "recording_fault": RecordingFault.NONE,
        "recording_age_ms": 400,
        "heard_at_ms": NOW_MS - 500,
        "legs": [leg(LegKind.ROOM), leg(LegKind.FAMILY_1, lost_per_mille=2, jitter_ms=3)],
        "side": FailedSide.NONE,
        "cause": Cause.NONE,
        "cause_since_ms": 0,
        "frames_waiting": 25,
        "frames_dropped": 0,
        "messages_left_out": 0,
        "errors_contained": 0,
        "hung": 0,
    }
    return LaptopView(**fields | changes)


def leg(kind: LegKind, **changes: Any) -> LegNumbers:
    whole = LegNumbers(kind, True, 20, 0, 1, 5, 25, 640)
    return msgspec.structs.replace(whole, **changes)


def away(seat: int, cause: Cause = Cause.LOST, **changes: Any) -> LaptopView:
    gone: dict[str, Any] = {
        "online": False, "changed_at_ms": NOW_MS - 6200, "round_trip_ms": UNKNOWN, "up_s": UNKNOWN, "drops": 1,
        "cpu_per_mille": UNKNOWN, "loop_lag_ms": UNKNOWN, "disk_free_mib": UNKNOWN, "disk_total_mib": UNKNOWN,
        "clock_known": False, "clock_offset_ms": 0, "carrying": False, "why_not": WhyNot.NOT_SAID,
        "recording": RecordingState.NOT_STARTED, "recording_age_ms": NEVER_MS, "legs": [],
        "side": FailedSide.UNKNOWN, "cause": cause, "cause_since_ms": NOW_MS - 6200, "hung": UNKNOWN,
    }  # fmt: skip
    return laptop(seat, **gone | changes)


def scene() -> list[LaptopView]:
    idle: dict[str, Any] = {
        "call": CallPhase.NONE, "call_ends_at_ms": 0, "carrying": False, "why_not": WhyNot.NO_CALL, "legs": [],
        "recording": RecordingState.NOT_STARTED, "recording_age_ms": NEVER_MS,
    }  # fmt: skip
    weak = [leg(LegKind.ROOM), leg(LegKind.FAMILY_1, lost_per_mille=41, jitter_ms=38)]
    bad: dict[str, Any] = {"cause_since_ms": NOW_MS - 86_000}
    return [
        laptop(1),
        laptop(2, side=FailedSide.FAMILY, cause=Cause.LEG_WEAK, legs=weak, **bad),
        away(3),
        laptop(4, **idle),
        laptop(5, **idle, **bad, side=FailedSide.LAPTOP, cause=Cause.DISK_LOW, disk_free_mib=3000),
        laptop(6, **idle, **bad, side=FailedSide.LAPTOP, cause=Cause.CLOCK_OFF, clock_offset_ms=2400, version=[]),
        laptop(
            7,
            **bad,
            side=FailedSide.LAPTOP,
            cause=Cause.RECORDING_FAILED,
            recording=RecordingState.FAILED,
            recording_fault=RecordingFault.NOT_WRITABLE,
            carrying=False,
            why_not=WhyNot.NOT_RECORDED,
        ),
        away(8, Cause.NEVER_CAME, changed_at_ms=0, drops=0, call=CallPhase.NONE, heard_at_ms=0, version=[]),
    ]


def board(*laptops: LaptopView) -> HealthBoard:
    made = HealthBoard()
    made.apply(HealthSnapshot(4, NOW_MS, list(laptops)))
    return made


def text(rows: list[Any]) -> list[str]:
    return ["".join(piece for piece, _ in row) for row in rows]


def page(one: HealthBoard, width: int, height: int) -> list[str]:
    link = LinkState(0.0, NOW_S)
    link.server_said(NOW_MS, NOW_S * 1000)
    rows = header(WELCOME, link, one, NOW_S, width)
    if one.opened:
        rows += detail_rows(one, one.laptops[one.chosen], NOW_MS, width, height - 2)
    else:
        rows += laptop_rows(one, width, height - 2)
    return text(rows[:height])


@pytest.mark.parametrize(("width", "height"), [(80, 22), (120, 38), (200, 58)])
@pytest.mark.parametrize("opened", [0, 2, 3, 7, 8])
def test_the_page_looks_as_it_did_and_fills_its_cells(width: int, height: int, opened: int) -> None:
    one = board(*scene())
    one.apply(HealthDelta(5, NOW_MS + 1000, [laptop(2)]))
    if opened:
        one.opened, one.chosen = True, f"BWI-{opened:02d}"
    lines = page(one, width, height)
    assert {cell_width(line) for line in lines} == {width}
    shown = "\n".join(re.sub(r"\b\d{1,2}:\d\d(:\d\d)?", lambda m: re.sub(r"\d", "0", m[0]), s.rstrip()) for s in lines)
    if opened in (0, 3):
        file = SNAPSHOTS / f"laptop{'s' if not opened else ''}-{width}.txt"
        if os.environ.get("UPDATE_SNAPSHOTS"):
            file.write_text(shown + "\n")
        assert shown + "\n" == file.read_text()


def test_the_gravest_come_first_when_asked_for() -> None:
    one = board(*scene())
    one.worst_first = True
    assert [severity(x) for x in one.rows()] == sorted(severity(x) for x in scene())
    assert [x.seat for x in one.rows()][:2] == [3, 7]


def test_a_laptop_without_a_call_is_less_grave() -> None:
    assert severity(away(1)) == Severity.URGENT
    assert severity(away(1, call=CallPhase.NONE)) == Severity.ALERT
    assert (state(away(1)), state(away(1, Cause.STOPPED))) == ("■ lost", "○ away")


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause != Cause.NONE])
def test_each_cause_has_words_of_its_own(cause: Cause) -> None:
    said = verdict(laptop(1, cause=cause, side=FailedSide.LAPTOP))
    assert said.startswith("laptop: ") and "_" not in said
    others = {verdict(laptop(1, cause=c, side=FailedSide.LAPTOP)) for c in Cause if c != cause}
    assert said not in others


def test_a_delta_replaces_what_it_names_and_a_gap_is_seen() -> None:
    one = board(laptop(1), laptop(2))
    assert not one.apply(HealthDelta(5, NOW_MS, [away(2)]))
    assert one.laptops["BWI-01"].online and not one.laptops["BWI-02"].online
    assert one.apply(HealthDelta(8, NOW_MS, []))
    assert not one.apply(HealthSnapshot(8, NOW_MS, [laptop(2)])) and list(one.laptops) == ["BWI-02"]
    assert one.chosen == "BWI-02"


def test_what_happens_is_kept_newest_first_and_ends() -> None:
    one = board(laptop(1), laptop(2))
    one.apply(HealthDelta(5, NOW_MS, [away(2)]))
    one.apply(HealthDelta(6, NOW_MS + 5000, [laptop(2)]))
    assert [(e.at_ms, e.laptop.cause) for e in one.events_of()] == [
        (NOW_MS + 5000, Cause.NONE),
        (NOW_MS - 6200, Cause.LOST),
    ]
    assert not one.events_of("BWI-01")
    for tick in range(7, 500):
        one.apply(HealthDelta(tick, NOW_MS, [laptop(2) if tick % 2 else away(2)]))
    assert len(one.events) == 200


def test_a_laptops_identity_cannot_leave_its_place() -> None:
    evil = laptop(1, laptop_id="\x1b[2J\x1b]0;x\x07A\u202eB", cause=Cause.LOST, online=False)
    one = board(evil)
    lines = page(one, 80, 22)
    one.opened = True
    lines += page(one, 80, 22)
    assert not any(ord(character) < 32 or character in "\u202e\x1b" for line in lines for character in line)
    assert {cell_width(line) for line in lines} == {80}


def test_many_laptops_scroll_with_the_chosen_one() -> None:
    one = board(*(laptop(n) for n in range(1, 40)))
    for at in (1, 20, 39):
        one.chosen = f"BWI-{at:02d}"
        lines = page(one, 80, 22)
        assert any(line.startswith(f"▶BWI-{at:02d}") for line in lines)
        assert any("more: jk" in line for line in lines)
    one.move(-100)
    assert one.chosen == "BWI-01"


def test_the_desk_asks_for_a_snapshot_and_says_again_what_is_looked_at() -> None:
    sent: list[Any] = []
    desk = Desk(NOW_S, lambda message: sent.append(message) or True)
    desk.receive(WELCOME, NOW_S)
    desk.receive(HealthSnapshot(4, NOW_MS, [laptop(1)]), NOW_S)
    desk.receive(HealthDelta(9, NOW_MS, []), NOW_S)
    assert SnapshotRequest() in sent
    desk.open_laptop()
    assert sent.pop() == OpenLaptop("BWI-01")
    desk.receive(WELCOME, NOW_S)  # after a lost link
    assert sent[-1] == OpenLaptop("BWI-01")


def test_an_agent_that_hung_says_how_often_and_when_and_one_that_is_behind_what_it_dropped() -> None:
    hung = laptop(1, hung=2, hung_at_ms=NOW_MS, frames_dropped=7, side=FailedSide.LAPTOP, cause=Cause.AGENT_BUSY)
    assert words.strain(hung).startswith("25 pictures to decode, 7 dropped · 0 messages left out")
    assert words.strain(hung).endswith(f"hung 2 times, last {clock(NOW_MS)}")
    assert "7 pictures dropped" in words.verdict(hung)
    assert words.strain(laptop(1, hung=UNKNOWN)) == words.DASH
