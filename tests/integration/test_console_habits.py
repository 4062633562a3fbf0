"""What people are used to: a filter, an order, the mouse. None of it acts on a call."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.terminal import Terminal
from schemas.call import CallerView, CallState, Role
from schemas.console import Boxes, Command
from schemas.health import HealthSnapshot
from tests.unit.test_console_health import away, laptop

from .test_console_reviews import governor
from .test_console_server import Server, call_view, seat_view, serving, utc_ms
from .test_console_terminal import console, on_calls, see


@pytest.fixture
def officer(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, Terminal]]]:
    calls = [call_view(1), call_view(2, "OKAFOR", callers=[CallerView("Grace Obi", "aunt", "adult", "family-1")])]
    calls += [call_view(3, "DUNN", CallState.WAITING), call_view(4, "EVANS", laptop_online=False)]
    with ExitStack() as stack:

        def start(columns: int = 200, rows: int = 60) -> tuple[Server, Terminal]:
            seats = [seat_view(n) for n in range(1, 6)]
            about = on_calls(tmp_path, *calls, columns=columns, rows=rows, seats=seats)
            server, terminal = stack.enter_context(about)
            see(terminal, "05 Visits 5")
            see(terminal, "Link ●")
            return server, terminal

        yield start


def click(terminal: Terminal, words: str, times: int = 1) -> None:
    """The left button where `words` stand, as a terminal with mouse reports (SGR) tells it."""
    see(terminal, words)
    y, x = next((y, line.index(words)) for y, line in enumerate(terminal.text()) if words in line)
    for _ in range(times):
        terminal.press(f"\x1b[<0;{x + 1};{y + 1}M")
        terminal.press(f"\x1b[<0;{x + 1};{y + 1}m")


def hidden(terminal: Terminal, *words: str) -> bool:
    return terminal.wait_for(lambda t: not any(t.shows(one) for one in words), 5)


def test_a_filter_leaves_every_seat_in_its_place_and_hides_nothing_grave(officer: Any) -> None:
    server, terminal = officer()
    places = [(y, line.find("02 OKAFOR")) for y, line in enumerate(terminal.text()) if "02 OKAFOR" in line]
    terminal.press("/obi")
    see(terminal, "Filter: obi▏ 1 of 5")
    assert not server.got(Command), "what is typed is no key of the wall"
    terminal.press("\r")
    see(terminal, "Filter: obi · 1 of 5")
    assert hidden(terminal, "Carol Harris")
    assert places == [(y, line.find("02 OKAFOR")) for y, line in enumerate(terminal.text()) if "02 OKAFOR" in line]
    assert terminal.shows("01 HARRIS") and terminal.shows("LAPTOP LOST"), "an alarm is never filtered away"
    terminal.press("j")
    terminal.press("f")
    see(terminal, "FLAG seat 02 OKAFOR")
    terminal.press("\x1b")
    assert hidden(terminal, "FLAG seat")
    terminal.press("\x1b")
    see(terminal, "Carol Harris")
    assert hidden(terminal, "Filter:")


def test_the_list_has_only_what_the_filter_keeps(officer: Any) -> None:
    _, terminal = officer(80, 24)
    terminal.press("/visits 5\r")
    assert hidden(terminal, "02 OKAFOR", "03 DUNN")
    see(terminal, " 05 Visits 5")
    terminal.press("/")
    for _ in range(8):
        terminal.press("\x7f")
    see(terminal, "02 OKAFOR")
    terminal.press("zzz\r")
    see(terminal, "0 of 5")
    terminal.press("\x1b")
    see(terminal, "01 HARRIS")


def test_the_list_by_need_has_the_gravest_first_and_goes_back(officer: Any) -> None:
    server, terminal = officer()
    terminal.press("t")
    see(terminal, " #  NAME")
    rows = [line for line in terminal.text() if any(f"{n:02d} " in line[:5] for n in range(1, 6))]
    assert [row[1:3] for row in rows[:2]] == ["04", "03"], rows
    assert terminal.wait_for(lambda _: len(server.got(Boxes)[-1].boxes) == 1, 5)
    terminal.press("t")
    see(terminal, "╔ 01 HARRIS")


def test_a_click_chooses_two_open_and_nothing_acts(officer: Any) -> None:
    server, terminal = officer()
    click(terminal, "03 DUNN A")
    see(terminal, "╔ 03 DUNN")
    click(terminal, "02 OKAFOR A", 2)
    see(terminal, "┌─ FAMILY ·")
    see(terminal, " 02 OKAFOR, Owen")
    click(terminal, "ROOM connected")
    see(terminal, "┌─ ROOM ·")
    assert hidden(terminal, "TIMELINE")
    click(terminal, "ROOM connected")
    see(terminal, "TIMELINE")
    terminal.press("q")
    see(terminal, "╔ 02 OKAFOR")
    assert not server.got(Command)


def test_a_click_in_the_list_chooses_its_row(officer: Any) -> None:
    _, terminal = officer(80, 24)
    click(terminal, "03 DUNN ")
    see(terminal, "▶03 DUNN")
    terminal.press("\x1b[<65;10;10M")
    see(terminal, "▶04 EVANS")


def test_the_incidents_are_filtered_and_sorted(tmp_path: Path) -> None:
    with governor(tmp_path, 120, 40) as (_, terminal):
        see(terminal, "INC-2026-0512-03")
        terminal.press("/okafor\r")
        see(terminal, "Filter: okafor")
        assert hidden(terminal, "INC-2026-0512-03")
        terminal.press("\x1b")
        see(terminal, "INC-2026-0512-03")
        terminal.press("s")
        see(terminal, "Sorted: newest first")
        terminal.press("s")
        see(terminal, "Sorted: by seat")
        seats = [
            line[line.index("INC-") + 18 :][:2]
            for line in terminal.text()
            if line[1:4].strip().isdigit() and "INC-" in line
        ]
        assert seats and seats == sorted(seats)


def test_the_laptops_are_filtered(tmp_path: Path) -> None:
    about: dict[str, Any] = {"role": Role.SUPPORT, "permissions": ["health"], "staff_name": "T. Novak", "seats": []}
    with serving(tmp_path, **about) as server, console(server, tmp_path, 120, 40) as terminal:
        see(terminal, "waiting for the laptops' health")
        server.send(HealthSnapshot(1, utc_ms(), [laptop(1), away(2, cause_since_ms=utc_ms()), laptop(3)]))
        see(terminal, " BWI-03 ")
        terminal.press("/lost\r")
        see(terminal, "Filter: lost · 1 of 3")
        see(terminal, "▶BWI-02")
        terminal.press("\x1b")
        see(terminal, "BWI-01")


def of_rows(terminal: Terminal) -> tuple[int, int, int]:
    """The first and the last row of the help that are on the screen, and how many there are."""
    found = re.search(r"rows (\d+)–(\d+) of (\d+)", terminal.line(0))
    return tuple(map(int, found.groups())) if found else (0, 0, 0)  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_the_help_scrolls_by_keys_and_by_the_wheel_to_its_last_row(officer: Any, columns: int, rows: int) -> None:
    _, terminal = officer(columns, rows)
    terminal.press("?")
    see(terminal, "KEYS OF THE WALL")
    assert of_rows(terminal)[:2] == (1, rows - 1)
    count = of_rows(terminal)[2]
    last = "F family, R room, in dBFS"
    assert not terminal.shows(last)
    for keys, first in (
        ("j", 2), ("\x1b[B", 3), ("k", 2), ("\x1b[6~", min(rows, count - rows + 2)), ("\x1b[F", count - rows + 2),
        ("\x1b[<64;5;5M", count - rows - 1), ("\x1b[<65;5;5M", count - rows + 2), ("\x1b[H", 1), ("\x1b[A", 1),
    ):  # fmt: skip
        terminal.press(keys)
        at_the_end = first == count - rows + 2
        reached = terminal.wait_for(lambda t, f=first, e=at_the_end: of_rows(t)[0] == f and t.shows(last) == e, 5)
        assert reached, (keys, *terminal.text())
    terminal.press("?")
    see(terminal, "╔ 01 HARRIS" if columns > 80 else "▶01 HARRIS")
