"""Which frames nothing rests on: exactly those without which a decoder shows all others to the same bit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.error import FFmpegError
from hypothesis import given, settings
from hypothesis import strategies as st

from demo import layered
from laptop.media.vp8_header import Bits, CutShortError, Headers

QUICK = {"deadline": "realtime", "cpu-used": "8"}
SIZE = 160, 96


def moving(frames: int) -> list[av.VideoFrame]:
    """A gradient that moves, under seeded noise."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    made = []
    for number in range(frames):
        grey = (rows + columns + 5 * number) % 200 + 20 + rng.normal(0, 3, rows.shape)
        frame = av.VideoFrame.from_ndarray(grey.clip(0, 255).astype(np.uint8), "gray").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        made.append(frame)
    return made


def vp8(frames: int, **options: str) -> list[bytes]:
    return [bytes(packet) for packet in layered.encoded(moving(frames), options)]


def shown(frames: list[bytes], left_out: Callable[[int], bool] = lambda number: False) -> dict[int, np.ndarray]:
    decoder: Any = av.CodecContext.create("vp8", "r")
    return {
        number: picture.to_ndarray()
        for number, frame in enumerate(frames)
        if not left_out(number)
        for picture in decoder.decode(av.Packet(frame))
    }


def disposables(frames: list[bytes]) -> list[int]:
    headers = Headers()
    return [number for number, frame in enumerate(frames) if headers.disposable(frame)]


@pytest.mark.parametrize("resilient", ["default", "partitions"])
def test_of_three_layers_the_highest_is_left_out_and_the_rest_is_the_same_to_the_bit(resilient: str) -> None:
    frames = vp8(120, **layered.OPTIONS | QUICK | {"error-resilient": resilient})
    found = disposables(frames)
    assert found == [number for number in range(120) if number % 2]
    whole = shown(frames)
    for chosen in (found[::7], found[3::11]):  # some of them are shown, as by chance
        some = shown(frames, lambda number, chosen=chosen: number in found and number not in chosen)
        assert sorted(some) == sorted({*range(120)} - set(found) | set(chosen))
        assert all((picture == whole[number]).all() for number, picture in some.items())


LAYERED = vp8(16, **layered.OPTIONS | QUICK)


@settings(max_examples=300, deadline=None)
@given(
    number=st.sampled_from(range(1, 14, 2)),
    spoiled=st.lists(st.tuples(st.integers(3, 34), st.integers(1, 255)), max_size=3),
)
def test_whatever_stands_in_a_frame_that_is_left_out_a_decoder_goes_on_alike_with_it_and_without(
    number: int, spoiled: list[tuple[int, int]]
) -> None:
    frame = bytearray(LAYERED[number])
    for at, changed in spoiled:
        frame[min(at, len(frame) - 1)] ^= changed
    frames = [*LAYERED[:number], bytes(frame), *LAYERED[number + 1 :]]
    if number not in disposables(frames):
        return
    try:
        with_it = shown(frames)
    except FFmpegError:
        return  # broken for everybody
    without = shown(frames, lambda one: one == number)
    assert sorted(without) == sorted({*range(16)} - {number})
    assert all((picture == with_it[one]).all() for one, picture in without.items())


HIDDEN_FRAMES = {"auto-alt-ref": "1", "lag-in-frames": "10", "arnr-maxframes": "3"}


@pytest.mark.parametrize("options", [QUICK, QUICK | {"error-resilient": "default"}, QUICK | HIDDEN_FRAMES])
def test_of_a_sender_without_layers_every_frame_is_needed(options: dict[str, str]) -> None:
    assert not disposables(vp8(60, **options))


# A header of any content: written as RFC 6386, 7.3 has it, and read back.


class Writer:
    """The boolean encoder of RFC 6386, 7.3, at even odds."""

    def __init__(self) -> None:
        self._bottom, self._range, self._bits = 0, 255, 0
        """`_bottom` has all bits so far, and 8 that are open."""

    def write(self, number: int, count: int) -> None:
        for place in reversed(range(count)):
            split = (self._range + 1) >> 1
            if number >> place & 1:
                self._bottom += split
                self._range -= split
            else:
                self._range = split
            while self._range < 128:
                self._range, self._bottom, self._bits = self._range << 1, self._bottom << 1, self._bits + 1

    def bytes(self) -> bytes:
        """Whole; zeros follow, as a decoder takes them to."""
        spare = -(self._bits + 8) % 8
        return (self._bottom << spare).to_bytes((self._bits + 8 + spare) // 8, "big")


@dataclass
class Header:
    """Of a frame between key frames. `segments`: None, or (its map is sent, its features are sent)."""

    segments: tuple[bool, bool] | None = None
    deltas: dict[int, int] = field(default_factory=dict)
    """Loop filter deltas that are sent: place -> magnitude and sign."""
    quantizer_deltas: int = 0
    golden: bool = False
    alternate: bool = False
    copies: tuple[int, int] = (0, 0)
    biases: int = 0
    probabilities: bool = False
    last: bool = False
    shown: bool = True

    def frame(self, partition_bytes: int | None = None) -> bytes:
        """`partition_bytes`: what the frame says that its first partition has; as many as there are, if not given."""
        out = Writer()
        write = out.write
        write(self.segments is not None, 1)
        if self.segments is not None:
            places, features = self.segments
            write(places, 1)
            write(features, 1)
            if features:
                write(1, 1)
                for bits in (7, 6):
                    for value in range(4):
                        write(1, 1)
                        write(value << 1, bits + 1)
            if places:
                for value in (10, 200, 30):
                    write(1, 1)
                    write(value, 8)
        write(0b0_010101_011, 10)
        write(1, 1)
        write(bool(self.deltas), 1)
        if self.deltas:
            for place in range(8):
                write(place in self.deltas, 1)
                if place in self.deltas:
                    write(self.deltas[place], 7)
        write(1, 2)
        write(60, 7)
        for place in range(5):
            write(self.quantizer_deltas >> place & 1, 1)
            if self.quantizer_deltas >> place & 1:
                write(9, 5)
        write(self.golden, 1)
        write(self.alternate, 1)
        if not self.golden:
            write(self.copies[0], 2)
        if not self.alternate:
            write(self.copies[1], 2)
        write(self.biases, 2)
        write(self.probabilities, 1)
        write(self.last, 1)
        written = out.bytes()
        tag = 1 | self.shown << 4 | (len(written) if partition_bytes is None else partition_bytes) << 5
        return tag.to_bytes(3, "little") + written + b"\xa5" * 20


def after_key(*frames: bytes) -> list[bool]:
    """The answers for these frames behind a key frame that sets the first two deltas to 3 and -3."""
    out = Writer()
    out.write(0, 2)
    out.write(0, 1)
    out.write(0, 10)
    out.write(0b11, 2)
    for place in range(8):
        out.write(place < 2, 1)
        if place < 2:
            out.write(3 << 1 | place, 7)
    body = out.bytes()
    key = (0x10 | len(body) << 5).to_bytes(3, "little") + b"\x9d\x01\x2a" + bytes(4) + body
    headers = Headers()
    assert not headers.disposable(key)
    return [headers.disposable(frame) for frame in frames]


KEPT = {0: 6, 1: 7}


@given(
    st.builds(
        Header,
        segments=st.none() | st.just((False, False)),
        deltas=st.sampled_from([{}, KEPT, {0: 6}, KEPT | {5: 0}]),
        quantizer_deltas=st.integers(0, 31),
        biases=st.integers(0, 3),
    )
)
def test_a_header_that_changes_nothing_is_seen_as_such_whatever_else_it_says(header: Header) -> None:
    assert after_key(header.frame()) == [True]


@pytest.mark.parametrize(
    "change",
    [
        {"golden": True},
        {"alternate": True},
        {"last": True},
        {"probabilities": True},
        {"copies": (1, 0)},
        {"copies": (0, 2)},
        {"segments": (True, False)},
        {"segments": (False, True)},
        {"deltas": {0: 8}},
        {"deltas": KEPT | {7: 1}},
        {"shown": False},
    ],
)
@given(quantizer_deltas=st.integers(0, 31), deltas=st.sampled_from([{}, KEPT]))
def test_whatever_a_header_changes_makes_its_frame_needed(
    change: dict[str, Any], quantizer_deltas: int, deltas: dict[int, int]
) -> None:
    fields = {"quantizer_deltas": quantizer_deltas, "deltas": deltas} | change
    assert after_key(Header(**fields).frame()) == [False]


def test_deltas_that_were_changed_are_the_ones_to_repeat_from_then_on() -> None:
    other = Header(deltas={0: 8}).frame()
    assert after_key(other, other, Header(deltas={0: 6}).frame()) == [False, True, False]


def test_a_header_cut_short_is_never_left_out_and_leaves_nothing_known() -> None:
    """A decoder reads zeros behind the partition's end: whatever stands there in the packet says nothing."""
    assert after_key(Header().frame(partition_bytes=3)) == [False]
    repeated = Header(deltas=KEPT).frame()
    cut = Header(deltas={0: 6, 1: 7, 2: 5}).frame(partition_bytes=4)
    assert after_key(cut, repeated, repeated) == [False, False, True]
    everything = Header(deltas=dict.fromkeys(range(8), 2)).frame()
    assert after_key(cut, everything, everything) == [False, False, True], "now all of them are known again"


@given(st.binary(max_size=60))
def test_no_bytes_make_it_stumble(data: bytes) -> None:
    headers = Headers()
    assert headers.disposable(data) in (True, False)
    if data and not data[0] & 1:
        assert not headers.disposable(data)


def test_what_is_written_is_read_and_no_more() -> None:
    out = Writer()
    numbers = [(5, 4), (0, 1), (1, 1), (127, 7), (200, 8), (0, 10), (1023, 10)]
    for number, count in numbers:
        out.write(number, count)
    bits = Bits(out.bytes())
    assert [bits.read(count) for _, count in numbers] == [number for number, _ in numbers]
    with pytest.raises(CutShortError):
        bits.read(40)
