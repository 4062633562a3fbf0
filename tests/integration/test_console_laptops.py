"""Remote support's screen in a pseudo-terminal, against a scripted server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.call import Role
from schemas.console import Command
from schemas.health import Cause, FailedSide, HealthDelta, HealthSnapshot, OpenLaptop
from tests.unit.test_console_health import away, laptop

from .test_console_server import Server, serving, utc_ms
from .test_console_terminal import console, see


@pytest.fixture
def support(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Any]]:
    columns, rows = getattr(request, "param", (120, 40))
    about: dict[str, Any] = {"role": Role.SUPPORT, "permissions": ["health"], "staff_name": "T. Novak", "seats": []}
    with serving(tmp_path, **about) as server, console(server, tmp_path, columns, rows) as terminal:
        see(terminal, "waiting for the laptops' health")
        server.send(HealthSnapshot(1, utc_ms(), [laptop(1), away(2, cause_since_ms=utc_ms()), laptop(3)]))
        see(terminal, " BWI-03 ")
        yield server, terminal


@pytest.mark.parametrize("support", [(80, 24), (120, 40), (200, 60)], indirect=True)
def test_the_laptops_are_the_first_screen_of_support(support: tuple[Server, Any]) -> None:
    _, terminal = support
    assert terminal.line(0).startswith(" LAPTOPS  BWI Berwyn") and "T. Novak (support)" in terminal.line(0)
    assert "no names, pictures or sound" in terminal.line(1)
    assert "▶BWI-01" in terminal.line(3) and "■ lost" in terminal.line(4)
    footer = terminal.line(terminal.rows - 1)
    assert "details" in footer and "admit" not in footer


def test_a_laptops_details_are_opened_logged_and_left(support: tuple[Server, Any]) -> None:
    server, terminal = support
    terminal.press("j\r")
    see(terminal, "BWI-02 · seat 02 · ■ lost")
    assert server.wait_for(OpenLaptop)[0] == OpenLaptop("BWI-02")
    terminal.press("l")
    see(terminal, "BWI-03 · seat 03 · ● in call")
    assert server.wait_for(OpenLaptop, 2)[1] == OpenLaptop("BWI-03")
    server.send(HealthDelta(2, utc_ms(), [laptop(3, side=FailedSide.LINE, cause=Cause.LINE_SLOW, round_trip_ms=700)]))
    see(terminal, "line to the server: slow, 700 ms there and back")
    terminal.press("?")
    see(terminal, "KEYS OF ONE LAPTOP")
    terminal.press("\x1b")
    assert terminal.wait_for(lambda t: t.shows("CONNECTIONS OF THE CALL") and not t.shows("KEYS OF"), 10)
    terminal.press("q")
    see(terminal, "WHICH SIDE FAILED")
    terminal.press("s")
    see(terminal, "gravest first")
    assert "BWI-02" in terminal.line(3)
    terminal.press("q")
    assert terminal.part.process.wait(5) == 0


def test_no_key_of_the_wall_acts_here(support: tuple[Server, Any]) -> None:
    server, terminal = support
    terminal.press("APX+Rf1\r")
    see(terminal, "CONNECTIONS OF THE CALL")  # the last key opened the details, so all before it were taken
    assert not server.got(Command)


def test_a_lost_link_is_said_and_the_numbers_are_called_old(support: tuple[Server, Any]) -> None:
    server, terminal = support
    server.beating = False
    server.stop()
    see(terminal, "■ LINK LOST")
    see(terminal, "What is shown is old.")
    server.beating = True
    server.start()
    assert terminal.wait_for(lambda t: not t.shows("LINK LOST"), 10)
