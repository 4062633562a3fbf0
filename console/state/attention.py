"""What needs a person, ranked: one function over the wall decides what the strip and the tiles say."""

from dataclasses import dataclass
from enum import IntEnum

from schemas.call import CallState, CallView
from schemas.media import RecordingState

from .ages import since
from .safe_text import safe
from .wall import OPEN, Wall, waiting_legs

SHORT_TIME_MS = 5 * 60_000
WAITING_LOOK_S, WAITING_ALERT_S = 120.0, 300.0
RECORD_LATE_MS = 3000


class Severity(IntEnum):
    """The lower, the more urgent."""

    URGENT = 0
    ALERT = 1
    LOOK = 2
    NONE = 3

    @property
    def glyph(self) -> str:
        return "■▲◆ "[self]


@dataclass(frozen=True)
class Entry:
    """One line of the strip; `since_s` is an age, seconds, or None when it has none."""

    severity: Severity
    seat: int
    surname: str
    words: str
    since_s: float | None

    @property
    def age(self) -> str:
        return "" if self.since_s is None else since(self.since_s)


def ranked(wall: Wall, now_s: float) -> list[Entry]:
    """All that needs a person, the most urgent first, then the oldest."""
    entries: list[Entry] = []
    for seat in wall.seats:
        call = wall.call_at(seat, now_s)
        if call is not None:
            entries += of_call(wall, call, now_s)
    return sorted(entries, key=lambda entry: (entry.severity, -(entry.since_s or 0), entry.seat))


def of_call(wall: Wall, call: CallView, now_s: float) -> list[Entry]:
    """What one call needs, the most urgent first."""
    if call.state not in OPEN:
        return []
    found: list[Entry] = []

    def add(severity: Severity, words: str, since_s: float | None = None) -> None:
        found.append(Entry(severity, call.seat, safe(call.surname).upper(), words, since_s))

    lost_since = wall.lost_laptops.get(call.seat)
    if lost_since is not None:
        add(Severity.URGENT, "LAPTOP LOST: the call stops by itself", now_s - lost_since)
    not_recorded = recording_fault(wall, call)
    if not_recorded:
        add(Severity.URGENT, f"NOT RECORDED: {not_recorded}")
    if call.copy_words:
        add(Severity.ALERT, f"RECORDING NOT COPIED: {safe(call.copy_words)}")
    health = wall.media_of(call).health
    if call.state == CallState.LIVE and lost_since is None and health is not None and not health.carrying:
        why = safe(health.why_not)
        add(Severity.ALERT, f"nothing is carried: {why}" if why else "nothing is carried")
    for leg in waiting_legs(call):
        waited = now_s - wall.waiting_since.get((call.call_id, leg.leg), now_s)
        add(_waiting(waited), "caller waiting for admission (A)", waited)
    left_ms = call.ends_at_ms - wall.link.server_ms(now_s)
    if call.state in (CallState.LIVE, CallState.PAUSED) and left_ms < SHORT_TIME_MS:
        add(Severity.LOOK, "under 5 min left" if left_ms > 0 else "time is over")
    return sorted(found, key=lambda entry: entry.severity)


def recording_fault(wall: Wall, call: CallView) -> str:
    """Why a call that should be recorded is not, in words; empty when all is well or nothing is to be recorded."""
    health = wall.media_of(call).health
    if health is None or call.state not in (CallState.LIVE, CallState.PAUSED):
        return ""
    if health.recording == RecordingState.FAILED:
        return safe(health.recording_words) or "no reason was given"
    if health.recording == RecordingState.RECORDING and health.recording_age_ms > RECORD_LATE_MS:
        return f"newest record {health.recording_age_ms / 1000:.0f} s old"
    return ""


def _waiting(seconds: float) -> Severity:
    return Severity.ALERT if seconds >= WAITING_ALERT_S else Severity.LOOK
