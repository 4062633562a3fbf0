"""The duty governor's reviews: the list, an incident that is opened with its recorded stretch, and acts on it.

Opening is a consultation: it is in the audit before anything is shown. A laptop decodes the stretch out of the server's
sealed copy (recordings/sending.py); piece by piece it goes to the one console that asked, and is kept nowhere here.
Nothing of it changes a call.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import Engine
from websockets.protocol import State

from schemas.call import Refusal
from schemas.console import CommandAnswer
from schemas.incident import EvidenceOutcome, EvidencePicture, Gap, Viewed
from schemas.laptop import EvidenceDone, EvidenceMore, EvidencePart, EvidenceStop, EvidenceTaken
from schemas.media import Box, Side
from schemas.review import (
    ReviewChanged,
    ReviewClose,
    ReviewCommand,
    ReviewEvidence,
    ReviewEvidenceDone,
    ReviewOpen,
    ReviewOpened,
    ReviewRefused,
    Reviews,
    ReviewShown,
    ReviewsWanted,
)
from schemas.wire import encode

from .commanding import Officer
from .establishment import Establishment, utc_ms
from .links.link import Link
from .recordings.keys import EvidenceKey
from .recordings.sending import Request, Sending
from .rules.incident import (
    NOT_FOR_YOU,
    Incident,
    NotReviewed,
    ReviewSituation,
    Stretch,
    Taken,
    decide,
    incident_view,
    span_ms,
)
from .rules.permissions import REVIEW, may
from .rules.story import happened
from .store.audit import Entry
from .store.incidents import Filed, entries_of_call, load_incidents
from .store.writer import StoreError, Unit

log = structlog.get_logger()

LISTED_MS = 90 * 24 * 3600 * 1000
"""Incidents that were signed off stay on the list for so long."""
LOOK_S = 1.0
SILENT_S = 30.0
"""A laptop that reads says so every few seconds; after so long without a word it is given up."""
BACKLOG_BYTES = 128 * 1024
"""Unsent bytes of a console beyond which its laptop has to wait with the next part."""

ReviewMessage = ReviewsWanted | ReviewOpen | ReviewShown | ReviewCommand | ReviewClose
REVIEW_MESSAGES = (ReviewsWanted, ReviewOpen, ReviewShown, ReviewCommand, ReviewClose)


@dataclass
class Review:
    """An incident that a governor's console has open."""

    review_id: str
    reference: str
    officer: Officer
    link: Link
    laptop_id: str
    """Who reads the stretch."""
    stretch: Stretch
    heard_at: float = field(default_factory=time.monotonic)
    played: bool = False
    """The whole stretch was on the screen, and the audit says so."""


class Reviewing:
    """`take` what a console asks; laptops' pieces come through the establishment's hooks."""

    def __init__(self, place: Establishment, engine: Engine, recordings: Path, key: EvidenceKey) -> None:
        self._place, self._engine = place, engine
        self._sending = Sending(place, recordings, key)
        with engine.connect() as connection:
            self._filed = load_incidents(connection, place.code, utc_ms() - LISTED_MS)
        self._open: dict[str, Review] = {}
        self._listening: dict[str, Link] = {}
        """Session -> the link that gets each change of an incident."""
        self._seen: dict[tuple[str, str], Taken] = {}
        """(session, incident) -> what of its stretch was on that console's screen, over all of its openings."""
        self._answers: dict[str, CommandAnswer] = {}
        self._deciding = asyncio.Lock()
        place.on_incident = self._flagged
        place.on_evidence = self._evidence
        place.on_laptop_gone = self._laptop_gone

    async def take(self, message: ReviewMessage, officer: Officer, link: Link) -> None:
        match message:
            case ReviewsWanted():
                await self._list(officer, link)
            case ReviewOpen():
                await self._open_incident(message, officer, link)
            case ReviewShown(review_id, family, room):
                shown = {(Side.FAMILY, at) for at in family} | {(Side.ROOM, at) for at in room}
                self._shown(self._of_session(review_id, officer), frozenset(shown))
            case ReviewCommand():
                await self._command(message, officer, link)
            case ReviewClose(review_id):
                review = self._of_session(review_id, officer)
                if review is not None:
                    self._close(review)

    def console_gone(self, session: str) -> None:
        """Nothing of a review outlives its session."""
        self._listening.pop(session, None)
        for review in [r for r in self._open.values() if r.officer.session == session]:
            self._close(review)
        self._seen = {key: shown for key, shown in self._seen.items() if key[0] != session}

    # The list

    async def _list(self, officer: Officer, link: Link) -> None:
        refused = None if may(officer.role, REVIEW) else (Refusal.NOT_PERMITTED, NOT_FOR_YOU)
        refused = await self._consult(officer, "reviews_listed", "", {}, refused)
        if refused is not None:
            link.send(ReviewRefused("", *refused))
            return
        if link.connection.state is not State.OPEN:
            return
        self._listening[officer.session] = link
        newest = sorted(self._filed.values(), key=lambda filed: -filed.incident.pressed_at_ms)
        link.send(Reviews([incident_view(filed.incident, filed.call) for filed in newest]))

    def _flagged(self, incident: Incident) -> None:
        self._changed(Filed(incident, self._place.calls[incident.call_id]))

    def _changed(self, filed: Filed) -> None:
        self._filed[filed.incident.reference] = filed
        message = ReviewChanged(incident_view(filed.incident, filed.call))
        for link in self._listening.values():
            link.send(message)

    # One incident

    async def _open_incident(self, message: ReviewOpen, officer: Officer, link: Link) -> None:
        filed = self._filed.get(message.reference)
        about = {"reference": message.reference, "reason": message.reason, "stretch_ms": span_ms()}
        call_id = filed.incident.call_id if filed else ""
        why_not = self._why_not_open(message, officer, filed)
        refused = await self._consult(officer, "incident_opened", call_id, about, why_not)
        if refused is not None:
            link.send(ReviewRefused(message.review_id, *refused))
            return
        for before in [r for r in self._open.values() if r.officer.session == officer.session]:
            self._close(before)
        opened_at_ms = utc_ms()
        entries = await asyncio.to_thread(self._entries, call_id)
        if link.connection.state is not State.OPEN:
            return  # its session is over, so nothing of it may begin
        filed = self._filed[message.reference]
        story = [told for e in entries if (told := happened(e.at_ms, e.who, e.action, e.accepted, e.detail))]
        viewed = [view for e in entries if (view := _viewed(e, message.reference))]
        seen = self._seen.get((officer.session, message.reference), frozenset())
        review = Review(message.review_id, message.reference, officer, link, filed.call.laptop_id, Stretch(shown=seen))
        self._open[review.review_id] = review
        view = incident_view(filed.incident, filed.call)
        # The newest of the openings is this one.
        link.send(ReviewOpened(review.review_id, view, opened_at_ms, *span_ms(), story, viewed[:-1]))
        had_all = any(e.action == "recording_verified" for e in entries)
        self._ask_laptop(review, filed, message.boxes, had_all)
        log.info("incident opened", incident=review.reference, by=officer.name, laptop=review.laptop_id)

    def _why_not_open(self, message: ReviewOpen, officer: Officer, filed: Filed | None) -> tuple[Refusal, str] | None:
        if not may(officer.role, REVIEW):
            return Refusal.NOT_PERMITTED, NOT_FOR_YOU
        if filed is None:
            return Refusal.UNKNOWN_INCIDENT, "There is no such incident at this establishment."
        if not message.reason.strip():
            return Refusal.REASON_MISSING, "Opening an incident is logged and needs a reason; choose one."
        if message.review_id in self._open:
            return Refusal.WRONG_STATE, "This review is open already."
        return None

    def _ask_laptop(self, review: Review, filed: Filed, boxes: list[Box], had_all: bool) -> None:
        """`had_all`: a part of this recording has come to its end before."""
        laptop = self._sending.reader(filed.call)
        if laptop is None:
            why = "is too old" if review.laptop_id in self._place.laptops else "is away"
            words = f"Laptop {review.laptop_id} {why}, and no other one is there to read the recording."
            self._done(review, EvidenceOutcome.FAILED, words)
            return

        def failed(words: str) -> None:
            if self._open.get(review.review_id) is review and review.stretch.outcome is None:
                self._done(review, EvidenceOutcome.FAILED, words)

        review.laptop_id = laptop.laptop_id
        about = filed.call, filed.incident.pressed_at_ms, *span_ms()
        self._sending.begin(laptop, Request(review.review_id, *about, boxes, had_all), failed)
        self._look(review)

    def _entries(self, call_id: str) -> list[Entry]:
        with self._engine.connect() as connection:
            return entries_of_call(connection, call_id)

    def _of_session(self, review_id: str, officer: Officer) -> Review | None:
        review = self._open.get(review_id)
        return review if review is not None and review.officer.session == officer.session else None

    def _close(self, review: Review) -> None:
        del self._open[review.review_id]
        if review.stretch.outcome is None:
            self._stop_reading(review)
        unseen = review.stretch.unseen
        detail = {"reference": review.reference, "pictures": len(review.stretch.pictures), "not_shown": unseen}
        self._record(review, "incident_closed", detail)

    # The stretch

    def _stop_reading(self, review: Review) -> None:
        self._sending.stop(review.review_id)
        laptop = self._place.laptops.get(review.laptop_id)
        if laptop is not None:
            laptop.link.send(EvidenceStop(review.review_id))

    def _evidence(self, laptop_id: str, message: EvidencePart | EvidenceDone | EvidenceTaken) -> None:
        review = self._open.get(message.request_id)
        if review is None or review.laptop_id != laptop_id or review.stretch.outcome is not None:
            return
        review.heard_at = time.monotonic()
        if isinstance(message, EvidenceTaken):
            self._sending.taken(review.review_id)
            return
        if isinstance(message, EvidenceDone):
            self._done(review, message.outcome, message.words, message.until_ms, message.gaps)
            return
        pictures = [picture for picture in message.pictures if _is_whole(picture)]
        sent = review.stretch.pictures | {(picture.side, picture.at_ms) for picture in pictures}
        review.stretch = replace(review.stretch, pictures=sent)
        if pictures or message.levels:
            review.link.send(ReviewEvidence(review.review_id, pictures, message.levels))
        self._more(review)

    def _more(self, review: Review) -> None:
        """The next part may come as soon as the console has taken this one."""
        if self._open.get(review.review_id) is not review or review.stretch.outcome is not None:
            return
        laptop = self._place.laptops.get(review.laptop_id)
        if review.link.backlog >= BACKLOG_BYTES:
            asyncio.get_running_loop().call_later(0.05, self._more, review)
        elif laptop is not None:
            laptop.link.send(EvidenceMore(review.review_id))

    def _done(
        self, review: Review, outcome: EvidenceOutcome, words: str, until_ms: int = 0, gaps: list[Gap] | None = None
    ) -> None:
        self._sending.stop(review.review_id)
        review.stretch = replace(review.stretch, outcome=outcome)
        review.link.send(ReviewEvidenceDone(review.review_id, outcome, words, until_ms, gaps or []))
        pictures = len(review.stretch.pictures)
        detail = {"reference": review.reference, "outcome": outcome, "words": words, "pictures": pictures}
        self._record(review, "evidence_read", detail)
        self._note_played(review)

    def _laptop_gone(self, laptop_id: str) -> None:
        for review in list(self._open.values()):
            if review.laptop_id == laptop_id and review.stretch.outcome is None:
                self._done(review, EvidenceOutcome.FAILED, f"The link to laptop {laptop_id} was lost meanwhile.")

    def _look(self, review: Review) -> None:
        """Again and again while it is read: a laptop that has fallen silent is said to have."""
        if self._open.get(review.review_id) is not review or review.stretch.outcome is not None:
            return
        if time.monotonic() - review.heard_at > SILENT_S:
            self._stop_reading(review)
            self._done(review, EvidenceOutcome.FAILED, f"Laptop {review.laptop_id} does not answer.")
        else:
            asyncio.get_running_loop().call_later(LOOK_S, self._look, review)

    def _shown(self, review: Review | None, shown: Taken) -> None:
        """A console can't have shown what it was not sent."""
        if review is None:
            return
        review.stretch = replace(review.stretch, shown=review.stretch.shown | (shown & review.stretch.pictures))
        self._seen[(review.officer.session, review.reference)] = review.stretch.shown
        self._note_played(review)

    def _note_played(self, review: Review) -> None:
        stretch = review.stretch
        if not review.played and stretch.outcome == EvidenceOutcome.WHOLE and stretch.pictures and not stretch.unseen:
            review.played = True
            detail = {"reference": review.reference, "pictures": len(stretch.pictures)}
            self._record(review, "incident_played", detail)

    # Acts

    async def _command(self, command: ReviewCommand, officer: Officer, link: Link) -> None:
        """Once, decided, in the audit, done, answered; one after the other."""
        async with self._deciding:
            answer = self._answers.get(command.command_id) or self._known(command.command_id)
            if answer is None:
                answer = await self._carry_out(command, officer)
                self._answers[command.command_id] = answer
        link.send(answer)

    def _known(self, command_id: str) -> CommandAnswer | None:
        frame = self._place.known.answers.get(command_id)
        return msgspec.msgpack.decode(frame, type=CommandAnswer) if frame else None

    async def _carry_out(self, command: ReviewCommand, officer: Officer) -> CommandAnswer:
        place = self._place
        review = self._of_session(command.review_id, officer)
        filed = self._filed[review.reference] if review is not None else None
        action = _ACTIONS[type(command.act).__name__]
        if review is None or filed is None:
            permitted = may(officer.role, REVIEW)
            refusal = Refusal.NOT_OPENED if permitted else Refusal.NOT_PERMITTED
            words = "Open the incident first: only who has it open may decide on it." if permitted else NOT_FOR_YOU
            return await self._refuse(command, officer, action, "", "", NotReviewed(refusal, words))
        at = ReviewSituation(utc_ms(), place.writer.writable, review.stretch)
        decision = decide(filed.incident, command, officer.name, officer.role, at)
        if isinstance(decision, NotReviewed):
            return await self._refuse(command, officer, action, filed.incident.call_id, review.reference, decision)
        answer = CommandAnswer(command.command_id, True, None, decision.words, review.reference)
        detail = _detail(command, review.reference, decision.words)
        entry = place.entry(
            action, detail, call_id=filed.incident.call_id, who=officer.name, role=str(officer.role),
            session=officer.session,
        )  # fmt: skip
        row = command.command_id, utc_ms(), encode(answer), place.code
        try:
            await place.writer.write(Unit((entry,), command=row, incident=decision.incident))
        except StoreError as error:
            log.error("audit not writable", error=str(error))
            words = "The audit can't be written, so it was not done; try again later."
            return CommandAnswer(command.command_id, False, Refusal.NO_AUDIT, words)
        self._changed(replace(filed, incident=decision.incident))
        return answer

    async def _refuse(
        self, command: ReviewCommand, officer: Officer, action: str, call_id: str, reference: str, why: NotReviewed
    ) -> CommandAnswer:
        answer = CommandAnswer(command.command_id, False, why.refusal, why.words, reference)
        detail = _detail(command, reference, f"{why.refusal}: {why.words}")
        entry = self._place.entry(
            action, detail, call_id=call_id, who=officer.name, role=str(officer.role), session=officer.session,
            accepted=False,
        )  # fmt: skip
        kept = self._place.writer.write(
            Unit((entry,), command=(command.command_id, utc_ms(), encode(answer), self._place.code))
        )
        if why.refusal != Refusal.NO_AUDIT:
            try:
                await kept
            except StoreError as error:
                log.error("audit not writable", error=str(error), refused=why.words)
        return answer

    # The audit

    async def _consult(
        self, officer: Officer, action: str, call_id: str, about: dict[str, object], refused: tuple[Refusal, str] | None
    ) -> tuple[Refusal, str] | None:
        """Writes who looks at what, why, and whether it was refused; what can't be written is refused too."""
        if refused is not None:
            about = {**about, "words": refused[1]}
        entry = self._place.entry(
            action, json.dumps(about), call_id=call_id, who=officer.name, role=str(officer.role),
            session=officer.session, accepted=refused is None,
        )  # fmt: skip
        try:
            await self._place.writer.write(Unit((entry,)))
        except StoreError as error:
            log.error("audit not writable", error=str(error))
            return refused or (Refusal.NO_AUDIT, "The audit can't be written, so nothing is opened; try again later.")
        return refused

    def _record(self, review: Review, action: str, detail: dict[str, object]) -> None:
        officer = review.officer
        call_id = self._filed[review.reference].incident.call_id
        self._place.record(
            action, json.dumps(detail), call_id=call_id, who=officer.name, role=str(officer.role),
            session=officer.session,
        )  # fmt: skip


_ACTIONS = {
    "WriteFinding": "incident_finding",
    "Decide": "incident_decided",
    "AskUpdate": "incident_update_asked",
    "SignOff": "incident_signed_off",
}


def _detail(command: ReviewCommand, reference: str, words: str) -> str:
    detail = {
        "command": command.command_id,
        "reference": reference,
        "act": msgspec.to_builtins(command.act),
        "version": command.version,
        "words": words,
    }
    return json.dumps(detail, ensure_ascii=True)


def _viewed(entry: Entry, reference: str) -> Viewed | None:
    """An opening of this incident, if the entry is one."""
    if entry.action != "incident_opened" or not entry.accepted:
        return None
    about = json.loads(entry.detail)
    return Viewed(entry.at_ms, entry.who, about["reason"][:500]) if about["reference"] == reference else None


def _is_whole(picture: EvidencePicture) -> bool:
    return len(picture.pixels) == picture.width * picture.height * 3
