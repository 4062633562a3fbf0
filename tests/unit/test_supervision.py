"""What counts as watching, and what follows when nobody does, on both sides of the link."""

import pytest

from console.state.vigilance import ANSWER_S, PROMPT_S, Vigilance, unsupervised_words, vigilance
from schemas.call import Role
from server.rules.supervision import (
    ALARM_S,
    BEAT_LOST_S,
    END_S,
    PAUSE_S,
    UNUSED_S,
    Step,
    Supervision,
    counts,
    look,
)

NOW = 5000.0


@pytest.mark.parametrize("role", list(Role))
def test_only_an_officers_console_counts(role: Role) -> None:
    assert counts(role, 1.0, 1.0) == (role in (Role.OFFICER, Role.ORDERLY_OFFICER))


def test_a_console_that_does_not_beat_or_is_not_used_does_not_count() -> None:
    assert counts(Role.OFFICER, BEAT_LOST_S, UNUSED_S - 1)
    assert not counts(Role.OFFICER, BEAT_LOST_S + 0.1, 0)
    assert not counts(Role.OFFICER, 0, UNUSED_S)


def test_console_and_server_agree_on_the_question() -> None:
    assert PROMPT_S + ANSWER_S == UNUSED_S


def run(until_s: float, watched_from_s: float = float("inf"), live: bool = True) -> list[tuple[float, Step]]:
    """Looks four times a second, from the moment at which nobody watches any more."""
    state, taken = Supervision(None), []
    for quarter in range(int(until_s * 4) + 1):
        at = quarter / 4
        state, steps = look(state, at >= watched_from_s, live, NOW + at)
        taken += [(at, step) for step in steps]
    return taken


def test_alarm_pause_end_each_once_and_in_time() -> None:
    assert run(300) == [(ALARM_S, Step.ALARM), (PAUSE_S, Step.PAUSE), (END_S, Step.END)]


def test_somebody_who_comes_back_in_time_stops_it() -> None:
    assert run(100, watched_from_s=5) == []
    assert run(300, watched_from_s=20) == [(ALARM_S, Step.ALARM), (20, Step.WATCHED)]


def test_nothing_is_due_while_nothing_is_live_but_the_time_runs_on() -> None:
    assert run(300, live=False) == []
    state, _ = look(Supervision(None), False, False, NOW)
    state, steps = look(state, False, True, NOW + PAUSE_S + 1)
    assert steps == [Step.ALARM, Step.PAUSE]
    _, steps = look(state, False, True, NOW + END_S)
    assert steps == [Step.END]


def test_a_server_that_was_away_for_long_ends_at_once_without_a_pause_before() -> None:
    _, steps = look(Supervision(NOW), False, True, NOW + END_S + 1)
    assert steps == [Step.ALARM, Step.END]


@pytest.mark.parametrize(
    ("unused_s", "how", "left_s"),
    [
        (0, Vigilance.QUIET, 360),
        (360, Vigilance.COMING, 240),
        (599, Vigilance.COMING, 1),
        (600, Vigilance.ASKED, 60),
        (659, Vigilance.ASKED, 1),
        (660, Vigilance.MISSED, 0),
        (9999, Vigilance.MISSED, 0),
    ],
)
def test_the_console_asks_after_ten_minutes(unused_s: float, how: Vigilance, left_s: float) -> None:
    assert vigilance(Role.OFFICER, unused_s) == (how, left_s)
    assert vigilance(Role.GOVERNOR, unused_s)[0] is Vigilance.QUIET
    assert vigilance(None, unused_s)[0] is Vigilance.QUIET


def test_the_words_say_what_comes_next() -> None:
    assert "pause in 18 s, end in 108 s" in unsupervised_words(18, 108)
    assert "are paused, and end in 70 s" in unsupervised_words(-20, 70)
    assert "have ended" in unsupervised_words(-100, 0)
