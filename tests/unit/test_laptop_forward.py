"""What leaves in one slot: whatever the source does, the far peer sees one whole row that begins with a key frame."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from laptop.media import forward as module
from laptop.media.forward import HISTORY, Forward
from laptop.media.rtp import Packet
from laptop.media.vp8 import Numbers, begins_key_frame, data_start, numbers, renumbered

KEY, DELTA = b"\x10\x00rest of a key frame", b"\x10\x01rest of another"
"""VP8 descriptor with its S bit, then the first byte of the frame, whose lowest bit is 0 in a key frame."""


class Outlet:
    """Keeps what is sent: (marker, sequence, timestamp, payload)."""

    def __init__(self, transceiver: Any, on_retransmit: Callable[..., Any], on_key_frame_wanted: Callable[[], None]):
        self.on_retransmit, self.on_key_frame_wanted = on_retransmit, on_key_frame_wanted
        self.sent: list[tuple[bool, int, int, bytes]] = []
        self.again: list[bytes] = []
        self.report: tuple[int, int] | None = None
        self.loss: float | None = None
        self.open = True

    def name(self, leg: str) -> None:
        self.leg = leg

    def send(self, marker: bool, sequence: int, timestamp: int, payload: bytes) -> bytes:
        if not self.open:
            raise ConnectionError
        self.sent.append((marker, sequence, timestamp, payload))
        return sequence.to_bytes(2, "big") + payload

    def send_again(self, packet: bytes) -> None:
        self.again.append(packet)


@dataclass
class Slot:
    kind: str = "video"
    now: float = 100.0
    wanted: list[str] = field(default_factory=list)
    flows: bool = True

    def __post_init__(self) -> None:
        self.forward = Forward(self.kind, "room", "family-1", None, lambda: self.flows, self.wanted.append)  # type: ignore[arg-type]
        self.forward.open = True
        self.outlet: Outlet = self.forward.outlet  # type: ignore[assignment]

    def give(self, sequence: int, timestamp: int, payload: bytes = DELTA, ssrc: int = 7, marker: bool = True) -> None:
        self.forward.send(Packet(96, marker, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, payload))

    @property
    def sequences(self) -> list[int]:
        return [sequence for _, sequence, _, _ in self.outlet.sent]

    @property
    def timestamps(self) -> list[int]:
        return [timestamp for _, _, timestamp, _ in self.outlet.sent]


@pytest.fixture
def slot(monkeypatch: pytest.MonkeyPatch) -> Slot:
    monkeypatch.setattr(module, "Outlet", Outlet)
    one = Slot()
    monkeypatch.setattr(module.time, "monotonic", lambda: one.now)
    return one


def test_pictures_begin_with_a_key_frame_that_is_asked_for(slot: Slot) -> None:
    slot.give(5000, 90_000)
    assert not slot.outlet.sent and slot.wanted == ["room"]
    slot.give(5001, 93_600, KEY)
    slot.give(5002, 97_200)
    assert slot.sequences == [1, 2] and [b - a for a, b in zip(slot.timestamps, slot.timestamps[1:], strict=False)] == [
        3600
    ]
    assert slot.outlet.leg == "room"


def test_sound_begins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Outlet", Outlet)
    slot = Slot("audio")
    slot.give(1, 960, b"opus")
    assert len(slot.outlet.sent) == 1 and not slot.wanted


def test_after_a_pause_the_row_goes_on_and_the_clock_has_run(slot: Slot) -> None:
    slot.give(65_530, 2**32 - 3600, KEY)
    slot.give(65_531, 0)
    slot.forward.stop()
    slot.now += 2.0
    slot.give(65_600, 180_000)  # no key frame
    assert len(slot.outlet.sent) == 2
    slot.give(65_601, 183_600, KEY)
    assert slot.sequences == [1, 2, 3]
    assert (slot.timestamps[2] - slot.timestamps[1]) & 0xFFFFFFFF == 180_000, "two seconds at 90 kHz"


def test_a_source_that_begins_anew_goes_on_in_the_same_row(slot: Slot) -> None:
    slot.give(100, 1000, KEY, ssrc=7)
    slot.now += 1.0
    slot.give(9000, 77, DELTA, ssrc=8)
    assert slot.wanted == ["room"]
    slot.give(9001, 3677, KEY, ssrc=8)
    assert slot.sequences == [1, 2] and (slot.timestamps[1] - slot.timestamps[0]) & 0xFFFFFFFF == 90_000


def test_what_comes_late_fills_its_place_and_from_before_the_run_is_left_out(slot: Slot) -> None:
    slot.give(10, 0, KEY)
    slot.give(12, 7200)
    slot.give(11, 3600)
    slot.give(9, 0)
    assert slot.sequences == [1, 3, 2]


@given(st.lists(st.tuples(st.sampled_from(["give", "lose", "swap", "stop", "anew"]), st.integers(1, 40)), max_size=60))
def test_no_order_of_events_gives_a_sequence_number_twice(steps: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Outlet", Outlet)
        slot, sequence, ssrc = Slot(), random.Random(len(steps)).randrange(65_536), 7
        patch.setattr(module.time, "monotonic", lambda: slot.now)
        slot.give(sequence, 0, KEY, ssrc)
        for what, count in steps:
            slot.now += count / 25
            match what:
                case "lose":
                    sequence += count
                case "swap":
                    slot.give(sequence + 2, (sequence + 2) * 3600, DELTA, ssrc)
                    slot.give(sequence + 1, (sequence + 1) * 3600, DELTA, ssrc)
                    sequence += 2
                case "stop":
                    slot.forward.stop()
                case "anew":
                    ssrc, sequence = ssrc + 1, sequence + 30_000
            sequence += 1
            slot.give(sequence, sequence * 3600, KEY if what in ("stop", "anew") else DELTA, ssrc)
        assert len(set(slot.sequences)) == len(slot.sequences)
        assert slot.forward.sent == len(slot.sequences)


def described(picture: int, base_layer: int, key: bool) -> bytes:
    """A frame in one packet."""
    return bytes(VpxPayloadDescriptor(1, 0, picture, base_layer, (0, 1))) + (b"\x10" if key else b"\x11") + b"rest"


@given(
    runs=st.lists(st.tuples(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(1, 40)), min_size=2, max_size=5),
    begins_anew=st.booleans(),
)
def test_pictures_and_base_layers_are_counted_on_over_pauses_and_new_sources(
    runs: list[tuple[int, int, int]], begins_anew: bool
) -> None:
    """Each run: the number of its first picture, of its first base layer, how many pictures it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Outlet", Outlet)
        slot, sequence = Slot(), 0
        patch.setattr(module.time, "monotonic", lambda: slot.now)
        for run, (picture, layer, count) in enumerate(runs):
            slot.now += 30.0
            for n in range(count):
                payload = described((picture + n) & 0x7FFF, (layer + n // 4) & 0xFF, key=not n)
                slot.give(sequence := sequence + 1, sequence * 3600, payload, ssrc=run if begins_anew else 7)
            if not begins_anew:
                slot.forward.stop()
        row = [numbers(payload) for *_, payload in slot.outlet.sent]
    assert len(row) == sum(count for *_, count in runs)
    steps = [
        ((picture or 0) - (before or 0) & 0x7FFF, (layer or 0) - (layer_before or 0) & 0xFF)
        for (before, layer_before), (picture, layer) in pairwise(row)
    ]
    assert steps == [(1, int(not n % 4)) for *_, count in runs for n in range(count)][1:]
    assert all(payload.endswith(b"rest") for *_, payload in slot.outlet.sent)


@pytest.mark.parametrize("picture", [None, 5, 0x7F, 0x80, 0x7FFF])
@pytest.mark.parametrize("layer", [None, 0, 255])
def test_numbers_are_those_that_aiortc_reads_and_wrap_at_their_own_size(picture: int | None, layer: int | None) -> None:
    payload = bytes(VpxPayloadDescriptor(1, 0, picture, layer, (2, 0), 3)) + b"data"
    assert numbers(payload) == (picture, layer)
    raised, data = VpxPayloadDescriptor.parse(renumbered(payload, Numbers(1, 1)))
    assert raised.picture_id == (None if picture is None else picture + 1 & 0x7FFF)
    assert raised.tl0picidx == (None if layer is None else layer + 1 & 0xFF)
    assert (raised.tid, raised.keyidx, data) == ((2, 0), 3, b"data")


def test_a_short_number_of_pictures_wraps_at_seven_bits() -> None:
    payload = b"\x90\xc0\x7f\x05data"
    assert numbers(payload) == (0x7F, 5)
    assert renumbered(payload, Numbers(3, -6)) == b"\x90\xc0\x02\xffdata"


@given(st.binary(min_size=1, max_size=8))
def test_what_is_no_descriptor_has_no_numbers_and_stays_as_it_is(payload: bytes) -> None:
    if data_start(payload) < 0:
        assert numbers(payload) == (None, None) and renumbered(payload, Numbers(7, 7)) == payload
    assert renumbered(payload, Numbers(0, 0)) == payload


async def test_a_nack_is_answered_from_its_own_history_until_it_is_stopped(slot: Slot) -> None:
    for number in range(HISTORY + 10):
        slot.give(number, number * 3600, KEY if not number else DELTA + bytes([number % 256]))
    await slot.outlet.on_retransmit(HISTORY)
    assert slot.outlet.again == [HISTORY.to_bytes(2, "big") + DELTA + bytes([(HISTORY - 1) % 256])]
    await slot.outlet.on_retransmit(5)  # too old: another stands in its place
    await slot.outlet.on_retransmit(HISTORY + 11)  # never sent
    assert len(slot.outlet.again) == 1
    slot.flows = False
    await slot.outlet.on_retransmit(HISTORY)
    slot.flows, slot.forward.open = True, False
    await slot.outlet.on_retransmit(HISTORY)
    slot.forward.open = True
    slot.forward.stop()
    await slot.outlet.on_retransmit(HISTORY)
    assert len(slot.outlet.again) == 1, "what is stopped is not sent again either"


def test_a_far_peers_request_goes_to_the_source_while_it_may_see_it(slot: Slot) -> None:
    slot.outlet.on_key_frame_wanted()
    slot.forward.open = False
    slot.outlet.on_key_frame_wanted()
    slot.forward.open, slot.flows = True, False
    slot.outlet.on_key_frame_wanted()
    assert slot.wanted == ["room"]


def test_reports_speak_of_the_sources_clock_in_the_slots_own_time(slot: Slot) -> None:
    slot.give(10, 1_000_000, KEY)
    offset = (slot.timestamps[0] - 1_000_000) & 0xFFFFFFFF
    slot.forward.tell_clock((2**63, 1_003_600))
    assert slot.outlet.report == (2**63, (1_003_600 + offset) & 0xFFFFFFFF)
    slot.forward.stop()
    slot.now += 5.0
    slot.give(20, 1_036_000, KEY)
    offset = (slot.timestamps[1] - 1_036_000) & 0xFFFFFFFF
    assert slot.outlet.report == (2**63, (1_003_600 + offset) & 0xFFFFFFFF), "after a pause by the new offset"
    slot.give(1, 5, KEY, ssrc=99)
    assert slot.outlet.report is None, "another source has another clock"


def test_a_far_peer_that_is_not_connected_costs_nothing(slot: Slot) -> None:
    slot.outlet.open = False
    slot.give(10, 0, KEY)
    assert slot.forward.sent == 0


def test_a_key_frame_begins_with_its_first_packet() -> None:
    assert begins_key_frame(KEY)
    assert not begins_key_frame(DELTA)
    assert not begins_key_frame(b"\x00\x00in its middle")
    assert not begins_key_frame(b"") and not begins_key_frame(b"\x10") and not begins_key_frame(b"\xff\xff")
