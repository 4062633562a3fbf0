"""Frames from packets: all of them when packets only change their order, none that can not be decoded after a loss."""

import random

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.jitterbuffer import JitterBuffer
from hypothesis import given
from hypothesis import strategies as st

from laptop.media.assembly import GIVEN_UP_S, NACK_AGAIN_S, WAITING_MAX, Assembly
from laptop.media.rtp import Packet
from laptop.media.vp8 import begins_key_frame, data_start

KEY, OTHER = b"\x10\x02\x00", b"\x11\x02\x00"
"""How VP8 frames begin."""


LAYERS = 0, 2, 1, 2


def frame_packets(frames: list[tuple[bytes, int]], first: int = 65_500, layers: bool = False) -> list[Packet]:
    """Each frame in packets of at most 4 bytes of VP8, as a browser sends them: with a picture ID; `layers`: and with
    three temporal layers."""
    packets: list[Packet] = []
    sequence = first
    for number, (frame, timestamp) in enumerate(frames):
        pieces = [frame[at : at + 4] for at in range(0, len(frame), 4)]
        for place, piece in enumerate(pieces):
            head = VpxPayloadDescriptor(partition_start=int(place == 0), partition_id=0, picture_id=number & 0x7FFF)
            if layers:
                head.tl0picidx, head.tid = (250 + number // 4) & 0xFF, (LAYERS[number % 4], 0)
            payload = bytes(head) + piece
            packets.append(Packet(96, place == len(pieces) - 1, sequence & 0xFFFF, timestamp, 7, payload))
            sequence += 1
    return packets


def film(count: int, key_each: int = 10) -> list[tuple[bytes, int]]:
    rng = random.Random(count)
    return [
        ((OTHER if n % key_each else KEY) + rng.randbytes(rng.randrange(1, 20)), 3600 * n & 0xFFFFFFFF)
        for n in range(count)
    ]


def test_each_frame_comes_with_its_last_packet() -> None:
    frames, assembly = film(40), Assembly()
    out: list[tuple[bytes, int]] = []
    for packet in frame_packets(frames):
        before = len(out)
        out += assembly.add(packet, 0.0)
        assert (len(out) > before) == packet.marker
        assert not assembly.nack and not assembly.lost
    assert out == frames


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_packets_in_another_order_and_twice_give_the_same_frames(seed: int, spread: int) -> None:
    rng = random.Random(seed)
    frames, assembly = film(30), Assembly()
    packets = frame_packets(frames)
    shuffled = sorted(range(len(packets)), key=lambda n: n + rng.uniform(0, spread) * (n > 0))
    order = [n for n in shuffled for _ in range(rng.choice((1, 1, 1, 2)))]
    out = [frame for n in order for frame in assembly.add(packets[n], 0.0)]
    assert out == frames


@given(st.integers(0, 2**32), st.floats(0.01, 0.4))
def test_what_is_handed_on_after_a_loss_begins_with_a_key_frame_and_has_no_hole(seed: int, loss: float) -> None:
    rng = random.Random(seed)
    frames, assembly = film(120, 15), Assembly()
    place = {frame: n for n, frame in enumerate(frames)}
    now, out, asked = 0.0, [], False
    for packet in frame_packets(frames):
        now += 0.02
        if rng.random() < loss:
            continue
        found = assembly.add(packet, now)
        asked = asked or assembly.lost
        for frame in found:
            n = place[frame]  # it is one of those that were sent, whole
            assert frame[0].startswith(KEY) or (out and out[-1] == n - 1), "it rests on one that is missing"
            assert not out or n > out[-1]
            out.append(n)
    if len(out) < len(frames) - 2 * WAITING_MAX:
        assert asked


@given(st.integers(0, 2**32), st.floats(0.01, 0.4))
def test_with_layers_nothing_is_handed_on_that_rests_on_what_is_missing(seed: int, loss: float) -> None:
    rng = random.Random(seed)
    frames, assembly = film(160, 40), Assembly()
    place = {frame: n for n, frame in enumerate(frames)}
    now, out = 0.0, []
    for packet in frame_packets(frames, layers=True):
        now += 0.02
        if rng.random() < loss:
            continue
        for frame in assembly.add(packet, now):
            n = place[frame]
            rests_on = n - 1 if n % 4 else n - 4
            assert n % 40 == 0 or (out and rests_on in out[-4:])
            assert not out or n > out[-1]
            out.append(n)


def lost_frames(*lost: int) -> tuple[list[int], bool]:
    """What is handed on of 40 frames in layers without these, each frame 40 ms; and whether a key frame was wanted."""
    frames, assembly = film(40, 40), Assembly()
    out: list[int] = []
    wanted = False
    for packet in frame_packets(frames, layers=True):
        if packet.timestamp // 3600 not in lost:
            out += [timestamp // 3600 for _, timestamp in assembly.add(packet, packet.timestamp / 90_000)]
            wanted |= assembly.lost
    return out, wanted


def test_without_a_frame_of_a_higher_layer_it_goes_on_at_the_next_of_the_base_layer() -> None:
    assert lost_frames(9) == ([*range(9), *range(12, 40)], False)
    assert lost_frames(10, 14) == ([*range(10), 12, 13, *range(16, 40)], False), "each gap is as old as it is"
    assert lost_frames(7, 8, 9) == ([*range(7)], True), "one of the base layer is missing"


def test_a_gap_is_not_kept_open_by_parts_of_it_that_come() -> None:
    frames = film(30, 10)
    assembly, packets = Assembly(), frame_packets(frames)
    for packet in packets[:3]:
        assembly.add(packet, 0.0)
    for step, packet in enumerate(packets[40:5:-1]):  # from behind, each just before the gap were given up
        assembly.add(packet, 0.1 * step)
        if 0.1 * step > GIVEN_UP_S:
            assert assembly.lost
            break


def test_a_gap_is_asked_for_at_once_again_later_and_then_given_up() -> None:
    frames, assembly = film(20, 8), Assembly()
    packets = frame_packets(frames)
    first = next(n for n, packet in enumerate(packets) if packet.timestamp == frames[3][1])
    out = [frame for packet in packets[:first] for frame in assembly.add(packet, 0.0)]
    assert not assembly.add(packets[first + 2], 0.01)
    assert assembly.nack == [packets[n].sequence_number for n in (first, first + 1)]
    assembly.add(packets[first + 3], 0.02)
    assert assembly.nack == []
    assembly.add(packets[first + 4], 0.02 + NACK_AGAIN_S)
    assert assembly.nack == [packets[n].sequence_number for n in (first, first + 1)]
    assert not assembly.lost
    assembly.add(packets[first + 5], 0.03 + GIVEN_UP_S)
    assert assembly.lost and not assembly.nack
    for packet in packets[first + 6 :]:
        out += assembly.add(packet, 1.0)
    assert out == frames[:3] + frames[8:]


def test_a_retransmission_completes_what_waited() -> None:
    frames, assembly = film(6), Assembly()
    packets = frame_packets(frames)
    out = [frame for packet in (*packets[:3], *packets[4:]) for frame in assembly.add(packet, 0.0)]
    out += assembly.add(packets[3], 0.1)
    assert out == frames


def test_a_source_that_jumps_begins_anew_at_its_next_key_frame() -> None:
    frames = film(12, 6)
    assembly = Assembly()
    for packet in frame_packets(frames, 100):
        assembly.add(packet, 0.0)
    out = [frame for packet in frame_packets(frames[3:], 20_000) for frame in assembly.add(packet, 0.1)]
    assert out == frames[6:]


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=8), st.booleans(), st.integers(0, 3)), max_size=80)
)
def test_nonsense_never_raises_and_never_keeps_much(packets: list[tuple[int, bytes, bool, int]]) -> None:
    assembly = Assembly()
    for n, (sequence, payload, marker, timestamp) in enumerate(packets):
        assembly.add(Packet(96, marker, sequence, timestamp, 7, payload), n * 0.03)
        assert len(assembly._waiting) <= WAITING_MAX and len(assembly._parts) <= WAITING_MAX + 1


def test_one_frame_without_an_end_is_given_up() -> None:
    assembly = Assembly()
    for n in range(3 * WAITING_MAX):
        assembly.add(Packet(96, False, n, 5, 7, b"\x10" + KEY if n == 0 else b"\x00data"), 0.0)
    assert len(assembly._parts) <= WAITING_MAX


@given(st.binary(min_size=1, max_size=12))
def test_the_descriptor_is_read_as_aiortc_reads_it(payload: bytes) -> None:
    try:
        descriptor, data = VpxPayloadDescriptor.parse(payload)
    except ValueError:
        assert data_start(payload) == -1 or len(payload) < 2 + data_start(payload)
        return
    if data:
        assert payload[data_start(payload) :] == data
        key = bool(descriptor.partition_start and not descriptor.partition_id & 7 and not data[0] & 1)
        assert begins_key_frame(payload) == key
    else:
        assert data_start(payload) == -1


def test_aiortcs_buffer_gives_the_same_frames_one_packet_later() -> None:
    frames, assembly, buffer = film(30), Assembly(), JitterBuffer(512, is_video=True)
    ours: list[bytes] = []
    theirs: list[bytes] = []
    for packet in frame_packets(frames):
        ours += [data for data, _ in assembly.add(packet, 0.0)]
        _, data = VpxPayloadDescriptor.parse(packet.payload)
        other = type(
            "Other", (), {**{k: getattr(packet, k) for k in ("sequence_number", "timestamp")}, "_data": data}
        )()
        frame = buffer.add(other)[1]  # pyright: ignore[reportArgumentType]
        theirs += [frame.data] if frame else []
    assert ours[:-1] == theirs


@pytest.mark.parametrize("payload", [b"\x90", b"\x90\x80", b"\x90\x80\x80", b"\x10"])
def test_a_descriptor_without_data_is_none(payload: bytes) -> None:
    assert data_start(payload) == -1 and not begins_key_frame(payload)
