"""The rules of a review, without a server."""

import json

import msgspec
import pytest

from schemas.call import Category, Refusal, Role
from schemas.incident import PICTURE_EACH_MS, Decision, EvidenceOutcome, IncidentSeverity, IncidentState, Measure
from schemas.media import Side
from schemas.review import AskUpdate, Decide, ReviewCommand, SignOff, WriteFinding
from server.rules.incident import (
    FINAL,
    Incident,
    NotReviewed,
    Reviewed,
    ReviewSituation,
    Stretch,
    decide,
    incident_view,
    severity,
)
from server.rules.story import happened

from .test_server_rules import a_call

NOW = 1_800_000_000_000
PICTURES = frozenset((side, at) for side in Side for at in range(-30_000, 30_001, PICTURE_EACH_MS))
WATCHED = Stretch(PICTURES, PICTURES, EvidenceOutcome.WHOLE)


def incident(**fields: object) -> Incident:
    new = Incident("INC-1", "BWI", "BWI-1", "r", "phone held up", "R. Hughes", NOW - 60_000, NOW - 55_000)
    return msgspec.structs.replace(new, **fields)


def ready(**fields: object) -> Incident:
    return incident(finding="A phone was held up.", decision=Decision.SUBSTANTIATED, version=3, **fields)


def command(of: Incident, act: object, **fields: object) -> ReviewCommand:
    values: dict[str, object] = {"command_id": "c", "review_id": "r", "version": of.version, "not_after_ms": NOW + 5000}
    return ReviewCommand(**(values | fields | {"act": act}))  # type: ignore[arg-type]


def at(stretch: Stretch | None = WATCHED, writable: bool = True) -> ReviewSituation:
    return ReviewSituation(NOW, writable, stretch)


def reviewed(of: Incident, act: object, stretch: Stretch | None = WATCHED) -> Incident:
    decision = decide(of, command(of, act), "M. Achebe", Role.GOVERNOR, at(stretch))
    assert isinstance(decision, Reviewed), decision
    return decision.incident


def refused(of: Incident, act: object, stretch: Stretch | None = WATCHED, role: Role = Role.GOVERNOR) -> Refusal:
    decision = decide(of, command(of, act), "M. Achebe", role, at(stretch))
    assert isinstance(decision, NotReviewed) and decision.words.endswith((".", ")."))
    return decision.refusal


def test_a_review_goes_from_finding_and_decision_to_its_sign_off() -> None:
    found = reviewed(incident(), WriteFinding("  A phone was held up. "))
    assert (found.finding, found.version, found.changed_by) == ("A phone was held up.", 2, "M. Achebe")
    decided = reviewed(found, Decide(Decision.SUBSTANTIATED, [Measure.BAN, Measure.CAUTION, Measure.BAN]))
    assert decided.measures == (Measure.CAUTION, Measure.BAN)
    closed = reviewed(decided, SignOff())
    assert (closed.state, closed.signed_off_by, closed.signed_off_at_ms) == (IncidentState.CLOSED, "M. Achebe", NOW)


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision.SUBSTANTIATED, IncidentState.CLOSED),
        (Decision.NOT_SUBSTANTIATED, IncidentState.CLOSED),
        (Decision.NO_FINDING, IncidentState.CLOSED),
        (Decision.DUPLICATE, IncidentState.DUPLICATE),
        (Decision.NOT_REPORTABLE, IncidentState.NOT_REPORTABLE),
    ],
)
def test_the_decision_names_the_state_of_a_signed_off_incident(decision: Decision, state: IncidentState) -> None:
    assert reviewed(ready(), SignOff()).state == IncidentState.CLOSED
    assert reviewed(msgspec.structs.replace(ready(), decision=decision), SignOff()).state == state


def test_sending_back_needs_a_question_and_does_not_end_the_review() -> None:
    assert refused(incident(), AskUpdate("  ")) == Refusal.REASON_MISSING
    asked = reviewed(ready(), AskUpdate("Which phone?"))
    assert (asked.state, asked.question) == (IncidentState.NEEDS_UPDATING, "Which phone?")
    assert reviewed(asked, SignOff()).state == IncidentState.CLOSED


def test_only_a_governor_who_has_it_open_may_act() -> None:
    for role in Role:
        if role != Role.GOVERNOR:
            assert refused(ready(), SignOff(), role=role) == Refusal.NOT_PERMITTED
    for act in (WriteFinding("x"), Decide(Decision.DUPLICATE, []), AskUpdate("?"), SignOff()):
        assert refused(ready(), act, None) == Refusal.NOT_OPENED


def test_what_is_signed_off_is_final() -> None:
    for state in FINAL:
        for act in (WriteFinding("x"), Decide(Decision.DUPLICATE, []), AskUpdate("?"), SignOff()):
            assert refused(ready(state=state, signed_off_by="S. Gill"), act) == Refusal.SIGNED_OFF


@pytest.mark.parametrize(
    ("stretch", "refusal"),
    [
        (Stretch(PICTURES, PICTURES), Refusal.NOT_PLAYED),  # still being read
        (Stretch(PICTURES, PICTURES, EvidenceOutcome.FAILED), Refusal.NOT_PLAYED),
        (Stretch(PICTURES, PICTURES, EvidenceOutcome.TO_COME), Refusal.NOT_PLAYED),
        (Stretch(PICTURES, frozenset(), EvidenceOutcome.WHOLE), Refusal.NOT_PLAYED),
        (Stretch(PICTURES, PICTURES - {(Side.ROOM, 250)}, EvidenceOutcome.WHOLE), Refusal.NOT_PLAYED),
        (Stretch(frozenset(), frozenset(), EvidenceOutcome.NOTHING), Refusal.NOT_DECIDED),
    ],
)
def test_a_stretch_that_was_not_seen_keeps_the_sign_off_shut(stretch: Stretch, refusal: Refusal) -> None:
    assert refused(ready(), SignOff(), stretch) == refusal


def test_without_a_recording_only_that_nothing_can_be_found_is_signed_off() -> None:
    nothing = Stretch(frozenset(), frozenset(), EvidenceOutcome.NOTHING)
    assert refused(msgspec.structs.replace(ready(), decision=Decision.NOT_SUBSTANTIATED), SignOff(), nothing)
    no_finding = msgspec.structs.replace(ready(), decision=Decision.NO_FINDING)
    assert reviewed(no_finding, SignOff(), nothing).state == IncidentState.CLOSED


def test_a_finding_and_a_decision_are_needed() -> None:
    assert refused(incident(decision=Decision.DUPLICATE), SignOff()) == Refusal.NOT_DECIDED
    assert refused(incident(finding="x"), SignOff()) == Refusal.NOT_DECIDED
    assert refused(incident(), WriteFinding(" \n")) == Refusal.REASON_MISSING


def test_old_versions_late_acts_and_an_audit_that_cannot_be_written_change_nothing() -> None:
    of = ready()
    late = command(of, SignOff(), not_after_ms=NOW - 1)
    old = command(of, SignOff(), version=of.version - 1)
    for given_command, situation, refusal in (
        (late, at(), Refusal.TOO_LATE),
        (old, at(), Refusal.OLD_VERSION),
        (command(of, SignOff()), at(writable=False), Refusal.NO_AUDIT),
    ):
        decision = decide(of, given_command, "M. Achebe", Role.GOVERNOR, situation)
        assert isinstance(decision, NotReviewed) and decision.refusal == refusal


def test_how_soon_a_decision_is_due_follows_from_the_category() -> None:
    assert severity(Category.SELF_HARM_OR_SAFEGUARDING) == IncidentSeverity.SEVERE
    assert severity(Category.FILMING) == IncidentSeverity.HIGH
    assert severity(Category.DRIVING) == IncidentSeverity.MIDDLE
    assert severity(Category.TECHNICAL_FAULT) == IncidentSeverity.LOW
    view = incident_view(incident(), a_call())
    assert (view.due_at_ms - view.filed_at_ms, view.surname) == (24 * 3600 * 1000, "Prosser")


def told(action: str, detail: object) -> str:
    text = detail if isinstance(detail, str) else json.dumps(detail)
    line = happened(NOW, "R. Hughes", action, True, text)
    return line.words if line else ""


def test_the_story_of_a_call_is_told_in_words() -> None:
    def act(act: list[object], words: str, reason: str = "") -> dict[str, object]:
        return {"command": "c", "act": act, "reason": reason, "version": 1, "words": words}

    assert told("flag", act([10, "r", "phone held up", NOW], "Flagged.")) == "filming: phone held up"
    pressed = happened(NOW, "R. Hughes", "flag", True, json.dumps(act([10, "e", "", NOW - 2000], "Flagged.")))
    assert pressed is not None and pressed.at_ms == NOW - 2000
    assert told("flag", act([10, "e", "", NOW], "Flagged.")) == "technical fault"
    assert told("warn", act([4, "family", "No filming."], "Warning sent.")) == "to family: “No filming.”"
    assert told("extend", act([7, NOW], "5 min more.", "welfare")) == "5 min more. welfare"
    assert told("end", "COMPLETED_NORMALLY Ended by the clock: time over").startswith("COMPLETED_NORMALLY")
    assert told("laptop_confirmed", "pause confirmed by laptop, 10 packets, 50 us") == "pause confirmed by laptop"
    assert told("view_opened", "x") == told("incident_opened", "{}") == ""
