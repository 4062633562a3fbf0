"""Whole VP8 frames from RTP packets, and what is missing of them: RFC 7741 for the payload, RFC 4585 for NACK and PLI.

A frame is handed on with its last packet. After a loss that was not made good, nothing is handed on until a key frame:
what rests on a frame that never came can't be decoded. With temporal layers it goes on at the next frame of the base
layer, if none of that layer is missing. So do browsers: what is left out here is shown by none of them either.
"""

from collections.abc import Iterator

from .rtp import Packet
from .vp8 import begins_frame, data_start, follows_in_base_layer, is_key_frame, numbers

WAITING_MAX = 512
"""Packets behind a gap, and packets of one frame: more is given up."""
GIVEN_UP_S = 0.5
"""How long a gap may last: a retransmission comes after a round trip. Of a higher layer a browser sends none when that
takes longer than until its next frame."""
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
        self._waiting: dict[int, tuple[Packet, float]] = {}
        """Behind a gap, by sequence number, in the order in which they came; and when."""
        self._asked_at = NEVER
        self._parts: list[bytes] = []
        self._timestamp = 0
        self._base_of_parts: int | None = None
        self._needs_key = True
        self._base: int | None = None
        """The number of the base layer's frame that the newest frame rests on; None: it has none, or what follows can't
        rest on it."""

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
        self._waiting.setdefault(packet.sequence_number, (packet, now))
        frames = tuple(self._in_order())
        if self._waiting:
            while self._gave_up_gap(now):
                frames = (*frames, *self._in_order())
        return frames

    def _in_order(self) -> Iterator[tuple[bytes, int]]:
        assert self._next is not None
        while (found := self._waiting.pop(self._next, None)) is not None:
            self._next, self._asked_at = (self._next + 1) & 0xFFFF, NEVER
            frame = self._take(found[0])
            if frame is not None:
                yield frame

    def _gave_up_gap(self, now: float) -> bool:
        """Asks for what is missing before all that waits; True when that has lasted too long and it goes on."""
        if not self._waiting:
            return False
        assert self._next is not None
        _, first_came_at = next(iter(self._waiting.values()))
        behind = {(sequence - self._next) & 0xFFFF: sequence for sequence in self._waiting}
        if now - first_came_at > GIVEN_UP_S:
            in_order = [behind[step] for step in sorted(behind)]
            follows = self._base_layer_goes_on(in_order)
            if follows is None:
                self._begin_anew(in_order[0])
            else:
                self._leave_out_before(follows)
            return True
        if now - self._asked_at >= NACK_AGAIN_S:
            self._asked_at = now
            steps = ((self._next + step) & 0xFFFF for step in range(max(behind)))
            self.nack = [sequence for sequence in steps if sequence not in self._waiting][:NACK_MAX]
        return False

    def _base_layer_goes_on(self, sequences: list[int]) -> int | None:
        """Where, of these in their order, if nothing of it was lost."""
        if self._base is None:
            return None
        for sequence in sequences:
            if follows_in_base_layer(self._waiting[sequence][0].payload, self._base):
                return sequence
        return None

    def _begin_anew(self, sequence: int) -> None:
        """What is missing before this number does not come any more."""
        self._leave_out_before(sequence)
        self._give_up()

    def _leave_out_before(self, sequence: int) -> None:
        self._waiting = {s: waiting for s, waiting in self._waiting.items() if (s - sequence) & 0xFFFF < 0x8000}
        self._next, self._asked_at = sequence, NEVER
        self._parts.clear()

    def _give_up(self) -> None:
        self._parts.clear()
        self._base = None
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
                self._give_up()
                return None
            if self._needs_key and not is_key_frame(payload, start):
                self.lost = True
                return None
            self._needs_key = False
            self._timestamp, self._base_of_parts = packet.timestamp, numbers(payload).base_layer
        self._parts.append(payload[start:])
        if packet.marker:
            frame = b"".join(self._parts)
            self._parts.clear()
            self._base = self._base_of_parts
            return frame, self._timestamp
        if len(self._parts) > WAITING_MAX:
            self._give_up()
        return None
