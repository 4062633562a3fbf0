"""One connection of a call: the room's browser or a family device. It sends one sound and one picture (Opus, VP8), and
has a slot for each other leg."""

import time
from collections.abc import Callable

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from schemas.health import NEVER_MS
from schemas.media import LegHealth, side_of

from ..rules.upload import Upload
from . import offer
from .aiortc_internals.addresses import gather_for
from .aiortc_internals.inlet import Inlet
from .aiortc_internals.pipe import Pipe
from .forward import Forward
from .offer import OfferError
from .rtp import Packet, extension_element
from .vp8 import picture_size

LEGS = ("room", "family-1", "family-2", "family-3", "family-4")
SILENT_S = 2.0
"""A leg without media for so long counts as gone."""
PACKETS_TO_SAY = 20
KINDS = ("audio", "video")
_CONFIGURATION = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)


OnPacket = Callable[["Leg", str, Packet, float], None]
"""(leg, kind, packet, when it came: CLOCK_MONOTONIC, s)"""
OnFrame = Callable[["Leg", bytes, int, bool], None]
"""(leg, an encoded picture, its RTP timestamp, is it a key frame)"""


class Leg:
    """`answer` an offer; `slots` send the other legs' media to its peer; `on_packet` and `on_frame` get what it sends.

    `targets` are the other legs' slots that this leg's media go to, by kind; whoever joins the legs sets them.
    `may_flow()`: does the call carry anything now? `on_key_frame_wanted(source)`: this leg's peer needs a key frame of
    the leg of that name.
    """

    def __init__(
        self,
        name: str,
        *,
        on_packet: OnPacket,
        on_frame: OnFrame,
        may_flow: Callable[[], bool],
        on_key_frame_wanted: Callable[[str], None],
    ) -> None:
        self.name = name
        self.side = side_of(name)
        self.slots: dict[tuple[str, str], Forward] = {}
        """(the leg whose media it carries, kind) -> the way to this leg's peer."""
        self.targets: dict[str, tuple[Forward, ...]] = dict.fromkeys(KINDS, ())
        self.heard_at: float | None = None
        self.gone = False
        self.picture_size = (0, 0)
        self._on_packet, self._on_frame, self._may_flow = on_packet, on_frame, may_flow
        self._on_key_frame_wanted = on_key_frame_wanted
        self._connection = RTCPeerConnection(_CONFIGURATION)
        self._pipe: Pipe | None = None
        self._inlets: dict[str, Inlet] = {}
        self._inlet_of: dict[int, Inlet] = {}
        """By the payload types that have come."""
        self._clocks: dict[str, tuple[int, int]] = {}
        self._timestamps: dict[str, int] = {}
        self._upload = Upload(time.monotonic())
        self._bytes = self._frames = self._claim_id = 0
        self._measured_at = time.monotonic()
        self._counted: dict[str, tuple[int, int]] = {}
        self._counted_before = 0, 0
        self.flow_bits = 0.0
        """What its peer sends, bits/s, in the second before the last `health`."""

    async def answer(self, sdp: str) -> str:
        """The answer's SDP, with candidates. OfferError for what this agent doesn't carry."""
        offered = offer.read(sdp)
        others = {kind: iter(name for name in LEGS if name != self.name) for kind in KINDS}
        for kind in offered.kinds:
            transceiver = self._transceiver(kind)
            source = next(others[kind])
            self.slots[source, kind] = Forward(
                kind, source, self.name, transceiver, self._may_flow, self._on_key_frame_wanted
            )
        gather_for(self.side)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offered.sdp, "offer"))
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except Exception as error:  # aiortc raises whatever an offer that no browser makes leads it to
            raise OfferError(f"the offer can't be taken: {str(error)[:200]}") from error
        self._open_pipe()
        answer = self._connection.localDescription.sdp
        if "a=candidate:" not in answer:
            raise OfferError(f"the laptop has no network address that {self.side} connections may use")
        return offer.with_error_correction(answer)

    def _transceiver(self, kind: str) -> RTCRtpTransceiver:
        """The first of a kind carries both ways, the others only to the peer."""
        first = kind not in self._inlets
        transceiver = self._connection.addTransceiver(kind, direction="sendrecv" if first else "sendonly")
        offered = RTCRtpSender.getCapabilities(kind).codecs
        wanted = (offer.CODECS[kind], f"{kind}/rtx")
        transceiver.setCodecPreferences([codec for codec in offered if codec.mimeType in wanted])
        if first:
            on_frame = self._take_picture if kind == "video" else None
            self._inlets[kind] = Inlet(transceiver, self._packet_tap(kind), on_frame)
        return transceiver

    def _open_pipe(self) -> None:
        receivers = [transceiver.receiver for transceiver in self._connection.getTransceivers()]
        if len({id(receiver.transport) for receiver in receivers}) != 1:
            raise OfferError("sound and picture must share one connection (BUNDLE)")
        self._pipe = pipe = Pipe(receivers[0], self._take)
        for forward in self.slots.values():
            forward.use(pipe)

    def _take(self, packet: Packet) -> None:
        if not self._upload.takes(len(packet.payload)):
            return
        inlet = self._inlet_of.get(packet.payload_type)
        if inlet is None:
            inlet = next((one for one in self._inlets.values() if packet.payload_type in one.payload_types), None)
            if inlet is None:
                return
            self._inlet_of[packet.payload_type] = inlet
        inlet.take(packet)

    async def close(self) -> None:
        await self._connection.close()

    @property
    def connected(self) -> bool:
        """Connected, and media came within the last 2 s."""
        if self._connection.connectionState != "connected" or self.heard_at is None:
            return False
        return time.monotonic() - self.heard_at < SILENT_S

    @property
    def lost(self) -> str:
        """Why this leg is gone, once it was there; empty while it is there or has not come yet."""
        if self._connection.connectionState in ("failed", "closed"):
            return "the connection was closed"
        if self.heard_at is not None and time.monotonic() - self.heard_at >= SILENT_S:
            return f"no media for {SILENT_S:.0f} s"
        return ""

    @property
    def errors(self) -> int:
        """What was raised while one of its packets was dealt with; it went no further."""
        return self._pipe.errors if self._pipe is not None else 0

    def breach(self) -> str:
        """Why this connection may not go on, in words; empty while it may. To be asked some times a second."""
        self._upload.look(time.monotonic())
        return self._upload.breach

    def ask_for_key_frame(self, at_once: bool = False) -> None:
        """At most three times a second, whoever asks; `at_once` for an order, which can't wait."""
        if "video" in self._inlets:
            self._inlets["video"].ask_for_key_frame(at_once)

    def pass_clocks_on(self) -> None:
        """This peer's sender reports to whoever gets its media, once both kinds have one: else they would not fit."""
        clocks = self.reports()
        if len(clocks) < len(KINDS) or clocks == self._clocks:
            return
        self._clocks = clocks
        for kind, targets in self.targets.items():
            for forward in targets:
                forward.tell_clock(clocks[kind])

    def reports(self) -> dict[str, tuple[int, int]]:
        """Kind -> what its sender last reported of its clock: (NTP, 64 bits; RTP timestamp)."""
        return {kind: inlet.report for kind, inlet in self._inlets.items() if inlet.report is not None}

    async def tell_bandwidth(self, bits_per_s: int) -> None:
        if "video" in self._inlets:
            await self._inlets["video"].tell_bandwidth(bits_per_s)

    def receivers(self) -> list[str]:
        """The legs whose peers get this one's picture now."""
        return [forward.receiver for forward in self.targets["video"] if forward.open]

    def reported(self) -> tuple[float | None, float, float | None]:
        """Of one picture to this leg's peer, since the last call, a second ago: (largest loss, 0 to 1; most that went
        out, bits/s; what the peer says that it can take, bits/s). None: it has said nothing."""
        running = [forward for (_, kind), forward in self.slots.items() if kind == "video" and forward.runs]
        losses = [loss for forward in running if (loss := forward.take_loss()) is not None]
        flow = max((forward.take_flow_bits() for forward in running), default=0)
        total = max((forward.outlet.remb for forward in running if forward.outlet.remb is not None), default=None)
        return max(losses, default=None), flow, None if total is None else total / len(running)

    def lost_share(self) -> float | None:
        """Of the picture's packets that its peer sent since the last call, 0 to 1; None when too few came to say."""
        inlet = self._inlets.get("video")
        if inlet is None:
            return None
        expected, received, _ = inlet.counts()
        before, self._counted_before = self._counted_before, (expected, received)
        came = expected - before[0]
        return max(0.0, 1 - (received - before[1]) / came) if came >= PACKETS_TO_SAY else None

    @property
    def round_trip_s(self) -> float:
        """To its peer and back; 0 while it is not known."""
        return max((forward.outlet.round_trip_s or 0.0 for forward in self.slots.values()), default=0.0)

    def look_beyond(self, round_trip_s: float, sound_loss: float) -> None:
        """What its peer is told of the way beyond the agent: to the farthest source of what it gets, and the largest
        loss (0 to 1) at those who hear it."""
        for kind, inlet in self._inlets.items():
            inlet.beyond_s, inlet.beyond_loss = round_trip_s, sound_loss if kind == "audio" else 0.0

    def forget_clocks(self) -> None:
        """Others get its media from now on: they are told anew."""
        self._clocks = {}

    def unwrapped(self, kind: str, timestamp: int) -> int:
        """An RTP timestamp that has 32 bits as one that only grows (or steps back a little)."""
        last = self._timestamps.get(kind, timestamp)
        step = (timestamp - last + 2**31) % 2**32 - 2**31
        self._timestamps[kind] = last + step
        return last + step

    def claimed_dbov(self, packet: Packet) -> int | None:
        """The level that its peer says this packet of sound has (RFC 6464), 0 to 127 below the overload point."""
        if not packet.extension:
            return None
        if not self._claim_id:
            self._claim_id = self._inlets["audio"].claimed_level_id or -1
        said = extension_element(packet.extension, self._claim_id)
        return said[0] & 0x7F if said else None

    def health(self, admitted: bool, louder_db: int = 0) -> LegHealth:
        """Since the last call of this method; loss and jitter of what the peer sends, round trip from RTCP."""
        now = time.monotonic()
        took, self._measured_at = max(now - self._measured_at, 0.001), now
        expected = received = 0
        jitter_ms = 0.0
        for kind, inlet in self._inlets.items():
            packets, came, jitter = inlet.counts()
            before = self._counted.get(kind, (0, 0))
            self._counted[kind] = packets, came
            if packets >= before[0]:
                expected, received = expected + packets - before[0], received + came - before[1]
            jitter_ms = max(jitter_ms, jitter)
        lost = max(0, expected - received) * 1000 // expected if expected > 0 else 0
        frames, self._frames = self._frames, 0
        octets, self._bytes = self._bytes, 0
        self.flow_bits = octets * 8 / took
        age_ms = NEVER_MS if self.heard_at is None else round((now - self.heard_at) * 1000)
        return LegHealth(
            leg=self.name,
            connected=self.connected,
            media_age_ms=age_ms,
            lost_per_mille=min(1000, lost),
            jitter_ms=round(jitter_ms, 1),
            round_trip_ms=round(self.round_trip_s * 1000, 1),
            frames_per_s=round(frames / took, 1),
            kbit_per_s=round(octets * 8 / took / 1000, 1),
            admitted=admitted,
            louder_db=louder_db,
        )

    def _packet_tap(self, kind: str) -> Callable[[Packet], None]:
        def tap(packet: Packet) -> None:
            self.heard_at = now = time.monotonic()
            self._bytes += len(packet.payload)
            self._on_packet(self, kind, packet, now)

        return tap

    def _take_picture(self, data: bytes, timestamp: int) -> None:
        size = picture_size(data)
        if size is not None:
            self.picture_size = size
            self._upload.picture(*size)
        if self._upload.breach:
            return
        self._frames += 1
        self._on_frame(self, data, timestamp, size is not None)
