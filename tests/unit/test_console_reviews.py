"""The state of a review: the list's order, a stretch as it comes, playing, panels, and why a key is off."""

import msgspec
import pytest

from console.actions import BY_ID
from console.review_desk import ReviewDesk
from console.state.evidence import Evidence, Player
from console.state.panels import CLOSED
from console.state.review_layout import review_parts
from console.state.review_list import ReviewList
from console.state.review_panels import DecidePanel, FindingPanel, Opening, OpenPanel, SignOffPanel, UpdatePanel
from console.state.review_words import age, due, evidence_words, gap_words, offset, why_not_signed_off
from console.state.wall import Wall
from schemas.call import Category, Refusal, Role
from schemas.console import CommandAnswer, ConsoleWelcome
from schemas.incident import (
    PICTURE_EACH_MS,
    Decision,
    EvidenceLevels,
    EvidenceOutcome,
    EvidencePicture,
    Gap,
    Happened,
    IncidentSeverity,
    IncidentState,
    IncidentView,
    Measure,
)
from schemas.media import Side
from schemas.review import (
    AskUpdate,
    Decide,
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

NOW_S = 1000.0
SERVER_MS = 1_795_530_000_000
HOUR_MS = 3_600_000


def incident(reference: str = "INC-1", **fields: object) -> IncidentView:
    values: dict[str, object] = {
        "reference": reference, "version": 1, "call_id": "call-7", "seat": 7, "prison_number": "A1234BC",
        "surname": "Harris", "category": Category.FILMING, "note": "phone held up", "flagged_by": "J. Patel",
        "pressed_at_ms": SERVER_MS - 3 * HOUR_MS, "filed_at_ms": SERVER_MS - 3 * HOUR_MS,
        "severity": IncidentSeverity.HIGH, "due_at_ms": SERVER_MS + 21 * HOUR_MS,
        "state": IncidentState.AWAITING_REVIEW,
    }  # fmt: skip
    return IncidentView(**(values | fields))  # type: ignore[arg-type]


def picture(side: Side, at_ms: int) -> EvidencePicture:
    return EvidencePicture(side, at_ms, 2, 2, bytes(12))


def stretch(
    first: int = -30_000, last: int = 30_000, outcome: EvidenceOutcome | None = EvidenceOutcome.WHOLE
) -> Evidence:
    evidence = Evidence(-30_000, 30_000)
    pictures = [picture(side, at) for at in range(first, last + 1, PICTURE_EACH_MS) for side in Side]
    evidence.take(ReviewEvidence("r", pictures, [EvidenceLevels(Side.ROOM, -30_000, [-185, None, -1200, -90])]))
    if outcome is not None:
        gap = [Gap(side, -30_000, first - 250, "before the recording began") for side in Side if first > -30_000]
        evidence.done(ReviewEvidenceDone("r", outcome, "words.", last, gap))
    return evidence


def test_overdue_comes_first_then_severity_then_age_and_signed_off_last() -> None:
    listed = ReviewList()
    assert not listed.known and listed.choose(SERVER_MS) is None
    overdue = incident("INC-4", severity=IncidentSeverity.LOW, due_at_ms=SERVER_MS - 1)
    severe = incident("INC-3", severity=IncidentSeverity.SEVERE)
    older = incident("INC-2", pressed_at_ms=SERVER_MS - 9 * HOUR_MS)
    closed = incident("INC-5", state=IncidentState.CLOSED, signed_off_by="S. Gill", signed_off_at_ms=SERVER_MS)
    listed.take(Reviews([closed, incident(), older, severe, overdue]))
    assert [i.reference for i in listed.open_ones(SERVER_MS)] == ["INC-4", "INC-3", "INC-2", "INC-1"]
    assert [i.reference for i in listed.signed_off()] == ["INC-5"]
    assert [listed.choose(SERVER_MS, step).reference for step in (0, 1, 9, -1, -9)] == [  # type: ignore[union-attr]
        "INC-4", "INC-3", "INC-5", "INC-1", "INC-4",
    ]  # fmt: skip


def test_an_older_form_of_an_incident_changes_nothing() -> None:
    listed = ReviewList()
    listed.take(Reviews([incident(version=3, finding="new")]))
    listed.take(ReviewChanged(incident(version=2)))
    assert listed.incidents["INC-1"].finding == "new"


def test_ages_dues_and_offsets_in_words() -> None:
    assert [age(ms) for ms in (0, 90_000, HOUR_MS, 47 * HOUR_MS, 48 * HOUR_MS)] == [
        "0 min",
        "1 min",
        "1 h",
        "47 h",
        "2 d",
    ]
    assert due(incident(), SERVER_MS) == "in 21 h"
    assert due(incident(due_at_ms=SERVER_MS - 2 * HOUR_MS), SERVER_MS) == "■ 2 h over"
    assert due(incident(state=IncidentState.CLOSED), SERVER_MS) == ""
    assert [offset(ms) for ms in (-1600, 0, 12_000)] == ["−1.6 s", "0.0 s", "+12.0 s"]


def test_a_picture_stands_for_its_moment_and_no_longer_than_it_may() -> None:
    evidence = stretch(-10_000, 10_000)
    assert evidence.picture(Side.ROOM, -10_001) is None
    assert evidence.missing(Side.ROOM, -20_000) == "before the recording began"
    shown = evidence.picture(Side.ROOM, 130)
    assert shown is not None and shown.at_ms == 0
    assert evidence.picture(Side.ROOM, 10_900) is not None and evidence.picture(Side.ROOM, 11_300) is None
    assert evidence.missing(Side.ROOM, 20_000) == "nothing recorded"
    assert stretch(outcome=None).missing(Side.ROOM, -29_000) == "the recording is being read"


def test_a_picture_whose_bytes_are_not_its_size_is_not_shown() -> None:
    evidence = Evidence(-30_000, 30_000)
    evidence.take(ReviewEvidence("r", [EvidencePicture(Side.ROOM, 0, 4, 4, b"x")], []))
    assert evidence.count == 0 and evidence.picture(Side.ROOM, 0) is None


def test_a_level_that_is_not_recorded_is_not_silence() -> None:
    evidence = stretch()
    assert evidence.level(Side.ROOM, -30_000, -29_900) == -185
    assert evidence.level(Side.ROOM, -29_900, -29_800) is None
    assert evidence.level(Side.ROOM, -29_800, -29_700) == -1200
    assert evidence.level(Side.ROOM, -30_000, -29_600) == -90
    assert evidence.level(Side.FAMILY, -30_000, 0) is None


@pytest.mark.parametrize(("speed", "every_s"), [(1, 0.1), (2, 0.1), (2, 0.35), (1, 3.0)])
def test_playing_shows_every_picture_however_late_it_is_looked_at(speed: int, every_s: float) -> None:
    evidence = stretch(-2000, 2000)
    evidence.pictures[Side.ROOM].insert(5, picture(Side.ROOM, evidence.pictures[Side.ROOM][4].at_ms + 1))
    player = Player(evidence, -3000, speed=speed)
    player.play_or_stop(NOW_S)
    for looks in range(1, 500):
        player.look(NOW_S + looks * every_s)
        player.note_shown()
        if not player.playing:
            break
    assert player.unseen == 0 and player.at_ms == evidence.loaded_ms and not player.playing


def test_stepping_goes_from_picture_to_picture_and_stays_within() -> None:
    player = Player(stretch(), -29_900)
    player.step(1)
    assert player.at_ms == -29_750
    player.step(-1)
    player.step(-1)
    assert player.at_ms == -30_000
    player.go(99_000)
    player.step(1)
    assert player.at_ms == 30_000


def test_what_is_jumped_over_is_not_seen() -> None:
    player = Player(stretch(), -30_000)
    player.note_shown()
    player.go(0)
    player.note_shown()
    assert player.unseen == player.evidence.count - 4
    assert player.take_shown() == {Side.FAMILY: [-30_000, 0], Side.ROOM: [-30_000, 0]}
    assert player.take_shown() == {Side.FAMILY: [], Side.ROOM: []}


def test_playing_waits_for_what_is_still_being_read() -> None:
    player = Player(stretch(-30_000, -28_000, None), -28_200)
    player.play_or_stop(NOW_S)
    for looks in range(1, 20):
        player.look(NOW_S + looks)
    assert player.at_ms == -28_000 and player.playing


def test_how_the_stretch_stands_is_said_in_words() -> None:
    assert evidence_words(stretch(outcome=None))[1] == "The laptop reads its recording: 60 s of 60 s"
    assert evidence_words(stretch())[1].endswith("is here, no gaps")
    partly = stretch(-10_000)
    assert evidence_words(partly)[1].endswith("is here, 1 gap")
    assert gap_words(partly) == ["F R −30.0 s to −10.2 s: before the recording began"]
    partly.gaps[1] = Gap(Side.ROOM, -30_000, -9500, "before the recording began")
    assert gap_words(partly) == ["F R −30.0 s to −9.5 s: before the recording began"]
    partly.gaps[1] = Gap(Side.ROOM, -30_000, -8000, "before the recording began")
    assert len(gap_words(partly)) == 2
    assert "30 s of it are still to come" in evidence_words(stretch(-10_000, 0, EvidenceOutcome.TO_COME))[1]
    assert evidence_words(stretch(0, 0, EvidenceOutcome.NOTHING))[1] == "No recording: words."
    assert evidence_words(stretch(0, 0, EvidenceOutcome.FAILED))[1] == "Not read: words. r reads it again"


def test_panels_need_a_reason_words_or_a_decision() -> None:
    panel = OpenPanel(incident())
    assert panel.press("9") is None and panel.press("enter") == CLOSED
    assert panel.press("3") == Opening("INC-1", "complaint")
    finding = FindingPanel(incident(), "")
    assert finding.press("enter") is None and "no words yet" in finding.view().notice
    for key in "ab":
        finding.press(key)
    finding.press("backspace")
    assert finding.press("enter") == WriteFinding("a") and finding.press("escape") == CLOSED
    update = UpdatePanel(incident(), "Which phone?")
    assert update.press("enter") == AskUpdate("Which phone?")
    decide = DecidePanel(incident())
    assert decide.press("D") is None and "choose the decision" in decide.view().notice
    for key in "s131":
        assert decide.press(key) is None
    assert decide.press("D") == Decide(Decision.SUBSTANTIATED, [Measure.CONTACTS])
    assert decide.press("enter") == CLOSED
    sign = SignOffPanel(incident(finding="x\x1b[2J", decision=Decision.DUPLICATE), -30_000, 30_000)
    assert sign.press("enter") == CLOSED and sign.press("o") is None and sign.press("O") == SignOff()
    assert "\x1b" not in "".join(sign.view().sentences)


class Wire:
    """A review desk with a list of what it sends."""

    def __init__(self, *permissions: str) -> None:
        self.sent: list[object] = []
        wall = Wall(NOW_S)
        self.desk = ReviewDesk(wall, lambda message: bool(self.sent.append(message)) or True)
        welcome = ConsoleWelcome(
            2, "s", "M. Achebe", Role.GOVERNOR, "BWI", "Berwyn", SERVER_MS, list(permissions or ("view", "review"))
        )
        wall.apply(welcome, NOW_S)
        wall.link.heard(NOW_S)
        self.desk.receive(welcome, NOW_S)

    def got(self, kind: type) -> list[object]:
        return [message for message in self.sent if isinstance(message, kind)]

    def open(self, outcome: EvidenceOutcome = EvidenceOutcome.WHOLE, **fields: object) -> ReviewOpen:
        self.desk.receive(Reviews([incident(**fields)]), NOW_S)
        self.desk.act(BY_ID["open"], NOW_S)
        self.desk.press_in_panel("1", NOW_S)
        asked = self.got(ReviewOpen)[-1]
        assert isinstance(asked, ReviewOpen)
        flag = Happened(SERVER_MS - 3 * HOUR_MS, "flag", "filming", "J. Patel", True)
        pause = Happened(SERVER_MS - 3 * HOUR_MS + 9000, "pause", "Paused.", "J. Patel", True)
        opened = ReviewOpened(asked.review_id, incident(**fields), SERVER_MS, -30_000, 30_000, [flag, pause], [])
        self.desk.receive(opened, NOW_S)
        pictures = [picture(side, at) for at in (-250, 0, 250) for side in Side]
        self.desk.receive(ReviewEvidence(asked.review_id, pictures, []), NOW_S)
        self.desk.receive(ReviewEvidenceDone(asked.review_id, outcome, "", 30_000, []), NOW_S)
        return asked


def test_only_a_governor_s_console_asks_for_the_list() -> None:
    assert Wire().got(ReviewsWanted) and not Wire("view", "flag").got(ReviewsWanted)


def test_what_belongs_to_no_open_review_is_not_taken_in() -> None:
    wire = Wire()
    wire.open()
    other = ReviewEvidence("another", [picture(Side.ROOM, 500)], [])
    assert not wire.desk.receive(other, NOW_S)
    assert wire.desk.review is not None and wire.desk.review.evidence.count == 6


def test_a_refused_opening_is_said() -> None:
    wire = Wire()
    wire.desk.receive(Reviews([incident()]), NOW_S)
    wire.desk.act(BY_ID["open"], NOW_S)
    wire.desk.press_in_panel("1", NOW_S)
    wire.desk.receive(ReviewRefused("x", Refusal.NO_AUDIT, "The audit can't be written."), NOW_S)
    assert wire.desk.notice(NOW_S) == "Not opened: The audit can't be written." and wire.desk.review is None


def test_marks_lead_from_act_to_act() -> None:
    wire = Wire()
    wire.open()
    assert wire.desk.review is not None and wire.desk.review.marks() == [0, 9000]
    player = wire.desk.review.player
    for action, place in (("mark-after", 0), ("mark-after", 9000), ("mark-before", 0), ("mark-before", -30_000)):
        wire.desk.act(BY_ID[action], NOW_S)
        assert player.at_ms == place


def test_the_sign_off_is_off_until_all_is_there_and_says_why() -> None:
    wire = Wire()
    wire.open()
    review = wire.desk.review
    assert review is not None
    wire.desk.act(BY_ID["sign-off"], NOW_S)
    assert wire.desk.panel is None
    assert wire.desk.notice(NOW_S) == "O is off: needs finding (e), decision (D), playing"
    review.incident = msgspec.structs.replace(review.incident, finding="x", decision=Decision.DUPLICATE)
    assert why_not_signed_off(review.incident, review.player) == "needs playing"
    for at_ms in (-250, 0, 250):
        review.player.go(at_ms)
        review.player.note_shown()
    wire.desk.act(BY_ID["sign-off"], NOW_S)
    wire.desk.press_in_panel("O", NOW_S)
    shown, command = wire.sent[-2:]
    assert shown == ReviewShown(review.review_id, [-250, 0, 250], [-250, 0, 250]), "what was shown is told first"
    assert isinstance(command, ReviewCommand) and command.act == SignOff() and command.version == 1


def test_an_answer_is_said_and_a_missing_one_too() -> None:
    wire = Wire()
    wire.open()
    wire.desk.act(BY_ID["finding"], NOW_S)
    for key in ("x", "enter"):
        wire.desk.press_in_panel(key, NOW_S)
    assert wire.desk.sent_words(NOW_S + 1) == ("Finding: pending 1.0 s", True)
    assert wire.desk.sent_words(NOW_S + 7)[1] is False
    command = wire.got(ReviewCommand)[0]
    assert isinstance(command, ReviewCommand)
    wire.desk.receive(CommandAnswer(command.command_id, False, Refusal.OLD_VERSION, "It has changed."), NOW_S)
    assert wire.desk.sent_words(NOW_S) == ("Finding refused: It has changed.", False)


def test_after_a_lost_link_nothing_is_decided_until_it_is_opened_again() -> None:
    wire = Wire()
    wire.open()
    assert wire.desk.wall.welcome is not None
    wire.desk.receive(wire.desk.wall.welcome, NOW_S)
    wire.desk.act(BY_ID["decide"], NOW_S)
    assert wire.desk.panel is None and "r opens it again" in wire.desk.notice(NOW_S)
    wire.desk.act(BY_ID["read-again"], NOW_S)
    again = wire.got(ReviewOpen)[-1]
    assert isinstance(again, ReviewOpen) and again.reason == "review of this incident"


def test_what_is_signed_off_is_only_looked_at() -> None:
    wire = Wire()
    wire.open(state=IncidentState.CLOSED, signed_off_by="S. Gill")
    for action in ("finding", "decide", "update", "sign-off"):
        wire.desk.act(BY_ID[action], NOW_S)
        assert wire.desk.panel is None and "signed off by S. Gill" in wire.desk.notice(NOW_S)
    wire.desk.close()
    assert wire.got(ReviewClose) and wire.desk.review is None


@pytest.mark.parametrize(("columns", "rows"), [(60, 20), (80, 24), (120, 40), (200, 60), (300, 90), (61, 21)])
def test_the_parts_of_a_review_fit_its_screen(columns: int, rows: int) -> None:
    parts = review_parts(columns, rows)
    assert parts.room.x + parts.room.width < columns and parts.family.x + parts.family.width < parts.room.x
    assert parts.levels_y >= parts.family.y + parts.family.height + 1
    assert parts.text.height >= 4 and parts.text.y + parts.text.height == rows - 2
    assert review_parts(59, 24).too_small and review_parts(80, 19).too_small
