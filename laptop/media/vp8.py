"""What forwarding and recording read of VP8: the payload descriptor of an RTP packet (RFC 7741, 4.2), and how a frame
begins (RFC 6386, 9.1)."""

import struct
from typing import NamedTuple

FRAME_TAG_BYTES = 3
KEY_FRAME_HEAD_BYTES = 10
"""Frame tag, start code and size."""
_SIZE = struct.Struct("<HH")
_SIZE_AT = 6
"""Behind the frame tag and the start code."""


def data_start(payload: bytes) -> int:
    """Where VP8 data begin behind the payload descriptor; -1 when there are none."""
    start = 1
    if payload[0] & 0x80:
        if len(payload) < 3:
            return -1
        extended = payload[1]
        start = 2
        if extended & 0x80:
            start = 4 if payload[2] & 0x80 else 3
        if extended & 0x40:
            start += 1
        if extended & 0x30:
            start += 1
    return start if start < len(payload) else -1


class Numbers(NamedTuple):
    """How a descriptor counts: pictures, and base layers (TL0PICIDX); None where it does not."""

    picture: int | None
    base_layer: int | None


def numbers(payload: bytes) -> Numbers:
    """None and None also for what is no VP8."""
    at = _numbers_at(payload)
    if not at.picture:
        picture = None
    elif at.long:
        picture = (payload[at.picture] & 0x7F) << 8 | payload[at.picture + 1]
    else:
        picture = payload[at.picture]
    return Numbers(picture, payload[at.base_layer] if at.base_layer else None)


def renumbered(payload: bytes, by: Numbers) -> bytes:
    """The payload with its numbers raised; each wraps at its own size, as its sender's would."""
    at = _numbers_at(payload)
    changed = bytearray(payload)
    if at.picture and by.picture:
        if at.long:
            number = (payload[at.picture] << 8 | payload[at.picture + 1]) + by.picture
            changed[at.picture] = number >> 8 & 0x7F | 0x80
            changed[at.picture + 1] = number & 0xFF
        else:
            changed[at.picture] = payload[at.picture] + by.picture & 0x7F
    if at.base_layer and by.base_layer:
        changed[at.base_layer] = payload[at.base_layer] + by.base_layer & 0xFF
    return bytes(changed)


def follows_in_base_layer(payload: bytes, number: int) -> bool:
    """Does a frame of the base layer begin here, the next one behind that of this number (TL0PICIDX)?"""
    at = _numbers_at(payload)
    if not at.layer or not at.base_layer or not begins_frame(payload):
        return False
    return not payload[at.layer] >> 6 and payload[at.base_layer] == number + 1 & 0xFF


class _NumbersAt(NamedTuple):
    """Where they stand, and the layer's (TID); 0: nowhere. `long`: the picture's has 15 bits."""

    picture: int
    long: bool
    base_layer: int
    layer: int


def _numbers_at(payload: bytes) -> _NumbersAt:
    if not payload[0] & 0x80 or data_start(payload) < 0:
        return _NumbersAt(0, False, 0, 0)
    picture = 2 if payload[1] & 0x80 else 0
    long = bool(picture and payload[2] & 0x80)
    next_at = 2 + bool(picture) + long
    base_layer = next_at if payload[1] & 0x40 else 0
    layer = next_at + bool(base_layer) if payload[1] & 0x20 else 0
    return _NumbersAt(picture, long, base_layer, layer)


def begins_frame(payload: bytes) -> bool:
    """The first packet of a frame: start of partition 0."""
    return payload[0] & 0x17 == 0x10


def begins_key_frame(payload: bytes) -> bool:
    """The first packet of a key frame."""
    if not payload or not begins_frame(payload):
        return False
    start = data_start(payload)
    return start > 0 and is_key_frame(payload, start)


def is_key_frame(data: bytes, start: int = 0) -> bool:
    """Of a frame that begins at `start`: its lowest bit is 0."""
    return not data[start] & 1


def picture_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height that a key frame says; None for another one, and for one that is cut short."""
    if len(frame) < _SIZE_AT + _SIZE.size or not is_key_frame(frame):
        return None
    width, height = _SIZE.unpack_from(frame, _SIZE_AT)
    return width & 0x3FFF, height & 0x3FFF
