"""One call in focus: where things stand, the level history, the timeline, and the words."""

from dataclasses import replace as _replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.painting import focus_view
from console.painting.detail import HALF_BLOCKS
from console.painting.halfblocks import PictureRow
from console.painting.tile import PictureView
from console.state import focus_words
from console.state.acts import Acts, ActView, Stage
from console.state.attention import Severity
from console.state.focus_layout import Shows, focus_parts
from console.state.level_history import STEPS, LevelHistory, Step
from console.state.safe_text import cell_width
from console.state.timeline import Timeline, own_act
from console.state.wall import Wall
from schemas.call import CallerView, CallState, LegView, Refusal
from schemas.console import Command, CommandAnswer, CommandDone, Pause, Snapshot
from schemas.media import Side
from tests.integration.test_console_server import call_view, health, seat_view

T0 = 1_763_000_000_000


def wall_of(*calls, seats=(1, 2)) -> Wall:
    wall = Wall(0.0)
    wall.link.heard(0.0)
    wall.apply(Snapshot(0, 0, T0, [seat_view(n) for n in seats], list(calls), [], [], []), 0.0)
    return wall


# -- where things stand


@given(st.integers(1, 300), st.integers(1, 100), st.sampled_from(Shows), st.booleans())
def test_nothing_stands_on_another_and_all_is_on_the_screen(
    columns: int, rows: int, shows: Shows, turned: bool
) -> None:
    parts = focus_parts(columns, rows, shows, turned)
    if parts.too_small:
        assert columns < 60 or rows < 20
        return
    taken: set[tuple[int, int]] = set()
    areas = [*parts.pictures.values(), parts.people, parts.timeline]
    levels = 2 + parts.axis
    rows_of = [(0, y) for y in (0, 1, *range(parts.levels_y, parts.levels_y + levels), rows - 2, rows - 1)]
    rows_of += [(0, parts.next_y)] if parts.next_y >= 0 else []
    cells = [{(x, y) for y in range(a.y, a.y + a.height) for x in range(a.x, a.x + a.width)} for a in areas]
    for mine in [*cells, *({(x, y) for x in range(columns)} for _, y in rows_of)]:
        assert all(0 <= x < columns and 0 <= y < rows for x, y in mine)
        assert not mine & taken
        taken |= mine


@pytest.mark.parametrize(
    ("columns", "rows", "family"), [(200, 60, (98, 28)), (120, 40, (58, 16)), (80, 24, (48, 13)), (160, 50, (78, 22))]
)
def test_the_pictures_are_as_large_as_a_face_needs(columns: int, rows: int, family: tuple[int, int]) -> None:
    area = focus_parts(columns, rows, Shows.BOTH).pictures[Side.FAMILY]
    assert (area.width, area.height) == family and HALF_BLOCKS.shows_a_face(area)
    assert len(focus_parts(columns, rows, Shows.BOTH).pictures) == (1 if columns == 80 else 2)
    whole = focus_parts(columns, rows, Shows.ROOM).pictures
    assert list(whole) == [Side.ROOM] and whole[Side.ROOM].width == columns - 2


# -- levels


def test_the_history_keeps_the_loudest_of_each_half_second_and_what_was_not_measured_is_no_silence() -> None:
    history = LevelHistory()
    for at_ms, rms, peak in ((1000, -300, -200), (1400, -200, -250), (1500, -600, -500), (3100, -100, -50)):
        history.take(at_ms, rms, peak)
    steps = [Step(-200, -200), Step(-600, -500), None, None, Step(-100, -50)]
    assert history.last(5) == steps
    assert history.last(7) == [None, None, *steps]
    assert history.last(5, silent_s=1.0) == [*steps[2:], None, None]
    assert history.last(3, each=2) == [Step(-200, -200), None, Step(-100, -50)]


def test_a_laptop_whose_clock_begins_anew_goes_on_at_the_right() -> None:
    history = LevelHistory()
    history.take(5_000_000, -300, -300)
    history.take(1000, -200, -200)
    history.take(1500, -100, -100)
    assert history.last(3) == [Step(-300, -300), Step(-200, -200), Step(-100, -100)]


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(-1200, 30)), max_size=60), st.integers(1, 2))
def test_the_history_never_grows_and_never_fails(levels: list[tuple[int, int]], each: int) -> None:
    history = LevelHistory()
    for at_ms, rms in levels:
        history.take(at_ms, rms, min(30, rms + 20))
    assert len(history.last(STEPS // each, 0.0, each)) == STEPS // each
    assert len(history.last(10, 1e6, each)) == 10 and set(history.last(10, 1e6, each)) == {None}


def test_a_whole_second_does_not_change_as_it_moves() -> None:
    history = LevelHistory()
    shown: dict[int, set[Step | None]] = {}
    for half in range(40):
        history.take(half * 500, -10 * half, -10 * half)
        bars = history.last(10, each=2)
        for back, bar in enumerate(reversed(bars[:-1]), 1):
            if bar is not None:
                shown.setdefault(half // 2 - back, set()).add(bar)
    assert all(len(kept) == 1 for kept in shown.values())


# -- the timeline


def act(stage: Stage = Stage.PENDING, **changes) -> ActView:
    command = Command("id", "call-1", 3, T0, "why \x1b[2Jnot", Pause())
    return _replace(ActView(command, "Pause", 1, "P", T0 + 5000, 10.0, stage), **changes)


def test_who_told_whom_follows_an_act_to_the_laptops_word() -> None:
    acts = Acts()
    acts.sent(act())
    assert own_act(next(iter(acts)), 10.4).told == "you → server … 0.4 s"
    acts.answer(CommandAnswer("id", True, None, "", "", True), 10.5)
    assert own_act(next(iter(acts)), 11.0).told == "you → server ✓ → laptop … 0.5 s"
    acts.done(CommandDone("id", True, "", 210))
    one = own_act(next(iter(acts)), 12.0)
    assert one.told == "you → server ✓ → laptop ✓ 0.21 s" and one.words == "Pause: why not" and not one.bad


def test_a_refusal_stands_in_the_timeline() -> None:
    acts = Acts()
    acts.sent(act())
    acts.answer(CommandAnswer("id", False, Refusal.OLD_VERSION, "J. Patel was first"), 10.5)
    one = own_act(next(iter(acts)), 11.0)
    assert one.bad and one.told == "you → server × J. Patel was first"


def test_what_changed_is_told_once_the_newest_first() -> None:
    timeline = Timeline()
    legs = [LegView("room", True, True), LegView("family-1", False, False)]
    call = call_view(1, legs=legs, admitted_at_ms=T0 - 60_000)
    came = msgspec.structs.replace(
        call, version=4, legs=[legs[0], LegView("family-1", True, False)], said="Device 1 came \x1b[31mred"
    )
    admitted = msgspec.structs.replace(came, version=5, legs=[legs[0], LegView("family-1", True, True)])
    lost = msgspec.structs.replace(admitted, version=6, laptop_online=False)
    gone = msgspec.structs.replace(lost, version=7, legs=[legs[0]], state=CallState.PAUSED)
    timeline.note(None, call, T0)
    for at, (before, after) in enumerate(
        ((call, came), (came, admitted), (admitted, lost), (lost, gone), (gone, gone))
    ):
        timeline.note(before, after, T0 + at * 1000)
    told = [(one.words, one.told) for one in timeline.of(gone, [act()], 11.0)]
    assert told == [
        ("Pause: why not", "you → server … 1.0 s"),
        ("device 1 left", "laptop → server"),
        ("the call is paused", "server → all"),
        ("the laptop is lost", "server"),
        ("device 1 admitted", "laptop → server"),
        ("device 1 in the waiting room", "laptop → server"),
        ("Device 1 came red", "server → all"),
        ("first caller admitted", "server → all"),
    ]
    other = call_view(2)
    assert not timeline.of(other, [act()], 11.0), "another call's acts stand in its own timeline"


def test_a_timeline_is_bounded_and_goes_with_its_call() -> None:
    timeline = Timeline()
    call = call_view(1, said="0")
    for number in range(1, 500):
        new = msgspec.structs.replace(call, version=3 + number, said=str(number))
        timeline.note(call, new, T0 + number)
        call = new
    assert len(timeline.of(call, [], 0.0)) == 200 and timeline.of(call, [], 0.0)[0].words == "499"
    timeline.keep_calls(set())
    assert timeline.of(call, [], 0.0) == []


# -- the words


def test_people_say_who_is_where_and_nothing_is_invented() -> None:
    callers = [
        CallerView("Carol Harris", "mother", "adult", "family-1"),
        CallerView("Tom Harris", "nephew", "child", "family-1"),
        CallerView("Owen \x1b[2JEvans", "uncle", "not known", "family-2"),
    ]
    legs = [LegView("room", True, True), LegView("family-1", True, False)]
    call = call_view(1, callers=callers, legs=legs)
    wall = wall_of(call)
    wall.media_of(call).take_health(health(call), 0.0)
    lines = focus_words.people_lines(wall, call, 0.0)
    said = [text for text, _ in lines]
    assert said[0].startswith("Device 1 waits for admission · loss 0.1 % · 31 ms · 25 fps") and lines[0][1]
    assert said[1:3] == [
        "1 Carol Harris · mother · adult · vetting not told",
        "2 Tom Harris · nephew · child · vetting not told",
    ]
    assert said[3] == "3 Owen Evans · uncle · not known · vetting not told · not joined"
    assert "Booked: 3 (1 adult, 1 child, 1 age not known)" in said
    assert "Restrictions: not told" in said and "Monitoring: no authority in force for A1001BC" in said
    assert any("sound is as loud as its sender claims; faces and covered pictures are not measured" in t for t in said)


def test_an_urgent_call_elsewhere_is_named_and_ones_own_is_not_elsewhere() -> None:
    lost = call_view(2, "DUNN", laptop_online=False)
    here = call_view(1)
    wall = wall_of(here, lost)
    severity, words = focus_words.elsewhere(wall, here, 1.0)
    assert severity is Severity.URGENT and "seat 02 DUNN" in words
    assert focus_words.elsewhere(wall, lost, 1.0)[0] is not Severity.URGENT
    assert focus_words.gravest(wall, lost, 1.0)[0] is Severity.URGENT


def test_what_follows_in_the_room_is_said() -> None:
    call = call_view(1, next_booking_ms=T0 + 1_800_000)
    assert "Next in this room" in focus_words.following(wall_of(call), call)
    assert "Nothing is booked" in focus_words.following(wall_of(call), call_view(1))


@pytest.mark.parametrize(("columns", "rows"), [(200, 60), (120, 40), (80, 24), (60, 20)])
def test_every_row_is_exactly_as_wide_as_the_screen(columns: int, rows: int) -> None:
    call = call_view(1, "中文" * 40, callers=[CallerView("L" * 90, "中" * 90, "adult", "family-1")])
    wall = wall_of(call)
    for shows in Shows:
        parts = focus_parts(columns, rows, shows)
        views = {side: (PictureView(instead="FAMILY away"), "3 s old") for side in parts.pictures}
        made = focus_view.picture_rows(parts, call, views, HALF_BLOCKS)
        steps: list[Step | None] = [None, Step(-300, -200)] * 40
        levels = {side: (-300, steps[: focus_view.bar_cells(columns)]) for side in Side}
        made |= focus_view.level_rows(parts, levels, 1.0, columns)
        made |= dict(enumerate(focus_view.header(wall, call, _quiet(), 1.0, columns)))
        people, timeline = focus_view.list_rows(parts, wall, call, [own_act(act(), 11.0)] * 30, T0, 3, 1.0)
        small = len(parts.pictures) == 1 and shows is Shows.BOTH
        for y, row in made.items():
            beside = small and y in people
            assert _width(row) == (parts.people.x if beside else columns), (shows, y)
        assert all(_width(row) == parts.people.width for row in people.values())
        assert all(_width(row) == parts.timeline.width for row in timeline.values())
        assert len(people) == parts.people.height and len(timeline) == parts.timeline.height


def _quiet():
    from console.state.vigilance import Vigilance

    return Vigilance.QUIET, 0.0


def _width(row) -> int:
    return sum(part.width if isinstance(part, PictureRow) else cell_width(part[0]) for part in row)
