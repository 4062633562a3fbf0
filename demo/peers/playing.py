"""What one client sends: a clip's packets by a steady clock, with bursts and silences laid over its sound."""

import asyncio
import fractions
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from demo.peers.clip import PICTURES_PER_SECOND, SOUNDS_PER_SECOND, Clip
from demo.peers.prepared_sound import SILENT_PACKETS, PreparedSound

TOO_LATE_S = 0.5
"""A track that is this late leaves out what it missed; less is caught up, packet by packet."""
KEY_FRAME_PAUSE_S = 0.2
"""A key frame that was asked for again so soon after the last is the one that is on its way."""
BURSTS_WAITING_MAX = 16
PACKET_S = 1 / SOUNDS_PER_SECOND

SoundBegan = Callable[[int, float], None]
"""Called with a burst's number and the moment (CLOCK_MONOTONIC, s) at which its sound began."""


@dataclass
class _Burst:
    number: int
    starts_at: float
    """No packet of it is sent before; CLOCK_MONOTONIC, s."""
    position: int = 0


class Performance:
    """A client's place in its clip. It outlives a connection: the next one goes on where the clip is by then."""

    def __init__(self, clip: Clip, prepared: PreparedSound, offset_s: float, sound_began: SoundBegan) -> None:
        self.clip = clip
        self.sent = {"audio": 0, "video": 0}
        """Packets of the clip (pictures, 20 ms of sound) that were handed to a connection."""
        self.silent = False
        self._prepared, self._sound_began = prepared, sound_began
        self._began_at = time.monotonic() - offset_s % clip.seconds
        self._bursts: deque[_Burst] = deque()
        self._shown = -1
        """The last picture's place in the clip; -1: none yet."""
        self._leave_for: int | None = None
        """The place to show next in place of the clock's: the answer to a request for a key frame."""
        self._shift = 0
        self._last_key_at = 0.0

    def ticks(self, per_second: int) -> int:
        """How many packets of a stream have been due until now."""
        return int((time.monotonic() - self._began_at) * per_second)

    def due_in_s(self, tick: int, per_second: int) -> float:
        return self._began_at + tick / per_second - time.monotonic()

    def burst(self, number: int, at: float) -> bool:
        """Plays silence and a tone that begins at `at`, or as soon as there was enough silence before it.

        False when too many wait already.
        """
        if len(self._bursts) >= BURSTS_WAITING_MAX:
            return False
        self._bursts.append(_Burst(number, at - SILENT_PACKETS * PACKET_S))
        return True

    def sound(self, tick: int) -> bytes:
        """The Opus packet to send now."""
        now = time.monotonic()
        self.sent["audio"] += 1
        if self._bursts and self._bursts[0].starts_at <= now:
            burst = self._bursts[0]
            packet = self._prepared.burst[burst.position]
            if burst.position == SILENT_PACKETS:
                # The packet holds the 20 ms before it could be sent, as a microphone's would.
                self._sound_began(burst.number, now - PACKET_S)
            burst.position += 1
            if burst.position == len(self._prepared.burst):
                self._bursts.popleft()
            return packet
        return self._prepared.silence if self.silent else self.clip.sound[tick % len(self.clip.sound)]

    def ask_for_key_frame(self) -> None:
        """The other side can't decode: go to the nearest key frame, and back in step with the sound at the next."""
        now = time.monotonic()
        if now - self._last_key_at > KEY_FRAME_PAUSE_S:
            self._last_key_at = now
            self._leave_for = self.clip.nearest_key(max(self._shown, 0))

    def picture(self, tick: int) -> bytes:
        """The VP8 frame to send now."""
        length = len(self.clip.pictures)
        place = tick % length
        if self._leave_for is not None:
            self._shift = self._leave_for - place
            self._leave_for = None
        elif self._shift and self.clip.is_key(place):
            self._shift = 0
        elif self._shown < 0 or (place + self._shift) % length != (self._shown + 1) % length:
            # Pictures were left out; what follows could not be decoded from what was shown.
            self._shift = self.clip.nearest_key(place) - place
        self._shown = (place + self._shift) % length
        self.sent["video"] += 1
        return self.clip.pictures[self._shown]

    def new_connection(self) -> None:
        """Whoever decodes now has seen nothing yet: the next picture is a key frame."""
        self._shown = -1
        self._leave_for = None


class Track(MediaStreamTrack):
    """One stream of a performance, as aiortc wants it: packets that need no encoder."""

    def __init__(self, performance: Performance, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._per_second = PICTURES_PER_SECOND if kind == "video" else SOUNDS_PER_SECOND
        self._next = performance.picture if kind == "video" else performance.sound
        self._performance = performance
        self._time_base = fractions.Fraction(1, self._per_second)
        self._first = self._tick = performance.ticks(self._per_second) + 1

    async def recv(self) -> av.Packet:  # type: ignore[override]
        if self.readyState != "live":
            raise MediaStreamError
        wait_s = self._performance.due_in_s(self._tick, self._per_second)
        if wait_s < -TOO_LATE_S:
            self._tick = self._performance.ticks(self._per_second)
        await asyncio.sleep(max(0.0, wait_s))
        packet = av.Packet(self._next(self._tick))
        packet.pts = packet.dts = self._tick - self._first
        packet.time_base = self._time_base
        self._tick += 1
        return packet
