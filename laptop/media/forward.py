"""Forwards one kind of media from one leg to another, packet by packet, without decoding."""

import time
from collections.abc import Callable

from aiortc import RTCRtpTransceiver

from .aiortc_internals.outlet import Outlet
from .aiortc_internals.pipe import Pipe
from .rtp import CLOCK_RATE, Packet
from .vp8 import Numbers, begins_key_frame, numbers, renumbered

HISTORY = 512
"""Packets that can be sent again, a power of two."""


class Forward:
    """What leaves in one slot to one far peer: its own SSRC, an unbroken row of sequence numbers and of VP8's own
    numbers, timestamps in real time. `open` is looked at for each packet; after each pause it starts again with a key
    frame.

    `sent` counts RTP packets, retransmissions not included. `may_flow()`: does the call carry anything now?
    """

    def __init__(
        self,
        kind: str,
        source: str,
        receiver: str,
        transceiver: RTCRtpTransceiver,
        may_flow: Callable[[], bool],
        want_key_frame: Callable[[str], None],
    ) -> None:
        self.kind, self.source, self.receiver = kind, source, receiver
        self.open = False
        self.sent = 0
        self.outlet = Outlet(transceiver, self._send_again, self._key_frame_wanted)
        self.outlet.name(source)
        self._may_flow, self._want_key_frame = may_flow, want_key_frame
        self._history: list[tuple[int, bytes] | None] = [None] * HISTORY
        """(sequence number, packet before encryption)"""
        self._last_sequence = 0
        self._last_timestamp: int | None = None
        self._last_sent_at = 0.0
        self._last_payload = b""
        self._renumber_by: Numbers | None = None
        """None: this run's pictures are counted as their sender does."""
        self._running = False
        self._source_ssrc = self._first_sequence = self._sequence_offset = self._timestamp_offset = 0
        self._report: tuple[int, int] | None = None
        self._flow_octets = 0

    @property
    def runs(self) -> bool:
        """Something has been sent since it was last stopped."""
        return self._running

    def use(self, pipe: Pipe) -> None:
        """The connection's way out; until it is there, nothing can be sent."""
        self.outlet.pipe = pipe

    def stop(self) -> None:
        """Nothing flows for now: the next packet begins a new run, and what was sent is not sent again."""
        if self._running:
            self._running = False
            self._history = [None] * HISTORY

    def send(self, packet: Packet) -> None:
        """The caller has made sure that it may flow. Picture waits for a key frame to begin with."""
        if not packet.payload:
            return
        if not self._running or packet.ssrc != self._source_ssrc:
            if self.kind == "video" and not begins_key_frame(packet.payload):
                self._want_key_frame(self.source)
                return
            self._begin(packet)
        if (packet.sequence_number - self._first_sequence) & 0xFFFF > 0x8000:
            return  # late, from before the run
        sequence = (packet.sequence_number + self._sequence_offset) & 0xFFFF
        timestamp = (packet.timestamp + self._timestamp_offset) & 0xFFFFFFFF
        payload = packet.payload
        if self._renumber_by is not None:
            payload = renumbered(payload, self._renumber_by)
        if (sequence - self._last_sequence) & 0xFFFF < 0x8000:
            self._last_sequence, self._last_timestamp, self._last_payload = sequence, timestamp, payload
            self._last_sent_at = time.monotonic()
        try:
            sent = self.outlet.send(packet.marker, sequence, timestamp, payload)
        except (ConnectionError, ValueError):  # the far peer is not connected (any more), or the packet is too long
            return
        self.sent += 1
        if self.kind == "video":
            self._flow_octets += len(sent)
            self._history[sequence & (HISTORY - 1)] = sequence, sent

    def take_flow_bits(self) -> int:
        """What was sent since the last call."""
        octets, self._flow_octets = self._flow_octets, 0
        return octets * 8

    def take_loss(self) -> float | None:
        """What the far peer has reported since the last call, 0 to 1."""
        loss, self.outlet.loss = self.outlet.loss, None
        return loss

    def tell_clock(self, report: tuple[int, int] | None) -> None:
        """The source's sender report: the far peer's lip sync rests on the source's own clock. None: it has none."""
        self._report = report
        self._pass_clock_on()

    def _pass_clock_on(self) -> None:
        if self._report is None or not self._running:
            self.outlet.report = None
        else:
            self.outlet.report = self._report[0], (self._report[1] + self._timestamp_offset) & 0xFFFFFFFF

    def _begin(self, packet: Packet) -> None:
        """The row goes on where it stopped, and its clock as if it had run on."""
        self._running = True
        if packet.ssrc != self._source_ssrc:
            self._report = None
        self._source_ssrc, self._first_sequence = packet.ssrc, packet.sequence_number
        sequence = (self._last_sequence + 1) & 0xFFFF
        timestamp = packet.timestamp
        if self._last_timestamp is not None:
            rested = round((time.monotonic() - self._last_sent_at) * CLOCK_RATE[self.kind])
            timestamp = self._last_timestamp + max(rested, 1)
        self._sequence_offset = sequence - packet.sequence_number
        self._timestamp_offset = timestamp - packet.timestamp
        if self.kind == "video":
            self._renumber_by = self._row_of_pictures(packet.payload)
        self._pass_clock_on()

    def _row_of_pictures(self, payload: bytes) -> Numbers | None:
        """What to raise this run's own numbers by: a decoder takes what counts backwards for old, also a key frame."""
        if not self._last_payload:
            return None
        last, first = numbers(self._last_payload), numbers(payload)
        pairs = zip(last, first, strict=True)
        by = Numbers(*(0 if a is None or b is None else a + 1 - b for a, b in pairs))
        return by if any(by) else None

    async def _send_again(self, sequence: int) -> None:
        """The far peer's NACK."""
        kept = self._history[sequence & (HISTORY - 1)]
        if kept is not None and kept[0] == sequence and self.open and self._may_flow():
            try:
                self.outlet.send_again(kept[1])
            except (ConnectionError, ValueError):
                pass

    def _key_frame_wanted(self) -> None:
        if self.open and self._may_flow():
            self._want_key_frame(self.source)
