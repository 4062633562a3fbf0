"""How much goes to a tmux that passes no question on, and which question suits which multiplexer."""

import pytest

from console.multiplexer import THROUGH_TMUX, asks_tmux, elsewhere, parsed, question
from console.painting.allowance import HELD_S, LEAST_BYTES_S, MOST_BYTES_S, Allowance, Client
from console.painting.answers import CURSOR
from console.painting.pace import Pace

HERE = {"TMUX": "/tmp/tmux-0/a,b/default,4242,7", "TERM": "screen-256color"}


class Line:
    """A tmux with one client whose line takes so many bytes a second; what is more is thrown away."""

    def __init__(self, bytes_s: float) -> None:
        self.bytes_s, self.written, self.discarded, self.now_s = bytes_s, 0.0, 0.0, 0.0

    def second(self, sent: float) -> dict[str, Client]:
        self.now_s += 1
        self.written += min(sent, self.bytes_s)
        self.discarded += max(0.0, sent - self.bytes_s)
        return {"/dev/pts/9": Client(int(self.written), int(self.discarded))}


def test_a_fast_client_soon_gets_all_and_a_slow_one_little_more_than_it_takes() -> None:
    fast, line = Allowance(), Line(50e6)
    for _ in range(8):
        fast.look(line.second(fast.bytes_s), line.now_s)
    assert fast.grown and fast.bytes_s == MOST_BYTES_S
    slow, line = Allowance(), Line(50_000)
    lost: list[float] = []
    for _ in range(300):
        before = line.discarded
        slow.look(line.second(slow.bytes_s), line.now_s)
        lost.append(line.discarded - before)
    assert sum(map(bool, lost)) < 15, "it is tried again more and more seldom"
    assert LEAST_BYTES_S <= slow.bytes_s <= 50_000 or lost[-1]


def test_nothing_is_learnt_of_nobody_or_of_another_client() -> None:
    one = Allowance()
    first = one.bytes_s
    one.look({}, 0.0)
    one.look({}, 1.0)
    assert one.bytes_s == first
    one.look({"a": Client(1000, 0)}, 2.0)
    one.look({"b": Client(9000, 9000)}, 3.0)  # what it lost before it was seen here says nothing
    assert one.bytes_s > first
    now = one.bytes_s
    one.look({"b": Client(19_000, 9001)}, 4.0)
    assert one.bytes_s == max(LEAST_BYTES_S, min(now / 2, 0.6 * 10_000))
    one.look({"b": Client(29_000, 9001)}, 4.0 + HELD_S / 2)
    assert one.bytes_s < now / 2, "it is left alone for a while"


def test_what_tmux_says_is_read_and_nothing_else() -> None:
    said = "/dev/pts/3 120 0\n/dev/with space 7 8\nnonsense\n/dev/pts/4 x 0\n"
    assert parsed(said) == {"/dev/pts/3": Client(120, 0), "/dev/with space": Client(7, 8)}
    command = asks_tmux(HERE)
    assert command[:3] == ["tmux", "-S", "/tmp/tmux-0/a,b/default"] and "$7" in command
    assert asks_tmux({}) == asks_tmux({"TMUX": "broken"}) == asks_tmux({"TMUX": "/a,1,$(reboot)"}) == []


@pytest.mark.parametrize(
    ("environment", "asked", "far"),
    [
        ({"TERM": "xterm-256color"}, CURSOR, False),
        (HERE, THROUGH_TMUX, False),
        ({"TERM": "tmux-256color"}, THROUGH_TMUX, True),
        ({"TERM": "screen-256color"}, CURSOR, True),
        ({"TERM": "screen", "STY": "1.pts-0.host"}, "", False),
    ],
)
def test_each_is_asked_what_it_can_answer(environment: dict[str, str], asked: str, far: bool) -> None:
    assert question(environment) == asked and elsewhere(environment) == far


def test_a_limit_holds_beside_the_acknowledgements() -> None:
    pace, now_s, sent = Pace(0.0, 100_000), 0.0, 0
    for _ in range(400):
        pace.look(now_s)
        room = pace.room(now_s)
        if room:
            pace.sent(room)
            sent += room
            pace.asked(now_s)
            pace.answered(now_s + 0.001)
        now_s += 0.05
    assert pace.answers and 0.8 * 100_000 < sent / now_s < 1.1 * 100_000
    assert pace.slow and pace.bytes_per_s == 100_000
    pace.limit_bytes_s = 50e6
    before = sent
    for _ in range(100):
        room = pace.room(now_s)
        if room:
            pace.sent(room)
            sent += room
            pace.asked(now_s)
            pace.answered(now_s + 0.001)
        now_s += 0.05
    assert sent - before > 5 * 200_000, "a limit that is lifted is none any more"
