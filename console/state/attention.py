"""What needs a person, ranked. One function over a call says what it needs; one ranks all of it.

Signals come in as further causes of `of_call`; the rank stays as it is.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from schemas.attention import Cause, Mark
from schemas.call import CallState, CallView
from schemas.media import RecordingState

from ..actions import key_of
from .ages import since
from .media import RECORD_LATE_MS
from .people import day_of, monitored
from .safe_text import safe
from .unseen import limits_s, unseen_s, unseen_since_ms
from .wall import OPEN, Wall, waiting_legs

SHORT_TIME_MS = 5 * 60_000
CARRIES_WITHIN_S = 2.0
"""So long after an order to open, or the last that flowed, it is no alarm that nothing flows: a laptop says how it does
each second."""
WAITING_ALERT_S = 300.0
WARNINGS_LOOKED_AT = 2
RAISED = 1_000_000
"""Added to the number of an occurrence whose severity has risen: it is new then."""


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
    call_id: str = ""
    cause: Cause = Cause.UNSEEN
    occurrence: int = 0
    """Tells one occurrence of the cause from the next one."""
    unseen_s: float = 0.0
    left_s: float = 1e9
    monitored: bool = False
    """Under an authority to monitor."""
    seen_by: str = ""
    shelved_s: float = 0.0
    """For how long it is still put aside."""
    new: bool = False
    """Nobody has said yet that they have seen it."""
    gone: bool = False
    """Its cause is gone, and nobody has said that they have seen it."""
    times: int = 1
    """How often it came and went lately, or how many calls it stands for."""

    @property
    def age(self) -> str:
        return "" if self.since_s is None else since(self.since_s)

    @property
    def key(self) -> tuple[str, Cause, int]:
        return self.call_id, self.cause, self.occurrence


def rank(entry: Entry) -> tuple[object, ...]:
    """Sorts what needs eyes first to the front: severity, then not seen before seen, then what is under an authority
    to monitor, then what was longest not looked at, then what has the least time left, then the oldest."""
    left_s = entry.left_s if entry.left_s < SHORT_TIME_MS / 1000 else 1e9
    return (
        entry.severity, bool(entry.seen_by), not entry.monitored, -round(entry.unseen_s), round(left_s),
        -round(entry.since_s or 0), entry.seat, entry.cause,
    )  # fmt: skip


def ranked(wall: Wall, now_s: float) -> list[Entry]:
    """All that needs a person and is not shelved, by `rank`."""
    entries = [entry for seat in wall.seats for entry in of_seat(wall, seat, now_s) if not entry.shelved_s]
    return sorted(entries, key=rank)


def of_seat(wall: Wall, seat: int, now_s: float) -> list[Entry]:
    call = wall.call_at(seat, now_s)
    return of_call(wall, call, now_s) if call is not None else []


def of_call(wall: Wall, call: CallView, now_s: float) -> list[Entry]:
    """What one call needs, the most urgent first; shelved or not."""
    if call.state not in OPEN:
        return []
    server_ms, media = wall.link.server_ms(now_s), wall.media_of(call)
    watched = monitored(call, day_of(server_ms))
    found: list[Entry] = []

    def add(cause: Cause, severity: Severity, words: str, since_s: float | None = None, occurrence: int = 0) -> None:
        found.append(
            Entry(severity, call.seat, safe(call.surname).upper(), words, since_s, call.call_id, cause, occurrence)
        )

    def age_s(at_ms: int) -> float:
        return max(0.0, (server_ms - at_ms) / 1000)

    if call.help:
        words = f"URGENT HELP: {safe(call.help)}, asked by {safe(call.help_by)}"
        add(Cause.URGENT_HELP, Severity.URGENT, words, age_s(call.help_at_ms), call.help_at_ms)
    lost_since = wall.lost_laptops.get(call.seat)
    if lost_since is not None:
        add(Cause.LAPTOP_LOST, Severity.URGENT, "LAPTOP LOST: the call stops by itself", now_s - lost_since)
    not_recorded = recording_fault(wall, call)
    if not_recorded:
        age = now_s - (media.fault_since_s if media.fault_since_s is not None else now_s)
        add(Cause.NOT_RECORDED, Severity.URGENT, f"NOT RECORDED: {not_recorded}", age)
    if call.copy_words:
        age = now_s - (media.uncopied_since_s if media.uncopied_since_s is not None else now_s)
        add(Cause.NOT_COPIED, Severity.ALERT, f"RECORDING NOT COPIED: {safe(call.copy_words)}", age)
    if call.state == CallState.PAUSED and call.paused_at_ms:
        why = f": {safe(call.paused_why)}" if call.paused_why else ", no reason given yet"
        words = f"paused{why}. {key_of('resume')} or {key_of('end')}"
        add(Cause.PAUSED, Severity.URGENT, words, age_s(call.paused_at_ms), call.paused_at_ms)
    health = media.health
    stopped_s = now_s - media.stopped_since_s if media.stopped_since_s is not None else 0.0
    if call.state == CallState.LIVE and lost_since is None and health is not None and stopped_s >= CARRIES_WITHIN_S:
        words = "nothing is carried" + (f": {safe(health.why_not)}" if health.why_not else "")
        add(Cause.NOT_CARRIED, Severity.ALERT, words, stopped_s)
    for leg in waiting_legs(call):
        waited = now_s - wall.waiting_since.get((call.call_id, leg.leg), now_s)
        raised = waited >= WAITING_ALERT_S
        number = int(leg.leg.rpartition("-")[2]) if leg.leg[-1:].isdecimal() else 1
        severity = Severity.ALERT if raised else Severity.LOOK
        words = f"caller waiting for admission ({key_of('admit')})"
        add(Cause.WAITING, severity, words, waited, number + raised * RAISED)
    unseen = unseen_s(wall, call, now_s) or 0.0
    look_s, alert_s = limits_s(wall, call, now_s)
    if unseen >= look_s:
        raised = unseen >= alert_s
        severity = Severity.ALERT if raised else Severity.LOOK
        words = "nobody has looked at it" + (", and it is to be monitored" if watched else "")
        add(Cause.UNSEEN, severity, words, unseen, unseen_since_ms(call) + raised)
    if call.watch_offered_to and call.watch_offered_to == wall.my_name:
        words = f"{safe(call.watch)} offers you the watch ({key_of('have')})"
        add(Cause.WATCH_OFFERED, Severity.LOOK, words, age_s(call.watch_offered_at_ms), call.watch_offered_at_ms)
    left_ms = call.ends_at_ms - server_ms
    if call.state in (CallState.LIVE, CallState.PAUSED) and left_ms < SHORT_TIME_MS:
        words = "under 5 min left" if left_ms > 0 else "time is over"
        add(Cause.TIME_SHORT, Severity.LOOK, words, None, call.ends_at_ms)
    if call.warnings >= WARNINGS_LOOKED_AT:
        words = f"{call.warnings} warnings given: the next step is pause or end"
        add(Cause.WARNED_TWICE, Severity.LOOK, words, None, call.warnings)
    marks = {(mark.cause, mark.since_ms): mark for mark in wall.marks.get(call.call_id, ())}
    about = {"unseen_s": unseen, "left_s": left_ms / 1000, "monitored": watched}
    told = [_marked(replace(e, **about), marks, server_ms) for e in found]
    return sorted(told, key=rank)


def _marked(entry: Entry, marks: dict[tuple[Cause, int], Mark], server_ms: int) -> Entry:
    mark = marks.get((entry.cause, entry.occurrence))
    # What has no number of its own comes again with the same one: a mark from before it began is of the time before.
    if mark is None or (not entry.occurrence and mark.at_ms < server_ms - (entry.since_s or 0) * 1000):
        return entry
    if not mark.shelved_until_ms:
        return replace(entry, seen_by=safe(mark.by))
    # When the time is up it is new again.
    return replace(entry, shelved_s=max(0.0, (mark.shelved_until_ms - server_ms) / 1000))


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
