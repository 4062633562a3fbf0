"""Reviews against a real server: who may, what the laptop is asked, what goes to whom, and what the audit says."""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from websockets.sync.client import connect

from schemas.call import CallState, Category, Refusal
from schemas.console import CallChanged, CommandAnswer, Flag
from schemas.console import End as EndCall
from schemas.incident import (
    Decision,
    EvidenceLevels,
    EvidenceOutcome,
    EvidencePicture,
    Gap,
    IncidentState,
    Measure,
)
from schemas.laptop import (
    EvidenceDone,
    EvidenceMore,
    EvidencePart,
    EvidenceStop,
    EvidenceWanted,
    LaptopHello,
    OrderAct,
    to_laptop,
)
from schemas.media import Box, Side
from schemas.review import (
    AskUpdate,
    Decide,
    ReviewAct,
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
    SignOff,
    WriteFinding,
)
from server.store import tables
from server.store.database import open_for_reading
from tests.server_rig import GOVERNOR_TOKEN, OFFICER_TOKEN, Console, End, Server, running_server, wait_until

from .test_server_commands import Rig

BOXES = [Box(Side.FAMILY, 48, 26), Box(Side.ROOM, 48, 26)]


class Review(Rig):
    """A live call with one flag, and a governor's console."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.admit()
        self.pressed_at_ms = int(time.time() * 1000)
        flag = Flag(Category.FILMING, "phone held up", self.pressed_at_ms)
        self.reference = self.console.give(flag).reference
        self.governor = Console(server, GOVERNOR_TOKEN)
        self.review_id = ""

    def open(self, reason: str = "review of this incident", by: Console | None = None) -> ReviewOpened | ReviewRefused:
        by = by or self.governor
        self.review_id = uuid.uuid4().hex
        by.send(ReviewOpen(self.review_id, self.reference, reason, BOXES))
        return by.next((ReviewOpened, ReviewRefused), lambda m: m.review_id == self.review_id)

    def command(self, act: ReviewAct, version: int, **fields: Any) -> ReviewCommand:
        values = {
            "command_id": uuid.uuid4().hex,
            "review_id": self.review_id,
            "version": version,
            "not_after_ms": int(time.time() * 1000) + 5000,
            "act": act,
        }
        return ReviewCommand(**(values | fields))

    def give(self, act: ReviewAct, version: int, by: Console | None = None, **fields: Any) -> CommandAnswer:
        command = self.command(act, version, **fields)
        (by or self.governor).send(command)
        return (by or self.governor).next(CommandAnswer, lambda a: a.command_id == command.command_id)

    def read(self, outcome: EvidenceOutcome = EvidenceOutcome.WHOLE) -> list[EvidencePicture]:
        """The laptop reads it, all of it or whatever `outcome` says; returns what has come to the console."""
        wanted = self.laptop.next(EvidenceWanted)
        pictures = [picture(side, at) for at in (-250, 0, 250) for side in Side]
        self.laptop.send(EvidencePart(wanted.request_id, [], [EvidenceLevels(Side.ROOM, -30_000, [-185, None])]))
        self.laptop.send(EvidencePart(wanted.request_id, pictures, []))
        gap = Gap(Side.ROOM, 500, 30_000, "after the recording ended")
        self.laptop.send(EvidenceDone(wanted.request_id, outcome, "words", 30_000, [gap]))
        self.governor.next(ReviewEvidenceDone)
        return [p for m in self.governor.seen if isinstance(m, ReviewEvidence) for p in m.pictures]

    def play(self) -> None:
        self.governor.send(ReviewShown(self.review_id, [-250, 0, 250], [-250, 0, 250]))

    def audit(self, *actions: str) -> list[Any]:
        engine = open_for_reading(self.server.folder / "sightline.db")
        with engine.connect() as connection:
            rows = connection.execute(select(tables.audit).order_by(tables.audit.c.n)).all()
        engine.dispose()
        return [row for row in rows if row.action in actions]


def picture(side: Side, at_ms: int) -> EvidencePicture:
    return EvidencePicture(side, at_ms, 4, 2, bytes(range(24)))


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    with running_server(tmp_path) as server:
        yield Review(server)


def test_a_flag_is_on_the_governor_s_list_at_once(review: Review) -> None:
    review.governor.send(ReviewsWanted())
    incident = review.governor.next(Reviews).incidents[0]
    assert (incident.reference, incident.state) == (review.reference, IncidentState.AWAITING_REVIEW)
    assert (incident.surname, incident.seat, incident.note) == ("Prosser", 1, "phone held up")
    assert incident.pressed_at_ms == review.pressed_at_ms
    reference = review.console.give(Flag(Category.OTHER, "", review.pressed_at_ms)).reference
    assert review.governor.next(ReviewChanged).incident.reference == reference
    assert [row.who for row in review.audit("reviews_listed")] == ["S. Gill"]


def test_an_incident_opens_with_what_happened_and_is_in_the_audit_first(review: Review) -> None:
    opened = review.open("complaint")
    assert isinstance(opened, ReviewOpened) and not opened.viewed
    assert [one.action for one in opened.happened][-1] == "flag"
    assert {"room_opened", "admit", "laptop_confirmed", "flag"} <= {one.action for one in opened.happened}
    entry = review.audit("incident_opened")[0]
    assert entry.who == "S. Gill" and json.loads(entry.detail)["reason"] == "complaint"
    again = review.open()
    assert isinstance(again, ReviewOpened)
    assert [(view.who, view.reason) for view in again.viewed] == [("S. Gill", "complaint")]


def test_the_stretch_goes_from_the_laptop_to_this_console_only(review: Review) -> None:
    other = Console(review.server, GOVERNOR_TOKEN)
    other.send(ReviewsWanted())
    other.next(Reviews)
    review.open()
    wanted = review.laptop.next(EvidenceWanted)
    assert (wanted.call_id, wanted.pressed_at_ms) == ("BWI-1", review.pressed_at_ms)
    assert (wanted.from_ms, wanted.to_ms, wanted.boxes) == (-30_000, 30_000, BOXES)
    review.laptop.send(EvidencePart(wanted.request_id, [picture(Side.FAMILY, 0)], []))
    assert review.governor.next(ReviewEvidence).pictures == [picture(Side.FAMILY, 0)]
    assert review.laptop.next(EvidenceMore).request_id == review.review_id
    short = EvidencePicture(Side.ROOM, 0, 4, 2, b"too short")
    review.laptop.send(EvidencePart(wanted.request_id, [short, picture(Side.ROOM, 0)], []))
    assert review.governor.next(ReviewEvidence).pictures == [picture(Side.ROOM, 0)]
    review.laptop.send(EvidencePart("of no review", [picture(Side.ROOM, 0)], []))
    review.laptop.send(EvidenceDone(wanted.request_id, EvidenceOutcome.WHOLE, "", 30_000, []))
    review.governor.next(ReviewEvidenceDone)
    for console in (other, review.console):
        with pytest.raises(TimeoutError):
            console.next((ReviewEvidence, ReviewOpened, ReviewEvidenceDone), seconds=0.3)
    data = b"".join(file.read_bytes() for file in review.server.folder.glob("sightline.db*"))
    assert bytes(range(24)) not in data, "the server keeps no picture"


def test_the_whole_way_to_the_sign_off(review: Review) -> None:
    review.open()
    assert len(review.read()) == 6
    before = review.console.calls["BWI-1"]
    assert review.give(SignOff(), 1).refusal == Refusal.NOT_DECIDED
    assert review.give(WriteFinding("A phone was held up."), 1).accepted
    assert review.give(Decide(Decision.SUBSTANTIATED, [Measure.CAUTION]), 1).refusal == Refusal.OLD_VERSION
    assert review.give(Decide(Decision.SUBSTANTIATED, [Measure.CAUTION]), 2).accepted
    not_played = review.give(SignOff(), 3)
    assert not_played.refusal == Refusal.NOT_PLAYED and not_played.words.startswith("6 pictures")
    review.governor.send(ReviewShown(review.review_id, [-250, 0, 250], [-250, 0, 99_999]))
    assert review.give(SignOff(), 3).refusal == Refusal.NOT_PLAYED, "one picture was not shown"
    review.play()
    assert review.give(SignOff(), 3).accepted
    assert review.give(WriteFinding("Something else."), 4).refusal == Refusal.SIGNED_OFF
    review.governor.send(ReviewsWanted())
    incident = review.governor.next(Reviews).incidents[0]
    assert (incident.state, incident.signed_off_by) == (IncidentState.CLOSED, "S. Gill")
    assert (incident.finding, incident.measures) == ("A phone was held up.", [Measure.CAUTION])
    acts = review.audit("incident_finding", "incident_decided", "incident_signed_off")
    assert [row.accepted for row in acts] == [False, True, False, True, False, False, True, False]
    assert len(review.audit("incident_played")) == 1
    assert review.audit("evidence_read")[0].call_id == "BWI-1"
    with pytest.raises(TimeoutError):
        review.console.next(CallChanged, seconds=0.3)
    assert review.console.calls["BWI-1"] == before, "a review changes no call"
    assert review.server.verify()["intact"]


def test_an_act_sent_twice_has_one_effect_and_survives_a_restart(review: Review) -> None:
    review.open()
    command = review.command(WriteFinding("x"), 1)
    review.governor.send(command)
    review.governor.send(command)
    first = review.governor.next(CommandAnswer)
    assert first.accepted and review.governor.next(CommandAnswer) == first
    review.server.restart()
    governor = Console(review.server, GOVERNOR_TOKEN)
    governor.send(ReviewsWanted())
    incident = governor.next(Reviews).incidents[0]
    assert (incident.finding, incident.version) == ("x", 2)
    governor.send(command)
    assert governor.next(CommandAnswer) == first
    other = review.command(WriteFinding("y"), 2)
    governor.send(other)
    assert governor.next(CommandAnswer).refusal == Refusal.NOT_OPENED, "a new session has nothing open"


def test_officers_are_refused_with_words_and_in_the_audit(review: Review) -> None:
    officer = Console(review.server, OFFICER_TOKEN)
    officer.send(ReviewsWanted())
    refused = officer.next(ReviewRefused)
    assert refused.words == "Reviews are for the duty governor. You can flag (f)."
    refused = review.open(by=officer)
    assert isinstance(refused, ReviewRefused) and refused.refusal == Refusal.NOT_PERMITTED
    answer = review.give(SignOff(), 1, by=officer)
    assert not answer.accepted and answer.refusal == Refusal.NOT_PERMITTED
    entries = review.audit("reviews_listed", "incident_opened", "incident_signed_off")
    assert [(row.who, row.accepted) for row in entries] == [("R. Hughes", False)] * 3
    with pytest.raises(TimeoutError):
        review.laptop.next(EvidenceWanted, seconds=0.3)


def test_another_session_cannot_use_or_close_a_review(review: Review) -> None:
    review.open()
    review.read()
    other = Console(review.server, GOVERNOR_TOKEN)
    other.send(ReviewShown(review.review_id, [-250, 0, 250], [-250, 0, 250]))
    other.send(ReviewClose(review.review_id))
    assert review.give(WriteFinding("x"), 1, by=other).refusal == Refusal.NOT_OPENED
    assert review.give(WriteFinding("x"), 1).accepted
    assert review.give(Decide(Decision.DUPLICATE, []), 2).accepted
    assert review.give(SignOff(), 3).refusal == Refusal.NOT_PLAYED


def test_an_opening_without_a_reason_or_of_nothing_is_refused(review: Review) -> None:
    refused = review.open(" ")
    assert isinstance(refused, ReviewRefused) and refused.refusal == Refusal.REASON_MISSING
    review.reference = "INC-0000-0000-00"
    refused = review.open()
    assert isinstance(refused, ReviewRefused) and refused.refusal == Refusal.UNKNOWN_INCIDENT
    assert [row.accepted for row in review.audit("incident_opened")] == [False, False]


def test_a_laptop_that_is_away_or_goes_or_is_too_old_is_said(review: Review) -> None:
    review.open()
    review.laptop.next(EvidenceWanted)
    review.laptop.close()
    lost = review.governor.next(ReviewEvidenceDone)
    assert lost.outcome == EvidenceOutcome.FAILED and "was lost" in lost.words
    wait_until(lambda: bool(review.audit("laptop_gone")), "the laptop is gone")
    assert isinstance(review.open(), ReviewOpened)
    away = review.governor.next(ReviewEvidenceDone)
    assert away.outcome == EvidenceOutcome.FAILED and "BWI-01 is away" in away.words
    assert review.give(WriteFinding("x"), 1).accepted
    assert review.give(Decide(Decision.NO_FINDING, []), 2).accepted
    assert review.give(SignOff(), 3).refusal == Refusal.NOT_PLAYED
    old = End(connect(f"{review.server.url}/laptop", compression=None), to_laptop)
    old.send(LaptopHello(1, "BWI", "BWI-01", "laptop-token-123456", "of protocol 1"))
    wait_until(lambda: len(review.audit("laptop_connected")) == 2, "the old agent is connected")
    review.open()
    too_old = review.governor.next(ReviewEvidenceDone)
    assert too_old.outcome == EvidenceOutcome.FAILED and "too old" in too_old.words
    with pytest.raises(TimeoutError):
        old.next(EvidenceWanted, seconds=0.3)


def test_nothing_is_opened_while_the_audit_cannot_be_written(review: Review) -> None:
    """A reader that holds the database locks the writer out, as a full disk would."""
    database = sqlite3.connect(review.server.folder / "sightline.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    try:
        refused = review.open()
        assert isinstance(refused, ReviewRefused) and refused.refusal == Refusal.NO_AUDIT
        with pytest.raises(TimeoutError):
            review.laptop.next(EvidenceWanted, seconds=0.3)
    finally:
        database.execute("ROLLBACK")
        database.close()
    wait_until(lambda: isinstance(review.open(), ReviewOpened), "it opens when the audit can be written again")


def test_a_governor_who_leaves_stops_the_laptop_s_reading(review: Review) -> None:
    review.open()
    review.laptop.next(EvidenceWanted)
    review.governor.send(ReviewClose(review.review_id))
    assert review.laptop.next(EvidenceStop).request_id == review.review_id
    review.open()
    review.laptop.next(EvidenceWanted)
    review.governor.close()
    assert review.laptop.next(EvidenceStop).request_id == review.review_id
    wait_until(lambda: len(review.audit("incident_closed")) == 2, "both closings are in the audit")


def test_sending_back_asks_the_officer(review: Review) -> None:
    review.open()
    assert review.give(AskUpdate(" "), 1).refusal == Refusal.REASON_MISSING
    assert review.give(AskUpdate("Which phone?"), 1).accepted
    review.governor.send(ReviewsWanted())
    incident = review.governor.next(Reviews).incidents[0]
    assert (incident.state, incident.question) == (IncidentState.NEEDS_UPDATING, "Which phone?")


def test_a_call_that_has_ended_is_reviewed_just_as_well(review: Review) -> None:
    answer = review.console.give(EndCall())
    review.laptop.confirm(OrderAct.END)
    assert review.console.done(answer.command_id).done
    review.console.call("BWI-1", lambda call: call.state == CallState.ENDED)
    assert isinstance(review.open(), ReviewOpened)
    assert review.laptop.next(EvidenceWanted).call_id == "BWI-1"
