"""The link to the server as an officer sees it."""

from collections import deque
from dataclasses import dataclass, field

from .ages import LINK_LOST_S, clock, short

BACK_SHOWN_S = 5.0


@dataclass
class LinkState:
    """Times are the console's monotonic clock, s."""

    started_s: float
    heard_s: float | None = None
    """When the last frame came."""
    round_trips_ms: deque[float] = field(default_factory=lambda: deque[float](maxlen=5))
    why: str = ""
    """Why there is no connection, in words."""
    lost_since_s: float | None = None
    back_s: float = -1e9
    away_s: float = 0.0
    """How long the last loss took."""
    _offsets: deque[tuple[float, float]] = field(default_factory=lambda: deque[tuple[float, float]](maxlen=8))
    """(round trip ms, server's clock less ours ms)."""
    _offset_ms: float | None = None
    """The offset of the quickest one, which is the best; None before there is one."""

    @property
    def ever_heard(self) -> bool:
        return self.heard_s is not None

    def heard(self, now_s: float) -> None:
        if self.lost_since_s is not None:
            self.back_s, self.away_s = now_s, now_s - self.lost_since_s
            self.lost_since_s = None
        self.heard_s, self.why = now_s, ""

    def look(self, now_s: float) -> bool:
        """Notes a loss; True when the link has just been lost."""
        if self.lost_since_s is None and self.heard_s is not None and now_s - self.heard_s > LINK_LOST_S:
            self.lost_since_s = self.heard_s
            return True
        return False

    @property
    def lost(self) -> bool:
        return self.lost_since_s is not None

    @property
    def usable(self) -> bool:
        """True when an act can be sent."""
        return self.ever_heard and not self.lost

    def silent_s(self, now_s: float) -> float:
        return now_s - (self.heard_s if self.heard_s is not None else self.started_s)

    def time_reply(self, sent_ms: float, server_ms: int, now_ms: float) -> None:
        took = now_ms - sent_ms
        self.round_trips_ms.append(took)
        self._note_offset(took, server_ms - (sent_ms + took / 2))

    def server_said(self, server_ms: int, now_ms: float) -> None:
        """A frame with the server's time, before any probe was answered."""
        if not self._offsets:
            self._note_offset(1000.0, server_ms - now_ms)

    def _note_offset(self, took_ms: float, offset_ms: float) -> None:
        self._offsets.append((took_ms, offset_ms))
        self._offset_ms = min(self._offsets)[1]

    def server_ms(self, now_s: float) -> int:
        """The server's time, UTC ms; 0 before the server has said it."""
        return 0 if self._offset_ms is None else round(now_s * 1000 + self._offset_ms)

    def clock(self, now_s: float) -> str:
        """The server's time of day, as every header has it."""
        server_ms = self.server_ms(now_s)
        return clock(server_ms) if server_ms else "--:--:--"

    def words(self, now_s: float) -> str:
        if not self.ever_heard:
            return f"connecting {short(self.silent_s(now_s))}" + (f" · {self.why}" if self.why else "")
        if self.lost:
            return f"■ LINK LOST {int(self.silent_s(now_s))} s. Pictures are old."
        if now_s - self.back_s < BACK_SHOWN_S:
            return f"Link ● Back after {self.away_s:.0f} s"
        took = f" {max(0.0, min(self.round_trips_ms)):3.0f} ms" if self.round_trips_ms else ""
        return f"Link ● OK{took}"
