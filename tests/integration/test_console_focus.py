"""One call in focus, in a real terminal against a server on a real socket."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.terminal import Terminal
from schemas.call import CallState
from schemas.console import Beat, Boxes, Command, CommandAnswer, CommandDone, Flag, Pause
from schemas.media import PictureMode, Side

from .test_console_server import Server, call_view, health, levels, picture, seat_view
from .test_console_terminal import RED, on_calls, see

GREEN = (20, 190, 60)


@pytest.fixture
def focus(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, Terminal]]]:
    """Starts a server and a console, and opens the first call."""
    with ExitStack() as stack:

        def start(*calls: Any, columns: int = 120, rows: int = 40, **options: Any) -> tuple[Server, Terminal]:
            about = on_calls(tmp_path, *calls, columns=columns, rows=rows, **options)
            server, terminal = stack.enter_context(about)
            see(terminal, calls[0].surname)
            see(terminal, "Link ●")
            terminal.press("\r")
            see(terminal, "┌─ FAMILY ·")
            return server, terminal

        yield start


def asked(server: Server) -> Boxes:
    return server.got(Boxes)[-1]


def boxes_of(terminal: Terminal, server: Server, sides: set[Side]) -> list[Any]:
    assert terminal.wait_for(lambda _: {box.side for box in asked(server).focus} == sides, 10), asked(server)
    return asked(server).focus


def cells_of(terminal: Terminal, colour: tuple[int, int, int]) -> int:
    wanted = "{:02x}{:02x}{:02x}".format(*colour)
    buffer = terminal.screen.buffer
    return sum(
        wanted in (buffer[y][x].fg, buffer[y][x].bg) for y in range(terminal.rows) for x in range(terminal.columns)
    )


def test_both_sides_are_asked_for_large_and_quick_and_of_this_call_alone(focus: Any) -> None:
    server, terminal = focus(call_view(1), call_view(2, "DUNN"))
    boxes = boxes_of(terminal, server, {Side.FAMILY, Side.ROOM})
    assert asked(server).boxes == [] and asked(server).focus_call == "call-1"
    assert all(box.per_s == 10 and box.width >= 48 and box.mode in PictureMode for box in boxes)
    assert terminal.wait_for(lambda _: any(b.focused and b.selected_call == "call-1" for b in server.got(Beat)), 5)
    terminal.press("q")
    see(terminal, "02 DUNN")
    assert terminal.wait_for(lambda _: bool(asked(server).boxes) and not asked(server).focus, 5)


def test_ten_pictures_a_second_reach_the_screen(focus: Any) -> None:
    call = call_view(1)
    server, terminal = focus(call)
    family, _ = boxes_of(terminal, server, {Side.FAMILY, Side.ROOM})
    size = family.width, family.height
    seen = 0
    for number in range(20):
        colour = (0x28 + 0x40 * (number % 3), 0x28, 0x38)  # of those that twelve bits have
        server.show(picture(call, Side.FAMILY, colour, size, size))
        if terminal.wait_for(lambda t, c=colour: cells_of(t, c) >= family.width * 4, 0.5):
            seen += 1
        time.sleep(0.02)
    assert seen >= 18


def test_one_side_over_the_whole_screen_and_back(focus: Any) -> None:
    call = call_view(1)
    server, terminal = focus(call)
    both = boxes_of(terminal, server, {Side.FAMILY, Side.ROOM})
    terminal.press("s")
    (alone,) = boxes_of(terminal, server, {Side.FAMILY})
    assert alone.width == 118 > both[0].width and alone.height > both[0].height
    server.show(picture(call, Side.FAMILY, RED, (alone.width, alone.height), (100, 56)), levels(call))
    assert terminal.wait_for(lambda t: cells_of(t, RED) >= 100 * 27, 5)
    assert not terminal.shows("TIMELINE") and terminal.shows("FAMILY  −22 dBFS")
    terminal.press("s")
    boxes_of(terminal, server, {Side.ROOM})
    see(terminal, "┌─ ROOM ·")
    terminal.press("s")
    boxes_of(terminal, server, {Side.FAMILY, Side.ROOM})
    see(terminal, "TIMELINE")


def test_what_happens_to_the_wall_below_does_not_take_the_pictures_away(focus: Any) -> None:
    server, terminal = focus(call_view(1), call_view(2, "DUNN"))
    boxes_of(terminal, server, {Side.FAMILY, Side.ROOM})
    before = len(server.got(Boxes))
    terminal.resize(160, 50)
    server.seats.append(seat_view(3))
    server._tick += 5  # a gap: the snapshot that follows has a new seat
    assert terminal.wait_for(lambda _: any(b.width == 78 for b in asked(server).focus), 10), asked(server)
    terminal.wait_for(lambda _: False, 1.0)
    assert all(boxes.focus_call == "call-1" and not boxes.boxes for boxes in server.got(Boxes)[before:])


def test_a_small_screen_shows_one_of_both_and_turns_it(focus: Any) -> None:
    server, terminal = focus(call_view(1), columns=80, rows=24)
    (one,) = boxes_of(terminal, server, {Side.FAMILY})
    assert (one.width, one.height) == (48, 26)
    see(terminal, "1 Carol Harris")
    terminal.press("s")
    boxes_of(terminal, server, {Side.ROOM})
    terminal.resize(59, 19)
    see(terminal, "Sightline needs 60×20.")
    terminal.resize(120, 40)
    see(terminal, "TIMELINE")


def test_acts_are_done_here_and_who_told_whom_stands_in_the_timeline(focus: Any) -> None:
    server, terminal = focus(call_view(1))
    terminal.press("f")
    see(terminal, "FLAG seat 01 HARRIS")
    terminal.press("rphone\r")
    act = server.command().act
    assert isinstance(act, Flag) and act.note == "phone"
    terminal.press("P")
    command = server.command(2)
    assert command.act == Pause() and command.call_id == "call-1"
    see(terminal, "you → server …")
    server.send(CommandAnswer(command.command_id, True, None, "Pausing.", "", True))
    see(terminal, "you → server ✓ → laptop …")
    server.send(CommandDone(command.command_id, True, "", 120))
    server.change(call_view(1, state=CallState.PAUSED, version=4, said="Paused by R. Hughes", pauses=1))
    see(terminal, "you → server ✓ → laptop ✓ 0.12 s")
    see(terminal, "║ PAUSED")
    assert terminal.shows("┌─ FAMILY ·"), "an act leaves the screen as it is"


def test_the_other_calls_are_reached_without_leaving_and_never_by_themselves(focus: Any) -> None:
    calls = [call_view(1), call_view(3, "DUNN"), call_view(4, "EVANS")]
    server, terminal = focus(*calls, seats=[seat_view(n) for n in (1, 2, 3, 4)])
    for key, name, call_id in (("l", "03 DUNN", "call-3"), ("l", "04 EVANS", "call-4"), ("l", "01 HARRIS", "call-1")):
        terminal.press(key)
        see(terminal, f" {name}, Owen")
        assert terminal.wait_for(lambda _, c=call_id: asked(server).focus_call == c, 5)
    terminal.press("h")
    see(terminal, " 04 EVANS, Owen")
    terminal.press("03")
    see(terminal, " 03 DUNN, Owen")
    server.change(call_view(1, version=4, laptop_online=False))
    see(terminal, "■ URGENT elsewhere: seat 01 HARRIS: LAPTOP LOST")
    assert terminal.shows(" 03 DUNN, Owen"), "it goes nowhere by itself"
    terminal.press("X")
    see(terminal, "END seat 03 DUNN")
    terminal.press("\r")
    terminal.press("02")
    see(terminal, "No call here")
    terminal.press("P")
    see(terminal, "no call is chosen")
    assert not server.got(Command)


def test_the_last_minute_of_both_sides_is_there_and_what_was_not_measured_is_dots(focus: Any) -> None:
    call = call_view(1)
    server, terminal = focus(call)
    start = time.monotonic_ns() // 1_000_000 - 70_000
    for second in range(70):
        message = levels(call, -60 if second % 2 else -600, -1200)
        server.show(type(message)(call.call_id, start + second * 1000, *[getattr(message, f) for f in FIELDS]))
    line = lambda: next((row for row in terminal.text() if row.startswith(" FAMILY ")), "")  # noqa: E731
    assert terminal.wait_for(lambda _: line().count("█") >= 30, 5), line()
    assert "peak −3" in line() and line().count("·") < 40
    assert terminal.shows("−60 s") and terminal.shows("−30 s")
    before = line().count("·")
    assert terminal.wait_for(lambda _: line().count("·") >= before and "off" in line(), 5)


FIELDS = ("family_rms", "family_peak", "room_rms", "room_peak")


def test_the_reference_goes_to_the_clipboard_of_who_sits_there(focus: Any) -> None:
    server, terminal = focus(call_view(1))
    received: list[bytes] = []
    feed = terminal._stream.feed
    terminal._stream.feed = lambda data: (received.append(data), feed(data))[1]
    terminal.press("c")
    see(terminal, "Copied, if your terminal allows it: call-1")
    assert b"\x1b]52;c;" + base64.b64encode(b"call-1") in b"".join(received)
    assert not server.got(Command)


def test_people_health_and_what_follows(focus: Any) -> None:
    call = call_view(1, next_booking_ms=time.time_ns() // 1_000_000 + 3_600_000)
    server, terminal = focus(call, seats=[seat_view(1, next_call="REES, 1 caller")])
    server.show(health(call))
    see(terminal, "Device 1 admitted · loss 0.1 %")
    see(terminal, "● REC 0.4 s")
    see(terminal, ": REES, 1 caller")
    terminal.press("?")
    see(terminal, "KEYS OF ONE CALL")
    see(terminal, "both sides, or one over the whole screen")
    terminal.press("q")
    see(terminal, "┌─ FAMILY ·")
