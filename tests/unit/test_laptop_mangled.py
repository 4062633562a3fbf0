"""What a hostile device may send, real packets and offers spoiled: read, or refused with a reason; never raised."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laptop.media import rtp
from laptop.media.assembly import WAITING_MAX, Assembly
from laptop.media.leg import Leg
from laptop.media.offer import OfferError, read, with_error_correction
from laptop.media.vp8 import begins_key_frame
from tests.captured import OFFERS, RTP
from tests.mangled import mangled, mangled_text


def test_what_was_captured_is_read() -> None:
    packets = [rtp.parse(packet) for packet in RTP]
    assert all(packets) and {packet.payload_type for packet in packets if packet} >= {96, 111}
    assert any(begins_key_frame(packet.payload) for packet in packets if packet)
    for offer in OFFERS:
        assert read(offer).pairs >= 1


@settings(max_examples=400, deadline=None)
@given(mangled(RTP))
def test_a_spoiled_packet_is_read_within_its_bounds_or_is_none(data: bytes) -> None:
    packet = rtp.parse(data)
    if packet is not None:
        assert packet.payload in data
        begins_key_frame(packet.payload)
        original = rtp.unwrapped_rtx(packet, 96, 1)
        assert original is None or len(original.payload) == len(packet.payload) - 2


@settings(max_examples=150, deadline=None)
@given(st.lists(mangled(RTP), min_size=1, max_size=60), st.integers(0, 65535))
def test_frames_are_put_together_of_any_packets_and_little_is_kept(packets: list[bytes], first: int) -> None:
    assembly, now = Assembly(), 0.0
    came = 0
    for number, data in enumerate(packets):
        packet = rtp.parse(data)
        if packet is None:
            continue
        if number % 3:  # some in a row, some with the number that was spoiled
            packet.sequence_number = (first + number) & 0xFFFF
        came += len(packet.payload)
        now += 0.05
        for frame, _ in assembly.add(packet, now):
            assert len(frame) <= came
        assert len(assembly.nack) <= 100
        assert len(assembly._waiting) <= WAITING_MAX


@settings(max_examples=250, deadline=None)
@given(mangled_text(OFFERS))
def test_a_spoiled_offer_is_read_or_refused_with_words(sdp: str) -> None:
    try:
        read(sdp)
    except OfferError as error:
        assert str(error).strip()


@pytest.fixture(scope="module")
def loop():  # type: ignore[no-untyped-def]
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@settings(max_examples=60, deadline=None)
@given(sdp=mangled_text(OFFERS))
def test_a_spoiled_offer_is_answered_or_refused_and_leaves_nothing_open(
    loop: asyncio.AbstractEventLoop, sdp: str
) -> None:
    async def offered() -> None:
        leg = Leg(
            "family-1",
            on_packet=lambda *_: None,
            on_frame=lambda *_: None,
            may_flow=lambda: False,
            on_key_frame_wanted=lambda _: None,
        )
        try:
            answer = await leg.answer(sdp)
            assert answer.startswith("v=0") and with_error_correction(answer) == answer
        except OfferError as error:
            assert str(error).strip()
        finally:
            await leg.close()

    loop.run_until_complete(asyncio.wait_for(offered(), 10))
