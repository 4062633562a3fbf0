"""Whole VP8 frames from RTP packets, and what is missing of them: RFC 7741 for the payload, RFC 4585 for NACK and PLI.

A frame is handed on with its last packet. After a loss that was not made good, nothing is handed on until a key frame:
what rests on a frame that never came can't be decoded.
"""

from collections.abc import Iterator

from .rtp import Packet
from .vp8 import begins_frame, data_start, is_key_frame

WAITING_MAX = 512
"""Packets behind a gap, and packets of one frame: more is given up."""
GIVEN_UP_S = 0.5
"""How long a gap may last: a retransmission comes after a round trip."""
NACK_AGAIN_S = 0.1
NEVER = float("-inf")
NACK_MAX = 100
"""Packets that one request names at most."""


class Assembly:
    """`add` each packet of one source as it comes; then `nack` and `lost` say what to ask the sender for."""

    def __init__(self) -> None:
        self.nack: list[int] = []
        """Sequence numbers to ask for now."""
        self.lost = False
        """A key frame is needed."""
        self._next: int | None = None
        self._waiting: dict[int, Packet] = {}
        self._gap_since: float | None = None
        self._asked_at = 0.0
        self._parts: list[bytes] = []
        self._timestamp = 0
        self._needs_key = True

    def add(self, packet: Packet, now: float) -> tuple[tuple[bytes, int], ...]:
        """The frames that are whole now: (VP8 frame, RTP timestamp). `now`: CLOCK_MONOTONIC, s."""
        self.nack, self.lost = [], False
        if self._next is None:
            self._next = packet.sequence_number
        ahead = (packet.sequence_number - self._next) & 0xFFFF
        if not ahead and not self._waiting:
            self._next = (self._next + 1) & 0xFFFF
            frame = self._take(packet)
            return (frame,) if frame is not None else ()
        if ahead >= 0x8000:
            return ()  # late, or twice
        if ahead >= WAITING_MAX:
            self._begin_anew(packet.sequence_number)
        self._waiting[packet.sequence_number] = packet
        frames = tuple(self._in_order())
        if self._waiting:
            self._look_at_gap(now)
            return (*frames, *self._in_order())
        self._gap_since = None
        return frames

    def _in_order(self) -> Iterator[tuple[bytes, int]]:
        assert self._next is not None
        while (packet := self._waiting.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            self._gap_since = None
            frame = self._take(packet)
            if frame is not None:
                yield frame

    def _look_at_gap(self, now: float) -> None:
        """Asks for what is missing; gives it up when that has lasted too long."""
        assert self._next is not None
        if self._gap_since is None:
            self._gap_since, self._asked_at = now, NEVER
        if now - self._gap_since > GIVEN_UP_S:
            self._begin_anew(min(self._waiting, key=lambda sequence: (sequence - self._next) & 0xFFFF))  # type: ignore[operator]
        elif now - self._asked_at >= NACK_AGAIN_S:
            self._asked_at = now
            newest = max((sequence - self._next) & 0xFFFF for sequence in self._waiting)
            steps = ((self._next + step) & 0xFFFF for step in range(newest))
            self.nack = [sequence for sequence in steps if sequence not in self._waiting][:NACK_MAX]

    def _begin_anew(self, sequence: int) -> None:
        """What is missing before this number does not come any more."""
        self._waiting = {s: p for s, p in self._waiting.items() if (s - sequence) & 0xFFFF < 0x8000}
        self._next, self._gap_since = sequence, None
        self._give_up()

    def _give_up(self) -> None:
        self._parts.clear()
        self._needs_key = self.lost = True

    def _take(self, packet: Packet) -> tuple[bytes, int] | None:
        payload = packet.payload
        if not payload:
            return None  # padding
        start = data_start(payload)
        if start < 0:
            self._give_up()  # no VP8
            return None
        if self._parts and packet.timestamp != self._timestamp:
            self._give_up()  # its last packet had no mark: nobody knows whether it was whole
        if not self._parts:
            if not begins_frame(payload):
                self.lost = self._needs_key = True
                return None
            if self._needs_key and not is_key_frame(payload, start):
                self.lost = True
                return None
            self._needs_key = False
            self._timestamp = packet.timestamp
        self._parts.append(payload[start:])
        if packet.marker:
            frame = b"".join(self._parts)
            self._parts.clear()
            return frame, self._timestamp
        if len(self._parts) > WAITING_MAX:
            self._give_up()
        return None
