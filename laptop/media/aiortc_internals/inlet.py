"""What one receiver gets: its packets and frames, and what is asked of and told to the peer that sends them."""

import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpTransceiver
from aiortc.codecs import is_rtx
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtcpRrPacket, RtcpSrPacket, pack_remb_fci

from ...tasks import Tasks
from .. import rtp
from ..assembly import Assembly
from ..rtp import Packet
from .pipe import OnPacket

CLAIMED_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
KEY_FRAME_EACH_S = 0.3
"""A gap asks for a key frame at most so often; whoever waits for one is asked for by the leg."""

OnFrame = Callable[[bytes, int], None]
"""(an encoded frame, its RTP timestamp)"""


class Statistics(StreamStatistics):
    """aiortc's, which makes the receiver's reports of it; counted with fewer steps for each packet (RFC 3550, A.8)."""

    def add(self, packet: Packet) -> None:  # type: ignore[override]
        self.packets_received += 1
        sequence, newest = packet.sequence_number, self.max_seq
        if newest is None:
            self.base_seq = sequence
        elif not 0 < (sequence - newest) & 0xFFFF < 0x8000:
            return
        elif sequence < newest:
            self.cycles += 0x10000
        self.max_seq = sequence
        timestamp = packet.timestamp
        if timestamp == self._last_timestamp:
            return  # of the same picture
        arrival = int(time.time() * self._clockrate)
        if self._last_arrival is not None and self._last_timestamp is not None:
            apart = (timestamp - self._last_timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            difference = abs(arrival - self._last_arrival - apart)
            self._jitter_q4 += difference - ((self._jitter_q4 + 8) >> 4)
        self._last_arrival, self._last_timestamp = arrival, timestamp


class Inlet:
    """One receiver: `on_packet` gets each RTP packet of its source (retransmissions unwrapped), `on_frame` each whole
    encoded frame, for video. `take` is fed with the connection's packets. Must be made before the connection starts.

    One source only: the one that the offer announces, or the first that comes when it announces none.
    """

    def __init__(self, transceiver: RTCRtpTransceiver, on_packet: OnPacket, on_frame: OnFrame | None) -> None:
        self.ssrc = 0
        self._transceiver: Any = transceiver
        self._receiver: Any = transceiver.receiver
        self._on_packet, self._on_frame = on_packet, on_frame
        self._statistics: Statistics | None = None
        self._assembly = Assembly()
        self._agreed_type = -1
        """The payload type of the newest packet that was no retransmission."""
        self._asked_at = 0.0
        self._tasks = Tasks()
        self.report: tuple[int, int] | None = None
        """The source's newest sender report: (its clock as NTP, 64 bits; RTP timestamp of the same moment)."""
        self._handle_rtcp = self._receiver._handle_rtcp_packet
        self._receiver._handle_rtcp_packet = self._take_rtcp
        self.beyond_s, self.beyond_loss = 0.0, 0.0
        """What the way has beyond this agent: round trip to the farthest source of what this peer gets, s; largest loss
        at those who get what it sends, 0 to 1."""
        self._send_rtcp = self._receiver._send_rtcp
        self._receiver._send_rtcp = self._report
        self._receiver._RTCRtpReceiver__decoder_queue.put(None)  # its decoder thread has nothing to do, and ends

    @property
    def claimed_level_id(self) -> int:
        """The identifier of the sender's own level (RFC 6464) in its packets; 0: not agreed."""
        agreed = self._transceiver._headerExtensions
        return next((extension.id for extension in agreed if extension.uri == CLAIMED_LEVEL), 0)

    @property
    def payload_types(self) -> dict[int, Any]:
        """Payload type -> codec, as agreed; empty until the connection is up."""
        return self._receiver._RTCRtpReceiver__codecs

    async def _take_rtcp(self, packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket) and packet.ssrc == self.ssrc and packet.sender_info.ntp_timestamp:
            self.report = packet.sender_info.ntp_timestamp, packet.sender_info.rtp_timestamp
        await self._handle_rtcp(packet)

    async def _report(self, packet: Any) -> None:
        """The peer is told of the whole way, as by a translator (RFC 3550, 7.2): its player waits for what comes again
        from the far source, and its encoder of sound makes up for losses that happen behind this agent."""
        if isinstance(packet, RtcpRrPacket):
            for report in packet.reports:
                report.dlsr = max(0, report.dlsr - round(self.beyond_s * 65536))
                report.fraction_lost = max(report.fraction_lost, min(255, round(self.beyond_loss * 256)))
        await self._send_rtcp(packet)

    def take(self, packet: Packet) -> None:
        if packet.ssrc != self.ssrc or packet.payload_type != self._agreed_type:
            found = self._looked_at(packet)
            if found is None:
                return
            packet = found
        assert self._statistics is not None
        self._statistics.add(packet)
        self._on_packet(packet)
        if self._on_frame is not None:
            self._assemble(packet)

    def _looked_at(self, packet: Packet) -> Packet | None:
        """The source's first packet, or what a retransmission carries; None when it is nothing of this source."""
        codec = self.payload_types[packet.payload_type]
        if is_rtx(codec):
            original = self._receiver._RTCRtpReceiver__rtx_ssrc.get(packet.ssrc)
            unwrapped = rtp.unwrapped_rtx(packet, codec.parameters["apt"], original) if original else None
            if unwrapped is None:
                return None  # a probe of the sender's bandwidth estimation
            packet, codec = unwrapped, self.payload_types[codec.parameters["apt"]]
        if packet.ssrc != self.ssrc and not self._accept(packet.ssrc, codec.clockRate):
            return None
        self._agreed_type = packet.payload_type
        return packet

    def _accept(self, ssrc: int, clock_rate: int) -> bool:
        announced = self._receiver.transport._rtp_router.ssrc_table
        mine = [known for known, receiver in announced.items() if receiver is self._receiver]
        if self.ssrc or (mine and ssrc not in mine):
            return False
        self.ssrc, self._statistics = ssrc, Statistics(clock_rate)
        self._receiver._RTCRtpReceiver__remote_streams[ssrc] = self._statistics
        return True

    def _assemble(self, packet: Packet) -> None:
        assert self._on_frame is not None
        assembly = self._assembly
        frames = assembly.add(packet, time.monotonic())
        if assembly.nack:
            self._tasks.start(self._receiver._send_rtcp_nack(self.ssrc, assembly.nack))
        if assembly.lost:
            self.ask_for_key_frame()
        for data, timestamp in frames:
            self._on_frame(data, timestamp)

    def ask_for_key_frame(self, at_once: bool = False) -> None:
        """At most three times a second, whoever asks; `at_once` for an order, which can't wait."""
        now = time.monotonic()
        if self.ssrc and (at_once or now - self._asked_at >= KEY_FRAME_EACH_S):
            self._asked_at = now
            self._tasks.start(self._receiver._send_rtcp_pli(self.ssrc))

    async def tell_bandwidth(self, bits_per_s: int) -> None:
        own = self._receiver._RTCRtpReceiver__rtcp_ssrc
        if self.ssrc and own is not None:
            fci = pack_remb_fci(bits_per_s, [self.ssrc])
            await self._receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci))

    def counts(self) -> tuple[int, int, float]:
        """(packets expected, packets received, jitter in ms) of the present source so far."""
        stream = self._statistics
        if stream is None or stream.max_seq is None:
            return 0, 0, 0.0
        return stream.packets_expected, stream.packets_received, stream.jitter * 1000 / stream._clockrate
