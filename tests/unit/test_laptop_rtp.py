"""RTP packets as bytes: the same as aiortc's own reading and writing, and nothing but None for what is no packet."""

import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket, unwrap_rtx, wrap_rtx
from hypothesis import given
from hypothesis import strategies as st

from laptop.media import rtp

MAP = HeaderExtensionsMap()
MAP.configure(
    RTCRtpParameters(
        headerExtensions=[
            RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
            RTCRtpHeaderExtensionParameters(id=2, uri="http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
        ]
    )
)


@st.composite
def packets(draw: st.DrawFn) -> RtpPacket:
    packet = RtpPacket(
        payload_type=draw(st.integers(0, 127)),
        marker=draw(st.booleans()),
        sequence_number=draw(st.integers(0, 0xFFFF)),
        timestamp=draw(st.integers(0, 0xFFFFFFFF)),
        ssrc=draw(st.integers(0, 0xFFFFFFFF)),
        payload=draw(st.binary(max_size=60)),
    )
    packet.csrc = draw(st.lists(st.integers(0, 0xFFFFFFFF), max_size=3))
    if draw(st.booleans()):
        packet.extensions = HeaderExtensions(mid="0", abs_send_time=draw(st.integers(0, 0xFFFFFF)))
    packet.padding_size = draw(st.sampled_from((0, 0, 1, 7)))
    return packet


def fields(packet: rtp.Packet | RtpPacket) -> tuple[object, ...]:
    return (
        packet.payload_type, bool(packet.marker), packet.sequence_number, packet.timestamp, packet.ssrc, packet.payload,
    )  # fmt: skip


@given(packets())
def test_a_packet_is_read_as_aiortc_reads_it(packet: RtpPacket) -> None:
    read = rtp.parse(packet.serialize(MAP))
    assert read is not None
    assert fields(read) == fields(packet)


@given(st.binary(max_size=80))
def test_any_bytes_give_a_packet_or_none(data: bytes) -> None:
    read = rtp.parse(data)
    assert read is None or len(read.payload) <= len(data)


@given(packets(), st.integers(1, 80))
def test_a_packet_that_was_cut_is_never_read_beyond_its_end(packet: RtpPacket, length: int) -> None:
    cut = packet.serialize(MAP)[:length]
    read = rtp.parse(cut)
    assert read is None or read.payload in cut or not read.payload


@pytest.mark.parametrize("extensions", [b"", bytes.fromhex("bede0002") + bytes.fromhex("1030220000000000")])
def test_what_is_built_aiortc_reads_and_its_retransmission_too(extensions: bytes) -> None:
    built = rtp.build(96, True, 65535, 123456, 42, extensions, b"payload")
    read = RtpPacket.parse(built, MAP)
    assert fields(read) == (96, True, 65535, 123456, 42, b"payload")
    again = RtpPacket.parse(rtp.wrapped_rtx(built, 97, 5, 43), MAP)
    expected = wrap_rtx(read, payload_type=97, sequence_number=5, ssrc=43)
    assert fields(again) == fields(expected)
    assert fields(unwrap_rtx(again, payload_type=96, ssrc=42)) == fields(read)
    ours = rtp.unwrapped_rtx(rtp.parse(rtp.wrapped_rtx(built, 97, 5, 43)) or pytest.fail(), 96, 42)
    assert ours is not None and fields(ours) == fields(read)


def test_a_probe_carries_no_packet() -> None:
    assert rtp.unwrapped_rtx(rtp.Packet(97, False, 1, 2, 3, b"\0\0"), 96, 3) is None
