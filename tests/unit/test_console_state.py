"""What the wall shows, from what the server sent: purely, with a clock of its own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from console.state import attention
from console.state.acts import Acts, ActView, Stage, act_words
from console.state.ages import Freshness, countdown, freshness, short
from console.state.attention import Severity
from console.state.layout import grid, tile
from console.state.link import LinkState
from console.state.media import CallMedia
from console.state.selection import CapsGuard, SeatDigits, move
from console.state.tile_words import picture_words, recording_words, tile_words
from console.state.wall import Wall
from schemas.call import CallerView, CallState, CallView, LegView, Refusal, Role, SeatView
from schemas.console import (
    CallChanged,
    Command,
    CommandAnswer,
    CommandDone,
    ConsoleWelcome,
    Delta,
    End,
    Pause,
    SeatChanged,
    Snapshot,
)
from schemas.media import SILENCE, CallHealth, Levels, Picture, RecordingState, Side

NOW_S = 1000.0
SERVER_MS = 1_700_000_000_000


def call(seat: int = 1, state: CallState = CallState.LIVE, **changes: Any) -> CallView:
    made = CallView(
        f"call-{seat}", 3, 1, seat, state, "A1234BC", "Owen", "Harris",
        [CallerView("Carol", "mother", "adult", "family-1")],
        [LegView("room", True, True), LegView("family-1", True, state != CallState.WAITING)],
        SERVER_MS - 600_000, SERVER_MS + 1_200_000, SERVER_MS + 1_800_000,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def seat(number: int = 1, online: bool = True) -> SeatView:
    return SeatView(number, f"BWI-{number}", f"Visits {number}", online)


def health(recording: RecordingState = RecordingState.RECORDING, age_ms: int = 500, **changes: Any) -> CallHealth:
    made = CallHealth("call-1", True, "", recording, age_ms, 1000, "disk full", [])
    return msgspec.structs.replace(made, **changes)


def levels(at_ms: int, family: int = -220, room: int = -300, call_id: str = "call-1") -> Levels:
    return Levels(call_id, at_ms, family, family, room, room)


@pytest.fixture
def wall() -> Callable[..., Wall]:
    def make(*calls: CallView, seats: list[SeatView] | None = None) -> Wall:
        made = Wall(NOW_S)
        made.link.heard(NOW_S)
        welcome = ConsoleWelcome(1, "s", "R. Hughes", Role.OFFICER, "BWI", "Berwyn", SERVER_MS, ["admit"])
        made.apply(welcome, NOW_S)
        found = seats if seats is not None else [seat(c.seat) for c in calls]
        made.apply(Snapshot(10, 5, SERVER_MS, found, list(calls), [], [], []), NOW_S)
        return made

    return make


# -- snapshot, deltas, order


def test_a_delta_changes_only_what_it_names(wall: Any) -> None:
    made = wall(call(1), call(2))
    changed = made.apply(Delta(11, SERVER_MS, [levels(5000)], [], []), NOW_S)
    assert (changed.levels, changed.words, changed.pictures, changed.gap) == ({1}, set(), set(), False)


@pytest.mark.parametrize("message", [Delta(13, SERVER_MS, [], [], []), CallChanged(8, call()), SeatChanged(7, seat())])
def test_a_missing_frame_is_a_gap(wall: Any, message: Any) -> None:
    assert wall(call()).apply(message, NOW_S).gap


def test_frames_in_order_are_no_gap(wall: Any) -> None:
    made = wall(call())
    for message in (Delta(11, 0, [], [], []), CallChanged(6, call()), Delta(12, 0, [], [], []), SeatChanged(7, seat())):
        assert not made.apply(message, NOW_S).gap


def test_an_older_version_of_a_call_changes_nothing(wall: Any) -> None:
    made = wall(call(version=5))
    made.apply(CallChanged(6, call(version=4, state=CallState.PAUSED)), NOW_S)
    assert made.calls["call-1"].state == CallState.LIVE


def test_media_of_a_call_that_is_not_known_is_dropped(wall: Any) -> None:
    made = wall(call())
    changed = made.apply(Delta(11, 0, [levels(1, call_id="another")], [], []), NOW_S)
    assert not changed.levels and "another" not in made.media


def test_an_open_call_takes_the_tile_and_an_ended_one_keeps_it_for_a_while(wall: Any) -> None:
    ended = call(call_id="old", state=CallState.ENDED, ended_at_ms=SERVER_MS - 1000)
    assert wall(ended).call_at(1, NOW_S).call_id == "old"
    assert wall(ended).call_at(1, NOW_S + 31) is None
    assert wall(ended, call()).call_at(1, NOW_S).call_id == "call-1"
    assert wall(call(state=CallState.BOOKED)).call_at(1, NOW_S) is None


# -- levels and pictures


def test_bars_hold_the_loudest_of_each_second_and_shift_with_the_laptops_clock() -> None:
    media = CallMedia()
    for at_ms, level in ((1000, -400), (1500, -100), (1900, -300), (2000, -500), (5000, -200)):
        media.take_levels(levels(at_ms, level), NOW_S + at_ms / 1000)
    side = media.levels[Side.FAMILY]
    assert list(side.bars) == [SILENCE, SILENCE, -100, -500, SILENCE, SILENCE, -200]
    assert side.now == -200


def test_a_level_is_off_when_it_is_not_renewed() -> None:
    media = CallMedia()
    media.take_levels(levels(1000), NOW_S)
    assert media.level(Side.FAMILY, NOW_S + 0.3) == -220
    assert media.level(Side.FAMILY, NOW_S + 1) is None


def picture(at_ms: int, width: int = 4, height: int = 4, pixels: bytes | None = None) -> Picture:
    return Picture("call-1", Side.FAMILY, at_ms, 8, 8, width, height, pixels or bytes(width * height * 3))


def test_the_age_of_a_picture_counts_its_way_on_top_of_the_quickest_one() -> None:
    media = CallMedia()
    media.take_picture(picture(1000), NOW_S)
    media.take_picture(picture(2000), NOW_S + 4)  # a second later at the laptop, 3 s late here
    shown = media.picture(Side.FAMILY, 8, 8)
    assert shown is not None and NOW_S + 4 - shown.taken_s == pytest.approx(3)


def test_a_laptop_that_starts_anew_does_not_look_old() -> None:
    media = CallMedia()
    media.take_picture(picture(9_000_000), NOW_S)
    media.take_picture(picture(500), NOW_S + 10)
    shown = media.picture(Side.FAMILY, 8, 8)
    assert shown is not None and shown.taken_s == pytest.approx(NOW_S + 10)


def test_a_picture_whose_bytes_are_not_its_size_is_not_shown() -> None:
    media = CallMedia()
    assert not media.take_picture(picture(1, pixels=b"short"), NOW_S)
    assert media.picture(Side.FAMILY, 8, 8) is None


@pytest.mark.parametrize(
    ("age_s", "how", "words"),
    [
        (1.9, Freshness.FRESH, ""),
        (2.5, Freshness.AGEING, "2 s old"),
        (5.0, Freshness.AGEING, "5 s old"),
        (7.2, Freshness.OLD, "OLD 7 s"),
        (18.4, Freshness.GONE, "no picture for 18 s"),
    ],
)
def test_ages_of_pictures(age_s: float, how: Freshness, words: str) -> None:
    media = CallMedia()
    media.take_picture(picture(1), NOW_S)
    assert picture_words(media.picture(Side.FAMILY, 8, 8), NOW_S + age_s) == (how, words)
    assert freshness(age_s) == how


def test_times_in_words() -> None:
    assert (countdown(62_900), countdown(-5), countdown(3_600_000)) == ("1:02", "0:00", "60:00")
    assert (short(0.34), short(7.9), short(130)) == ("0.3 s", "7 s", "2 min")


# -- link


def test_the_link_is_lost_within_two_seconds_and_comes_back() -> None:
    link = LinkState(NOW_S)
    assert not link.usable and "connecting" in link.words(NOW_S)
    link.heard(NOW_S)
    assert not link.look(NOW_S + 1.5) and link.usable
    assert link.look(NOW_S + 1.9) and not link.look(NOW_S + 1.95)
    assert link.words(NOW_S + 7) == "■ LINK LOST 7 s. Pictures are old." and not link.usable
    link.heard(NOW_S + 12)
    assert link.words(NOW_S + 13) == "Link ● Back after 12 s" and link.usable


def test_the_quickest_answer_gives_the_servers_time() -> None:
    link = LinkState(NOW_S)
    link.server_said(SERVER_MS + 300, NOW_S * 1000)
    link.time_reply(NOW_S * 1000, SERVER_MS + 5, NOW_S * 1000 + 10)
    link.time_reply(NOW_S * 1000, SERVER_MS + 900, NOW_S * 1000 + 400)
    assert link.server_ms(NOW_S + 1) == SERVER_MS + 1000


# -- attention and words


def test_what_is_urgent_comes_first_then_what_has_the_least_time(wall: Any) -> None:
    made = wall(
        call(1, ends_at_ms=SERVER_MS + 60_000), call(2, CallState.WAITING), call(3, laptop_online=False), call(4)
    )
    made.waiting_since["call-2", "family-1"] = NOW_S - 130
    entries = attention.ranked(made, NOW_S)
    assert [(e.severity, e.seat) for e in entries] == [(Severity.URGENT, 3), (Severity.LOOK, 1), (Severity.LOOK, 2)]
    assert entries[2].age == "2:10" and entries[0].words.startswith("LAPTOP LOST")
    made.waiting_since["call-2", "family-1"] = NOW_S - 301
    assert attention.ranked(made, NOW_S)[1].severity == Severity.ALERT


@pytest.mark.parametrize(
    ("taken", "words", "well"),
    [
        (health(), "● REC 0.5 s", True),
        (health(RecordingState.FAILED), "■ NOT RECORDED: disk full", False),
        (health(age_ms=4000), "■ NOT RECORDED: newest record 4 s old", False),
        (health(RecordingState.NOT_STARTED), "○ NOT REC yet", False),
        (None, "○ REC not known", False),
    ],
)
def test_whether_a_live_call_is_recorded(wall: Any, taken: CallHealth | None, words: str, well: bool) -> None:
    made = wall(call())
    if taken is not None:
        made.media_of(call()).take_health(taken, NOW_S)
    assert recording_words(made, call(), NOW_S) == (words, well)


def test_what_is_said_of_a_call_is_drawn_at_once_and_figures_each_second(wall: Any) -> None:
    made, tick = wall(call()), iter(range(2, 99))

    def drawn(**changes: Any) -> set[int]:
        return made.apply(Delta(next(tick), SERVER_MS, [], [health(**changes)], []), NOW_S).words

    assert drawn() == {1}
    assert drawn(age_ms=700) == drawn(recorded_ms=2000) == set()
    assert drawn(age_ms=4000) == {1}, "late"
    assert drawn(recording=RecordingState.FAILED) == drawn(carrying=False) == {1}


def test_a_seat_is_unheard_when_nobody_renews_its_level(wall: Any) -> None:
    made = wall(call(), call(2))
    made.apply(Delta(2, SERVER_MS, [levels(5000)], [], []), NOW_S)
    assert made.unheard(NOW_S) == {2}
    assert made.unheard(NOW_S + 1) == {1, 2}


def test_old_news_of_a_recording_is_not_believed(wall: Any) -> None:
    made = wall(call())
    made.media_of(call()).take_health(health(), NOW_S)
    assert recording_words(made, call(), NOW_S + 4) == ("○ REC not known", False)


def test_the_title_says_waiting_only_when_a_caller_waits(wall: Any) -> None:
    waiting = call(state=CallState.WAITING)
    assert tile_words(wall(waiting), 1, NOW_S).state == "◌ WAITING"
    away = msgspec.structs.replace(waiting, legs=[LegView("room", True, True), LegView("family-1", False, False)])
    assert tile_words(wall(away), 1, NOW_S).state == "◌ ROOM OPEN"
    second = msgspec.structs.replace(call(), legs=[*call().legs, LegView("family-2", True, False)])
    assert tile_words(wall(second), 1, NOW_S).state == "◌ WAITING ● LIVE"


def test_an_empty_seat_says_what_comes_next(wall: Any) -> None:
    made = wall(seats=[seat(4, online=False)])
    words = tile_words(made, 4, NOW_S)
    assert (words.state, words.attention, words.has_call) == ("○ EMPTY", "▲ Laptop away", False)


# -- acts


def sent(act: Any = None, command_id: str = "one") -> ActView:
    command = Command(command_id, "call-1", 3, SERVER_MS + 5000, "", act or Pause())
    return ActView(command, "Pause", 2, "P", SERVER_MS, NOW_S)


def only(acts: Acts) -> ActView:
    (act,) = acts
    return act


def test_an_act_is_pending_then_accepted_then_confirmed() -> None:
    acts = Acts()
    acts.sent(sent())
    assert "seat 02 Pause: pending 0.4 s" in act_words(only(acts), NOW_S + 0.4, False)
    acts.answer(CommandAnswer("one", True, None, "Paused.", "", True), NOW_S + 0.5)
    assert "accepted, waiting for the laptop 0.2 s" in act_words(only(acts), NOW_S + 0.7, False)
    acts.done(CommandDone("one", True, "", 83))
    assert act_words(only(acts), NOW_S + 1, False).endswith("seat 02 Pause: confirmed by laptop 0.08 s")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("confirmed by laptop", "confirmed by laptop 5.01 s"),
        ("its lease has run out", "confirmed after 5.01 s: its lease has run out"),
    ],
)
def test_what_the_lease_has_confirmed_is_not_said_to_be_the_laptops_word(words: str, said: str) -> None:
    acts = Acts()
    acts.sent(sent(End()))
    acts.done(CommandDone("one", True, words, 5010))
    assert act_words(only(acts), NOW_S + 6, False).endswith(said)


def test_a_laptops_word_before_the_answer_is_not_taken_back() -> None:
    acts = Acts()
    acts.sent(sent())
    acts.done(CommandDone("one", True, "", 20))
    acts.answer(CommandAnswer("one", True, None, "", "", True), NOW_S + 1)
    assert only(acts).stage == Stage.CONFIRMED


def test_a_refusal_says_why_and_keeps_to_its_place() -> None:
    acts = Acts()
    acts.sent(sent())
    acts.answer(CommandAnswer("one", False, Refusal.WRONG_STATE, "not \x1b[31mpaused · now"), NOW_S)
    assert act_words(only(acts), NOW_S, False).endswith("Pause: refused: not paused , now")


def test_without_an_answer_it_is_void_and_asked_about_once_when_it_can_do_no_harm() -> None:
    acts = Acts()
    acts.sent(sent())
    assert acts.look(NOW_S + 4.9, True) == [] and only(acts).stage == Stage.PENDING
    assert acts.look(NOW_S + 5.1, True) == [] and only(acts).stage == Stage.VOID
    assert act_words(only(acts), NOW_S + 6, False).endswith("void after 5 s: not done. Press P again")
    assert acts.look(NOW_S + 7, False) == []
    assert [c.command_id for c in acts.look(NOW_S + 8, True)] == ["one"]
    assert acts.look(NOW_S + 9, True) == []
    acts.answer(CommandAnswer("one", False, Refusal.TOO_LATE, "too late"), NOW_S + 9)
    assert only(acts).stage == Stage.VOID
    acts.answer(CommandAnswer("one", True, None, "", "", True), NOW_S + 9)
    assert only(acts).stage == Stage.ACCEPTED, "what the server did is the truth"


def test_an_end_is_never_void_and_never_sent_again() -> None:
    acts = Acts()
    acts.sent(sent(End()))
    assert acts.look(NOW_S + 60, True) == []
    assert "no answer for 60.0 s, still asking" in act_words(only(acts), NOW_S + 60, False)
    assert "link lost: not known" in act_words(only(acts), NOW_S + 60, True)


def test_the_newest_act_comes_first_and_old_ones_fall_off() -> None:
    acts = Acts()
    for number in range(60):
        acts.sent(replace(sent(command_id=str(number))))
    assert [act.command.command_id for act in acts][:2] == ["59", "58"] and len(list(acts)) == 50


# -- layout and selection


@pytest.mark.parametrize(
    ("columns", "rows", "seats", "across", "width"),
    [
        (200, 60, 6, 3, 66), (200, 60, 9, 3, 66), (200, 60, 12, 4, 50), (200, 60, 16, 4, 50), (200, 60, 36, 6, 33),
        (120, 40, 6, 3, 40), (120, 40, 12, 4, 30), (120, 40, 36, 6, 20),
    ],
)  # fmt: skip
def test_grids(columns: int, rows: int, seats: int, across: int, width: int) -> None:
    made = grid(columns, rows, seats)
    assert len(made.tiles) == seats and len({area.x for area in made.tiles}) == across
    assert min(area.width for area in made.tiles) == width


@pytest.mark.parametrize("columns", range(60, 300, 7))
@pytest.mark.parametrize("rows", (20, 24, 33, 40, 60, 80))
def test_tiles_never_overlap_or_leave_the_screen(columns: int, rows: int) -> None:
    for seats in (1, 2, 6, 7, 12, 36):
        made = grid(columns, rows, seats)
        taken: set[tuple[int, int]] = set()
        for area in made.tiles:
            cells = {(x, y) for x in range(area.x, area.x + area.width) for y in range(area.y, area.y + area.height)}
            assert not cells & taken
            taken |= cells
            parts = tile(area.width, area.height)
            for part in (parts.large, parts.small, parts.words, parts.side_words):
                assert part.x >= 0 and part.width >= 0 and part.height >= 0
                assert part.x + part.width <= area.width and part.y + part.height <= area.height
        assert all(x < columns and y < rows - 2 for x, y in taken)


def test_a_screen_that_is_too_small_says_so() -> None:
    assert grid(59, 30, 6).too_small and grid(100, 19, 6).too_small and not grid(60, 20, 6).too_small
    assert grid(80, 24, 30).as_list


def test_digits_choose_a_seat() -> None:
    digits = SeatDigits()
    assert (digits.press("1", 0), digits.press("2", 0.5)) == (1, 12)
    assert (digits.press("0", 1), digits.press("3", 1.5)) == (None, 3)
    assert (digits.press("1", 2), digits.press("2", 3.5)) == (1, 2)


def test_moving_stays_on_the_grid() -> None:
    seats = [1, 2, 3, 4, 5, 6]
    assert [move(seats, 2, 3, key) for key in ("left", "right", "up", "down")] == [1, 3, 2, 5]
    assert move(seats, None, 3, "left") == 1 and move([], 1, 3, "left") is None


def test_a_stray_capital_holds_for_three_seconds() -> None:
    guard = CapsGuard()
    assert not guard.holds(0)
    guard.meaningless_capital(10)
    assert guard.holds(12.9) and not guard.holds(13)
