"""How many bytes may be under way to the terminal, so that what a key shows is never behind a queue of old pictures.

After each painting the terminal is asked where its cursor is; its answer tells that it has taken everything before
the question, and how long that took. As TCP's BBR does, the window is what the line delivers in its shortest round
trip, and a little more for a short queue. A terminal that never answers gets so many bytes a second and no more.
"""

from dataclasses import dataclass

QUEUE_S = 0.02
"""A standing queue of this length is allowed."""
LOST_S = 2.5
"""An answer that has not come by then is taken for lost."""
SILENT_S = 1.0
"""A terminal that has not answered the first question by then is taken for one that never does."""
FIRST_WINDOW, LEAST_WINDOW, MOST_WINDOW = 8_000, 900, 400_000
RESERVE = 1_500
"""Bytes that text and time may take beyond the window: an echo does not wait for a picture's acknowledgement."""
LEAST_ROOM, LEAST_SHARE = 500, 0.3
"""A painting of less than this, or of this share of the window, is not worth its own bytes."""
CAP_BYTES_S = 40_000
BURST_S = 0.3
"""What was not used of so long may be used at once."""
SLOW_BYTES_S = 500_000
FIRST_TRIP_S, TRIP_S = 1.0, 20.0
"""The shortest round trip is measured anew after so long, with a few bytes on an empty line: lines change. At first it
is after the shorter, then each time after twice as long: while a program starts, it answers late itself."""
FEW_BYTES = 1_500
_RATE_S = 3.0
"""The fastest delivery of so long, and at most twice as long, counts."""


@dataclass(frozen=True)
class _Asked:
    at_s: float
    sent: int
    """All bytes written before it."""
    acknowledged: int
    since_s: float
    """When `acknowledged` was so, or the question itself when nothing else was under way."""


class _Fastest:
    """The greatest of the values of the last while, in two halves of _RATE_S each."""

    def __init__(self, now_s: float) -> None:
        self._until_s = now_s + _RATE_S
        self._before: float | None = None
        self._now: float | None = None

    @property
    def value(self) -> float | None:
        return max((value for value in (self._before, self._now) if value is not None), default=None)

    def add(self, value: float, now_s: float) -> None:
        if now_s > self._until_s and self._now is not None:
            self._before, self._now, self._until_s = self._now, None, now_s + _RATE_S
        self._now = value if self._now is None else max(self._now, value)

    def scale(self, by: float) -> None:
        self._before = None if self._before is None else self._before * by
        self._now = None if self._now is None else self._now * by


class Pace:
    """Times are of one monotonic clock, s. `answers`: None until it is known whether the terminal does.

    `limit_bytes_s`: what may go out in any case, where the answers do not come from the end of the line; None: no more
    than the answers allow.
    """

    def __init__(self, now_s: float, limit_bytes_s: float | None = None) -> None:
        self.limit_bytes_s = limit_bytes_s
        self.answers: bool | None = None
        self.round_trip_s = 0.0
        self._least_s: float | None = None
        self._measure_s, self._trip_s = now_s, FIRST_TRIP_S
        self._rate = _Fastest(now_s)
        self._sent = self._acknowledged = 0
        self._acknowledged_s = now_s
        self._asked: list[_Asked] = []
        self._first_asked_s: float | None = None
        self._allowance, self._allowed_s = 0.0, now_s

    @property
    def window(self) -> float:
        """Bytes that may be under way."""
        rate = self._rate.value
        if rate is None or self._least_s is None:
            return FIRST_WINDOW
        return min(MOST_WINDOW, max(LEAST_WINDOW, rate * (self._least_s + QUEUE_S)))

    @property
    def bytes_per_s(self) -> float | None:
        """What the line delivers at least; None until something was delivered."""
        if self.limit_bytes_s is None:
            return CAP_BYTES_S if self.answers is False else self._rate.value
        return min(self.limit_bytes_s, self._rate.value or self.limit_bytes_s)

    @property
    def under_way(self) -> int:
        """Bytes that the terminal has not acknowledged."""
        return self._sent - self._acknowledged

    @property
    def waiting(self) -> bool:
        """A question is under way."""
        return bool(self._asked)

    @property
    def slow(self) -> bool:
        """A whole screen is more than this line takes at once."""
        rate = self.bytes_per_s
        return rate is not None and rate < SLOW_BYTES_S

    def room(self, now_s: float, urgent: bool = False) -> int:
        """Bytes that may go out now; 0 while so few may that they are not worth a painting of their own.

        `urgent`: a few go out beyond the window, because a key's echo waits for no acknowledgement.
        """
        limit = self.limit_bytes_s or (CAP_BYTES_S if self.answers is False else None)
        if limit is not None:
            self._allowance = min(limit * BURST_S, self._allowance + (now_s - self._allowed_s) * limit)
            self._allowed_s = now_s
        if self.answers is False:
            room, least = self._allowance, LEAST_ROOM
        elif now_s >= self._measure_s and self.answers:
            room, least = 0 if self.under_way else LEAST_ROOM, LEAST_ROOM
        else:
            room = self.window - self.under_way
            least = max(LEAST_ROOM, self.window * LEAST_SHARE)
            if limit is not None:
                room, least = min(room, self._allowance), min(least, max(LEAST_ROOM, limit * BURST_S * LEAST_SHARE))
        if room >= least:
            # In halves, so that the line is not empty while the first half's answer is on its way.
            return int(min(room, max(least, self.window / 2)))
        return RESERVE if urgent and room > -2 * RESERVE else 0

    def sent(self, size: int) -> None:
        self._sent += size
        self._allowance -= size

    def asked(self, now_s: float) -> None:
        """A question has been written; what was sent before is acknowledged by its answer."""
        idle = not self._asked
        since_s = now_s if idle else self._acknowledged_s
        self._asked.append(_Asked(now_s, self._sent, self._acknowledged, since_s))
        if self._first_asked_s is None:
            self._first_asked_s = now_s

    def answered(self, now_s: float) -> None:
        """The terminal answered the oldest question."""
        if not self._asked:
            return
        self.answers = True
        asked = self._asked.pop(0)
        self.round_trip_s = max(1e-4, now_s - asked.at_s)
        flight = asked.sent - asked.acknowledged
        measuring = now_s >= self._measure_s
        if self._least_s is None or self.round_trip_s < self._least_s or (measuring and flight <= FEW_BYTES):
            self._least_s = self.round_trip_s
        if measuring and flight <= FEW_BYTES:
            self._measure_s = now_s + self._trip_s
            self._trip_s = min(TRIP_S, self._trip_s * 2)
        rate, known = flight / max(1e-4, now_s - asked.since_s), self._rate.value
        # Little was delivered because there was little: that says nothing about the line.
        if flight > FEW_BYTES and (known is None or rate >= known or flight >= 0.5 * self.window):
            self._rate.add(rate, now_s)
        queue_s = self.round_trip_s - self._least_s
        if queue_s > 3 * QUEUE_S:
            self._rate.scale(0.85)
        elif queue_s < QUEUE_S and known is not None and flight >= 0.5 * self.window:
            self._rate.add(known * 1.1, now_s)  # there may be more to be had
        self._acknowledged, self._acknowledged_s = max(self._acknowledged, asked.sent), now_s

    def look(self, now_s: float) -> None:
        """Gives up on answers that are overdue."""
        if self.answers is None and self._first_asked_s is not None and now_s - self._first_asked_s > SILENT_S:
            self.answers = False
            self._asked.clear()
            self._acknowledged = self._sent
            self._allowance, self._allowed_s = 0.0, now_s
        elif self._asked and now_s - self._asked[0].at_s > LOST_S:
            self._asked.clear()
            self._acknowledged, self._acknowledged_s = self._sent, now_s
            self._rate.scale(0.5)
