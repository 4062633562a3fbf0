"""A flag on the real chain, reviewed in the governor's own console: what was on the wall is what the review shows."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from websockets.sync.client import connect

from console.state.review_layout import review_parts
from demo.chain import Chain
from demo.headless import Run, running
from demo.terminal import Terminal
from demo.wall import picture_cell
from schemas.console import Beat, ConsoleHello, to_console
from schemas.media import Box, Side
from schemas.review import ReviewEvidenceDone, ReviewOpen
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION
from server.store import tables
from server.store.database import open_for_reading
from tests import marked_clip
from tests.server_rig import End, wait_until

from .test_marked_media import pixels

COLUMNS, ROWS = 120, 40
MARK_S = 2
"""A mark stands for two seconds: the wall shows each one within its first, so the key is pressed in its second half."""
RECORDED_BEFORE_S = 9.0
STEP_MS = 250
LATE_MS = 500
"""A mark that begins on the wall is in the review no earlier than this before, and no later than one step after."""
OFFSET = re.compile(r"([−+]?)(\d+\.\d) s")


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "marked.webm"
    marked_clip.make(path, 32, MARK_S)
    return path


@contextmanager
def governor(run: Run) -> Iterator[Terminal]:
    terminal = Terminal(COLUMNS, ROWS)
    log = run.chain.data / "log" / "governor.log"
    part = terminal.start(run.chain.governor_command(), log)
    run.chain.parts.take(part)
    try:
        yield terminal
    finally:
        part.expected_to_run = False
        part.process.terminate()
        part.process.wait(5)
        terminal.close()
        assert log.read_text() == ""


def see(terminal: Terminal, words: str, seconds: float = 20) -> None:
    assert terminal.wait_for(lambda t: t.shows(words), seconds), "\n".join([f"not shown: {words}", *terminal.text()])


def flag(run: Run, seat: int, surname: str) -> tuple[float, int]:
    """Flags just after the wall has begun to show a mark: (when `f` was pressed, CLOCK_MONOTONIC s; that mark)."""
    seen: list[int] = []

    def new_mark(terminal: Terminal) -> bool:
        picture = pixels(terminal, run.tiles[seat])
        if picture is not None:
            seen.append(marked_clip.read(picture))
        # The second of two equal readings: a piece of output may have ended within the picture.
        return len(seen) >= 3 and seen[-1] == seen[-2] and seen[-1] != seen[-3]

    run.officer.choose(seat, surname)
    run.terminal.wait_for(lambda _: False, 0.3)
    assert run.terminal.wait_for(new_mark, 10)
    pressed = run.terminal.press("f")
    assert run.terminal.wait_for(lambda t: t.shows("FLAG seat"), 5)
    run.terminal.press("rheld a phone up\r")
    assert run.terminal.wait_for(lambda t: t.shows("filed INC-"), 10)
    return pressed, seen[-1]


class WallMarks:
    """When the wall began to show which mark, for as long as the run lasts."""

    def __init__(self, run: Run, seat: int) -> None:
        self._run, self._seat = run, seat
        self._seen: list[tuple[float, int]] = []
        run.terminal.watchers.append(self)

    def __call__(self, at: float, terminal: Terminal) -> None:
        picture = pixels(terminal, self._run.tiles[self._seat])
        if picture is not None:
            mark = marked_clip.read(picture)
            if not self._seen or self._seen[-1][1] != mark:
                self._seen.append((at, mark))

    def began(self) -> list[tuple[float, int]]:
        """Without what stood for less than a tick: half a picture."""
        return [now for now, after in pairwise(self._seen) if after[0] - now[0] > 0.1]


def offset_ms(terminal: Terminal) -> int:
    """The place in the stretch, as the family's frame says it."""
    found = OFFSET.search(terminal.line(2)[: COLUMNS // 2])
    assert found is not None, terminal.line(2)
    return round(float(found[2]) * 1000) * (-1 if found[1] == "−" else 1)


def mark_of(terminal: Terminal, side: Side) -> int | None:
    """The mark in the picture of one side; None where there is no picture."""
    parts = review_parts(COLUMNS, ROWS)
    area = parts.family if side == Side.FAMILY else parts.room
    cells = [
        [terminal.screen.buffer[y][x] for x in range(area.x, area.x + area.width)]
        for y in range(area.y, area.y + area.height)
    ]
    rows = [[halves for cell in row if (halves := picture_cell(cell)) is not None] for row in cells]
    rows = [row for row in rows if row]
    if not rows or len({len(row) for row in rows}) > 1:
        return None
    upper = [[list(bytes.fromhex(half)) for half, _ in row] for row in rows]
    lower = [[list(bytes.fromhex(half)) for _, half in row] for row in rows]
    return marked_clip.read(np.array([half for pair in zip(upper, lower, strict=True) for half in pair], np.uint8))


def step(terminal: Terminal, key: str) -> None:
    """One picture on or back; returns when the screen shows the new place and nothing more comes."""
    before = offset_ms(terminal)
    terminal.press(key)
    assert terminal.wait_for(lambda t: offset_ms(t) != before, 5), before
    terminal.wait_for(lambda _: False, 0.05)


def audit(run: Run) -> list[tuple[str, str, bool, str]]:
    engine = open_for_reading(run.chain.data / "server" / "sightline.db")
    with engine.connect() as connection:
        rows = connection.execute(select(tables.audit).order_by(tables.audit.c.n)).all()
    engine.dispose()
    return [(row.who, row.action, row.accepted, row.detail) for row in rows]


def outcomes(run: Run) -> list[str]:
    """Of all readings of a stretch so far."""
    return [json.loads(detail)["outcome"] for _, action, _, detail in audit(run) if action == "evidence_read"]


def read_again_and_again(run: Run, reference: str, until: Callable[[], bool]) -> int:
    """A second governor's console that has the stretch read one time after the other; returns how often."""
    times = 0
    hello = ConsoleHello(PROTOCOL_VERSION, run.chain.plan.code, run.chain.plan.observer_token)
    with End(connect(f"{run.chain.url}/console", compression=None, max_size=MAX_SERVER_FRAME_BYTES), to_console) as end:
        end.send(hello)
        while not until():
            end.send(Beat("", False, 0))
            review_id = uuid.uuid4().hex
            boxes = [Box(side, 96, 54) for side in Side]
            end.send(ReviewOpen(review_id, reference, "review of this incident", boxes))
            end.next(ReviewEvidenceDone, lambda m, r=review_id: m.review_id == r, 40)
            times += 1
    return times


def test_what_was_on_the_wall_is_what_the_review_shows(marked: Path) -> None:
    with running(Chain(1, clip=marked)) as run:
        seat, surname = next(iter(run.chain.plan.seats.items()))
        call = run.chain.plan.call_at(seat)
        run.admit_all()
        wall = WallMarks(run, seat)
        run.terminal.wait_for(lambda _: False, RECORDED_BEFORE_S)
        pressed, mark = flag(run, seat, surname)
        with governor(run) as console:
            see(console, "REVIEWS  open 1")
            see(console, "held a phone up")
            console.press("\r")
            see(console, "OPEN INC-")
            console.press("1")
            see(console, "still to come")
            see(console, "needs finding (e), decision (D), playing")
            console.press("q")
            see(console, "REVIEWS  open 1")

            # While the rest of it is still to come: a live call is not disturbed by the reading of its recording.
            numbers: list[str] = []
            pattern = re.compile(r"INC-\d{4}-\d{4}-\d{2}")
            assert console.wait_for(lambda t: bool(numbers.extend(pattern.findall("".join(t.text()))) or numbers), 10)
            reference = numbers[0]
            over = pressed + 33.5
            assert run.observer is not None
            run.observer.start_window()
            read = threading.Thread(target=read_again_and_again, args=(run, reference, lambda: time.monotonic() > over))
            read.start()
            assert run.terminal.wait_for(lambda _: time.monotonic() > over, 60)
            run.observer.end_window()
            read.join(30)
            assert not read.is_alive()
            assert run.observer.levels_hz({call})[0] >= 9.5
            assert sum(action == "evidence_read" for _, action, _, _ in audit(run)) >= 3

            console.press("\r1")
            see(console, "All that is recorded of the 60 s is here, 1 gap")
            see(console, "before the recording began")

            # The mark that the officer saw is the one at 0 s.
            while offset_ms(console) < 0:
                step(console, "]")
            assert offset_ms(console) == 0
            assert mark_of(console, Side.FAMILY) == mark
            assert abs(shown_level(console) - marked_clip.LEVEL_DBFS) <= 1

            marks: dict[int, int | None] = {0: mark}
            while offset_ms(console) > -6000:
                step(console, ",")
                marks[offset_ms(console)] = mark_of(console, Side.FAMILY)
            console.press("]")
            assert console.wait_for(lambda t: offset_ms(t) == 0, 5)
            while offset_ms(console) < 6000:
                step(console, ".")
                marks[offset_ms(console)] = mark_of(console, Side.FAMILY)
            assert None not in marks.values()
            compared = 0
            for at, seen in wall.began():
                shown_ms = (at - pressed) * 1000
                if -5000 < shown_ms < 5500:
                    near = {m for taken, m in marks.items() if shown_ms - LATE_MS <= taken <= shown_ms + STEP_MS}
                    assert seen in near, (seen, shown_ms, marks)
                    compared += 1
            assert compared >= 4
            run.terminal.watchers.remove(wall)

            play(console)
            console.press("e")
            see(console, "FINDING INC-")
            console.press("A phone was held up to the screen.\r")
            see(console, "Finding: Finding kept.")
            console.press("D")
            see(console, "DECIDE INC-")
            console.press("s1D")
            see(console, "Decide: Decided: substantiated.")
            console.press("O")
            see(console, "I have seen the recording from")
            console.press("O")
            see(console, "signed off by M. Achebe")
            console.press("q")
            see(console, "SIGNED OFF 1")

        entries = [(who, action) for who, action, accepted, _ in audit(run) if accepted]
        for action in ("incident_opened", "incident_played", "incident_finding", "incident_decided",
                       "incident_signed_off", "incident_closed"):  # fmt: skip
            assert ("M. Achebe", action) in entries, action
        opened = next(json.loads(detail) for _, action, _, detail in audit(run) if action == "incident_opened")
        assert opened["reason"] == "review of this incident" and opened["reference"] == reference
        assert run.chain.audit()["intact"]


def shown_level(console: Terminal) -> int:
    """The family's level at this place, dBFS."""
    line = console.line(review_parts(COLUMNS, ROWS).levels_y)
    return int(line.split()[-1].replace("−", "-"))


def pictures_seen(console: Terminal) -> int:
    text = "\n".join(console.text())
    found = re.search(r"Played +(?:all )?(\d+) (?:of \d+ )?pictures seen", text)
    assert found is not None, text
    return int(found[1])


def play(console: Terminal) -> None:
    """From before the first picture to the end: at normal speed for some seconds, else at double speed."""
    row = review_parts(COLUMNS, ROWS).levels_y + 2
    console.press("h" * 12 + "lll")
    assert console.wait_for(lambda t: offset_ms(t) == -15_000, 10), console.line(2)
    console.press("2 ")
    assert console.wait_for(lambda t: offset_ms(t) > -RECORDED_BEFORE_S * 1000, 30), console.line(2)
    console.press("1")
    seen, place, began = pictures_seen(console), console.line(row).index("▲"), time.monotonic()
    console.wait_for(lambda _: time.monotonic() - began > 4, 10)
    took_s = time.monotonic() - began
    assert pictures_seen(console) - seen >= 2 * 2 * took_s, "two pictures a second of each side"
    assert console.line(row).index("▲") > place
    console.press("2")
    all_seen = re.compile(r"Played +all \d+ pictures seen")
    assert console.wait_for(lambda t: any(map(all_seen.search, t.text())), 90), console.text()


def test_the_server_s_copy_is_what_is_reviewed_and_a_broken_one_is_said(marked: Path) -> None:
    with running(Chain(1, clip=marked)) as run:
        seat, surname = next(iter(run.chain.plan.seats.items()))
        run.admit_all()
        run.terminal.wait_for(lambda _: False, 3)
        flag(run, seat, surname)
        run.end(seat)
        laptop = run.chain.plan.laptops[0].id
        folder = run.chain.data / laptop / "recordings"
        wait_until(lambda: not list(folder.rglob("*.rec")), "the server has all of it, and the laptop nothing")
        (copy,) = (path for call in run.chain.recordings() for path in call.iterdir())
        with governor(run) as console:
            see(console, "REVIEWS  open 1")
            console.press("\r1")
            see(console, "All that is recorded of the 60 s is here", 30)
            # An agent that knows nothing of the call decodes it just as well.
            run.chain.laptops[laptop].kill()
            run.chain.start_laptop(laptop, run.chain.plan.laptops[0].token)
            wait_until(lambda: sum(a == "laptop_connected" for _, a, _, _ in audit(run)) == 2, "it is back", 20)
            console.press("r")
            wait_until(lambda: outcomes(run) == ["whole", "whole"], "it was read again", 30)
            see(console, "All that is recorded of the 60 s is here")
            whole = copy.read_bytes()
            copy.write_bytes(whole[: len(whole) // 2] + bytes(100) + whole[len(whole) // 2 + 100 :])
            console.press("r")
            see(console, "could not be opened")
            copy.unlink()
            console.press("r")
            see(console, "The recording has nothing of this stretch.")
            assert mark_of(console, Side.FAMILY) is None
            run.chain.laptops[laptop].kill()
            wait_until(lambda: any(action == "laptop_gone" for _, action, _, _ in audit(run)), "the laptop is gone", 20)
            console.press("r")
            see(console, f"Laptop {laptop} is away")
            console.press("edid not see it\r")
            see(console, "Finding kept.")
            console.press("O")
            see(console, "O is off: needs decision (D), playing")
        assert run.chain.audit()["intact"]
