"""The console in terminals with the habits of those that officers use: what it makes of their answers and keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.terminal import Terminal
from schemas.call import CallState
from schemas.console import Boxes, CommandAnswer, Flag, Pause
from schemas.media import Side
from tests.terminals import ALL, PUTTY, WINDOWS, Habits

from .test_console_server import Server, call_view, picture, seat_view, serving
from .test_console_terminal import RED, console_command, large_box, see


@contextmanager
def at(habits: Habits, folder: Path) -> Iterator[tuple[Server, Terminal, list[bytes]]]:
    """A console on two calls, of which one has a caller who waits; and all that is written to the terminal."""
    calls = [call_view(1), call_view(2, "OKAFOR", CallState.WAITING)]
    permissions = ["view", "admit", "flag", "pause", "urgent_help"]
    with serving(folder, seats=[seat_view(1), seat_view(2)], calls=calls, permissions=permissions) as server:
        terminal = Terminal(120, 40, answers=habits.answers)
        written: list[bytes] = []
        feed = terminal._stream.feed
        terminal._stream.feed = lambda data: (written.append(data), feed(data))[1]
        part = terminal.start(console_command(server), folder / "console.err", **habits.environment)
        try:
            see(terminal, "01 HARRIS")
            see(terminal, "Link ●")
            yield server, terminal, written
        finally:
            if part.process.poll() is None:
                part.process.kill()
                part.process.wait()
            terminal.close()
            assert (folder / "console.err").read_text() == ""


@pytest.mark.parametrize("habits", ALL, ids=lambda one: one.name)
def test_keys_do_what_they_say(tmp_path: Path, habits: Habits) -> None:
    with at(habits, tmp_path) as (server, terminal, _):

        def press(*keys: str) -> None:
            terminal.press(habits.typed(*keys))

        press("f3")
        see(terminal, "CHECK LIST")
        press("f2")
        see(terminal, "ATTENTION")
        press("f12")
        see(terminal, "URGENT HELP seat 02")
        press("escape")
        see(terminal, "Enter open")
        press("?")
        see(terminal, "rows 1–39")
        press("end")
        see(terminal, "in dBFS")
        press("home")
        see(terminal, "rows 1–39")
        for key, first in (("down", 2), ("down", 3), ("up", 2), ("pageup", 1), ("pagedown", 8)):
            press(key)
            see(terminal, f"rows {first}–")
        press("home")
        see(terminal, "rows 1–")
        press("ctrl+down")
        if habits.keys["ctrl+down"] == b"\x1bOB":  # to PuTTY's it is an arrow as any other
            see(terminal, "rows 2–")
        press("q")
        see(terminal, "ATTENTION")
        press("0", "1", "f", "r")
        see(terminal, "Note:")
        press(*"Phonex", "backspace", "enter")
        command = server.command()
        assert isinstance(command.act, Flag) and command.act.note == "Phone"
        server.send(CommandAnswer(command.command_id, True, None, "Flagged.", "INC-2026-1124-01"))
        press("ctrl+p")
        see(terminal, "Find an action")
        press("escape")
        assert terminal.wait_for(lambda t: not t.shows("Find an action"), 5)
        press("P")
        assert server.command(2).act == Pause()
        see(terminal, "PAUSE seat 01 HARRIS")
        assert not terminal.shows("Caps Lock")
        if habits.all_keys_escaped:
            terminal.press(b"\x1b[57441;2u")  # Shift alone
        press("2")
        assert server.command(3).reason == "person out of view", "the panel was open still"
        press("escape")
        press("ctrl+q")
        assert terminal.part is not None and terminal.part.process.wait(10) == 0


@pytest.mark.parametrize("habits", ALL, ids=lambda one: one.name)
def test_pictures_are_in_the_colours_that_it_has(tmp_path: Path, habits: Habits) -> None:
    windows = habits.answers is WINDOWS.answers
    with at(habits, tmp_path) as (server, terminal, _):
        see(terminal, "  colour  " if windows else "grey (256 colours)")
        assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
        box = large_box(server)

        def halves() -> set[str]:
            cells = (terminal.screen.buffer[y][x] for y in range(8, 20) for x in range(2, 30))
            return {cell.bg for cell in cells} - {"default"}

        def red(_: Terminal) -> bool:
            server.show(picture(server.calls[0], Side.FAMILY, RED, box, box))
            return bool(halves())

        assert terminal.wait_for(red, 10), terminal.text()
        if windows:
            assert terminal.wait_for(lambda _: "c81828" in halves(), 10), halves()
        else:
            assert all(c[:2] == c[2:4] == c[4:6] for c in halves()), halves()


@pytest.mark.parametrize("habits", (PUTTY, WINDOWS), ids=lambda one: one.name)
def test_paintings_are_synchronised_where_the_terminal_knows_it(tmp_path: Path, habits: Habits) -> None:
    begins, ends = b"\x1b[?2026h", b"\x1b[?2026l"
    with at(habits, tmp_path) as (_, terminal, written):
        terminal.press(habits.typed("l"))
        see(terminal, "╔ 02 OKAFOR")
        said = b"".join(written)
        assert (begins in said and ends in said) == (habits is WINDOWS)
        assert b"\x1b[?9001h" not in said, "keys are never asked for as Windows has them"
