"""What one sender sends: what we made, under its identity; and what the far peer asks and reports."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import RTCRtpTransceiver
from aiortc.rtp import (
    RTCP_PSFB_APP,
    HeaderExtensions,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from .. import rtp
from .pipe import Pipe

NTP_EPOCH_S = 2_208_988_800
"""From 1900, where NTP begins, to 1970; a multiple of 64 s, so abs-send-time needs no correction."""


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
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
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
