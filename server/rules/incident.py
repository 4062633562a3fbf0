"""A flagged incident and its review: what a governor's act does to it, or why it is refused."""

from dataclasses import dataclass

import msgspec

from schemas.call import Category, Refusal, Role
from schemas.incident import (
    AFTER_MS,
    BEFORE_MS,
    Decision,
    EvidenceOutcome,
    IncidentSeverity,
    IncidentState,
    IncidentView,
    Measure,
)
from schemas.media import Side
from schemas.review import AskUpdate, Decide, ReviewCommand, SignOff, WriteFinding

from .call import Call
from .permissions import REVIEW, may

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
FINAL = (IncidentState.CLOSED, IncidentState.DUPLICATE, IncidentState.NOT_REPORTABLE)
NOT_FOR_YOU = "Reviews are for the duty governor. You can flag (f)."
ABOUT_THE_CONDUCT = (Decision.SUBSTANTIATED, Decision.NOT_SUBSTANTIATED)
"""Decisions that need a recording: without one nobody can say either."""

_SEVERE = (Category.SELF_HARM_OR_SAFEGUARDING, Category.WEAPON_OR_GANG_SIGN)
_LOW = (Category.TECHNICAL_FAULT, Category.OTHER)
_MIDDLE = (
    Category.OUT_OF_VIEW,
    Category.MORE_THAN_FOUR_CALLERS,
    Category.MINOR_WITHOUT_ADULT,
    Category.DRIVING,
    Category.SECOND_DEVICE,
)
DUE_MS = {
    IncidentSeverity.SEVERE: DAY_MS,
    IncidentSeverity.HIGH: DAY_MS,
    IncidentSeverity.MIDDLE: 3 * DAY_MS,
    IncidentSeverity.LOW: 7 * DAY_MS,
}
"""How long after the flag a decision is due."""


class Incident(msgspec.Struct, frozen=True):
    """The truth about one incident; each change makes a new one with a higher version. Times: server's, UTC ms."""

    reference: str
    establishment: str
    call_id: str
    category: str
    note: str
    flagged_by: str
    pressed_at_ms: int
    filed_at_ms: int
    version: int = 1
    state: IncidentState = IncidentState.AWAITING_REVIEW
    finding: str = ""
    decision: Decision | None = None
    measures: tuple[Measure, ...] = ()
    question: str = ""
    changed_by: str = ""
    changed_at_ms: int = 0
    signed_off_by: str = ""
    signed_off_at_ms: int = 0


Taken = frozenset[tuple[Side, int]]
"""Pictures, by side and when they were taken (offset ms)."""


@dataclass(frozen=True)
class Stretch:
    """What of the recording has gone to a governor's console, and what of that was on its screen."""

    pictures: Taken = frozenset()
    shown: Taken = frozenset()
    outcome: EvidenceOutcome | None = None
    """How the reading ended; None while it goes on."""

    @property
    def unseen(self) -> int:
        """How many pictures were sent and not shown."""
        return len(self.pictures - self.shown)


@dataclass(frozen=True)
class ReviewSituation:
    """What a decision needs to know besides the incident itself."""

    now_ms: int
    audit_writable: bool
    stretch: Stretch | None
    """Of the review that this session has open on the incident; None: it has not opened it."""


@dataclass(frozen=True)
class Reviewed:
    incident: Incident
    words: str


@dataclass(frozen=True)
class NotReviewed:
    refusal: Refusal
    words: str


def severity(category: str) -> IncidentSeverity:
    if category in _SEVERE:
        return IncidentSeverity.SEVERE
    if category in _LOW:
        return IncidentSeverity.LOW
    return IncidentSeverity.MIDDLE if category in _MIDDLE else IncidentSeverity.HIGH


def span_ms() -> tuple[int, int]:
    """The stretch of recording that belongs to a flag, as offsets from its key."""
    return -BEFORE_MS, AFTER_MS


def decide(
    incident: Incident, command: ReviewCommand, who: str, role: Role, at: ReviewSituation
) -> Reviewed | NotReviewed:
    """The one place where an act of a review is allowed or refused; the words of a refusal say what to do."""
    act = command.act
    if not may(role, REVIEW):
        return NotReviewed(Refusal.NOT_PERMITTED, NOT_FOR_YOU)
    if at.stretch is None:
        return NotReviewed(Refusal.NOT_OPENED, "Open the incident first: only who has it open may decide on it.")
    if at.now_ms > command.not_after_ms:
        return NotReviewed(Refusal.TOO_LATE, "It came too late and was not done; look again, then repeat it.")
    if not at.audit_writable:
        return NotReviewed(Refusal.NO_AUDIT, "The audit can't be written, so it was not done; try again later.")
    if incident.state in FINAL:
        return NotReviewed(Refusal.SIGNED_OFF, f"It was signed off by {incident.signed_off_by} and is final.")
    if command.version != incident.version:
        words = f"{incident.changed_by or 'Somebody'} has changed it since you looked; look again, then repeat it."
        return NotReviewed(Refusal.OLD_VERSION, words)

    def changed(words: str, **fields: object) -> Reviewed:
        new = {"version": incident.version + 1, "changed_by": who, "changed_at_ms": at.now_ms, **fields}
        return Reviewed(msgspec.structs.replace(incident, **new), words)

    match act:
        case WriteFinding(finding):
            if not finding.strip():
                return NotReviewed(Refusal.REASON_MISSING, "The finding has no words; write what you saw.")
            return changed("Finding kept.", finding=finding.strip())
        case Decide(decision, measures):
            kept = tuple(measure for measure in Measure if measure in measures)
            return changed(f"Decided: {decision}.", decision=decision, measures=kept)
        case AskUpdate(question):
            if not question.strip():
                return NotReviewed(Refusal.REASON_MISSING, "The question has no words; write what is to be updated.")
            return changed("Sent back: needs updating.", question=question.strip(), state=IncidentState.NEEDS_UPDATING)
        case SignOff():
            refused = _not_ready(incident, at.stretch)
            if refused is not None:
                return refused
            state = _state_after(incident.decision)
            return changed(f"Signed off: {state}.", state=state, signed_off_by=who, signed_off_at_ms=at.now_ms)


def _not_ready(incident: Incident, stretch: Stretch) -> NotReviewed | None:
    """Why this incident can't be signed off yet."""
    if not incident.finding:
        return NotReviewed(Refusal.NOT_DECIDED, "There is no finding; write it with e.")
    if incident.decision is None:
        return NotReviewed(Refusal.NOT_DECIDED, "There is no decision; decide with D.")
    match stretch.outcome:
        case None:
            return NotReviewed(Refusal.NOT_PLAYED, "The recording is still being read; play it to its end.")
        case EvidenceOutcome.FAILED:
            return NotReviewed(Refusal.NOT_PLAYED, "The recording could not be read; read it again with r.")
        case EvidenceOutcome.TO_COME:
            return NotReviewed(Refusal.NOT_PLAYED, "The stretch was not over yet; read it again with r, then play it.")
        case EvidenceOutcome.NOTHING if incident.decision in ABOUT_THE_CONDUCT:
            words = "There is no recording of it, so only 'no finding possible' and the like can be signed off."
            return NotReviewed(Refusal.NOT_DECIDED, words)
        case _:
            pass
    if stretch.unseen:
        words = f"{stretch.unseen} pictures of the stretch were not on the screen; play or step through all of it."
        return NotReviewed(Refusal.NOT_PLAYED, words)
    return None


def _state_after(decision: Decision | None) -> IncidentState:
    match decision:
        case Decision.DUPLICATE:
            return IncidentState.DUPLICATE
        case Decision.NOT_REPORTABLE:
            return IncidentState.NOT_REPORTABLE
        case _:
            return IncidentState.CLOSED


def incident_view(incident: Incident, call: Call) -> IncidentView:
    """What a governor's console gets to know."""
    how_severe = severity(incident.category)
    return IncidentView(
        reference=incident.reference,
        version=incident.version,
        call_id=incident.call_id,
        seat=call.seat,
        prison_number=call.prison_number,
        surname=call.surname,
        category=Category(incident.category),
        note=incident.note,
        flagged_by=incident.flagged_by,
        pressed_at_ms=incident.pressed_at_ms,
        filed_at_ms=incident.filed_at_ms,
        severity=how_severe,
        due_at_ms=incident.filed_at_ms + DUE_MS[how_severe],
        state=incident.state,
        finding=incident.finding,
        decision=incident.decision,
        measures=list(incident.measures),
        question=incident.question,
        changed_by=incident.changed_by,
        changed_at_ms=incident.changed_at_ms,
        signed_off_by=incident.signed_off_by,
        signed_off_at_ms=incident.signed_off_at_ms,
    )
