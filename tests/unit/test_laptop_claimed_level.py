"""A sender's own word of its level (RFC 6464) beside the sound that was decoded."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laptop.media.rtp import extension_element
from laptop.rules.claimed_level import TO_SAY, TO_TAKE_BACK, ClaimedLevel

PACKET_S = 0.02


def mean_square(dbfs: float) -> float:
    return 0.5 * 10 ** (dbfs / 10)


def seconds(claim: ClaimedLevel, began: float, count: float, claimed_dbov: int, dbfs: float) -> float:
    at = began
    for n in range(round(count / PACKET_S)):
        at = began + (n + 1) * PACKET_S
        claim.add(at, claimed_dbov, mean_square(dbfs))
    return at


def test_a_sine_of_minus_20_that_says_so_agrees() -> None:
    claim = ClaimedLevel()
    seconds(claim, 0, 20, 23, -20)  # a full-scale sine is -3 dBov
    assert claim.louder_db == 0


@pytest.mark.parametrize(
    ("claimed_dbov", "dbfs", "louder"), [(127, -20, 35), (60, -20, 35), (43, -20, 20), (5, -60, -53)]
)
def test_a_claim_that_contradicts_its_sound_is_said_after_some_seconds(
    claimed_dbov: int, dbfs: float, louder: int
) -> None:
    """What is below -55 dBFS counts as -55: how quiet a silence is does not matter."""
    claim = ClaimedLevel()
    at = seconds(claim, 0, TO_SAY - 0.5, claimed_dbov, dbfs)
    assert claim.louder_db == 0
    seconds(claim, at, 2, claimed_dbov, dbfs)
    assert claim.louder_db == pytest.approx(louder, abs=1)


def test_it_is_taken_back_when_both_agree_again() -> None:
    claim = ClaimedLevel()
    at = seconds(claim, 0, TO_SAY + 2, 127, -20)
    assert claim.louder_db
    at = seconds(claim, at, TO_TAKE_BACK - 1, 23, -20)
    assert claim.louder_db, "not at the first word"
    seconds(claim, at, 4, 23, -20)
    assert claim.louder_db == 0


@pytest.mark.parametrize(("claimed_dbov", "dbfs"), [(127, -70), (80, -120), (60, -110), (127, -120)])
def test_silences_of_any_depth_agree(claimed_dbov: int, dbfs: float) -> None:
    claim = ClaimedLevel()
    seconds(claim, 0, 10, claimed_dbov, dbfs)
    assert claim.louder_db == 0


def test_a_short_noise_contradicts_nothing() -> None:
    claim = ClaimedLevel()
    at = 0.0
    for _ in range(6):
        at = seconds(claim, at, 1, 127, -20)
        at = seconds(claim, at, 2, 23, -20)
    assert claim.louder_db == 0


@given(st.lists(st.tuples(st.floats(0, 1e9), st.integers(0, 127), st.floats(0, 4)), max_size=50))
def test_any_packets_give_a_number(packets: list[tuple[float, int, float]]) -> None:
    claim = ClaimedLevel()
    for at, claimed_dbov, square in sorted(packets):
        claim.add(at, claimed_dbov, square)
        assert -200 <= claim.louder_db <= 200 and not math.isnan(claim.louder_db)


def test_elements_of_both_forms_are_found() -> None:
    one = bytes.fromhex("bede0002") + bytes([0x10, 0x30, 0x00, 0x21, 0x8A, 0x07, 0x00, 0x00])
    assert (extension_element(one, 1), extension_element(one, 2), extension_element(one, 3)) == (
        b"0",
        b"\x8a\x07",
        None,
    )
    two = bytes.fromhex("10000002") + bytes([0x01, 0x00, 0x02, 0x01, 0x55, 0x00, 0x00, 0x00])
    assert (extension_element(two, 1), extension_element(two, 2)) == (b"", b"\x55")
    assert extension_element(bytes.fromhex("bede0001f0300000"), 3) is None, "15 ends the reading"


@given(st.binary(max_size=24), st.integers(0, 255))
def test_any_extension_is_read_within_its_bounds(extension: bytes, wanted: int) -> None:
    found = extension_element(extension, wanted)
    assert found is None or found in extension
