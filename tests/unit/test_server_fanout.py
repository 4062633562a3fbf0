"""What one laptop or console can do to the others of its establishment: the fan-out's bounds, on the test's clock."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.call import Role
from schemas.console import Delta, Snapshot, to_console
from schemas.media import Box, Levels, Picture, Side
from schemas.wire import MAX_SERVER_FRAME_BYTES, Message, encode
from server.links import fanout
from server.links.fanout import (
    BEHIND_S,
    SAME_TURN_BYTES,
    TICK_S,
    FanOut,
)
from server.links.pictures import DELTA_PICTURES_BYTES, PICTURE_EACH_S, PICTURES_OF_CALL_MAX


class Console:
    """Keeps what is sent to it; how much of it has not gone out is the test's to say."""

    def __init__(self) -> None:
        self.backlog = 0
        self.got: list[Any] = []
        self.aborted = ""
        transport = SimpleNamespace(get_extra_info=lambda name: None)
        self.connection = SimpleNamespace(transport=transport, send_framed=self._take)

    def send_framed(self, frame: bytes, kind: type[Message]) -> bool:
        self._take(frame)
        return True

    def abort(self, why: str) -> None:
        self.aborted = why

    def _take(self, frame: bytes) -> None:
        head = {126: 4, 127: 10}.get(frame[1], 2)
        assert len(frame) <= MAX_SERVER_FRAME_BYTES, "a console would close the link"
        self.got.append(to_console.decode(frame[head:]))

    def pictures(self) -> list[Picture]:
        return [one for message in self.got if isinstance(message, Delta) for one in message.pictures]


class Hall:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(fanout, "time", SimpleNamespace(monotonic=lambda: self.now_s))
        self.fanout = FanOut(lambda tick, order: Snapshot(tick, order, 0, [], [], [], [], []), lambda: 0)

    def joined(self, boxes: list[Box] | None = None, focus_call: str = "", focus: list[Box] | None = None) -> Console:
        console = Console()
        self.fanout.add(cast(Any, console), Role.OFFICER).look_at(boxes or [], focus_call, focus or [])
        self.fanout.boxes_changed()
        return console

    def tick(self, seconds: float = TICK_S) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.now_s += TICK_S
            self.fanout.tick()

    def picture(self, call_id: str, n: int, width: int = 40, size: int = 3000) -> None:
        frame = encode(Picture(call_id, Side.ROOM, n, width, 25, width, 25, bytes(size)))
        self.fanout.picture(call_id, ("room", width, 25, "rgb"), frame)

    def level(self, n: int) -> None:
        self.fanout.levels("c", encode(Levels("c", n, -1, -1, -1, -1)))


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    return Hall(monkeypatch)


def test_a_laptop_that_sends_pictures_without_end_is_passed_on_at_a_pictures_pace_and_the_newest(hall: Hall) -> None:
    console = hall.joined()
    for n in range(200):
        hall.picture("c", n)
        hall.tick()
    shown = console.pictures()
    assert len(shown) == pytest.approx(200 * TICK_S / PICTURE_EACH_S, abs=2)
    assert all(later.at_ms - one.at_ms >= PICTURE_EACH_S / TICK_S - 1 for one, later in pairwise(shown))


def test_sizes_that_nobody_asked_for_do_not_fill_the_memory_or_the_snapshot(hall: Hall) -> None:
    for width in range(10, 600):
        hall.picture("c", width, width)
        hall.tick()
    newest = hall.joined().got[0]
    assert [one.box_width for one in newest.pictures] == list(range(600 - PICTURES_OF_CALL_MAX, 600))
    assert len(hall.fanout._pictures._shared.shown_at) <= PICTURES_OF_CALL_MAX
    hall.fanout.forget("c")
    assert not hall.fanout._pictures._shared.shown_at and hall.joined().got[0].pictures == []


def test_more_pictures_than_a_frame_may_have_go_out_one_tick_after_the_other(hall: Hall) -> None:
    console = hall.joined()
    size, calls = 190_000, 30
    for n in range(calls):
        hall.picture(f"c{n}", n, size=size)
    hall.tick()
    first = len(console.pictures())
    assert 0 < first <= DELTA_PICTURES_BYTES / size
    hall.picture("late", 99)
    hall.tick(1)
    assert [one.at_ms for one in console.pictures()] == [*range(calls), 99], "none is left behind"


def test_one_event_of_the_same_turn_makes_nobody_late_but_two_ticks_in_a_row_do(hall: Hall) -> None:
    console = hall.joined()
    console.backlog = SAME_TURN_BYTES
    hall.level(1)
    hall.tick()
    assert isinstance(console.got[-1], Delta)
    console.backlog = 0
    hall.level(2)
    hall.tick()
    assert isinstance(console.got[-1], Delta) and len(console.got) == 3
    console.backlog = 1
    for n in (3, 4):
        hall.level(n)
        hall.tick()
    assert len(console.got) == 4, "the second time it is skipped"
    console.backlog = 0
    hall.tick()
    assert isinstance(console.got[-1], Snapshot) and console.got[-1].levels[0].at_ms == 4


def test_much_that_is_unsent_is_late_at_once(hall: Hall) -> None:
    console = hall.joined()
    console.backlog = SAME_TURN_BYTES + 1
    hall.level(1)
    hall.tick()
    assert len(console.got) == 1


def test_who_stays_behind_is_given_up_after_10_s_and_who_catches_up_begins_anew(hall: Hall) -> None:
    stalled, slow = hall.joined(), hall.joined()
    stalled.backlog = slow.backlog = 1
    hall.tick(BEHIND_S - 1)
    assert not stalled.aborted
    slow.backlog = 0
    hall.tick()
    slow.backlog = 1
    hall.tick(BEHIND_S - 1)
    assert stalled.aborted == "behind for 10 s" and not slow.aborted
    assert [watcher.link for watcher in hall.fanout.watchers] == [slow]


def test_pictures_of_a_close_look_go_to_those_who_look_ten_times_a_second_and_to_nobody_else(hall: Hall) -> None:
    close, wall = Box(Side.ROOM, 96, 25, per_s=10), Box(Side.ROOM, 32, 25)
    first, second = hall.joined([wall], "c1", [close]), hall.joined([wall], "c1", [close])
    other, apart = hall.joined([wall], "c2", [close]), hall.joined([wall])
    for n in range(40):
        for call in ("c1", "c2"):
            hall.picture(call, n, 96)
            if n % 20 == 0:
                hall.picture(call, n, 32)
        hall.tick(0.1)
    for console, call in ((first, "c1"), (second, "c1"), (other, "c2"), (apart, "")):
        large = [one for one in console.pictures() if one.box_width == 96]
        assert [one.at_ms for one in large if one.call_id == call] == (list(range(40)) if call else [])
        assert all(one.call_id == call for one in large)
        assert [one.at_ms for one in console.pictures() if one.box_width == 32] == [0, 0, 20, 20], "both calls' tiles"
        ticks = [one.tick for one in console.got if isinstance(one, Delta)]
        assert ticks == list(range(1, len(ticks) + 1)), "nobody sees a gap"


def test_what_still_comes_when_the_close_look_has_ended_goes_to_nobody(hall: Hall) -> None:
    close = Box(Side.ROOM, 96, 25, per_s=10)
    console, apart = hall.joined([], "c1", [close]), hall.joined()
    hall.picture("c1", 1, 96)
    hall.tick()
    next(w for w in hall.fanout.watchers if w.link is cast(Any, console)).look_at([], "", [])
    hall.fanout.boxes_changed()
    hall.picture("c1", 2, 96)
    hall.tick(1)
    assert [one.at_ms for one in console.pictures()] == [1] and apart.pictures() == []
    assert hall.joined().got[0].pictures == []
    hall.fanout.forget("c1")
    assert not hall.fanout._pictures._looked_at
