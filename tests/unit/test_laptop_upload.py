"""A device's upload: bursts pass, ten times the rate does not, and what goes on too long is a breach with a reason."""

import pytest

from laptop.rules.upload import BITS_PER_S, BURST_BYTES, TOO_LONG_S, Upload

PACKET = 1200
STEP_S = 0.1


def sends(upload: Upload, bits_per_s: float, seconds: float, began: float = 0.0) -> float:
    """The share of what was sent that was taken."""
    taken = sent = 0
    for step in range(round(seconds / STEP_S)):
        for _ in range(round(bits_per_s * STEP_S / 8 / PACKET)):
            sent += 1
            taken += upload.takes(PACKET)
        upload.look(began + (step + 1) * STEP_S)
    return taken / sent


def test_what_was_agreed_passes_for_good() -> None:
    upload = Upload(0.0)
    assert sends(upload, BITS_PER_S / 2, 60) == 1.0
    assert not upload.dropped and not upload.breach


def test_a_burst_passes() -> None:
    upload = Upload(0.0)
    assert all(upload.takes(PACKET) for _ in range(BURST_BYTES // PACKET))
    assert not upload.takes(PACKET)
    upload.look(1.0)
    assert upload.takes(PACKET)
    upload.look(2.0)
    assert not upload.breach


def test_ten_times_the_rate_is_cut_to_the_limit_and_then_a_breach() -> None:
    upload = Upload(0.0)
    share = sends(upload, 20_000_000, TOO_LONG_S)
    assert share < (BITS_PER_S * TOO_LONG_S + BURST_BYTES * 8) / (20_000_000 * TOO_LONG_S) + 0.05
    assert not upload.breach
    sends(upload, 20_000_000, 1.0, TOO_LONG_S)
    assert upload.breach == "it sends more than 4 Mbit/s"


def test_too_much_now_and_then_is_no_breach() -> None:
    upload = Upload(0.0)
    for round_ in range(5):
        sends(upload, 20_000_000, 1.0, round_ * 4.0)
        sends(upload, 500_000, 3.0, round_ * 4.0 + 1)
    assert upload.dropped and not upload.breach


@pytest.mark.parametrize(("size", "breach"), [((640, 360), False), ((720, 1280), False), ((3840, 2160), True)])
def test_a_picture_may_have_so_many_pixels(size: tuple[int, int], breach: bool) -> None:
    upload = Upload(0.0)
    upload.picture(*size)
    assert bool(upload.breach) is breach
    assert not breach or "3840 x 2160" in upload.breach
