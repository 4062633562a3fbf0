"""May media flow now, and if not, why not? The one decision that a laptop takes by itself is to stop.

Times are seconds on CLOCK_BOOTTIME: it runs on while the machine sleeps, and nobody can set it.
"""

from dataclasses import dataclass, replace

LEASE_S = 5.0
LEASE_LOST_END_S = 30.0
"""Without a lease for so long, the call ends."""
RECORD_FRESH_S = 3.0
"""A durable record is written each second; without one for so long, nothing flows."""
RECORD_LOST_END_S = 10.0
NEVER = float("-inf")


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
        if self.over:
            return "the call is over"
        if self.admitted_at is None:
            return "nobody is admitted"
        if self.paused:
            return "paused"
        if now >= self.ends_at:
            return "the time is over"
        if now >= self.leased_until:
            return "no lease from the server"
        if now >= self.recorded_at + RECORD_FRESH_S:
            return f"not recorded for {now - self.recorded_at:.0f} s"
        return ""

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
