"""What a device may upload: past its bit rate packets are left out, and what goes too far for too long is a breach."""

BITS_PER_S = 4_000_000
"""Twice what a device is ever told that it may send (laptop/rules/bandwidth.py), with its sound: bursts of key frames
and of retransmissions fit in; ten times the rate does not."""
BURST_BYTES = BITS_PER_S // 8
"""A second of it."""
TOO_LONG_S = 3.0
PIXELS_MAX = 1280 * 720
"""The pages send 640 x 360. Other browsers may choose more for a while; what is larger costs every receiver a core."""


class Upload:
    """Of one connection. Times are CLOCK_MONOTONIC, s."""

    def __init__(self, now: float) -> None:
        self.dropped = 0
        """Packets that were left out."""
        self.breach = ""
        """Why this connection may not go on, in words; empty while it may."""
        self._left, self._at = float(BURST_BYTES), now
        self._too_much_since: float | None = None

    def takes(self, octets: int) -> bool:
        """Counts a packet; False: it is to be left out."""
        self._left -= octets
        if self._left >= 0:
            return True
        self.dropped += 1
        return False

    def look(self, now: float) -> None:
        """To be called some times a second."""
        used_up = self._left < 0
        self._left = min(BURST_BYTES, max(self._left, 0.0) + (now - self._at) * BITS_PER_S / 8)
        self._at = now
        if not used_up:
            if self._left > BURST_BYTES / 2:
                self._too_much_since = None
        elif self._too_much_since is None:
            self._too_much_since = now
        elif now - self._too_much_since > TOO_LONG_S:
            self._breached(f"it sends more than {BITS_PER_S // 1_000_000} Mbit/s")

    def picture(self, width: int, height: int) -> None:
        """A key frame says how large the picture is."""
        if width * height > PIXELS_MAX:
            self._breached(f"its picture of {width} x {height} is larger than can be carried")

    def _breached(self, words: str) -> None:
        self.breach = self.breach or words
