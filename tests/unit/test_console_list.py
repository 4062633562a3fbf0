"""The list form of the wall and the header's warnings: every row as wide as the screen, and nothing left unsaid."""

import pytest

from console.painting import bars
from console.painting.halfblocks import PictureRow
from console.painting.ink import Colours, Ink
from console.painting.review_list import review_header
from console.painting.seat_list import list_rows
from console.painting.tile_view import Gallery
from console.state.safe_text import cell_width
from console.state.vigilance import Vigilance
from console.state.wall import Wall
from schemas.call import CallState, LegView, Role
from schemas.console import ConsoleWelcome, Snapshot, SupervisionChanged

from .test_console_state import NOW_S, SERVER_MS, call, seat

QUIET = (Vigilance.QUIET, 300.0)


def full_wall(seats: int) -> Wall:
    wall = Wall(NOW_S)
    wall.link.heard(NOW_S)
    wall.apply(ConsoleWelcome(2, "s", "R. Hughes", Role.OFFICER, "BWI", "Berwyn", SERVER_MS, ["view"]), NOW_S)
    waiting = [LegView("room", True, False), LegView("family-1", True, False)]
    calls = [call(n) for n in range(1, seats)] + [call(seats, CallState.WAITING, legs=waiting)]
    wall.apply(Snapshot(1, 1, SERVER_MS, [seat(n) for n in range(1, seats + 1)], calls, [], [], []), NOW_S)
    return wall


def text(row: list) -> str:
    return "".join("▀" * part.width if isinstance(part, PictureRow) else part[0] for part in row)


@pytest.mark.parametrize(("width", "height"), [(80, 21), (60, 17), (99, 40), (80, 12)])
@pytest.mark.parametrize("chosen", [None, 1, 15, 30])
def test_rows_fill_the_screen_and_the_chosen_one_is_among_them(width: int, height: int, chosen: int | None) -> None:
    rows = [
        text(r)
        for r in list_rows(
            full_wall(30), list(range(1, 31)), chosen, False, Gallery(Colours.TRUE), NOW_S, width, height
        )[0]
    ]
    assert len(rows) == height
    assert {cell_width(row) for row in rows} == {width}
    if chosen is not None:
        assert any(row.startswith(f"▶{chosen:02d} ") for row in rows)


def test_what_has_no_row_is_counted_with_the_worst_of_it() -> None:
    rows = [
        text(r) for r in list_rows(full_wall(30), list(range(1, 31)), 1, False, Gallery(Colours.TRUE), NOW_S, 80, 21)[0]
    ]
    rule = next(row for row in rows if row.startswith("─"))
    assert "20 more seats" in rule and "◆1" in rule and "FAMILY side" in rule


def said(wall: Wall, vigil: tuple[Vigilance, float] = QUIET, rows: int = 2, width: int = 120) -> list[tuple[str, Ink]]:
    made = bars.header(wall, vigil, NOW_S, width, rows)
    assert {sum(cell_width(part) for part, _ in row) for row in made} == {width}
    return [piece for row in made for piece in row]


@pytest.mark.parametrize("rows", [1, 2])
def test_the_header_says_that_nobody_watches_and_what_follows(rows: int) -> None:
    wall = full_wall(3)
    wall.apply(SupervisionChanged(False, SERVER_MS - 12_000, SERVER_MS + 18_000, SERVER_MS + 108_000), NOW_S)
    words, ink = next(p for p in said(wall, rows=rows) if "NOT SUPERVISED" in p[0])
    assert "calls pause in 18 s, end in 108 s" in words and ink is Ink.URGENT
    wall.apply(SupervisionChanged(True, SERVER_MS, 0, 0), NOW_S)
    assert not any("NOT SUPERVISED" in part for part, _ in said(wall, rows=rows))


@pytest.mark.parametrize("rows", [1, 2])
def test_the_header_asks_whether_somebody_is_there(rows: int) -> None:
    wall = full_wall(3)
    assert any("◆ PROMPT: are you watching? m  0:42" in part for part, _ in said(wall, (Vigilance.ASKED, 42.0), rows))
    words, ink = next(p for p in said(wall, (Vigilance.MISSED, 0.0), rows) if "NOT COUNTED" in p[0])
    assert "press m" in words and ink is Ink.URGENT
    assert any("Next prompt 3:10" in part for part, _ in said(wall, (Vigilance.COMING, 190.0), 2))


def test_the_governors_screens_say_it_too() -> None:
    wall = full_wall(3)
    wall.apply(SupervisionChanged(False, SERVER_MS - 12_000, SERVER_MS + 18_000, SERVER_MS + 108_000), NOW_S)
    [(words, ink)] = review_header(wall, "REVIEWS", NOW_S, 120)
    assert "calls pause in 18 s, end in 108 s" in words and ink is Ink.URGENT and cell_width(words) == 120
