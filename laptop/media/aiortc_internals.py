"""Every private name of aiortc and aioice that the agent uses, in one place, checked at the start.

What is done with them, and why no public way exists (aiortc 1.16):
- a connection's RTP is taken where it comes in and sent where it goes out, as bytes and within one callback: aiortc's
  own way goes through a queue, two tasks and two packet objects, and costs four times as much;
- its statistics are ours, so that RTCP reports are right; NACK and key frame requests are sent by its own means;
- a sender answers NACK from our history, passes key frame requests on, and its own loop (which polls 50 times a second
  without a track) rests; what a far peer reports (loss, REMB) and a source's sender reports are read in passing;
- the msid of a sender names the leg whose media it carries;
- host candidates come from the address that we choose (aioice leaves 127.0.0.1 out).
ICE, DTLS, RTCP and everything that is no RTP packet stay with aiortc.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any

import aioice.ice
import pylibsrtp
import structlog
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver
from aiortc.codecs import is_rtx
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    HeaderExtensions,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    is_rtcp,
    pack_remb_fci,
    unpack_remb_fci,
)

from schemas.media import Side

from . import rtp
from .assembly import Assembly
from .rtp import Packet

log = structlog.get_logger()

EXPECTED = "1.16.0"
CLAIMED_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
KEY_FRAME_EACH_S = 0.3
"""A gap asks for a key frame at most so often; whoever waits for one is asked for by the leg."""
REMB = 15  # RTCP payload-specific feedback format "application layer"
NTP_EPOCH_S = 2_208_988_800
"""From 1900, where NTP begins, to 1970; a multiple of 64 s, so abs-send-time needs no correction."""
_RECEIVER = ("codecs", "decoder_queue", "rtcp_ssrc", "remote_streams", "rtx_ssrc")
_SENDER = (
    "rtp_started",
    "rtp_exited",
    "rtp_header_extensions_map",
    "rtx_payload_type",
    "mid",
    "rtt",
    "ntp_timestamp",
    "rtp_timestamp",
    "packet_count",
    "octet_count",
)

OnPacket = Callable[[Packet], None]
OnFrame = Callable[[bytes, int], None]
"""(an encoded frame, its RTP timestamp)"""


def check_version() -> None:
    """SystemExit that names the version expected and found."""
    found = version("aiortc")
    if found != EXPECTED:
        raise SystemExit(f"laptop: aiortc {EXPECTED} is needed, {found} was found; install the locked versions.")


def check_names() -> None:
    """SystemExit that names each private name that is missing. Needs a running event loop."""
    transceiver = RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("video")
    receiver, sender = transceiver.receiver, transceiver.sender
    missing = [f"RTCRtpReceiver.__{n}" for n in _RECEIVER if not hasattr(receiver, f"_RTCRtpReceiver__{n}")]
    missing += [f"RTCRtpSender.__{n}" for n in _SENDER if not hasattr(sender, f"_RTCRtpSender__{n}")]
    ice = receiver.transport.transport
    for owner, names in (
        (receiver, ("_send_rtcp", "_send_rtcp_pli", "_send_rtcp_nack", "_handle_rtcp_packet")),
        (sender, ("_run_rtp", "_retransmit", "_send_keyframe", "_ssrc", "_rtx_ssrc", "_handle_rtcp_packet")),
        (sender, ("_stream_id", "_track_id")),
        (transceiver, ("_codecs", "_headerExtensions")),
        (receiver.transport, ("_state", "_rx_srtp", "_tx_srtp", "_rtp_router", "_handle_rtcp_data")),
        (ice, ("_connection",)),
        (getattr(ice, "_connection", None), ("data_received", "_nominated")),
        (aioice.ice, ("get_host_addresses",)),
        (aioice.ice.StunProtocol, ("datagram_received",)),
    ):
        missing += [f"{type(owner).__name__}.{name}" for name in names if not hasattr(owner, name)]
    if missing:
        raise SystemExit(f"laptop: aiortc {EXPECTED} lacks {', '.join(missing)}; install the locked versions.")


_address: ContextVar[str] = ContextVar("address", default="")
_addresses = {Side.ROOM: "", Side.FAMILY: ""}
_all_addresses = aioice.ice.get_host_addresses


def use_interfaces(room: str, family: str) -> None:
    """From now on a leg's host candidates are its side's address of this machine; empty: all of them but loopback."""

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        chosen = _address.get()
        return [chosen] if chosen else _all_addresses(use_ipv4, use_ipv6)

    _addresses.update({Side.ROOM: room, Side.FAMILY: family})
    aioice.ice.get_host_addresses = addresses


def gather_for(side: Side) -> None:
    """What this task, and those that it starts, gather from here on is for a leg of this side."""
    _address.set(_addresses[side])


def take_rtp_past_stun() -> None:
    """From now on what is RTP by its first byte (RFC 7983) is not first tried as a STUN message, and whatever else a
    stranger sends to the port ends nothing: an empty datagram closed aiortc's connection."""
    before = aioice.ice.StunProtocol.datagram_received

    def datagram_received(self: Any, data: Any, addr: Any) -> None:
        if not data:
            return
        if 127 < data[0] < 192:
            self.receiver.data_received(data, self.local_candidate.component)
            return
        try:
            before(self, data, addr)
        except Exception as error:
            log.warning("a datagram was not understood", error=repr(error)[:200])

    aioice.ice.StunProtocol.datagram_received = datagram_received


class Pipe:
    """A connection's way in and out for RTP. `on_packet` gets each packet, decrypted; what it raises is counted and
    goes no further. Made when offer and answer are both set, before the connection is up."""

    def __init__(self, receiver: RTCRtpReceiver, on_packet: OnPacket) -> None:
        self.errors = 0
        self._dtls: Any = receiver.transport
        self._ice: Any = self._dtls.transport._connection
        self._on_packet = on_packet
        self._handle_rtcp = self._dtls._handle_rtcp_data
        self._dtls._handle_rtcp_data = self._take_rtcp
        self._others = self._ice.data_received
        self._ice.data_received = self._data_received
        self._pair: Any = None
        self._address: tuple[str, int] = ("", 0)

    def _data_received(self, data: bytes, component: int) -> None:
        if data and 127 < data[0] < 192 and not is_rtcp(data) and self._dtls._rx_srtp is not None:
            try:
                self._take(data)
            except Exception:
                self.errors += 1
        else:
            self._others(data, component)

    async def _take_rtcp(self, data: bytes) -> None:
        """What aiortc's reader stumbles over would close the connection."""
        try:
            await self._handle_rtcp(data)
        except Exception:
            pass

    def _take(self, data: bytes) -> None:
        try:
            packet = rtp.parse(self._dtls._rx_srtp.unprotect(data))
        except (pylibsrtp.Error, ValueError):
            return
        if packet is not None:
            self._on_packet(packet)

    def send(self, packet: bytes) -> None:
        """Encrypts and sends at once. ConnectionError when the connection is not open (any more)."""
        pair = self._ice._nominated.get(1)
        if self._dtls._state is not State.CONNECTED or pair is None or pair.protocol.transport.is_closing():
            raise ConnectionError("not connected")
        if pair is not self._pair:
            self._pair, self._address = pair, pair.remote_addr
        pair.protocol.transport.sendto(self._dtls._tx_srtp.protect(packet), self._address)


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
        self._tasks: set[asyncio.Task[None]] = set()
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
            self._later(self._receiver._send_rtcp_nack(self.ssrc, assembly.nack))
        if assembly.lost:
            self.ask_for_key_frame()
        for data, timestamp in frames:
            self._on_frame(data, timestamp)

    def ask_for_key_frame(self, at_once: bool = False) -> None:
        """At most three times a second, whoever asks; `at_once` for an order, which can't wait."""
        now = time.monotonic()
        if self.ssrc and (at_once or now - self._asked_at >= KEY_FRAME_EACH_S):
            self._asked_at = now
            self._later(self._receiver._send_rtcp_pli(self.ssrc))

    async def tell_bandwidth(self, bits_per_s: int) -> None:
        own = self._receiver._RTCRtpReceiver__rtcp_ssrc
        if self.ssrc and own is not None:
            fci = pack_remb_fci(bits_per_s, [self.ssrc])
            await self._receiver._send_rtcp(RtcpPsfbPacket(fmt=REMB, ssrc=own, media_ssrc=0, fci=fci))

    def counts(self) -> tuple[int, int, float]:
        """(packets expected, packets received, jitter in ms) of the present source so far."""
        stream = self._statistics
        if stream is None or stream.max_seq is None:
            return 0, 0, 0.0
        return stream.packets_expected, stream.packets_received, stream.jitter * 1000 / stream._clockrate

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Outlet:
    """One sender: sends what we made under its identity. Must be made before the connection starts; `pipe` is set when
    it is.

    `on_retransmit(sequence)` and `on_key_frame_wanted()` are called when the far peer asks. `loss` (0 to 1, of the last
    second or so) and `remb` (bits/s for all that this peer gets) are the far peer's newest reports; None: none came.
    """

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        on_retransmit: Callable[[int], Awaitable[None]],
        on_key_frame_wanted: Callable[[], None],
    ) -> None:
        self.pipe: Pipe | None = None
        self._transceiver: Any = transceiver
        self._sender: Any = transceiver.sender
        self._sender._run_rtp = self._rest
        self._sender._retransmit = on_retransmit
        self._sender._send_keyframe = on_key_frame_wanted
        self._handle_rtcp = self._sender._handle_rtcp_packet
        self._sender._handle_rtcp_packet = self._take_rtcp
        self.loss: float | None = None
        self.remb: int | None = None
        self.report: tuple[int, int] | None = None
        """What the sender's own reports (RTCP SR) are to say of its clock: (NTP, RTP timestamp); None: when the newest
        packet was sent."""
        self._rtx_sequence = 1
        self._identity: tuple[int, int] | None = None
        """(payload type, SSRC)"""
        self._extensions = b""
        self._send_time_at = 0
        """Where abs-send-time stands in the extensions; 0: it was not agreed."""

    def name(self, leg: str) -> None:
        """Whose media it carries: its msid in the answer, `family-2 family-2-video`."""
        self._sender._stream_id, self._sender._track_id = leg, f"{leg}-{self._sender.kind}"

    async def _take_rtcp(self, packet: Any) -> None:
        if isinstance(packet, (RtcpRrPacket, RtcpSrPacket)):
            for report in packet.reports:
                if report.ssrc == self._sender._ssrc:
                    self.loss = report.fraction_lost / 256
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == REMB:
            try:
                self.remb = unpack_remb_fci(packet.fci)[0]
            except ValueError:
                return
        await self._handle_rtcp(packet)

    async def _rest(self, _codec: Any) -> None:
        sender: Any = self._sender
        sender._RTCRtpSender__rtp_started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        sender._RTCRtpSender__rtp_exited.set()

    @property
    def round_trip_s(self) -> float | None:
        return self._sender._RTCRtpSender__rtt

    def send(self, marker: bool, sequence: int, timestamp: int, payload: bytes) -> bytes:
        """Sends a packet and returns it as it was before encryption. ConnectionError when the connection is not open;
        ValueError for one that is too long."""
        pipe = self.pipe
        if pipe is None:
            raise ConnectionError("not connected")
        payload_type, ssrc = self._identity or self._agree()
        now_s = time.time()
        packet = rtp.build(payload_type, marker, sequence, timestamp, ssrc, self._extensions_at(now_s), payload)
        pipe.send(packet)
        sender: Any = self._sender
        report = self.report
        if report is None:
            sender._RTCRtpSender__ntp_timestamp = int((now_s + NTP_EPOCH_S) * 2**32)
            sender._RTCRtpSender__rtp_timestamp = timestamp
        else:
            sender._RTCRtpSender__ntp_timestamp, sender._RTCRtpSender__rtp_timestamp = report
        sender._RTCRtpSender__packet_count += 1
        sender._RTCRtpSender__octet_count += len(payload)
        return packet

    def send_again(self, packet: bytes) -> None:
        """A packet that `send` returned, as a retransmission."""
        assert self.pipe is not None
        rtx = self._sender._RTCRtpSender__rtx_payload_type
        if rtx is not None:
            packet = rtp.wrapped_rtx(packet, rtx, self._rtx_sequence, self._sender._rtx_ssrc)
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        self.pipe.send(packet)

    def _agree(self) -> tuple[int, int]:
        """What both ends have agreed on: payload type, extensions. ConnectionError before the connection is open."""
        if not self._sender._RTCRtpSender__rtp_started.is_set():
            raise ConnectionError("not connected")
        self._extensions, self._send_time_at = b"", 0
        blank, marked = self._packed(0), self._packed(0xFFFFFF)
        if blank:
            self._extensions = rtp.ONE_BYTE_EXTENSIONS.to_bytes(2, "big") + (len(blank) // 4).to_bytes(2, "big") + blank
            first = next((i for i, (a, b) in enumerate(zip(blank, marked, strict=True)) if a != b), None)
            self._send_time_at = 0 if first is None else first + 4
        self._identity = self._transceiver._codecs[0].payloadType, self._sender._ssrc
        return self._identity

    def _packed(self, send_time: int) -> bytes:
        values = HeaderExtensions(mid=self._sender._RTCRtpSender__mid)
        if self._sender.kind == "video":
            values.abs_send_time = send_time
        profile, packed = self._sender._RTCRtpSender__rtp_header_extensions_map.set(values)
        return packed if profile == rtp.ONE_BYTE_EXTENSIONS else b""

    def _extensions_at(self, now_s: float) -> bytes:
        at = self._send_time_at
        if not at:
            return self._extensions
        send_time = (int(now_s * 2**18) & 0xFFFFFF).to_bytes(3, "big")
        return self._extensions[:at] + send_time + self._extensions[at + 3 :]
