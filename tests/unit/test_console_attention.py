"""The strip with a fake clock: its order and the 5 s rule, what is new, gone, shelved or flooded, and the bell."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from console.painting.bars import header, strip
from console.state import attention
from console.state.alarms import Alarms
from console.state.attention import Entry, Severity, rank
from console.state.unseen import longest_unseen, seen_short, seen_words, unseen_s
from console.state.vigilance import Vigilance
from console.state.walking import Walk
from console.state.wall import Wall
from schemas.attention import CallMarks, Cause, Mark, Watchers, WatcherView
from schemas.call import CallState, CallView, Role
from schemas.console import CallChanged, ConsoleWelcome, Snapshot

from .test_console_state import NOW_S, SERVER_MS, call, health, seat


def a_wall(*calls: CallView, watchers: tuple[WatcherView, ...] | None = ()) -> Wall:
    wall = Wall(NOW_S)
    wall.link.heard(NOW_S)
    calls = tuple(msgspec.structs.replace(c, admitted_at_ms=c.admitted_at_ms or SERVER_MS) for c in calls)
    wall.apply(ConsoleWelcome(2, "mine", "R. Hughes", Role.OFFICER, "BWI", "Berwyn", SERVER_MS, ["watch"]), NOW_S)
    wall.apply(Snapshot(1, 1, SERVER_MS, [seat(c.seat) for c in calls], list(calls), [], [], []), NOW_S)
    if watchers is not None:
        wall.apply(Watchers(list(watchers)), NOW_S)
    return wall


def looker(call_id: str, session: str = "mine", name: str = "R. Hughes", looking: bool = True) -> WatcherView:
    return WatcherView(session, name, Role.OFFICER, call_id, False, looking, True)


def entry(number: int, severity: Severity = Severity.ALERT, **changes: Any) -> Entry:
    made = Entry(severity, number, f"NAME{number}", "words", 0.0, f"call-{number}", Cause.NOT_CARRIED)
    return replace(made, **changes)


def seats(entries: list[Entry]) -> list[int]:
    return [e.seat for e in entries]


# -- looked at


def test_unseen_time_runs_from_the_last_look_or_the_admission() -> None:
    fresh = call(1, admitted_at_ms=SERVER_MS - 70_000)
    seen = call(2, admitted_at_ms=SERVER_MS - 900_000, looked_at_ms=SERVER_MS - 40_000, looked_by="J. Patel")
    wall = a_wall(fresh, seen)
    assert (unseen_s(wall, fresh, NOW_S), unseen_s(wall, seen, NOW_S + 5)) == (70, 45)
    assert seen_words(wall, fresh, NOW_S) == "Not seen yet, 1:10" and seen_words(wall, seen, NOW_S) == "Seen 0:40 ago"
    assert seen_words(wall, seen, NOW_S + 300) == "UNSEEN 5:40" and seen_short(wall, seen, NOW_S + 300) == "!5:40"
    assert longest_unseen(wall, NOW_S) == 1


def test_a_look_by_anybody_stops_it_and_passing_by_does_not() -> None:
    one = call(1, admitted_at_ms=SERVER_MS - 70_000)
    wall = a_wall(one, watchers=(looker("call-1"), looker("call-1", "s2", "J. Patel")))
    assert unseen_s(wall, one, NOW_S) == 0 and seen_words(wall, one, NOW_S) == "Seen now · you, J. Patel"
    assert longest_unseen(wall, NOW_S) is None
    assert unseen_s(a_wall(one, watchers=(looker("call-1", looking=False),)), one, NOW_S) == 70


def test_nobody_knows_on_an_older_server() -> None:
    one = call(1, admitted_at_ms=SERVER_MS - 7_000_000)
    wall = a_wall(one, watchers=None)
    assert unseen_s(wall, one, NOW_S) is None and not attention.ranked(wall, NOW_S)
    assert unseen_s(a_wall(call(state=CallState.WAITING)), call(state=CallState.WAITING), NOW_S) is None


@pytest.mark.parametrize(("seconds", "severity"), [(299, None), (300, Severity.LOOK), (600, Severity.ALERT)])
def test_a_call_that_nobody_looks_at_asks_for_it(seconds: int, severity: Severity | None) -> None:
    wall = a_wall(call(1, admitted_at_ms=SERVER_MS - seconds * 1000))
    assert [e.severity for e in attention.ranked(wall, NOW_S)] == ([] if severity is None else [severity])


# -- what needs a person


def test_help_a_pause_an_offer_and_a_second_warning_are_told() -> None:
    wall = a_wall(
        call(1, help="medical", help_by="J. Patel", help_at_ms=SERVER_MS - 3000),
        call(2, CallState.PAUSED, paused_at_ms=SERVER_MS - 21_000, paused_why="filming"),
        call(3, watch="J. Patel", watch_offered_to="R. Hughes", watch_offered_at_ms=SERVER_MS),
        call(4, warnings=2),
        call(5, watch="J. Patel", watch_offered_to="S. Else", watch_offered_at_ms=SERVER_MS, warnings=1),
    )
    found = {e.cause: e for e in attention.ranked(wall, NOW_S)}
    assert found.keys() == {Cause.URGENT_HELP, Cause.PAUSED, Cause.WATCH_OFFERED, Cause.WARNED_TWICE}
    assert found[Cause.URGENT_HELP].severity == found[Cause.PAUSED].severity == Severity.URGENT
    assert found[Cause.PAUSED].age == "0:21" and "filming" in found[Cause.PAUSED].words


def test_the_rank_is_severity_then_unseen_then_monitored_then_longest_unseen_then_time() -> None:
    urgent = entry(9, Severity.URGENT, seen_by="J. Patel")
    ordered = [
        urgent,
        entry(8, monitored=True),
        entry(7, unseen_s=90.0),
        entry(6, unseen_s=10.0),
        entry(5, left_s=60.0),
        entry(4, left_s=200.0),
        entry(3, left_s=400.0, since_s=50.0),
        entry(2, left_s=500.0, since_s=5.0),
        entry(1, seen_by="J. Patel"),
        entry(10, Severity.LOOK),
    ]
    assert sorted(reversed(ordered), key=rank) == ordered


def test_a_mark_is_of_one_occurrence() -> None:
    wall = a_wall(call(1, CallState.PAUSED, paused_at_ms=SERVER_MS - 5000))
    wall.apply(CallMarks("call-1", [Mark(Cause.PAUSED, SERVER_MS - 5000, "J. Patel", SERVER_MS)]), NOW_S)
    assert [e.seen_by for e in attention.ranked(wall, NOW_S)] == ["J. Patel"]
    wall.apply(
        CallChanged(2, call(1, CallState.PAUSED, version=9, paused_at_ms=SERVER_MS + 9000, admitted_at_ms=SERVER_MS)),
        NOW_S,
    )
    assert [e.seen_by for e in attention.ranked(wall, NOW_S + 10)] == [""]


def test_a_mark_from_before_a_cause_came_again_does_not_count() -> None:
    wall = a_wall(call(1))
    wall.media_of(wall.calls["call-1"]).take_health(health(carrying=False), NOW_S + 20)
    wall.apply(CallMarks("call-1", [Mark(Cause.NOT_CARRIED, 0, "J. Patel", SERVER_MS + 10_000)]), NOW_S + 20)
    assert [e.seen_by for e in attention.ranked(wall, NOW_S + 23)] == [""]
    wall.apply(CallMarks("call-1", [Mark(Cause.NOT_CARRIED, 0, "J. Patel", SERVER_MS + 22_500)]), NOW_S + 23)
    assert [e.seen_by for e in attention.ranked(wall, NOW_S + 23)] == ["J. Patel"]


def test_a_call_that_an_order_has_just_opened_has_two_seconds_to_carry_something() -> None:
    waiting = call(1, CallState.WAITING)
    wall = a_wall(waiting)
    wall.media_of(waiting).take_health(health(carrying=False), NOW_S)
    wall.apply(CallChanged(2, call(1, version=9, admitted_at_ms=SERVER_MS)), NOW_S + 60)
    assert not attention.ranked(wall, NOW_S + 61.9)
    assert [e.cause for e in attention.ranked(wall, NOW_S + 62)] == [Cause.NOT_CARRIED]
    wall.media_of(waiting).take_health(health(), NOW_S + 62.1)
    assert not attention.ranked(wall, NOW_S + 62.1)


def test_what_is_shelved_leaves_the_strip_and_comes_back_as_new() -> None:
    wall = a_wall(call(1, ends_at_ms=SERVER_MS + 290_000))
    mark = Mark(Cause.TIME_SHORT, SERVER_MS + 290_000, "R. Hughes", SERVER_MS, SERVER_MS + 120_000, "known")
    wall.apply(CallMarks("call-1", [mark]), NOW_S)
    assert (
        not attention.ranked(wall, NOW_S) and attention.of_call(wall, wall.calls["call-1"], NOW_S)[0].shelved_s == 120
    )
    (back,) = attention.ranked(wall, NOW_S + 120)
    assert not back.seen_by and not back.shelved_s


# -- the strip's order


def test_what_rises_moves_up_at_most_once_in_five_seconds() -> None:
    alarms, wall = Alarms(), a_wall(*(call(n) for n in range(1, 4)))
    first = [entry(1, unseen_s=30.0), entry(2, unseen_s=20.0), entry(3, unseen_s=10.0)]
    assert seats(alarms.look(wall, first, NOW_S)) == [1, 2, 3]
    risen = [entry(3, unseen_s=99.0), *first[:2]]
    assert seats(alarms.look(wall, risen, NOW_S + 4.9)) == [1, 2, 3]
    assert seats(alarms.look(wall, risen, NOW_S + 5.1)) == [3, 1, 2]
    again = [entry(2, unseen_s=199.0), *risen[:2]]
    assert seats(alarms.look(wall, again, NOW_S + 5.2)) == [2, 3, 1], "another one that has rested may"
    back = [entry(3, unseen_s=299.0), *again[:1], first[0]]
    assert seats(alarms.look(wall, back, NOW_S + 6)) == [2, 3, 1], "3 has moved less than 5 s ago"
    assert seats(alarms.look(wall, back, NOW_S + 10.2)) == [3, 2, 1]


def test_what_is_seen_goes_down_at_once_and_a_new_urgent_one_enters_at_once() -> None:
    alarms, wall = Alarms(), a_wall(*(call(n) for n in range(1, 4)))
    alarms.look(wall, [entry(1, unseen_s=30.0), entry(2)], NOW_S)
    seen = [entry(2), entry(1, unseen_s=30.0, seen_by="you")]
    assert seats(alarms.look(wall, seen, NOW_S + 1)) == [2, 1]
    assert seats(alarms.look(wall, [entry(3, Severity.URGENT), *seen], NOW_S + 1.1)) == [3, 2, 1]


def test_what_is_gone_stays_until_it_is_seen_but_not_beyond_its_call() -> None:
    alarms, wall = Alarms(), a_wall(call(1), call(2))
    alarms.look(wall, [entry(1), entry(2), entry(2, Severity.LOOK, cause=Cause.TIME_SHORT)], NOW_S)
    gone = alarms.look(wall, [], NOW_S + 1)
    assert [(e.seat, e.gone, e.new) for e in gone] == [(1, True, True), (2, True, True)]
    assert [e.seat for e in alarms.seen("call-1")] == [1]
    assert seats(alarms.look(wall, [], NOW_S + 2)) == [2]
    wall.apply(CallChanged(2, call(2, CallState.ENDED, version=9)), NOW_S + 2)
    assert alarms.look(wall, [], NOW_S + 3) == []


def test_what_was_seen_goes_with_its_cause() -> None:
    alarms, wall = Alarms(), a_wall(call(1))
    alarms.look(wall, [entry(1, seen_by="you")], NOW_S)
    assert alarms.look(wall, [], NOW_S + 1) == []


def test_chatter_is_one_entry_with_a_count_until_it_is_calm() -> None:
    alarms, wall = Alarms(), a_wall(call(1))
    for n in range(3):
        alarms.look(wall, [entry(1)], NOW_S + n * 2)
        alarms.look(wall, [], NOW_S + n * 2 + 1)
    (one,) = alarms.look(wall, [entry(1)], NOW_S + 6)
    assert one.times == 4
    (calm,) = alarms.look(wall, [entry(1)], NOW_S + 67)
    assert calm.times == 1


# -- the bell


def test_the_bell_rings_for_what_is_new_and_at_most_once_in_five_seconds() -> None:
    alarms, wall = Alarms(), a_wall(*(call(n) for n in range(1, 5)))
    alarms.look(wall, [entry(1, Severity.LOOK)], NOW_S)
    assert not alarms.rings(NOW_S), "LOOK has no sound"
    alarms.look(wall, [entry(1)], NOW_S)
    assert alarms.rings(NOW_S) and not alarms.rings(NOW_S + 0.1)
    alarms.look(wall, [entry(1), entry(2)], NOW_S + 1)
    assert not alarms.rings(NOW_S + 4.9) and alarms.rings(NOW_S + 5) and not alarms.rings(NOW_S + 60)
    alarms.look(wall, [entry(1), entry(2), entry(3, seen_by="J. Patel")], NOW_S + 70)
    assert not alarms.rings(NOW_S + 70), "somebody has seen it before this console knew of it"


def test_what_is_urgent_rings_each_ten_seconds_until_it_is_seen() -> None:
    alarms, wall = Alarms(), a_wall(call(1))
    alarms.look(wall, [entry(1, Severity.URGENT)], NOW_S)
    rung = [s for s in range(31) if alarms.rings(NOW_S + s)]
    assert rung == [0, 10, 20, 30]
    alarms.look(wall, [entry(1, Severity.URGENT, seen_by="you")], NOW_S + 31)
    assert not any(alarms.rings(NOW_S + s) for s in range(31, 90))


# -- a flood


def test_a_flood_is_summed_up_and_ends_when_it_is_calm() -> None:
    alarms, wall = Alarms(), a_wall(*(call(n) for n in range(1, 16)))
    ten = [entry(n) for n in range(1, 11)]
    assert len(alarms.look(wall, ten, NOW_S)) == 10 and not alarms.figures.flood
    look, urgent = entry(12, Severity.LOOK, cause=Cause.TIME_SHORT), entry(13, Severity.URGENT)
    other = entry(14, cause=Cause.UNSEEN)
    shown = alarms.look(wall, [*ten, entry(11), look, urgent, other], NOW_S + 1)
    assert alarms.figures.flood and alarms.figures.alarms == 13 and alarms.figures.held_back == 1
    assert [(e.seat, e.times) for e in shown] == [(13, 1), (1, 11), (14, 1)]
    text = "".join(words for words, _ in strip(shown, 120, 4, True, alarms.figures)[0])
    assert "1 LOOK held back" in text
    assert alarms.rings(NOW_S + 1)
    alarms.look(wall, [*ten, entry(11), other, entry(15)], NOW_S + 12)
    rung = [s for s in range(2, 61) if alarms.rings(NOW_S + s)]
    assert rung == [31], "in a flood at most once in 30 s"
    alarms.look(wall, [], NOW_S + 602)
    assert not alarms.figures.flood


def test_a_small_screen_has_the_counts_in_its_header() -> None:
    alarms, wall = Alarms(), a_wall(call(1), call(2))
    alarms.look(wall, [entry(1, Severity.URGENT), entry(2), entry(2, Severity.LOOK, cause=Cause.UNSEEN)], NOW_S)
    assert alarms.figures.words == "■1 ▲1 ◆1"
    quiet = (Vigilance.QUIET, 300.0)
    assert "■1 ▲1 ◆1" in "".join(words for words, _ in header(wall, quiet, NOW_S, 80, 1, alarms.figures)[0])


def test_seen_alarms_are_no_flood() -> None:
    alarms, wall = Alarms(), a_wall(*(call(n) for n in range(1, 16)))
    alarms.look(wall, [entry(n, seen_by="you") for n in range(1, 15)], NOW_S)
    assert not alarms.figures.flood


# -- ways


def test_a_walks_down_the_queue_from_its_top_and_b_leads_back() -> None:
    walk = Walk()
    assert walk.next_of([4, 2, 7], 2) == 4, "the top one first, wherever one is"
    assert walk.next_of([4, 2, 7], 4) == 2 and walk.next_of([4, 2, 7], 2) == 7 and walk.next_of([4, 2, 7], 7) == 4
    assert walk.next_of([4, 2, 7], 2) == 4, "one has chosen another in between"
    assert walk.next_of([], 4) is None
    walk.left(3)
    walk.left(5)
    assert walk.back([3, 5], 5) == 3 and walk.back([3, 5], 3) is None


def test_new_alerts_change_once_a_second_and_seen_ones_do_not() -> None:
    new, seen = entry(1, new=True), entry(2, seen_by="J. Patel")
    lit, dark = (strip([new, seen], 120, 4, True, lit=lit) for lit in (True, False))
    assert lit[1] != dark[1] and lit[2] == dark[2]
    assert "seen: J. Patel" in "".join(words for words, _ in lit[2])
    assert "".join(words for words, _ in lit[1]) == "".join(words for words, _ in dark[1]), "never the words"


def test_every_line_is_as_wide_as_the_screen() -> None:
    from console.state.safe_text import cell_width

    long = entry(1, words="x" * 300, seen_by="y" * 80, gone=True, times=7, new=True)
    for width in (60, 80, 120, 160, 200):
        for row in strip([long] * 9, width, 4, True):
            assert sum(cell_width(words) for words, _ in row) == width


def test_a_call_says_what_is_off_and_who_has_the_watch() -> None:
    from console.state.tile_words import tile_words

    one = call(1, family_sound_off=True, room_picture_off=True, watch="J. Patel", admitted_at_ms=SERVER_MS - 5000)
    lines = tile_words(a_wall(one), 1, NOW_S).lines
    assert any("watch J. Patel" in line for line in lines)
    assert "FAMILY SOUND OFF, ROOM PICTURE OFF" in lines[0]
