"""The console as a program in a real pseudo-terminal, read as a terminal shows it."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.officer import F3
from demo.processes import child_environment, end_with_parent
from demo.terminal import Terminal
from demo.wall import METER, Tile, find_tiles, picture_cell
from schemas.call import CallerView, CallState, LegView, Role
from schemas.console import Admit, Boxes, Command, CommandAnswer, CommandDone, Flag
from schemas.media import Side
from schemas.wire import CloseCode

from .test_console_server import Server, call_view, health, levels, picture, seat_view, serving

RED, BLUE = (200, 24, 40), (24, 56, 216)
"""Colours that twelve bits have as they are."""


def console_command(server: Server, **settings: Any) -> list[str]:
    code = (
        "import sys; from pathlib import Path; from console.bootstrap import run; "
        "from console.settings import Settings; "
        f"sys.exit(run(Settings('BWI', Path({str(server.path)!r}), None, **{settings!r})))"
    )
    return [sys.executable, "-c", code]


@contextmanager
def console(
    server: Server, folder: Path, columns: int = 200, rows: int = 60, speak: bool = False, **environment: str
) -> Iterator[Terminal]:
    terminal = Terminal(columns, rows)
    part = terminal.start(console_command(server, speak=speak), folder / "console.err", **environment)
    try:
        yield terminal
    finally:
        if part.process.poll() is None:
            part.process.kill()
            part.process.wait()
        terminal.close()
        assert (folder / "console.err").read_text() == ""


@contextmanager
def on_calls(
    folder: Path, *calls: Any, columns: int = 200, rows: int = 60, speak: bool = False, **options: Any
) -> Iterator[tuple[Server, Terminal]]:
    """A server with these calls at their seats, and a console that comes to it."""
    environment = options.pop("environment", {})
    seats = options.pop("seats", [seat_view(call.seat) for call in calls])
    with (
        serving(folder, seats=seats, calls=list(calls), **options) as server,
        console(server, folder, columns, rows, speak, **environment) as terminal,
    ):
        yield server, terminal


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, Terminal]]]:
    """Starts a server with seats and calls, and a console that shows them."""
    with ExitStack() as stack:

        def start(*calls: Any, shows: str = "", **options: Any) -> tuple[Server, Terminal]:
            server, terminal = stack.enter_context(on_calls(tmp_path, *calls, **options))
            see(terminal, shows or "ATTENTION")
            see(terminal, "Link ●")
            return server, terminal

        yield start


def see(terminal: Terminal, words: str, seconds: float = 10) -> None:
    assert terminal.wait_for(lambda t: t.shows(words), seconds), "\n".join([f"not shown: {words}", *terminal.text()])


def large_box(server: Server, side: Side = Side.FAMILY) -> tuple[int, int]:
    for boxes in reversed(server.wait_for(Boxes)):
        of_side = [box for box in boxes.boxes if box.side == side]
        if of_side:
            box = max(of_side, key=lambda b: b.width)
            return box.width, box.height
    raise AssertionError("no box of this side was asked for")


def picture_cells(terminal: Terminal, tile: Tile) -> list[tuple[str, str]]:
    places = ((row, column) for row in range(tile.top, tile.bottom) for column in range(tile.left, tile.right))
    cells = (picture_cell(terminal.screen.buffer[row][column]) for row, column in places)
    return [cell for cell in cells if cell is not None]


@pytest.mark.parametrize(("columns", "rows"), [(200, 60), (120, 40)])
def test_pictures_and_levels_are_on_the_tile(wall: Any, columns: int, rows: int) -> None:
    call, other = call_view(1), call_view(2, "OKAFOR")
    server, terminal = wall(call, other, columns=columns, rows=rows, shows=" 02 OKAFOR")
    server.wait_for(Boxes)
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = large_box(server)
    size = box[0] - 4, box[1] - 2
    server.show(picture(call, Side.FAMILY, RED, box, size), picture(other, Side.FAMILY, BLUE, box, size))
    server.show(levels(call, -220, -300), levels(other, -401, -598))

    def both(t: Terminal) -> bool:
        tiles = find_tiles(t, {1: "HARRIS", 2: "OKAFOR"})
        return len(tiles) == 2 and all(len(tile.meters) == 2 for tile in tiles.values())

    assert terminal.wait_for(both, 10), terminal.text()
    tiles = find_tiles(terminal, {1: "HARRIS", 2: "OKAFOR"})
    assert terminal.wait_for(lambda t: tiles[1].level_dbfs(t, "F") == -22, 5)
    for seat, family, room in ((1, -22, -30), (2, -40, -60)):
        # The last one stays for 0.7 s only, so it is sent again while it is read.
        server.show(levels(call, -220, -300), levels(other, -401, -598))
        assert terminal.wait_for(lambda t, s=seat, f=family: tiles[s].level_dbfs(t, "F") == f, 5)
        assert tiles[seat].level_dbfs(terminal, "R") == room
    for seat, colour in ((1, RED), (2, BLUE)):
        wanted = ("{:02x}{:02x}{:02x}".format(*colour),) * 2
        count = size[0] * size[1] // 2
        assert terminal.wait_for(lambda t, s=seat, w=wanted, n=count: picture_cells(t, tiles[s]).count(w) == n, 5)


def test_a_level_that_is_not_renewed_goes(wall: Any) -> None:
    call = call_view(1)
    server, terminal = wall(call, shows=" 01 HARRIS")
    see(terminal, " off")
    server.show(levels(call, -120))
    see(terminal, "−12")
    assert terminal.wait_for(lambda t: not t.shows("−12"), 3), "an old level looks live"


def test_names_cannot_leave_their_place(wall: Any) -> None:
    evil = "EV\x1b[2J\x1b]0;owned\x07IL\x9b31m\u202eSDRAWKCAB\u200b\ud7ff"
    calls = [
        call_view(1, evil),
        call_view(2, "L" * 200, forename="\u2066x" * 50),
        call_view(3, "שלום\u200f", said="\x1b[H\x1b[31mtop left\nnext line"),
        call_view(4, "中文名字" * 20, callers=[CallerView("\x1b[1;1HCaller" * 10, "\r\nwife", "adult", "family-1")]),
    ]
    _, terminal = wall(*calls, shows=" 01 EVILSDRAWKCAB")
    see(terminal, " 02 LLLLLLLL")
    see(terminal, " 04 中")
    see(terminal, " ? help")
    lines = terminal.text()
    assert lines[0].startswith(" SIGHTLINE  BWI Berwyn")
    assert lines[-1].startswith(" ? help")
    assert not any(ord(character) < 32 for line in lines for character in line)
    # The corners of all tiles stand where the layout puts them, whatever their names are.
    cells = terminal.screen.buffer
    assert {x for y in range(60) for x in range(200) if cells[y][x].data in ("┐", "╗")} == {99, 199}


def test_link_lost_and_back(wall: Any) -> None:
    call = call_view(1)
    server, terminal = wall(call, shows=" 01 HARRIS")
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = large_box(server)
    server.show(picture(call, Side.FAMILY, RED, box, box), levels(call))
    assert terminal.wait_for(lambda t: "c81828" in papers(t), 5)
    server.beating = False
    stopped = time.monotonic()
    server.stop()
    see(terminal, "■ LINK LOST", 4)
    assert time.monotonic() - stopped < 2.2, "the wall must say it within two seconds of silence"
    see(terminal, "OLD ")
    assert terminal.wait_for(lambda t: "c81828" not in papers(t), 1), "an old picture keeps its colours"
    terminal.press("P")
    see(terminal, "link lost: not sent")
    server.beating = True
    server.start()
    see(terminal, "Back after")
    assert terminal.wait_for(lambda t: not t.shows("LINK LOST"), 5)
    assert not server.got(Command), "what was pressed while the link was away is not sent later"


def papers(terminal: Terminal) -> set[str]:
    return {terminal.screen.buffer[y][x].bg for y in range(terminal.rows) for x in range(terminal.columns)}


def test_the_officers_keys_admit_a_caller(wall: Any) -> None:
    call = call_view(1, state=CallState.WAITING)
    server, terminal = wall(call, shows="WAITING")
    terminal.press(F3)
    see(terminal, "ADMIT seat 01 HARRIS")
    see(terminal, "[ ] 1 The face is the person on the booking")
    terminal.press("1 ")
    see(terminal, "[x] 2 Everyone in the picture")
    terminal.press("A")
    see(terminal, "A again admits")
    assert not server.got(Command)
    terminal.press("A")
    command = server.command()
    assert command.reason == "ticked 1 2, confirmed at once 3 4 5 6 7"
    assert command.act == Admit("family-1") and command.version == call.version
    see(terminal, "seat 01 Admit: pending")
    server.send(CommandAnswer(command.command_id, True, None, "Admitting.", "", True))
    see(terminal, "seat 01 Admit: accepted, waiting for the laptop")
    server.change(call_view(1, version=4, legs=[LegView("room", True, True), LegView("family-1", True, True)]))
    server.send(CommandDone(command.command_id, True, "", 83))
    see(terminal, "seat 01 Admit: confirmed by laptop 0.08 s")
    assert "Admit: confirmed" in terminal.line(terminal.rows - 2)


def test_a_flag_has_the_time_of_its_first_key_and_shows_its_number(wall: Any) -> None:
    server, terminal = wall(call_view(1), shows=" 01 HARRIS")
    before = time.time_ns() // 1_000_000
    terminal.press("f")
    see(terminal, "FLAG seat 01 HARRIS")
    after = time.time_ns() // 1_000_000
    terminal.press("eno sound\r")
    command = server.command()
    assert isinstance(command.act, Flag) and (command.act.category, command.act.note) == ("e", "no sound")
    assert before - 100 <= command.act.pressed_at_ms <= after + 100
    server.send(CommandAnswer(command.command_id, True, None, "Flagged.", "INC-2026-1124-01"))
    see(terminal, "seat 01 Flag: filed INC-2026-1124-01")


def echoes(terminal: Terminal) -> bool:
    return bool(termios.tcgetattr(terminal._master)[3] & termios.ECHO)


@pytest.mark.parametrize("how", ["q", "\x03", "\x11", signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_with_status_0_and_gives_the_terminal_back(wall: Any, how: Any) -> None:
    _, terminal = wall(call_view(1), shows=" 01 HARRIS")
    process = terminal.part.process
    assert not echoes(terminal)
    if isinstance(how, str):
        terminal.press(how)
    else:
        process.send_signal(how)
    assert process.wait(5) == 0
    terminal.drain()
    terminal.look()
    assert 25 << 5 in terminal.screen.mode, "the cursor is shown again"
    assert echoes(terminal)


def test_it_ends_with_its_terminal_though_no_signal_says_so(tmp_path: Path) -> None:
    """As a pseudo-terminal that controls no session: nobody is hung up when it goes."""
    with serving(tmp_path, calls=[call_view(1)]) as server:
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = child_environment() | {"TERM": "xterm-256color"}
        with (tmp_path / "err").open("wb") as errors:
            process = subprocess.Popen(
                console_command(server), stdin=slave, stdout=slave, stderr=errors, env=environment,
                preexec_fn=end_with_parent(os.getpid()),
            )  # fmt: skip
        os.close(slave)
        server.wait_for(Boxes)
        os.close(master)
        try:
            process.wait(15)
        finally:
            process.kill()


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    close = (int(CloseCode.NOT_RECOGNISED), "the account nobody belongs to nobody on the staff list")
    with serving(tmp_path, close_with=close) as server:
        terminal = Terminal(100, 30)
        part = terminal.start(console_command(server), tmp_path / "err")
        assert part.process.wait(10) == 1
        terminal.close()
    said = (tmp_path / "err").read_text()
    assert said.strip() == (
        "console: the server refuses this console: the account nobody belongs to nobody on the staff list."
    )


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    import subprocess

    with serving(tmp_path) as server:
        run = subprocess.run(console_command(server), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.strip().startswith("console: this needs a terminal") and run.stderr.count("\n") == 1


def test_a_small_window_says_what_it_needs_and_the_wall_comes_back(wall: Any) -> None:
    _, terminal = wall(call_view(1), shows=" 01 HARRIS")
    terminal.resize(50, 15)
    see(terminal, "Sightline needs 60×20.")
    terminal.resize(120, 40)
    see(terminal, " 01 HARRIS")
    assert terminal.wait_for(lambda t: not t.shows("Sightline needs"), 5)


def test_no_colour_is_sent_under_no_color(wall: Any) -> None:
    call = call_view(1)
    server, terminal = wall(call, environment={"NO_COLOR": "1"}, shows=" 01 HARRIS")
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = large_box(server)
    server.show(picture(call, Side.FAMILY, (250, 250, 250), box, box), levels(call), health(call))
    see(terminal, "████████")
    server.change(call_view(1, version=4, laptop_online=False))
    see(terminal, "■ LAPTOP LOST")
    cells = [terminal.screen.buffer[y][x] for y in range(60) for x in range(200)]
    assert {cell.fg for cell in cells} == {cell.bg for cell in cells} == {"default"}
    assert any(cell.reverse and cell.bold for cell in cells), "URGENT is bold reverse"


def test_on_256_colours_pictures_are_grey(wall: Any) -> None:
    call = call_view(1)
    server, terminal = wall(call, environment={"COLORTERM": ""}, shows=" 01 HARRIS")
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = large_box(server)
    server.show(picture(call, Side.FAMILY, RED, box, box))

    def shown(t: Terminal) -> set[str]:
        cells = (t.screen.buffer[y][x] for y in range(10, 40) for x in range(60))
        return {half for cell in cells for half in picture_cell(cell) or ()}

    assert terminal.wait_for(shown, 5)
    assert all(c[0:2] == c[2:4] == c[4:6] for c in shown(terminal)), shown(terminal)


def test_an_officer_without_permission_is_told_why(wall: Any) -> None:
    server, terminal = wall(
        call_view(1), role=Role.GOVERNOR, permissions=["view", "pause", "end", "flag"], shows=" 01 HARRIS"
    )
    terminal.press("+")
    see(terminal, "+ is off: a governor may not do this")
    terminal.press("p")
    see(terminal, "Pause is Shift+P")
    assert not server.got(Command)


def test_meter_pattern_of_the_demo_holds_for_every_level(wall: Any) -> None:
    call = call_view(1)
    server, terminal = wall(call, shows=" 01 HARRIS")
    assert terminal.wait_for(lambda t: {m[1] for line in t.text() for m in METER.finditer(line)} == {"F", "R"}, 5)
    tile = find_tiles(terminal, {1: "HARRIS"})[1]
    for level, shown in ((-1200, -120), (-999, -100), (-500, -50), (-94, -9), (-5, -1), (0, 0), (30, 3)):
        server.show(levels(call, level, level))
        assert terminal.wait_for(lambda t, n=shown: tile.level_dbfs(t, "F") == tile.level_dbfs(t, "R") == n, 5), shown
        assert find_tiles(terminal, {1: "HARRIS"})[1].meters == tile.meters


def test_a_key_changes_how_pictures_are_painted_and_it_is_remembered(wall: Any, tmp_path: Path) -> None:
    call = call_view(1)
    state = tmp_path / "state"
    server, terminal = wall(call, environment={"XDG_STATE_HOME": str(state)}, shows=" 01 HARRIS")
    see(terminal, "Pictures: colour")
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = large_box(server)
    server.show(picture(call, Side.FAMILY, RED, box, box))
    assert terminal.wait_for(lambda t: "c81828" in papers(t), 5)
    terminal.press(".")
    see(terminal, "Pictures: fine colour (your choice)")
    terminal.press(".")
    see(terminal, "Pictures: colour (your choice)")
    terminal.press(".")
    see(terminal, "Pictures: grey (your choice)")
    assert terminal.wait_for(lambda t: "c81828" not in papers(t), 5)
    terminal.press(".")
    see(terminal, "Pictures: grey, each 4 s (your choice)")
    terminal.press(".")
    see(terminal, "TEXT ONLY, you cannot see faces")
    assert terminal.wait_for(lambda _: not server.got(Boxes)[-1].boxes, 5), "no laptop makes pictures for nobody"
    assert "text" in (state / "sightline/console.json").read_text()


def test_a_terminal_that_keeps_true_colours_gets_them_without_being_told(wall: Any) -> None:
    call = call_view(1)
    server, terminal = wall(call, environment={"COLORTERM": ""}, shows=" 01 HARRIS")
    see(terminal, "Pictures: grey (256 colours)")
    terminal.press("\x1bP1$r48:2::1:2:3m\x1b\\")
    see(terminal, "Pictures: colour")
    assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
    box = large_box(server)
    server.show(picture(call, Side.FAMILY, RED, box, box))
    assert terminal.wait_for(lambda t: "c81828" in papers(t), 5)
