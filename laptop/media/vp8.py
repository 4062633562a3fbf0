"""What forwarding and recording read of VP8: the payload descriptor of an RTP packet (RFC 7741, 4.2), and how a frame
begins (RFC 6386, 9.1)."""

import struct

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
