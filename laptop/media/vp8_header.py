"""Which VP8 frames nothing rests on, by their own headers (RFC 6386, 9.2 to 9.11 and 19.2).

A frame that changes nothing which a decoder keeps may be left out, and all later frames are decoded to the same bits.
Encoders with temporal layers make every second frame so. What a sender says of a frame beside it (its layer, in the RTP
payload descriptor) is not asked: a header binds the far peer's decoder as much as ours.
"""

from collections.abc import Callable

from .vp8 import FRAME_TAG_BYTES, KEY_FRAME_HEAD_BYTES, is_key_frame

_HEADER_BYTES_MAX = 32
"""A header with all its choices takes 230 bits."""
_SHOWN = 0x10
_DELTAS = 8
"""Of the loop filter: four for reference frames, four for modes."""
_UNKNOWN = (-1,) * _DELTAS


class Headers:
    """Of one stream: `disposable` is asked of every frame, in their order."""

    def __init__(self) -> None:
        self._deltas: tuple[int, ...] = _UNKNOWN
        """The loop filter's, as a decoder keeps them from frame to frame: 6 bits and the sign."""

    def disposable(self, frame: bytes) -> bool:
        """Is it shown, and does it leave nothing behind? False also for a header that can't be read."""
        if len(frame) <= FRAME_TAG_BYTES:
            return False
        partition = (frame[0] | frame[1] << 8 | frame[2] << 16) >> 5
        bits = min(partition, _HEADER_BYTES_MAX)
        try:
            if is_key_frame(frame):
                self._deltas = (0,) * _DELTAS
                self._read_deltas_of_key_frame(Bits(frame[KEY_FRAME_HEAD_BYTES : KEY_FRAME_HEAD_BYTES + bits]))
                return False
            changes = self._changes(Bits(frame[FRAME_TAG_BYTES : FRAME_TAG_BYTES + bits]))
        except CutShortError:
            self._deltas = _UNKNOWN
            return False
        return not changes and bool(frame[0] & _SHOWN)

    def _read_deltas_of_key_frame(self, bits: "Bits") -> None:
        bits.read(2)  # colour space, clamping
        self._read_segments_and_filter(bits.read)

    def _changes(self, bits: "Bits") -> int:
        """Not 0 when something that is kept is written anew."""
        read = bits.read
        changes = self._read_segments_and_filter(read)
        read(9)  # number of partitions, quantizer
        for _ in range(5):
            if read(1):
                read(5)
        golden, alternate = read(1), read(1)
        changes |= golden | alternate
        changes |= (0 if golden else read(2)) | (0 if alternate else read(2))
        read(2)  # sign biases, said anew in each frame
        return changes | read(2)  # probabilities, last frame

    def _read_segments_and_filter(self, read: Callable[[int], int]) -> int:
        changes = _segments_change(read) if read(1) else 0
        read(10)  # the filter's type, level and sharpness
        if read(1) and read(1):
            deltas = tuple(read(7) if read(1) else kept for kept in self._deltas)
            changes |= deltas != self._deltas
            self._deltas = deltas
        return changes


def _segments_change(read: Callable[[int], int]) -> int:
    places, features = read(1), read(1)
    if features:
        read(1)
        for value_bits in (8, 7):
            for _ in range(4):
                if read(1):
                    read(value_bits)
    if places:
        for _ in range(3):
            if read(1):
                read(8)
    return places | features


class CutShortError(Exception):
    """More was read than there is."""


class Bits:
    """Reads flags and numbers of a header: the boolean decoder of RFC 6386, 7.3, where both values are as likely."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._shift = 8 * len(data) - 8
        """The 8 bits that are looked at stand so high in the value."""
        self._range = 255

    def read(self, count: int) -> int:
        """The next `count` bits, highest first. CutShortError when they are not all there."""
        value, shift, range_, number = self._value, self._shift, self._range, 0
        for _ in range(count):
            if shift < 0:
                raise CutShortError
            split = (range_ + 1) >> 1
            number <<= 1
            if value >= split << shift:
                number |= 1
                value -= split << shift
                range_ -= split
            else:
                range_ = split
            if range_ < 128:
                range_ <<= 1
                shift -= 1
        self._value, self._shift, self._range = value, shift, range_
        return number
