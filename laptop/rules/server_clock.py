"""The server's time on this laptop, from how long its answers took. What is recorded is dated by it, as flags are.

Times are seconds on CLOCK_BOOTTIME, unless they end in `_ms`: the server's clock, UTC.
"""

from collections import deque

KEPT = 16


class ServerClock:
    """`heard` on the event loop; `utc_ms` from any thread."""

    def __init__(self) -> None:
        self._heard: deque[tuple[float, float]] = deque(maxlen=KEPT)
        """(how long the answer took, s; the server's clock less ours, s): the quickest one is the best."""
        self._offset_s: float | None = None

    def heard(self, asked_at: float, now: float, server_ms: int) -> None:
        """An answer that the server dated; 0: it did not."""
        if server_ms <= 0 or now < asked_at:
            return
        self._heard.append((now - asked_at, server_ms / 1000 - (asked_at + now) / 2))
        self._offset_s = min(self._heard)[1]

    def utc_ms(self, at: float) -> int:
        """The server's time at a moment of ours; 0 while it is not known."""
        offset_s = self._offset_s
        return 0 if offset_s is None else round((at + offset_s) * 1000)
