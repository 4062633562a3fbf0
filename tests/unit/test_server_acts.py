"""The rules of the watch, urgent help, one side, words for people, looks and marks, without a server."""

from typing import Any

import msgspec
import pytest

from schemas.attention import Acknowledge, Cause, Mark, Shelve
from schemas.call import CallState, Category, Refusal, Role
from schemas.console import Flag, Notice, OneSide, Pause, Refuse, Resume, UrgentHelp, Warn, Watch
from schemas.laptop import OrderAct
from schemas.media import Side
from server.rules import duty, happenings, sides
from server.rules.call import MINUTE_MS, Call
from server.rules.commands import decide
from server.rules.decision import Accepted, Refused, Told
from server.rules.looking import Gaze, gaze, over
from server.rules.marks import acknowledged, shelved, why_not_shelved

from .test_server_rules import START, a_call, at, command, live

NOW = START + MINUTE_MS
HERE = frozenset({"R. Hughes", "J. Patel"})


def given(call: Call, act: Any, staff: str = "R. Hughes", reason: str = "why", **situation: Any) -> Any:
    fields = {"present": HERE, "readers": frozenset({"room", "family-1"})} | situation
    return decide(call, command(call, act, reason=reason), staff, Role.OFFICER, at(**fields))


def yes(call: Call, act: Any, **fields: Any) -> Accepted:
    decision = given(call, act, **fields)
    assert isinstance(decision, Accepted), decision
    return decision


def no(call: Call, act: Any, **fields: Any) -> Refused:
    decision = given(call, act, **fields)
    assert isinstance(decision, Refused), decision
    return decision


# -- the watch


def test_a_watch_that_nobody_has_is_taken_and_one_that_somebody_has_is_not() -> None:
    taken = yes(live(), Watch(True)).call
    assert taken.watch == "R. Hughes"
    refused = no(taken, Watch(True), staff="J. Patel")
    assert "R. Hughes has the watch" in refused.words
    left = yes(taken, Watch(True), staff="J. Patel", present=frozenset({"J. Patel"})).call
    assert left.watch == "J. Patel" and "from R. Hughes" in left.said


def test_an_offer_leaves_the_giver_responsible_until_it_is_taken() -> None:
    mine = yes(live(), Watch(True)).call
    offered = yes(mine, Watch(False, "J. Patel")).call
    assert (offered.watch, offered.watch_offered_to) == ("R. Hughes", "J. Patel")
    taken = yes(offered, Watch(True), staff="J. Patel").call
    assert (taken.watch, taken.watch_offered_to) == ("J. Patel", "")
    kept = yes(offered, Watch(True)).call
    assert (kept.watch, kept.watch_offered_to) == ("R. Hughes", "")


def test_an_offer_lapses_after_five_minutes() -> None:
    offered = yes(yes(live(), Watch(True)).call, Watch(False, "J. Patel")).call
    later = offered.watch_offered_at_ms + duty.OFFER_STANDS_MS
    assert duty.offer_lapsed(offered, later) is offered
    assert duty.offer_lapsed(offered, later + 1).watch_offered_to == ""
    assert not duty.offered(offered, "J. Patel", later + 1)


@pytest.mark.parametrize("to", ["", "R. Hughes", "N. Obody"])
def test_a_watch_is_offered_to_a_colleague_who_is_here(to: str) -> None:
    assert no(yes(live(), Watch(True)).call, Watch(False, to)).words.endswith(".")


def test_only_who_has_the_watch_can_offer_it() -> None:
    assert no(live(), Watch(False, "J. Patel")).refusal == Refusal.WRONG_STATE


def test_the_next_call_in_the_room_keeps_its_watch() -> None:
    assert happenings.open_room(a_call(state=CallState.BOOKED), "J. Patel").watch == "J. Patel"


# -- urgent help


def test_urgent_help_stands_until_it_is_over() -> None:
    asked = yes(live(), UrgentHelp("medical"))
    assert (asked.help, asked.call.help, asked.call.help_by) == ("medical", "medical", "R. Hughes")
    again = yes(asked.call, UrgentHelp("medical"), staff="J. Patel")
    assert again.help == "" and again.call is asked.call
    over_ = yes(asked.call, UrgentHelp("false alarm", over=True), staff="J. Patel")
    assert over_.call.help == "" and "false alarm" in over_.call.said and over_.help == ""
    assert no(live(), UrgentHelp("", over=True)).refusal == Refusal.WRONG_STATE


def test_a_flag_of_self_harm_calls_for_help() -> None:
    flagged = yes(live(), Flag(Category.SELF_HARM_OR_SAFEGUARDING, "", NOW))
    assert flagged.flag is not None and flagged.call.help and flagged.help
    assert not yes(live(), Flag(Category.FILMING, "", NOW)).call.help


# -- one side


def test_what_is_turned_off_is_off_at_once_and_what_is_turned_on_waits_for_the_laptop() -> None:
    off = yes(live(), OneSide(Side.FAMILY, True, False))
    assert off.call.family_sound_off and off.order is not None and off.told == Told(off.told.words, Side.FAMILY)  # type: ignore[union-attr]
    on = yes(off.call, OneSide(Side.FAMILY, False, False))
    assert on.call.family_sound_off and on.order is not None
    confirmed = happenings.confirmed(on.call, on.order, "R. Hughes", NOW)
    assert not confirmed.family_sound_off


def test_who_turned_it_off_and_why_is_said_as_it_was_written() -> None:
    off = yes(live(), OneSide(Side.FAMILY, True, True), reason="a TV at Jane's").call
    assert off.said == "Sound and picture of the family off, by R. Hughes: a TV at Jane's"
    assert yes(off, OneSide(Side.FAMILY, False, False)).words == "Sound and picture of the family on, by R. Hughes: why"


def test_turning_on_needs_the_newest_version_and_the_audit_and_turning_off_neither() -> None:
    off = yes(live(), OneSide(Side.ROOM, True, True)).call
    old = msgspec.structs.replace(off, version=off.version + 1)
    on = command(off, OneSide(Side.ROOM, True, False), reason="why")
    assert decide(old, on, "R. Hughes", Role.OFFICER, at()).refusal == Refusal.OLD_VERSION  # type: ignore[union-attr]
    assert no(off, OneSide(Side.ROOM, False, False), audit_writable=False).refusal == Refusal.NO_AUDIT
    assert yes(live(), OneSide(Side.ROOM, True, True), audit_writable=False).call.room_picture_off


def test_a_laptop_that_starts_anew_is_told_what_is_off() -> None:
    off = yes(live(), OneSide(Side.ROOM, False, True)).call
    (order,) = sides.standing(off)
    assert (order.act, order.side, order.sound_off, order.picture_off) == (OrderAct.ONE_SIDE, Side.ROOM, False, True)
    assert not sides.standing(live())


def test_nothing_is_turned_on_that_is_on() -> None:
    assert no(live(), OneSide(Side.ROOM, False, False)).refusal == Refusal.WRONG_STATE


# -- words for people


def test_words_go_only_where_somebody_can_read_them() -> None:
    assert "room, family-1" in yes(live(), Notice(None, "Please wait.")).words
    assert no(live(), Notice(Side.FAMILY, "Hello"), readers=frozenset({"room"})).refusal == Refusal.NO_SUCH_LEG
    assert no(live(), Notice(None, "  ")).refusal == Refusal.REASON_MISSING


def test_a_warning_counts_and_says_its_number() -> None:
    first = yes(live(), Warn(None, "please stay in view."))
    assert first.call.warnings == 1 and first.told is not None and first.told.words.endswith("This is warning 1.")
    assert "warning 2" in yes(first.call, Warn(Side.FAMILY, "")).told.words  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("told", "leg", "reached"),
    [
        (Told("x"), "room", True),
        (Told("x", Side.FAMILY), "room", False),
        (Told("x", Side.FAMILY), "family-3", True),
        (Told("x", leg="family-2"), "family-2", True),
        (Told("x", leg="family-2"), "family-1", False),
    ],
)
def test_whom_words_reach(told: Told, leg: str, reached: bool) -> None:
    assert told.reaches(leg) == reached


def test_a_refused_caller_reads_a_sentence_and_nobody_else_does() -> None:
    refused = yes(a_call(), Refuse("family-1"), reason="identity not shown")
    assert refused.told is not None and refused.told.leg == "family-1" and "who you are" in refused.told.words
    assert no(a_call(), Refuse("family-1"), reason=" ").refusal == Refusal.REASON_MISSING


def test_who_was_refused_stays_out_for_a_minute_or_for_good() -> None:
    place = yes(a_call(), Refuse("family-1"), reason="place not fit").call
    assert happenings.leg_connected(place, "family-1", True, "") is place, "a late word of the laptop opens nothing"
    assert place.leg("family-1").refused_until_ms == NOW + MINUTE_MS  # type: ignore[union-attr]
    assert happenings.laptop_started_anew(place).leg("family-1").refused_until_ms  # type: ignore[union-attr]
    again = happenings.refusal_over(place, "family-1")
    assert happenings.leg_connected(again, "family-1", True, "").leg("family-1").connected  # type: ignore[union-attr]
    for_good = yes(a_call(), Refuse("family-1"), reason="restriction").call
    assert for_good.leg("family-1").refused_until_ms > NOW + 10**12  # type: ignore[union-attr]


# -- a pause, and why


def test_the_reason_of_a_pause_is_told_once_and_after_a_minute_it_is_checking() -> None:
    paused = yes(live(), Pause(), reason="").call
    noted = yes(paused, Pause(), reason="filming")
    assert noted.call.paused_why == "filming" and noted.order is None and "Filming" in noted.told.words  # type: ignore[union-attr]
    assert noted.call.pauses == paused.pauses == 1
    assert yes(noted.call, Pause(), reason="another").call is noted.call
    assert happenings.pause_unexplained(noted.call, paused.paused_at_ms + 99 * MINUTE_MS) is noted.call
    assert happenings.pause_unexplained(paused, paused.paused_at_ms + MINUTE_MS - 1) is paused
    assert happenings.pause_unexplained(paused, paused.paused_at_ms + MINUTE_MS).paused_why == "checking something"


def test_a_colleague_who_was_first_is_named() -> None:
    paused = yes(live(), Pause(), reason="").call
    resumed = happenings.confirmed(paused, yes(paused, Resume(False)).order, "J. Patel", NOW)  # type: ignore[arg-type]
    late = decide(resumed, command(paused, Resume(False)), "R. Hughes", Role.OFFICER, at())
    assert isinstance(late, Refused) and late.refusal == Refusal.OLD_VERSION and "J. Patel" in late.words


# -- looks


def test_a_look_is_focus_or_five_seconds() -> None:
    chosen, ended = gaze(Gaze(), "a", False, 10.0)
    assert ended is None and chosen.looks_since_s is None
    passed, ended = gaze(chosen, "b", False, 14.9)
    assert ended is None, "passing by is no look"
    stays, _ = gaze(passed, "b", False, 20.0)
    assert stays.looks_since_s == 14.9
    _, ended = gaze(stays, "", False, 30.0)
    assert ended is not None and (ended.call_id, ended.seconds) == ("b", pytest.approx(15.1))
    focused, _ = gaze(Gaze(), "c", True, 1.0)
    assert focused.looks_since_s == 1.0 and over(focused, 1.5).seconds == 0.5  # type: ignore[union-attr]


# -- marks

SHELF = Shelve("BWI-1", Cause.TIME_SHORT, 7, 5, "known and harmless")


def test_who_saw_it_first_is_named_and_another_occurrence_is_new() -> None:
    one = acknowledged([], Acknowledge("BWI-1", Cause.PAUSED, 7), "R. Hughes", NOW)
    assert acknowledged(one, Acknowledge("BWI-1", Cause.PAUSED, 7), "J. Patel", NOW) == one
    assert len(acknowledged(one, Acknowledge("BWI-1", Cause.PAUSED, 8), "J. Patel", NOW)) == 2


def test_shelving_has_limits() -> None:
    def why(act: Shelve = SHELF, call: Call | None = live(), marks: int = 0, times: int = 0) -> str:  # noqa: B008
        every = shelved([], act, "R. Hughes", NOW) * marks
        return why_not_shelved(call, act, "R. Hughes", every, times, NOW)

    assert why() == ""
    replace = msgspec.structs.replace
    for cause in (Cause.UNSEEN, Cause.NOT_RECORDED, Cause.LAPTOP_LOST, Cause.URGENT_HELP, Cause.PAUSED):
        assert "can't be shelved" in why(replace(SHELF, cause=cause))
    assert "2, 5 or 10" in why(replace(SHELF, minutes=3))
    assert "reason" in why(replace(SHELF, why=" "))
    assert "shelved 3 already" in why(marks=3) and "2 times" in why(times=2)
    assert "over" in why(call=None)
    assert "end" in why(call=msgspec.structs.replace(live(), ends_at_ms=NOW + 4 * MINUTE_MS))


def test_a_shelved_mark_takes_the_place_of_the_seen_one() -> None:
    seen = acknowledged([], Acknowledge("BWI-1", Cause.TIME_SHORT, 7), "J. Patel", NOW)
    (mark,) = shelved(seen, SHELF, "R. Hughes", NOW)
    assert mark == Mark(Cause.TIME_SHORT, 7, "R. Hughes", NOW, NOW + 5 * MINUTE_MS, "known and harmless")
