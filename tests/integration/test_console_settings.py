"""A person's settings in a real terminal: own keys, refused keys, themes that are remembered."""

import os
from pathlib import Path
from typing import Any

import pytest

from console import config
from demo.terminal import Terminal
from schemas.console import Boxes, Command, End
from schemas.media import Side

from .test_console_server import call_view, picture, seat_view, serving
from .test_console_terminal import console_command, see


def settings(text: str) -> None:
    file = config.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def shown_colour(terminal: Terminal, words: str) -> set[str]:
    """Colours of the cells where `words` stand first."""
    for y, line in enumerate(terminal.text()):
        if (x := line.find(words)) >= 0:
            return {terminal.screen.buffer[y][x + at].fg for at in range(len(words))}
    return set()


@pytest.fixture
def started(tmp_path: Path) -> Any:
    with serving(tmp_path, seats=[seat_view(1)], calls=[call_view(1)]) as server:
        terminals: list[Terminal] = []

        def start(**environment: str) -> Terminal:
            terminal = Terminal(200, 60)
            terminal.start(console_command(server), tmp_path / f"err-{len(terminals)}", **environment)
            terminals.append(terminal)
            return terminal

        yield server, start
        for terminal in terminals:
            if terminal.part.process.poll() is None:
                terminal.part.process.kill()
                terminal.part.process.wait()
            terminal.close()


def test_a_keymap_that_breaks_a_rule_is_told_in_one_sentence(started: Any, tmp_path: Path) -> None:
    settings('[keys]\npause = "F"\n')
    _, start = started
    terminal = start()
    assert terminal.part.process.wait(20) == 1
    said = (tmp_path / "err-0").read_text()
    assert "'f' and 'F' are one key" in said or "'F' and 'f' are one key" in said
    assert "pause" in said and "flag" in said and "Traceback" not in said


def test_own_keys_do_what_they_are_given_and_help_says_so(started: Any) -> None:
    settings('[keys]\nhelp = "f6"\n')
    _, start = started
    terminal = start()
    see(terminal, "Link ●")
    terminal.press("?")
    terminal.press("\x1b[17~")
    see(terminal, "KEYS OF THE WALL")
    assert "  F6 " in next(line for line in terminal.text() if "this page, with why a key is off" in line)


def test_a_theme_chosen_in_the_palette_is_worn_at_once_and_the_next_time(started: Any) -> None:
    _, start = started
    terminal = start()
    see(terminal, "Link ●")
    before = shown_colour(terminal, "Nothing needs you")
    terminal.press("\x10")
    see(terminal, "Find an action")
    terminal.press("Next theme")
    assert terminal.wait_for(lambda t: t.shows("dark, light") and not t.shows("this page, with why"), 10)
    terminal.press("\r")
    assert terminal.wait_for(lambda t: shown_colour(t, "Nothing needs you") not in (before, set()), 10)
    light = shown_colour(terminal, "Nothing needs you")
    assert config.remembered() == {"theme": "light"}
    terminal.press("q")
    assert terminal.part.process.wait(10) == 0
    again = start()
    see(again, "Nothing needs you")
    assert shown_colour(again, "Nothing needs you") == light


def test_monochrome_is_without_any_colour(started: Any) -> None:
    settings('theme = "monochrome"\n')
    _, start = started
    terminal = start(COLORTERM="truecolor")
    see(terminal, "Link ●")
    cells = [terminal.screen.buffer[y][x] for y in range(60) for x in range(200)]
    assert {cell.fg for cell in cells} == {cell.bg for cell in cells} == {"default"}
    assert os.environ.get("NO_COLOR") is None


def colours(terminal: Terminal) -> set[str]:
    cells = (terminal.screen.buffer[y][x] for y in range(terminal.rows) for x in range(terminal.columns))
    return {colour for cell in cells for colour in (cell.fg, cell.bg)}


def next_theme(terminal: Terminal) -> None:
    terminal.press("\x10")
    see(terminal, "Find an action")
    terminal.press("Next theme")
    assert terminal.wait_for(lambda t: t.shows("dark, light") and not t.shows("this page, with why"), 10)
    terminal.press("\r")


def show_red(server: Any, terminal: Terminal) -> None:
    """The first call's family in red, in the size that the console has asked for."""
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = next(b for b in server.got(Boxes)[-1].boxes)
    red = picture(server.calls[0], Side.FAMILY, (200, 24, 40), (box.width, box.height), (box.width, box.height))
    server.show(red)


def test_monochrome_takes_the_pictures_colours_away_at_once_and_another_theme_brings_them_back(started: Any) -> None:
    config.remember(theme="high-contrast")
    server, start = started
    terminal = start()
    show_red(server, terminal)
    assert terminal.wait_for(lambda t: "c81828" in colours(t), 10)
    next_theme(terminal)
    assert terminal.wait_for(lambda t: colours(t) == {"default"}, 10), colours(terminal)
    assert terminal.shows("░░░░░"), "the picture is there, in shades"
    next_theme(terminal)
    assert terminal.wait_for(lambda t: "c81828" in colours(t), 10)
    assert config.remembered()["theme"] == "dark"


def test_a_console_that_starts_in_monochrome_gets_its_colours_when_another_theme_is_chosen(started: Any) -> None:
    config.remember(theme="monochrome")
    server, start = started
    terminal = start()
    show_red(server, terminal)
    see(terminal, "░░░░░")
    assert colours(terminal) == {"default"}
    next_theme(terminal)
    assert terminal.wait_for(lambda t: "c81828" in colours(t), 10)


def test_own_keys_act_and_the_old_ones_do_not(started: Any) -> None:
    settings('[keys]\nend = "ctrl+x"\nattend = "ctrl+n"\n')
    server, start = started
    terminal = start()
    see(terminal, "· ^N next")
    terminal.press("01\x18")
    see(terminal, "^X again ends the call")
    terminal.press("sX")
    terminal.press("\x18")
    assert isinstance(server.command().act, End)
    terminal.press("X")
    see(terminal, "Caps Lock may be on")
    assert len(server.got(Command)) == 1
