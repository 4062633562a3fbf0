"""Every private name of aiortc and aioice that the agent uses, in one place, checked at the start.

What is done with them, and why no public way exists (aiortc 1.16):
- a receiver's packets are seen before its jitter buffer, so that they can be forwarded as they come;
- whole encoded frames are taken where aiortc would decode them;
- a sender sends our packets under its own SSRC, answers NACK from our history, passes key frame requests on, and its
  own loop (which polls 50 times a second without a track) rests;
- host candidates come from the address that we choose (aioice leaves 127.0.0.1 out).
"""

import asyncio
import queue
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver, clock
from aiortc.codecs import is_rtx
from aiortc.rtp import RtcpPsfbPacket, RtpPacket, pack_remb_fci, unwrap_rtx, wrap_rtx

EXPECTED = "1.16.0"
REMB = 15  # RTCP payload-specific feedback format "application layer"
_RECEIVER = ("codecs", "decoder_queue", "rtcp_ssrc", "remote_streams", "remote_bitrate_estimator", "rtx_ssrc")
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

OnPacket = Callable[[RtpPacket], Awaitable[None]]
OnFrame = Callable[[Any], None]


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
    for owner, names in (
        (receiver, ("_handle_rtp_packet", "_send_rtcp", "_send_rtcp_pli")),
        (sender, ("_run_rtp", "_retransmit", "_send_keyframe", "_ssrc", "_rtx_ssrc")),
        (transceiver, ("_codecs",)),
        (receiver.transport, ("_send_rtp",)),
        (aioice.ice, ("get_host_addresses",)),
    ):
        missing += [f"{type(owner).__name__}.{name}" for name in names if not hasattr(owner, name)]
    if missing:
        raise SystemExit(f"laptop: aiortc {EXPECTED} lacks {', '.join(missing)}; install the locked versions.")


def use_interface(address: str) -> None:
    """From now on all host candidates are this address."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]


class _FrameTap(queue.Queue[Any]):
    """Stands where a receiver puts encoded frames for its decoder thread: they come to us, on the event loop."""

    def __init__(self, on_frame: OnFrame) -> None:
        super().__init__()
        self._on_frame = on_frame

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is None:  # the receiver stops, and with it its thread
            super().put(None)
        else:
            self._on_frame(item[1])


class Inlet:
    """One receiver: `on_packet` gets each RTP packet of its source (retransmissions unwrapped), `on_frame` each
    encoded frame. Must be made before the connection starts. What they raise is counted, and goes no further: an
    exception in a tap would stop the receive pump."""

    def __init__(self, receiver: RTCRtpReceiver, on_packet: OnPacket, on_frame: OnFrame | None) -> None:
        self.errors = 0
        self.ssrc = 0
        self._receiver: Any = receiver
        self._on_packet = on_packet
        self._before = self._receiver._handle_rtp_packet
        self._receiver._handle_rtp_packet = self._handle
        # Our own REMB is sent instead (see `tell_bandwidth`); aiortc's ramp takes half a minute.
        self._receiver._RTCRtpReceiver__remote_bitrate_estimator = None
        self._receiver._RTCRtpReceiver__decoder_queue = _FrameTap(self._guarded(on_frame) if on_frame else _nothing)

    def _guarded(self, tap: OnFrame) -> OnFrame:
        def guarded(frame: Any) -> None:
            try:
                tap(frame)
            except Exception:
                self.errors += 1

        return guarded

    async def _handle(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        try:
            original = self._original(packet)
            if original is not None:
                await self._on_packet(original)
        except Exception:
            self.errors += 1
        await self._before(packet, arrival_time_ms=arrival_time_ms)

    def _original(self, packet: RtpPacket) -> RtpPacket | None:
        codec = self._receiver._RTCRtpReceiver__codecs.get(packet.payload_type)
        if codec is None:
            return None
        if not is_rtx(codec):
            self.ssrc = packet.ssrc
            return packet
        ssrc = self._receiver._RTCRtpReceiver__rtx_ssrc.get(packet.ssrc)
        if ssrc is None or len(packet.payload) < 3:
            return None
        return unwrap_rtx(packet, payload_type=codec.parameters["apt"], ssrc=ssrc)

    async def ask_for_key_frame(self) -> None:
        if self.ssrc:
            await self._receiver._send_rtcp_pli(self.ssrc)

    async def tell_bandwidth(self, bits_per_s: int) -> None:
        own = self._receiver._RTCRtpReceiver__rtcp_ssrc
        if self.ssrc and own is not None:
            fci = pack_remb_fci(bits_per_s, [self.ssrc])
            await self._receiver._send_rtcp(RtcpPsfbPacket(fmt=REMB, ssrc=own, media_ssrc=0, fci=fci))

    def counts(self) -> tuple[int, int, float]:
        """(packets expected, packets received, jitter in ms) of the present source so far."""
        stream = self._receiver._RTCRtpReceiver__remote_streams.get(self.ssrc)
        if stream is None or stream.max_seq is None:
            return 0, 0, 0.0
        return stream.packets_expected, stream.packets_received, stream.jitter * 1000 / stream._clockrate


class Outlet:
    """One sender: sends packets that we made under its identity. Must be made before the connection starts.

    `on_retransmit(sequence)` and `on_key_frame_wanted()` are called when the far peer asks.
    """

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        on_retransmit: Callable[[int], Awaitable[None]],
        on_key_frame_wanted: Callable[[], None],
    ) -> None:
        self._transceiver: Any = transceiver
        self._sender: Any = transceiver.sender
        self._sender._run_rtp = self._rest
        self._sender._retransmit = on_retransmit
        self._sender._send_keyframe = on_key_frame_wanted
        self._rtx_sequence = 1

    async def _rest(self, _codec: Any) -> None:
        sender: Any = self._sender
        sender._RTCRtpSender__rtp_started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        sender._RTCRtpSender__rtp_exited.set()

    @property
    def ssrc(self) -> int:
        return self._sender._ssrc

    @property
    def payload_type(self) -> int:
        return self._transceiver._codecs[0].payloadType

    @property
    def mid(self) -> str:
        return self._sender._RTCRtpSender__mid

    @property
    def round_trip_s(self) -> float | None:
        return self._sender._RTCRtpSender__rtt

    async def send(self, packet: RtpPacket, ntp_time: int) -> None:
        """ConnectionError when the connection is not open (any more)."""
        sender: Any = self._sender
        await sender.transport._send_rtp(packet.serialize(sender._RTCRtpSender__rtp_header_extensions_map))
        # The sender's own reports (RTCP SR) speak of our packets.
        sender._RTCRtpSender__ntp_timestamp = ntp_time
        sender._RTCRtpSender__rtp_timestamp = packet.timestamp
        sender._RTCRtpSender__packet_count += 1
        sender._RTCRtpSender__octet_count += len(packet.payload)

    async def send_again(self, packet: RtpPacket) -> None:
        sender: Any = self._sender
        rtx = sender._RTCRtpSender__rtx_payload_type
        if rtx is not None:
            packet = wrap_rtx(packet, payload_type=rtx, sequence_number=self._rtx_sequence, ssrc=sender._rtx_ssrc)
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        await sender.transport._send_rtp(packet.serialize(sender._RTCRtpSender__rtp_header_extensions_map))


def ntp_now() -> int:
    """The present moment as in RTCP sender reports."""
    return clock.current_ntp_time()


def _nothing(_frame: Any) -> None:
    pass
