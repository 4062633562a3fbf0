"""A flagged incident and its review: states, decisions, and the stretch of recording that a governor looks at."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from .call import Category
from .media import Side, TenthsDbfs
from .wire import Count, Id, Message, Milliseconds, Name, Seat, Words

BEFORE_MS = AFTER_MS = 30_000
"""The stretch that belongs to a flag: from before its key was pressed to after it."""
PICTURES_PER_S = 4
PICTURE_EACH_MS = 1000 // PICTURES_PER_S
LEVEL_EACH_MS = 100
PICTURE_HELD_MS = 1000
"""A recorded picture stands for what was seen until the next one, but no longer than this: then there is a gap."""
EVIDENCE_PICTURE_MAX = 128, 80
"""Largest picture of a stretch, pixels: it goes through the link that live calls use."""

Offset = Annotated[int, Meta(ge=-3_600_000, le=3_600_000)]
"""Milliseconds from the moment at which the flag's key was pressed; negative before it."""
Finding = Annotated[str, Meta(max_length=1000)]


class IncidentState(StrEnum):
    """After the public incident reporting service."""

    DRAFT = "DRAFT"
    AWAITING_REVIEW = "AWAITING_REVIEW"
    ON_HOLD = "ON_HOLD"
    NEEDS_UPDATING = "NEEDS_UPDATING"
    UPDATED = "UPDATED"
    CLOSED = "CLOSED"
    DUPLICATE = "DUPLICATE"
    NOT_REPORTABLE = "NOT_REPORTABLE"
    REOPENED = "REOPENED"


class IncidentSeverity(StrEnum):
    """How soon a decision is due; follows from the category of the flag."""

    SEVERE = "SEVERE"
    HIGH = "HIGH"
    MIDDLE = "MIDDLE"
    LOW = "LOW"


class Decision(StrEnum):
    """What a governor has found. The last two are states of the incident as well."""

    SUBSTANTIATED = "substantiated"
    NOT_SUBSTANTIATED = "not substantiated"
    NO_FINDING = "no finding possible"
    DUPLICATE = "duplicate"
    NOT_REPORTABLE = "not reportable"


class Measure(StrEnum):
    """What follows from it."""

    CAUTION = "caution to caller"
    BAN = "ban asked"
    CONTACTS = "contact list reviewed"
    CONDUCT = "prisoner's conduct report"
    TIME_BACK = "time given back"


class IncidentView(Message, frozen=True):
    """All that a governor's list and screen show of an incident but its recording; times are the server's, UTC ms."""

    reference: Id
    version: Count
    call_id: Id
    seat: Seat
    prison_number: Name
    surname: Name
    category: Category
    note: Words
    flagged_by: Name
    pressed_at_ms: Milliseconds
    filed_at_ms: Milliseconds
    severity: IncidentSeverity
    due_at_ms: Milliseconds
    state: IncidentState
    finding: Finding = ""
    decision: Decision | None = None
    measures: Annotated[list[Measure], Meta(max_length=5)] = field(default_factory=list[Measure])
    question: Words = ""
    """What the officer was asked, for an incident that needs updating."""
    changed_by: Name = ""
    changed_at_ms: Milliseconds = 0
    signed_off_by: Name = ""
    signed_off_at_ms: Milliseconds = 0


class Happened(Message, frozen=True):
    """One line of what happened in the call, from the audit."""

    at_ms: Milliseconds
    action: Name
    words: Words
    who: Name
    accepted: bool


class Viewed(Message, frozen=True):
    """Somebody has opened this incident before."""

    at_ms: Milliseconds
    who: Name
    reason: Words


EvidencePixels = Annotated[int, Meta(ge=2, le=EVIDENCE_PICTURE_MAX[0])]


class EvidencePicture(Message, frozen=True):
    """One recorded picture: width x height x 3 bytes of RGB, rows from the top, no padding."""

    side: Side
    at_ms: Offset
    """When its last packet had come to the laptop."""
    width: EvidencePixels
    height: EvidencePixels
    pixels: Annotated[bytes, Meta(max_length=EVIDENCE_PICTURE_MAX[0] * EVIDENCE_PICTURE_MAX[1] * 3)]


class EvidenceLevels(Message, frozen=True):
    """One side's RMS, each tenth of a second from `from_ms` on; None where no sound is recorded."""

    side: Side
    from_ms: Offset
    rms: Annotated[list[TenthsDbfs | None], Meta(max_length=1200)]


class Gap(Message, frozen=True):
    """No picture of this side is recorded here, and why as far as the laptop knows."""

    side: Side
    from_ms: Offset
    to_ms: Offset
    words: Words


class EvidenceOutcome(StrEnum):
    """How the reading of a stretch ended."""

    WHOLE = "whole"
    """All that is recorded of the stretch has come; its gaps are named."""
    TO_COME = "to come"
    """The stretch is not over yet: what is there has come."""
    NOTHING = "nothing"
    """There is no recording of this stretch, and there will be none."""
    FAILED = "failed"
    """It could not be read now; it may be read later."""
