"""May media flow now, and if not, why not? The one decision that a laptop takes by itself is to stop.

Times are seconds on CLOCK_BOOTTIME: it runs on while the machine sleeps, and nobody can set it.
"""

from dataclasses import dataclass, replace

from schemas.health import WhyNot

LEASE_S = 5.0
LEASE_LOST_END_S = 30.0
"""Without a lease for so long, the call ends."""
RECORD_FRESH_S = 3.0
"""A durable record is written each second; without one for so long, nothing flows."""
RECORD_LOST_END_S = 10.0
NEVER = float("-inf")

_WORDS = {
    WhyNot.CARRYING: "",
    WhyNot.CALL_OVER: "the call is over",
    WhyNot.NOBODY_ADMITTED: "nobody is admitted",
    WhyNot.PAUSED: "paused",
    WhyNot.TIME_OVER: "the time is over",
    WhyNot.NO_LEASE: "no lease from the server",
}


@dataclass(frozen=True)
class Carrying:
    """What the decision rests on."""

    ends_at: float
    leased_until: float = NEVER
    recorded_at: float = NEVER
    """When the newest durable record was begun."""
    admitted_at: float | None = None
    paused: bool = False
    over: bool = False

    def leased(self, asked_at: float, granted_s: float) -> "Carrying":
        """A grant counts from when it was asked for, so that the way back can't stretch it; never longer than 5 s."""
        return replace(self, leased_until=max(self.leased_until, asked_at + min(granted_s, LEASE_S)))

    def flows_until(self) -> float:
        """Media may flow before this moment; NEVER when it may not at all. Looked at for each packet."""
        if self.admitted_at is None or self.paused or self.over:
            return NEVER
        return min(self.leased_until, self.recorded_at + RECORD_FRESH_S, self.ends_at)

    def why_not(self, now: float) -> str:
        """In words for the officer; empty while media may flow."""
        code = self.why_not_code(now)
        if code == WhyNot.NOT_RECORDED:
            return f"not recorded for {now - self.recorded_at:.0f} s"
        return _WORDS[code]

    def why_not_code(self, now: float) -> WhyNot:
        """As a code; CARRYING while media may flow."""
        if self.over:
            return WhyNot.CALL_OVER
        if self.admitted_at is None:
            return WhyNot.NOBODY_ADMITTED
        if self.paused:
            return WhyNot.PAUSED
        if now >= self.ends_at:
            return WhyNot.TIME_OVER
        if now >= self.leased_until:
            return WhyNot.NO_LEASE
        return WhyNot.NOT_RECORDED if now >= self.recorded_at + RECORD_FRESH_S else WhyNot.CARRYING

    def must_end(self, now: float) -> str:
        """Why the call has to end now, by itself; empty when it need not."""
        if self.over or self.admitted_at is None:
            return "the time is over" if not self.over and now >= self.ends_at else ""
        if now >= self.ends_at:
            return "the time is over"
        if now - max(self.leased_until, self.admitted_at) >= LEASE_LOST_END_S:
            return f"no lease from the server for {LEASE_LOST_END_S:.0f} s"
        if now - self.recorded_at >= RECORD_LOST_END_S:
            return f"no recording for {RECORD_LOST_END_S:.0f} s"
        return ""
