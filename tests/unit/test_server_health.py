"""What support is told of a laptop: which side failed, and that no field could hold a word."""

import math
from typing import Any

import msgspec
import pytest

from schemas.call import CallerView, CallState
from schemas.console import ToConsole
from schemas.health import (
    NEVER_MS,
    UNKNOWN,
    AgentHealth,
    CallPhase,
    Cause,
    FailedSide,
    HealthDelta,
    HealthSnapshot,
    LaptopView,
    LegKind,
    RecordingFault,
    WhyNot,
)
from schemas.media import CallHealth, LegHealth, RecordingState
from server.rules.call import Call, Leg
from server.rules.health import Known, Presence, Told, version, views

NOW_MS = 1_780_000_000_000
SOFTWARE = "sightline laptop 1.4.2"
THERE = Presence().came(NOW_MS - 60_000, SOFTWARE)


def agent(**changes: Any) -> AgentHealth:
    fields: dict[str, Any] = {
        "utc_ms": NOW_MS,
        "up_s": 90,
        "cpu_per_mille": 120,
        "loop_lag_ms": 3,
        "disk_free_mib": 200_000,
        "disk_total_mib": 256_000,
        "why_not": WhyNot.CARRYING,
        "recording_fault": RecordingFault.NONE,
    }
    return AgentHealth(**fields | changes)


def leg(name: str, connected: bool = True, lost: int = 0, jitter: float = 2.0) -> LegHealth:
    return LegHealth(name, connected, 20, lost, jitter, 31.4, 24.6, 640.0)


def of_call(*legs: LegHealth, **changes: Any) -> CallHealth:
    fields: dict[str, Any] = {
        "call_id": "HARRIS-1",
        "carrying": True,
        "why_not": "Owen HARRIS is not admitted",
        "recording": RecordingState.RECORDING,
        "recording_age_ms": 400,
        "recorded_ms": 9000,
        "recording_words": "the disk of HARRIS is full",
        "legs": list(legs) or [leg("room"), leg("family-1")],
    }
    return CallHealth(**fields | changes)


def call(state: CallState = CallState.LIVE) -> Call:
    return Call(
        "HARRIS-1", "BWI-01", 1, "A1234BC", "Owen", "Harris", (CallerView("Ann Harris", "aunt", "adult", "family-1"),),
        NOW_MS - 600_000, NOW_MS + 1_200_000, NOW_MS + 1_200_000, (Leg("room"), Leg("family-1")), state,
    )  # fmt: skip


def known(**changes: Any) -> Known:
    fields: dict[str, Any] = {
        "laptop_id": "BWI-01",
        "seat": 1,
        "presence": THERE,
        "told": Told(agent(), NOW_MS, of_call(), NOW_MS),
        "call": call(),
        "round_trip_s": 0.004,
    }
    return Known(**fields | changes)


def view(**changes: Any) -> LaptopView:
    return views([known(**changes)], {}, NOW_MS)[0]


def verdict(**changes: Any) -> tuple[FailedSide, Cause]:
    seen = view(**changes)
    return seen.side, seen.cause


def told(agent_changes: dict[str, Any] | None = None, *legs: LegHealth, **call_changes: Any) -> Told:
    return Told(agent(**agent_changes or {}), NOW_MS, of_call(*legs, **call_changes), NOW_MS)


def test_all_is_well() -> None:
    seen = view()
    assert (seen.side, seen.cause, seen.cause_since_ms) == (FailedSide.NONE, Cause.NONE, 0)
    assert (seen.version, seen.round_trip_ms, seen.clock_offset_ms) == ([1, 4, 2], 4, 2)
    assert (seen.call, seen.carrying, seen.recording_age_ms) == (CallPhase.ON, True, 400)
    assert [(n.leg, n.kbit_per_s, n.frames_per_s) for n in seen.legs] == [
        (LegKind.ROOM, 640, 25),
        (LegKind.FAMILY_1, 640, 25),
    ]


@pytest.mark.parametrize(
    ("changes", "side", "cause"),
    [
        ({"presence": Presence()}, FailedSide.UNKNOWN, Cause.NEVER_CAME),
        ({"presence": THERE.went(NOW_MS, True)}, FailedSide.LAPTOP, Cause.STOPPED),
        ({"presence": THERE.went(NOW_MS, False)}, FailedSide.UNKNOWN, Cause.LOST),
        ({"told": told(recording=RecordingState.FAILED)}, FailedSide.LAPTOP, Cause.RECORDING_FAILED),
        (
            {"told": told({"recording_fault": RecordingFault.NO_ROOM}), "call": call(CallState.WAITING)},
            FailedSide.LAPTOP,
            Cause.RECORDING_FAILED,
        ),
        ({"told": told(recording_age_ms=3500)}, FailedSide.LAPTOP, Cause.RECORDING_OLD),
        ({"told": told({"utc_ms": NOW_MS - 2400})}, FailedSide.LAPTOP, Cause.CLOCK_OFF),
        ({"told": told({"disk_free_mib": 3000})}, FailedSide.LAPTOP, Cause.DISK_LOW),
        ({"told": told({"cpu_per_mille": 950})}, FailedSide.LAPTOP, Cause.AGENT_BUSY),
        ({"told": told({"loop_lag_ms": 800})}, FailedSide.LAPTOP, Cause.AGENT_BUSY),
        ({"told": told({"frames_dropped": 40})}, FailedSide.LAPTOP, Cause.AGENT_BUSY),
        ({"round_trip_s": 0.7}, FailedSide.LINE, Cause.LINE_SLOW),
        ({"told": told(None, leg("room"), leg("family-1", lost=41))}, FailedSide.FAMILY, Cause.LEG_WEAK),
        ({"told": told(None, leg("room"), leg("family-1", jitter=38))}, FailedSide.FAMILY, Cause.LEG_WEAK),
        ({"told": told(None, leg("room"), leg("family-1", False))}, FailedSide.FAMILY, Cause.LEG_GONE),
        ({"told": told(None, leg("room", False), leg("family-1"))}, FailedSide.ROOM, Cause.LEG_GONE),
        ({"told": told(None, leg("room", lost=50), leg("family-1", lost=50))}, FailedSide.LAPTOP, Cause.BOTH_LEGS),
        # The family's pictures go over the line that is slow.
        (
            {"told": told(None, leg("room"), leg("family-1", lost=41)), "round_trip_s": 0.7},
            FailedSide.LINE,
            Cause.LINE_SLOW,
        ),
        # Nobody has come yet: nothing has failed.
        (
            {"told": told(None, leg("room", False)), "call": call(CallState.WAITING)},
            FailedSide.NONE,
            Cause.NONE,
        ),
    ],
)
def test_which_side_failed(changes: dict[str, Any], side: FailedSide, cause: Cause) -> None:
    assert verdict(**changes) == (side, cause)


def test_a_line_that_drops_again_and_again_is_the_lines_fault_for_an_hour() -> None:
    presence = THERE
    for _ in range(3):
        presence = presence.went(NOW_MS, False).came(NOW_MS, SOFTWARE)
    assert verdict(presence=presence) == (FailedSide.LINE, Cause.LINE_DROPS)
    later = views([known(presence=presence, told=Told())], {}, NOW_MS + 3_600_000)[0]
    assert (later.side, later.drops) == (FailedSide.NONE, 3)


def test_laptops_lost_together_have_a_cause_in_common() -> None:
    lost = THERE.went(NOW_MS, False)
    alone = THERE.went(NOW_MS - 11_000, False)
    found = views(
        [known(presence=lost), known(laptop_id="BWI-02", presence=lost), known(laptop_id="BWI-03", presence=alone)],
        {},
        NOW_MS,
    )
    assert [one.cause for one in found] == [Cause.SEVERAL_LOST, Cause.SEVERAL_LOST, Cause.LOST]


def test_a_fault_keeps_the_time_when_it_began() -> None:
    bad = known(told=told({"disk_free_mib": 3000}))
    first = views([bad], {}, NOW_MS)[0]
    again = views([bad], {"BWI-01": first}, NOW_MS + 1000)[0]
    assert first.cause_since_ms == again.cause_since_ms == NOW_MS
    worse = views([known(presence=THERE.went(NOW_MS, False))], {"BWI-01": again}, NOW_MS + 2000)[0]
    assert worse.cause_since_ms == NOW_MS + 2000


def test_what_was_told_long_ago_says_nothing_of_now() -> None:
    seen = views([known()], {}, NOW_MS + 5000)[0]
    assert (seen.cpu_per_mille, seen.clock_known, seen.why_not) == (UNKNOWN, False, WhyNot.NOT_SAID)
    assert (seen.recording_age_ms, seen.carrying, seen.legs) == (NEVER_MS, False, [])


def test_an_old_agent_is_shown_as_far_as_it_tells() -> None:
    seen = view(told=Told(call=of_call(), call_at_ms=NOW_MS), presence=Presence().came(NOW_MS, "my agent of 2019"))
    assert (seen.version, seen.why_not, seen.disk_free_mib) == ([], WhyNot.NOT_SAID, UNKNOWN)
    assert seen.recording == RecordingState.RECORDING and len(seen.legs) == 2


@pytest.mark.parametrize("software", ["", "sightline laptop A1234BC", "sightline laptop 1.2 HARRIS", "1.2", "\n"])
def test_only_a_version_is_taken_from_what_an_agent_calls_itself(software: str) -> None:
    assert version(software) == ()


def test_a_laptop_cannot_pass_words_through_its_measurements() -> None:
    legs = [leg("room"), leg("Owen HARRIS A1234BC"), leg("family-9"), leg("family-1", jitter=math.nan)]
    legs.append(leg("family-2", jitter=math.inf))
    seen = view(told=told(None, *legs))
    assert [n.leg for n in seen.legs] == [LegKind.ROOM, LegKind.FAMILY_1, LegKind.FAMILY_2]
    assert "HARRIS" not in repr(seen) and "A1234BC" not in repr(seen) and "1234" not in repr(seen).replace("BWI", "")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(seen), type=LaptopView) == seen


def free_texts(info: msgspec.inspect.Type, at: str = "") -> set[str]:
    """Where in a type any text or any bytes could stand."""
    match info:
        case msgspec.inspect.StrType() | msgspec.inspect.BytesType() | msgspec.inspect.AnyType():
            return {at}
        case msgspec.inspect.StructType():
            return set().union(*(free_texts(field.type, f"{at}.{field.name}") for field in info.fields))
        case msgspec.inspect.ListType():
            return free_texts(info.item_type, at)
        case msgspec.inspect.UnionType():
            return set().union(*(free_texts(one, at) for one in info.types))
        case msgspec.inspect.IntType() | msgspec.inspect.BoolType() | msgspec.inspect.EnumType():
            return set()
    raise AssertionError(f"{at} is {info}, which this test does not know")


@pytest.mark.parametrize("message", [HealthSnapshot, HealthDelta])
def test_no_field_of_a_health_message_can_hold_words_pictures_or_levels(message: type) -> None:
    assert message in ToConsole.__args__
    assert free_texts(msgspec.inspect.type_info(message)) == {".laptops.laptop_id"}
