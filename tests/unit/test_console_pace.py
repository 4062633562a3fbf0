"""The pace of painting over lines that are modelled here, and the terminal's answers among keys."""

import pytest

from console.painting.answers import (
    Answers,
    CursorSeen,
    Device,
    KittyPictures,
    Name,
    TrueColour,
    about,
)
from console.painting.pace import CAP_BYTES_S, LEAST_WINDOW, LOST_S, SILENT_S, Pace


class Line:
    """Bytes leave at `rate` a second; the answer is back `round_trip_s` after the last of them has left."""

    def __init__(self, rate: float, round_trip_s: float) -> None:
        self.rate, self.round_trip_s = rate, round_trip_s
        self.now_s = self._free_s = 100.0
        self.pace = Pace(self.now_s)
        self._answers: list[tuple[float, float]] = []
        self.delays_s: list[float] = []

    def run(self, seconds: float, want: int = 1 << 20) -> int:
        """Paints as much as there is room for; returns the bytes that went out."""
        end_s, sent = self.now_s + seconds, 0
        while self.now_s < end_s:
            while self._answers and self._answers[0][0] <= self.now_s:
                at_s, _ = self._answers.pop(0)
                self.pace.answered(at_s)
            self.pace.look(self.now_s)
            room = min(want, self.pace.room(self.now_s))
            if not self.delays_s:
                room = 150  # the first question
            if room:
                self.pace.sent(room)
                sent += room
                self._free_s = max(self._free_s, self.now_s) + room / self.rate
                self.delays_s.append(self._free_s - self.now_s)
                self.pace.asked(self.now_s)
                self._answers.append((self._free_s + self.round_trip_s, room))
            self.now_s += 0.005
        return sent


@pytest.mark.parametrize(("rate", "round_trip_s"), [(50_000, 0.04), (20_000, 0.1), (200_000, 0.02), (50_000, 0.0)])
def test_the_queue_stays_short_and_the_line_is_used(rate: float, round_trip_s: float) -> None:
    line = Line(rate, round_trip_s)
    line.run(5)
    line.delays_s.clear()
    sent = line.run(20)
    assert sent > 0.5 * rate * 20, "the line is used"
    late = sorted(line.delays_s)[int(len(line.delays_s) * 0.95)]
    assert late < 0.12, f"95 % of the queues are under {late * 1000:.0f} ms"
    assert line.pace.slow


def test_a_slow_start_is_not_taken_for_a_long_line_and_a_longer_line_is_noticed() -> None:
    line = Line(50_000, 0.1)  # the program is still busy with its own start
    line.run(0.5)
    line.round_trip_s = 0.04
    line.run(8)
    assert line.pace.window < 50_000 * (0.04 + 0.03) * 1.3
    line.round_trip_s = 0.2
    line.run(45)
    assert line.pace.window > 2.5 * LEAST_WINDOW, "a longer way is not taken for a queue for ever"


def test_a_fast_line_gets_a_whole_screen_at_once() -> None:
    line = Line(50e6, 0.001)
    line.run(2)
    assert line.pace.window > 100_000 and not line.pace.slow


def test_a_terminal_that_never_answers_gets_a_fixed_rate() -> None:
    pace, now_s, sent = Pace(0.0), 0.0, 0
    pace.sent(3000)
    pace.asked(0.0)
    while now_s < 20:
        pace.look(now_s)
        if now_s > SILENT_S + 0.1:
            room = pace.room(now_s)
            if room > 500:
                pace.sent(room)
                sent += room
        now_s += 0.05
    assert pace.answers is False and pace.slow
    assert 0.8 * CAP_BYTES_S < sent / (20 - SILENT_S) < 1.1 * CAP_BYTES_S


def test_lost_answers_halve_the_window_and_do_not_stop_it() -> None:
    pace = Pace(0.0)
    for at_s, size in ((0.0, 200), (0.1, 4000)):
        pace.sent(size)
        pace.asked(at_s)
        pace.answered(at_s + 0.01)
    window = pace.window
    pace.sent(int(window))
    pace.asked(1.0)
    pace.look(1.0 + LOST_S + 0.1)
    assert LEAST_WINDOW <= pace.window < window and pace.under_way == 0 and not pace.waiting
    pace.answered(9.0)  # late after all: nobody asked
    assert pace.under_way == 0


WHOLE = (
    "a\x1b[24;80Rb\x1bP>|kitty(0.26.5)\x1b\\\x1bP1$r48:2::1:2:3m\x1b\\c"
    "\x1b_Gi=31;OK\x1b\\\x1b[?62;c\x1b[A\x1b[1;2R\x1b[1;1R"
)


def test_answers_are_taken_out_of_keys() -> None:
    keys, answers = Answers().feed(WHOLE)
    assert keys == "abc\x1b[A\x1b[1;2R", "Shift+F3 looks like a report of the first row, and stays a key"
    assert answers == [
        CursorSeen(), Name("kitty(0.26.5)"), TrueColour(True), KittyPictures(True), Device(), CursorSeen(),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_answers_may_come_in_pieces(size: int) -> None:
    parser, keys, found = Answers(), "", []
    for at in range(0, len(WHOLE), size):
        more, answers = parser.feed(WHOLE[at : at + size])
        keys, found = keys + more, found + answers
    keys += parser.give_up()
    assert (keys, len(found)) == ("abc\x1b[A\x1b[1;2R", 6)


def test_an_escape_is_given_up_for_lost_and_is_a_key() -> None:
    parser = Answers()
    assert parser.feed("x\x1b") == ("x", []) and parser.held == "\x1b"
    assert parser.give_up() == "\x1b" and parser.held == ""


def test_other_answers_than_yes_are_no() -> None:
    _, answers = Answers().feed(
        "\x1bP0$r\x1b\\\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1bP1$r0m\x1b\\\x1bP1$r0;48;2;1;2;3m\x1b\\"
    )
    assert answers == [TrueColour(False), KittyPictures(False), TrueColour(False), TrueColour(True)]


def test_a_terminal_that_would_print_a_question_is_not_asked_it() -> None:
    assert about({"TERM": "linux"}) == "" and "P$q" not in about({"TERM": "screen"})
    assert "_G" not in about({"TERM": "tmux-256color"}) and "_G" in about({"TERM": "xterm-256color"})
