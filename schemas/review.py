"""The duty governor's reviews: the list of flagged incidents, one that is opened with its stretch, acts on it. A part
of the console's conversation; nothing of it changes a call.

console -> ReviewsWanted      server -> Reviews, then ReviewChanged at each change of an incident
console -> ReviewOpen         server -> ReviewOpened, ReviewEvidence until ReviewEvidenceDone; or ReviewRefused
console -> ReviewCommand      server -> CommandAnswer (console.py)
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from .call import Refusal
from .incident import (
    Decision,
    EvidenceLevels,
    EvidenceOutcome,
    EvidencePicture,
    Finding,
    Gap,
    Happened,
    IncidentView,
    Measure,
    Offset,
    Viewed,
)
from .media import Box
from .wire import Count, Id, Message, Milliseconds, OptionalId, Words


class ReviewsWanted(Message, tag=46, frozen=True):
    """The list of flagged incidents, now and at each change. This and what follows are the duty governor's."""

    since: ClassVar[int] = 2


class ReviewOpen(Message, tag=47, frozen=True):
    """Open this incident and read its stretch; `boxes`: one a side. Opening is a consultation and has a reason.

    A review that this console has open is closed by it.
    """

    since: ClassVar[int] = 2

    review_id: Id
    reference: Id
    reason: Words
    boxes: Annotated[list[Box], Meta(max_length=2)]


class ReviewShown(Message, tag=48, frozen=True):
    """These recorded pictures were on the screen, by when they were taken."""

    since: ClassVar[int] = 2

    review_id: Id
    family: Annotated[list[Offset], Meta(max_length=100)]
    room: Annotated[list[Offset], Meta(max_length=100)]


class WriteFinding(Message, tag=1, frozen=True):
    """What the governor has seen, in words; replaces the finding before."""

    finding: Finding


class Decide(Message, tag=2, frozen=True):
    """A decision and what follows from it; may be changed until the sign-off."""

    decision: Decision
    measures: Annotated[list[Measure], Meta(max_length=5)]


class AskUpdate(Message, tag=3, frozen=True):
    """Back to the officer, with a question."""

    question: Words


class SignOff(Message, tag=4, frozen=True):
    """Final: the incident is closed, as its decision says."""


ReviewAct = WriteFinding | Decide | AskUpdate | SignOff


class ReviewCommand(Message, tag=49, frozen=True):
    """An act on the incident that this review has open. As a Command: once, void after `not_after_ms`."""

    since: ClassVar[int] = 2

    command_id: Id
    review_id: Id
    version: Count
    """The version of the incident that the governor saw."""
    not_after_ms: Milliseconds
    act: ReviewAct


class ReviewClose(Message, tag=50, frozen=True):
    """Nobody looks at it any more."""

    since: ClassVar[int] = 2

    review_id: Id


class Reviews(Message, tag=68, frozen=True):
    """The incidents that are open, and those that were signed off lately."""

    since: ClassVar[int] = 2

    incidents: list[IncidentView]


class ReviewChanged(Message, tag=69, frozen=True):
    """An incident that is new, or in its new form."""

    since: ClassVar[int] = 2

    incident: IncidentView


class ReviewOpened(Message, tag=70, frozen=True):
    """It is open, and the opening is in the audit. `happened`: the newest entries of the call, oldest first."""

    since: ClassVar[int] = 2

    review_id: Id
    incident: IncidentView
    opened_at_ms: Milliseconds
    from_ms: Offset
    to_ms: Offset
    happened: list[Happened]
    viewed: list[Viewed]


class ReviewRefused(Message, tag=71, frozen=True):
    """The list, or the incident, was not opened. `review_id` is empty for the list."""

    since: ClassVar[int] = 2

    review_id: OptionalId
    refusal: Refusal
    words: Words


class ReviewEvidence(Message, tag=72, frozen=True):
    """A piece of the stretch as the laptop has read it; goes to this console only and is kept nowhere."""

    since: ClassVar[int] = 2

    review_id: Id
    pictures: list[EvidencePicture]
    levels: list[EvidenceLevels]


class ReviewEvidenceDone(Message, tag=73, frozen=True):
    """No further piece follows; `words` say why when the stretch is not whole."""

    since: ClassVar[int] = 2

    review_id: Id
    outcome: EvidenceOutcome
    words: Words
    until_ms: Offset
    gaps: list[Gap]
