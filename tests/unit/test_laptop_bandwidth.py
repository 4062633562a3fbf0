"""How much a leg may send: first, under loss, after it, and by what its receivers report."""

import random

import pytest

from laptop.rules.bandwidth import FIRST, LEAST, Way, allowed, taken


def test_it_falls_under_loss_from_what_flows_and_rises_again() -> None:
    way = Way()
    assert way.bits_per_s == 2_000_000
    fallen = way.after(0.2, 700_000)
    assert fallen.bits_per_s == pytest.approx(630_000)
    assert fallen.after(0.05, 600_000) == fallen, "between 2 and 10 % it stays"
    assert fallen.after(None, 600_000) == fallen
    risen, seconds = fallen, 0
    while risen.bits_per_s < FIRST:
        risen, seconds = risen.after(0.0, 600_000), seconds + 1
    assert seconds == 24 and risen.bits_per_s == FIRST


def test_it_never_falls_below_what_shows_a_face() -> None:
    way = Way()
    for _ in range(50):
        way = way.after(1.0, 50_000)
    assert way.bits_per_s == LEAST


def lossy(share: float, seconds: int) -> Way:
    """A line that loses packets at random, 60 a second, whatever flows."""
    chance, way = random.Random(3), Way()
    for _ in range(seconds):
        way = way.after(sum(chance.random() < share for _ in range(60)) / 60, min(way.bits_per_s, 1_000_000))
    return way


def test_what_is_lost_at_random_costs_little_of_the_rate() -> None:
    assert lossy(0.05, 120).bits_per_s > 900_000
    assert lossy(0.10, 120).bits_per_s >= 600_000
    assert lossy(0.15, 120).bits_per_s >= 500_000


def test_a_line_that_is_too_narrow_is_found_out() -> None:
    """300 kbit/s: what is beyond is lost."""
    way = Way()
    for _ in range(60):
        sent = min(way.bits_per_s, 1_000_000)
        way = way.after(max(0.0, 1 - 300_000 / sent), sent)
    assert way.bits_per_s < 400_000


@pytest.mark.parametrize(
    ("reported", "flow", "limit"),
    [
        (None, 700_000, FIRST),
        (300_000, 700_000, 300_000),  # it gets more than it can take
        (700_000, 650_000, 1_075_000),  # no limit: an estimate grows with what comes
        (1_500_000, 100_000, 1_500_000),
    ],
)
def test_a_report_is_a_limit_when_it_is_below_what_comes(reported: float | None, flow: float, limit: float) -> None:
    assert taken(reported, flow) == limit


def test_the_slowest_counts() -> None:
    assert allowed([]) == FIRST
    assert allowed([1_800_000.4, 420_000, 3_000_000]) == 420_000
    assert allowed([10]) == LEAST
