"""The governor's screens in a real pseudo-terminal against a scripted server; both as text against checked-in files."""

import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.terminal import Terminal
from demo.wall import picture_cell
from schemas.call import Category, Role
from schemas.console import Boxes, CommandAnswer
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
    Viewed,
)
from schemas.media import Side
from schemas.review import (
    Decide,
    ReviewChanged,
    ReviewClose,
    ReviewCommand,
    ReviewEvidence,
    ReviewEvidenceDone,
    ReviewOpen,
    ReviewOpened,
    Reviews,
    ReviewShown,
    ReviewsWanted,
    WriteFinding,
)

from .test_console_server import Server, call_view, seat_view, serving
from .test_console_snapshots import FOLDER, steady
from .test_console_terminal import console, see

HOUR_MS = 3_600_000
DAY = re.compile(r"([A-Z][a-z]{2} )?[ \d]\d [A-Z][a-z]{2}(?= \d{4}| 00:00|$)", re.MULTILINE)
BEGAN_MS = -20_000
"""The recording of the scene begins so long before the flag."""


def incident(number: int, now_ms: int, **fields: Any) -> IncidentView:
    values: dict[str, Any] = {
        "reference": f"INC-2026-0512-{number:02d}", "version": 1, "call_id": "call-7", "seat": 7,
        "prison_number": "A1234BC", "surname": "Harris", "category": Category.FILMING, "note": "phone held up",
        "flagged_by": "J. Patel", "pressed_at_ms": now_ms - 3 * HOUR_MS - 60_000,
        "filed_at_ms": now_ms - 3 * HOUR_MS - 60_000, "severity": IncidentSeverity.HIGH,
        "due_at_ms": now_ms + 21 * HOUR_MS - 60_000, "state": IncidentState.AWAITING_REVIEW,
    }  # fmt: skip
    return IncidentView(**(values | fields))


def scene() -> list[IncidentView]:
    now_ms = time.time_ns() // 1_000_000_000 * 1000 + 400
    return [
        incident(3, now_ms),
        incident(
            1, now_ms, seat=2, surname="Chaudhry", category=Category.SELF_HARM_OR_SAFEGUARDING, note="",
            severity=IncidentSeverity.SEVERE, pressed_at_ms=now_ms - 49 * HOUR_MS, due_at_ms=now_ms - 25 * HOUR_MS,
        ),
        incident(
            5, now_ms, seat=11, surname="Mensah", category=Category.MINOR_WITHOUT_ADULT, flagged_by="R. Hughes",
            severity=IncidentSeverity.MIDDLE, state=IncidentState.NEEDS_UPDATING, question="Who was with the child?",
        ),
        incident(
            4, now_ms, seat=6, surname="Farrow", category=Category.TECHNICAL_FAULT, severity=IncidentSeverity.LOW,
            state=IncidentState.CLOSED, finding="The link was weak.", decision=Decision.NOT_SUBSTANTIATED,
            signed_off_by="M. Achebe", signed_off_at_ms=now_ms - HOUR_MS,
        ),
    ]  # fmt: skip


SCENE = scene()


@contextmanager
def governor(folder: Path, columns: int, rows: int, **environment: str) -> Iterator[tuple[Server, Terminal]]:
    options = {"role": Role.GOVERNOR, "permissions": ["view", "review"], "staff_name": "M. Achebe"}
    calls = [call_view(7)]
    with (
        serving(folder, seats=[seat_view(7)], calls=calls, **options) as server,
        console(server, folder, columns, rows, **environment) as terminal,
    ):
        server.wait_for(ReviewsWanted)
        server.send(Reviews(SCENE))
        see(terminal, "INC-2026-0512-03")
        yield server, terminal


def pictures(side: Side, box: Any) -> list[EvidencePicture]:
    """A light that moves from left to right, once in the stretch."""
    made: list[EvidencePicture] = []
    width, height = box.width, box.width * 9 // 16
    for at_ms in range(BEGAN_MS, 30_001, PICTURE_EACH_MS):
        place = (at_ms + 30_000) * width // 60_001
        levels = [max(20, 235 - 9 * abs(x - place)) for x in range(width)]
        lines = [b"".join(bytes([level - down] * 3) for level in levels) for down in (0, 20)]
        pixels = b"".join(lines[y % 2] for y in range(height))
        made.append(EvidencePicture(side, at_ms, width, height, pixels))
    return made


def open_incident(server: Server, terminal: Terminal, reference: str = "INC-2026-0512-03") -> ReviewOpen:
    """Chooses it, opens it, and sends its stretch."""
    number = next(line[2] for line in terminal.text() if reference in line)
    terminal.press("kkkk" + "j" * (int(number) - 1))
    terminal.press("\r")
    see(terminal, f"OPEN {reference}")
    terminal.press("1")
    asked: ReviewOpen = server.wait_for(ReviewOpen)[-1]
    assert (asked.reference, asked.reason) == (reference, "review of this incident")
    opened = next(i for i in SCENE if i.reference == reference)
    pressed = opened.pressed_at_ms
    happened = [
        Happened(pressed - 25_000, "admit", "Admitting.", "R. Hughes", True),
        Happened(pressed, "flag", "filming: phone held up", "J. Patel", True),
        Happened(pressed + 12_000, "warn", "to family: “No filming, please.”", "J. Patel", True),
        Happened(pressed + 20_000, "extend", "beyond_policy: The policy allows 15 min more.", "J. Patel", False),
    ]
    viewed = [Viewed(pressed + 60_000, "S. Gill", "complaint")]
    server.send(ReviewOpened(asked.review_id, opened, pressed + 3 * HOUR_MS, -30_000, 30_000, happened, viewed))
    levels: list[EvidenceLevels] = []
    for side, phase in ((Side.FAMILY, 0.0), (Side.ROOM, 1.5)):
        rms = [None if n < 100 else -600 + int(250 * (1 + math.sin(n / 25 + phase))) for n in range(600)]
        levels.append(EvidenceLevels(side, -30_000, rms))
    both = [one for box in asked.boxes for one in pictures(box.side, box)]
    both.sort(key=lambda one: one.at_ms)
    server.send(ReviewEvidence(asked.review_id, [], levels))
    for start in range(0, len(both), 8):
        server.send(ReviewEvidence(asked.review_id, both[start : start + 8], []))
    gaps = [Gap(side, -30_000, BEGAN_MS - 250, "before the recording began") for side in Side]
    server.send(ReviewEvidenceDone(asked.review_id, EvidenceOutcome.WHOLE, "", 30_000, gaps))
    see(terminal, "is here, 1 gap")
    return asked


def same_as_before(terminal: Terminal, name: str) -> None:
    file = FOLDER / f"{name}.txt"
    expected = file.read_text() if file.exists() else ""

    def text(t: Terminal) -> str:
        made = steady(t.text())
        return DAY.sub(lambda day: "DAY".ljust(len(day[0])), made)

    if os.environ.get("UPDATE_SNAPSHOTS"):
        terminal.wait_for(lambda _: False, 1)
        file.write_text(text(terminal))
        return
    if not terminal.wait_for(lambda t: text(t) == expected, 5):
        assert text(terminal) == expected


@pytest.mark.parametrize(("columns", "rows"), [(200, 60), (120, 40), (80, 24)])
def test_the_list_looks_as_it_did(tmp_path: Path, columns: int, rows: int) -> None:
    with governor(tmp_path, columns, rows) as (_, terminal):
        same_as_before(terminal, f"reviews-{columns}x{rows}")


@pytest.mark.parametrize(
    ("name", "columns", "rows", "environment"),
    [
        ("review-200x60", 200, 60, {}),
        ("review-120x40", 120, 40, {}),
        ("review-120x40-no-color", 120, 40, {"NO_COLOR": "1"}),
        ("review-80x24", 80, 24, {}),
    ],
)
def test_a_review_looks_as_it_did(
    tmp_path: Path, name: str, columns: int, rows: int, environment: dict[str, str]
) -> None:
    with governor(tmp_path, columns, rows, **environment) as (server, terminal):
        open_incident(server, terminal)
        terminal.press("]]")
        see(terminal, " 0.0 s")
        same_as_before(terminal, name)


def test_it_plays_and_tells_the_server_what_was_on_the_screen(tmp_path: Path) -> None:
    with governor(tmp_path, 120, 40) as (server, terminal):
        asked = open_incident(server, terminal)
        terminal.press("]]2 ")

        def told() -> set[tuple[Side, int]]:
            shown = [m for m in server.got(ReviewShown) if m.review_id == asked.review_id]
            family = {(Side.FAMILY, at) for m in shown for at in m.family}
            return family | {(Side.ROOM, at) for m in shown for at in m.room}

        wanted = {(side, at) for side in Side for at in range(0, 30_001, PICTURE_EACH_MS)}
        assert terminal.wait_for(lambda _: told() >= wanted, 60)
        assert terminal.wait_for(lambda t: t.shows("‖"), 5), "it stops at the end"
        assert told() == wanted, "nothing is told that was not shown"


def test_a_finding_and_a_decision_go_out_with_the_version_that_was_seen(tmp_path: Path) -> None:
    with governor(tmp_path, 120, 40) as (server, terminal):
        asked = open_incident(server, terminal)
        terminal.press("e")
        see(terminal, "FINDING INC-2026-0512-03")
        terminal.press("a phone; q and ? are words here\r")
        first: ReviewCommand = server.wait_for(ReviewCommand)[0]
        assert (first.review_id, first.version) == (asked.review_id, 1)
        assert first.act == WriteFinding("a phone; q and ? are words here")
        server.send(CommandAnswer(first.command_id, True, None, "Finding kept.", "INC-2026-0512-03"))
        see(terminal, "Finding: Finding kept.")
        changed = next(i for i in SCENE if i.reference == "INC-2026-0512-03")
        server.send(ReviewChanged(incident(3, changed.pressed_at_ms + 3 * HOUR_MS, version=2, finding="a phone")))
        see(terminal, "Finding    a phone")
        terminal.press("d")
        see(terminal, "Decide is Shift+D")
        terminal.press("Dn2D")
        second: ReviewCommand = server.wait_for(ReviewCommand, 2)[1]
        assert second.version == 2 and isinstance(second.act, Decide)
        assert second.act.decision == Decision.NOT_SUBSTANTIATED
        terminal.press("q")
        see(terminal, "REVIEWS  open 3")
        assert server.wait_for(ReviewClose)[0].review_id == asked.review_id


def test_the_wall_is_one_key_away_and_asks_for_pictures_only_while_it_is_seen(tmp_path: Path) -> None:
    with governor(tmp_path, 120, 40) as (server, terminal):
        assert not server.got(Boxes)[-1].boxes
        terminal.press(b"\x1bOQ")  # F2
        see(terminal, "07 HARRIS")
        see(terminal, "ATTENTION")
        assert terminal.wait_for(lambda _: bool(server.got(Boxes)[-1].boxes), 5)
        terminal.press(b"\x1bOS")  # F4
        see(terminal, "REVIEWS  open 3")
        assert terminal.wait_for(lambda _: not server.got(Boxes)[-1].boxes, 5)


def test_an_officer_is_told_whose_reviews_are(tmp_path: Path) -> None:
    with (
        serving(tmp_path, seats=[seat_view(1)], calls=[call_view(1)]) as server,
        console(server, tmp_path, 120, 40) as terminal,
    ):
        see(terminal, " 01 HARRIS")
        terminal.press(b"\x1bOS")
        see(terminal, "Reviews are for the duty governor. You can flag (f).")
        assert not server.got(ReviewsWanted)


def test_words_from_outside_cannot_leave_their_place(tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07x\x9b31m\u202e\u200b\r\n" * 5
    with governor(tmp_path, 120, 40) as (server, terminal):
        now_ms = time.time_ns() // 1_000_000
        fields = {"surname": evil, "note": evil, "flagged_by": evil, "finding": evil, "question": evil}
        server.send(Reviews([incident(3, now_ms, **fields)]))
        see(terminal, "REVIEWS  open 1")
        open_incident(server, terminal)
        assert server.got(ReviewOpen)
        lines = terminal.text()
        assert lines[0].startswith(" BWI Berwyn  REVIEW INC-2026-0512-03")
        assert lines[-1].startswith(" ? help")
        assert not any(ord(character) < 32 for line in lines for character in line)


def picture_cells(terminal: Terminal) -> int:
    cells = (terminal.screen.buffer[y][x] for y in range(3, terminal.rows) for x in range(terminal.columns))
    return sum(picture_cell(cell) is not None for cell in cells)


def test_a_window_that_becomes_smaller_keeps_whole_pictures(tmp_path: Path) -> None:
    with governor(tmp_path, 200, 60) as (server, terminal):
        open_incident(server, terminal)
        terminal.press("]]")
        see(terminal, " 0.0 s")
        terminal.resize(80, 24)
        assert terminal.wait_for(lambda t: t.columns == 80 and t.line(2).startswith("┌ FAMILY"), 10)
        assert terminal.wait_for(lambda t: picture_cells(t) > 200, 10)
        terminal.resize(50, 15)
        see(terminal, "Sightline needs 60×20.")
