"""When the agent may carry media: the lease, the recording's age, the end, an admission; nothing else opens it."""

from dataclasses import replace

import pytest

from laptop.rules.carrying import (
    LEASE_LOST_END_S,
    LEASE_S,
    NEVER,
    RECORD_FRESH_S,
    RECORD_LOST_END_S,
    Carrying,
)
from laptop.rules.levels import is_attack

NOW = 1000.0


def flowing() -> Carrying:
    return Carrying(ends_at=NOW + 600, recorded_at=NOW, admitted_at=NOW).leased(NOW, LEASE_S)


def test_nothing_flows_at_first() -> None:
    fresh = Carrying(ends_at=NOW + 600)
    assert fresh.flows_until() == NEVER
    assert fresh.why_not(NOW) == "nobody is admitted"


def test_it_flows_with_admission_lease_and_recording() -> None:
    assert flowing().why_not(NOW) == ""
    assert flowing().flows_until() > NOW


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"admitted_at": None}, "nobody is admitted"),
        ({"leased_until": NEVER}, "no lease"),
        ({"recorded_at": NEVER}, "not recorded"),
        ({"paused": True}, "paused"),
        ({"over": True}, "over"),
        ({"ends_at": NOW}, "the time is over"),
    ],
)
def test_any_one_missing_stops_it(change: dict[str, object], why: str) -> None:
    stopped = replace(flowing(), **change)  # type: ignore[arg-type]
    assert stopped.flows_until() <= NOW
    assert why in stopped.why_not(NOW)


def test_a_lease_counts_from_when_it_was_asked_for_and_never_longer_than_five_seconds() -> None:
    asked_at = NOW - 3
    late = Carrying(ends_at=NOW + 600).leased(asked_at, LEASE_S)
    assert late.leased_until == asked_at + LEASE_S
    assert Carrying(ends_at=NOW + 600).leased(NOW, 3600).leased_until == NOW + LEASE_S


def test_an_older_grant_that_comes_late_does_not_shorten_a_newer_one() -> None:
    newer = flowing().leased(NOW + 2, LEASE_S)
    assert newer.leased(NOW - 1, LEASE_S).leased_until == newer.leased_until


def test_media_stop_with_the_lease_and_come_back_with_the_next() -> None:
    call = replace(flowing(), recorded_at=NOW + 100)
    assert call.why_not(NOW + LEASE_S - 0.001) == ""
    assert call.why_not(NOW + LEASE_S) == "no lease from the server"
    assert call.leased(NOW + 7, LEASE_S).why_not(NOW + 7) == ""


def test_a_call_without_a_lease_ends_after_half_a_minute() -> None:
    call = replace(flowing(), recorded_at=NOW + 100)
    lost_at = NOW + LEASE_S
    assert call.must_end(lost_at + LEASE_LOST_END_S - 0.001) == ""
    assert "no lease" in call.must_end(lost_at + LEASE_LOST_END_S)


def test_no_recording_stops_after_three_seconds_and_ends_after_ten() -> None:
    call = flowing().leased(NOW + 60, LEASE_S)
    assert call.why_not(NOW + RECORD_FRESH_S - 0.001) == ""
    assert "not recorded" in call.why_not(NOW + RECORD_FRESH_S)
    assert call.must_end(NOW + RECORD_LOST_END_S - 0.001) == ""
    assert "no recording" in call.must_end(NOW + RECORD_LOST_END_S)


def test_the_end_of_the_time_ends_it_admitted_or_not() -> None:
    assert "time is over" in flowing().must_end(NOW + 600)
    assert "time is over" in Carrying(ends_at=NOW).must_end(NOW)
    assert replace(flowing(), over=True).must_end(NOW + 900) == ""


def test_a_rise_is_told_at_once_but_not_every_packet() -> None:
    assert is_attack(-20, -60, 0.05)
    assert not is_attack(-20, -60, 0.02), "just told"
    assert not is_attack(-20, -25, 0.05), "no rise to speak of"
    assert not is_attack(-50, -100, 0.05), "too quiet to hear"
