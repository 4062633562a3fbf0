"""RTP packets as bytes, taken apart only as far as forwarding needs: RFC 3550, extensions RFC 8285, RTX RFC 4588."""

import struct

_HEADER = struct.Struct("!BBHII")
HEADER_BYTES = _HEADER.size
_VERSION_2 = 0x80
_EXTENDED = 0x10
_PADDED = 0x20
CLOCK_RATE = {"audio": 48_000, "video": 90_000}
"""Of Opus and VP8, ticks a second."""
ONE_BYTE_EXTENSIONS = 0xBEDE
TWO_BYTE_EXTENSIONS = 0x1000


class Packet:
    """One packet; the names are aiortc's. `extension`: the header extension with its own header, or empty."""

    __slots__ = ("extension", "marker", "payload", "payload_type", "sequence_number", "ssrc", "timestamp")

    def __init__(
        self,
        payload_type: int,
        marker: bool,
        sequence_number: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        extension: bytes = b"",
    ) -> None:
        self.extension = extension
        self.payload_type, self.marker = payload_type, marker
        self.sequence_number, self.timestamp, self.ssrc = sequence_number, timestamp, ssrc
        self.payload = payload


def parse(data: bytes) -> Packet | None:
    """The packet without padding, its extension apart; None for what is no RTP packet."""
    if len(data) < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first & 0xC0 != _VERSION_2:
        return None
    begin, end = HEADER_BYTES + 4 * (first & 0x0F), len(data)
    extension = b""
    if first & _EXTENDED:
        if begin + 4 > end:
            return None
        began = begin
        begin += 4 + 4 * (data[begin + 2] << 8 | data[begin + 3])
        extension = data[began:begin]
    if begin > end:
        return None
    if first & _PADDED:
        padding = data[-1] if begin < end else 0
        if not 0 < padding <= end - begin:
            return None
        end -= padding
    return Packet(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, data[begin:end], extension)


def extension_element(extension: bytes, wanted: int) -> bytes | None:
    """The element of this identifier (RFC 8285, forms of one and of two bytes); None when it is not there."""
    if len(extension) < 4:
        return None
    form = extension[0] << 8 | extension[1]
    one_byte = form == ONE_BYTE_EXTENSIONS
    if not one_byte and form & 0xFFF0 != TWO_BYTE_EXTENSIONS:
        return None
    at, end = 4, len(extension)
    while at < end:
        first = extension[at]
        if not first:  # padding
            at += 1
            continue
        if one_byte:
            identifier, length, at = first >> 4, (first & 0x0F) + 1, at + 1
            if identifier == 15:
                return None  # whoever reads has to stop here
        elif at + 1 < end:
            identifier, length, at = first, extension[at + 1], at + 2
        else:
            return None
        if at + length > end:
            return None
        if identifier == wanted:
            return extension[at : at + length]
        at += length
    return None


def unwrapped_rtx(packet: Packet, payload_type: int, ssrc: int) -> Packet | None:
    """The packet that a retransmission carries; None when it carries none (a probe)."""
    if len(packet.payload) < 3:
        return None
    sequence = packet.payload[0] << 8 | packet.payload[1]
    return Packet(payload_type, packet.marker, sequence, packet.timestamp, ssrc, packet.payload[2:])


def build(
    payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int, extensions: bytes, payload: bytes
) -> bytes:
    """A packet; `extensions` with their own header of 4 bytes, or empty."""
    first = _VERSION_2 | _EXTENDED if extensions else _VERSION_2
    second = payload_type | 0x80 if marker else payload_type
    return _HEADER.pack(first, second, sequence, timestamp, ssrc) + extensions + payload


def wrapped_rtx(sent: bytes, payload_type: int, sequence: int, ssrc: int) -> bytes:
    """A packet made by `build` as a retransmission with an identity of its own."""
    first, second, original, timestamp, _ = _HEADER.unpack_from(sent)
    begin = HEADER_BYTES
    if first & _EXTENDED:
        begin += 4 + 4 * (sent[begin + 2] << 8 | sent[begin + 3])
    head = _HEADER.pack(first, payload_type | (second & 0x80), sequence, timestamp, ssrc)
    return head + sent[HEADER_BYTES:begin] + original.to_bytes(2, "big") + sent[begin:]
