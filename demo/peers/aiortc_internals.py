"""All that the demo's clients use of aiortc 1.16 and aioice that is not public. A new version is checked here."""

import queue
from collections.abc import Callable
from typing import Any

import aioice.ice
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci, unpack_remb_fci

RECEIVER = "_RTCRtpReceiver__"
"""How the names begin that are private to the receiver's class."""
CONSENT_INTERVAL_S, CONSENT_FAILURES = 1, 4


def use_interface(address: str) -> None:
    """Candidates come from this address alone; aioice itself would leave 127.0.0.1 out."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]


def notice_dead_connections_soon() -> None:
    """A connection whose other end no longer answers fails in about 4 s, as in a browser; aioice takes 30 s."""
    aioice.ice.CONSENT_INTERVAL = CONSENT_INTERVAL_S
    aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES


def answer_key_frame_requests(sender: RTCRtpSender, answer: Callable[[], None]) -> None:
    """`answer` is called for each PLI and FIR that comes for this sender."""
    sender._send_keyframe = answer


def hear_bandwidth(sender: RTCRtpSender, heard: Callable[[int], None]) -> None:
    """`heard` gets each estimate (REMB, bits/s) that comes for this sender."""
    handle = sender._handle_rtcp_packet

    async def hear_and_handle(packet: Any) -> None:
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            heard(unpack_remb_fci(packet.fci)[0])
        await handle(packet)

    sender._handle_rtcp_packet = hear_and_handle


async def report_bandwidth(connection: RTCPeerConnection, bits_per_s: int) -> None:
    """Says that this end can take so much of all that comes together (REMB)."""
    for transceiver in connection.getTransceivers():
        receiver = transceiver.receiver
        ssrcs = list(getattr(receiver, RECEIVER + "remote_streams"))
        own = getattr(receiver, RECEIVER + "rtcp_ssrc")
        if transceiver.kind == "video" and ssrcs:
            fci = pack_remb_fci(bits_per_s, ssrcs)
            await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci))


class _EncodedFrames(queue.Queue[Any]):
    """Takes the place of a receiver's decoder queue: hands whole encoded frames on, on the event loop.

    The decoder's thread gets told at once that there is nothing to do, and ends; so a client needs no threads.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        super().__init__()
        self._take = take

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is not None:
            self._take(item[1].data)

    def get(self, block: bool = True, timeout: float | None = None) -> None:
        return None


def receive_encoded(receiver: RTCRtpReceiver, counted: Callable[[bytes], None], take: Callable[[bytes], None]) -> None:
    """`counted` gets each RTP packet's payload as it arrives, `take` each whole encoded frame. Before it receives."""
    setattr(receiver, RECEIVER + "decoder_queue", _EncodedFrames(take))
    # Its estimate would only tell an encoder to slow down, and these files are encoded already.
    setattr(receiver, RECEIVER + "remote_bitrate_estimator", None)
    handle = receiver._handle_rtp_packet

    async def count_and_handle(packet: RtpPacket, arrival_time_ms: int) -> None:
        counted(packet.payload)
        await handle(packet, arrival_time_ms)

    receiver._handle_rtp_packet = count_and_handle


def ask_for_key_frame(receiver: RTCRtpReceiver) -> None:
    """With its next packet the receiver sends a PLI. Callable from any thread."""
    getattr(receiver, RECEIVER + "decoder_error").set()
