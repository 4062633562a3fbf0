"""The console line by line: what it tells, and the acts as typed commands."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.terminal import Terminal
from schemas.call import CallState, Outcome, Role
from schemas.console import Beat, Boxes, Command, CommandAnswer, CommandDone, End, Extend, Flag, Pause, Resume
from schemas.wire import CloseCode

from .test_console_server import Server, call_view, health, seat_view, serving
from .test_console_terminal import console_command, on_calls, see


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, Terminal]]]:
    with ExitStack() as stack:

        def start(*calls: Any, **options: Any) -> tuple[Server, Terminal]:
            server, terminal = stack.enter_context(on_calls(tmp_path, *calls, columns=160, speak=True, **options))
            see(terminal, "Type help for the commands.")
            return server, terminal

        yield start


def test_it_says_who_one_is_and_what_is_there(heard: Any) -> None:
    server, terminal = heard(
        call_view(7), call_view(9, "EVANS", CallState.WAITING), seats=[seat_view(n) for n in (7, 8, 9)]
    )
    see(terminal, "Berwyn. You are R. Hughes, officer.")
    see(terminal, "2 calls. Type help")
    see(terminal, "seat 9 Evans: caller waiting for admission")
    terminal.press("list\n")
    see(terminal, "Seat 7 Harris: live, ")
    see(terminal, "Seat 8, Visits 8: empty.")
    server.show(health(call_view(7)))
    terminal.press("what 7\n")
    see(terminal, "Harris. Live. ")
    see(terminal, "With Carol Harris (mother).")
    terminal.press("attend\n")
    see(terminal, "caller waiting")
    assert not any(b.boxes for b in server.got(Boxes)), "no picture is asked for"
    assert not any(b.selected_call for b in server.got(Beat)), "a call that is only heard of is not looked at"


def test_a_pause_is_one_line_and_its_way_is_told(heard: Any) -> None:
    server, terminal = heard(call_view(7))
    terminal.press("pause 7\n")
    command = server.command()
    assert (command.call_id, command.act) == ("call-7", Pause())
    see(terminal, "Pause seat 7 Harris: pending.")
    server.send(CommandAnswer(command.command_id, True, None, "Pausing.", "", True))
    see(terminal, "Pause seat 7 Harris: accepted, waiting for the laptop.")
    server.send(CommandDone(command.command_id, True, "", 210))
    see(terminal, "Pause seat 7 Harris: confirmed by laptop 0.21 seconds.")
    server.change(call_view(7, state=CallState.PAUSED, version=4, said="Paused by R. Hughes"))
    see(terminal, "Seat 7 Harris: paused. Paused by R. Hughes.")
    terminal.press("resume 7 f\n")
    assert server.command(2).act == Resume(True)


def test_a_final_act_wants_the_name(heard: Any) -> None:
    server, terminal = heard(call_view(7))
    for line in (
        "end 7",
        "end 7 s",
        "end 7 X",
        "end 7 evans s",
        "end harris 7 s",
        "end 7 harris",
        "end 7 harris z",
        "X",
    ):
        terminal.press(f"{line}\n")
    see(terminal, "Type: end 7 harris, then a reason letter. Nothing was done.")
    see(terminal, "s by staff: safety")
    see(terminal, "There is no command x")
    terminal.press("what 7\n")
    see(terminal, "Harris. Live.")
    assert not server.got(Command)
    terminal.press("end 7 Harris p\n")
    command = server.command()
    assert command.act == End(Outcome.PRISONER_COMPLETED_EARLY) and command.call_id == "call-7"


def test_flags_and_more_time_take_their_letters_on_the_line(heard: Any) -> None:
    server, terminal = heard(call_view(7), call_view(8, "EVANS"))
    terminal.press("flag 7 r a phone held up\n")
    act = server.command().act
    assert isinstance(act, Flag) and (act.category, act.note) == ("r", "a phone held up")
    terminal.press("flag 8 e\n")
    act = server.command(2).act
    assert isinstance(act, Flag) and (act.category, act.note) == ("e", "")
    terminal.press("extend 7 1 t\n")
    command = server.command(3)
    assert isinstance(command.act, Extend) and command.reason == "time lost to a fault"
    terminal.press("extend 7 3 t\nextend 7 t\n")
    see(terminal, "first choose how much")
    terminal.press("flag 9 r\n")
    see(terminal, "Which seat?")
    assert len(server.got(Command)) == 3
    terminal.press("admit 7\n")
    see(terminal, "Admit needs a picture")


def test_grave_things_are_told_at_once_and_small_ones_are_counted(heard: Any) -> None:
    calls = [call_view(n, f"NAME{n}") for n in range(1, 7)]
    server, terminal = heard(*calls)
    for version in (4, 5):
        for call in calls:
            server.change(call_view(call.seat, call.surname, version=version, said=f"thing {version}"))
    server.change(call_view(1, "NAME1", version=6, laptop_online=False))
    at = time.monotonic()
    see(terminal, "URGENT seat 1 Name1: LAPTOP LOST")
    assert time.monotonic() - at < 2
    see(terminal, " more.")
    told = [line for line in terminal.text() if "thing" in line]
    assert len(told) <= 4, told


def test_no_byte_moves_the_cursor_or_colours_anything(tmp_path: Path) -> None:
    evil = "EV\x1b[2J\x07IL"
    with serving(tmp_path, seats=[seat_view(1)], calls=[call_view(1, evil, said="\x1b[H top")]) as server:
        process = subprocess.Popen(
            console_command(server, speak=True),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        server.wait_for(Beat)
        server.change(call_view(1, evil, CallState.PAUSED, version=5, said="\x1b[31mred\r\nline"))
        time.sleep(0.5)
        assert process.poll() is None, "without a terminal to type at it goes on telling"
        process.terminate()
        out, err = process.communicate(timeout=10)
    assert process.returncode == 0 and err == b""
    assert b"paused" in out and all(byte >= 32 or byte == 10 for byte in out)
    assert all(beat.idle_ms > 660_000 for beat in server.got(Beat)), "a log is nobody who watches"


def test_the_link_lost_and_back_and_nothing_is_sent_meanwhile(heard: Any) -> None:
    server, terminal = heard(call_view(7))
    server.stop()
    see(terminal, "URGENT Link lost.", 6)
    terminal.press("pause 7\n")
    see(terminal, "link lost: not sent")
    server.start()
    see(terminal, "Link back after")
    assert not server.got(Command)


def test_help_has_every_command_and_what_the_role_may_not(heard: Any) -> None:
    _, terminal = heard(call_view(7), role=Role.GOVERNOR, permissions=["view", "flag"])
    terminal.press("help\n")
    see(terminal, "pause SEAT:")
    text = " ".join(terminal.text())
    assert "end SEAT NAME:" in text and "Your role may not." in text
    terminal.press("quit\n")
    assert terminal.part.process.wait(10) == 0


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    with serving(tmp_path, close_with=(int(CloseCode.NOT_RECOGNISED), "nobody knows you")) as server:
        run = subprocess.run(
            console_command(server, speak=True), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        )
    assert run.returncode == 1
    assert run.stderr.strip() == "console: the server refuses this console: nobody knows you."
