"""The wall as text, against checked-in files; `UPDATE_SNAPSHOTS=1` writes them anew."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from demo.officer import F3
from demo.terminal import Terminal
from schemas.call import AuthorityView, CallerView, CallState, LegView, RestrictionView, Vetting
from schemas.console import Boxes, CommandAnswer
from schemas.media import Picture, RecordingState

from .test_console_server import Server, call_view, health, levels, mono_ms, seat_view, serving
from .test_console_terminal import console, see

RECORDING = {CallState.LIVE: RecordingState.RECORDING}
FOLDER = Path(__file__).parent.parent / "snapshots"
CHANGING = (
    # What the clock writes keeps its width and loses its value.
    (re.compile(r"[A-Z][a-z]{2} [ \d]?\d [A-Z][a-z]{2} \d{4}  "), lambda m: "DAY".ljust(len(m[0]))),
    (re.compile(r"\b\d{1,2}:\d\d(:\d\d)?"), lambda m: re.sub(r"\d", "0", m[0])),
    (re.compile(r" +Link ● OK +\d+ ms"), lambda m: "Link ● OK".rjust(len(m[0]))),
    (re.compile(r"([FR]) [▁▂▃▄▅▆▇█]{7}"), lambda m: f"{m[1]} ▁▁▁▁▁▁▁"),
    (re.compile(r" [▁▂▃▄▅▆▇█]{3} (?=−)"), lambda m: " ▁▁▁ "),
    (re.compile(r"picture \d\.\d s"), lambda m: "picture 0.0 s"),
    # A cell of a picture may have either half block: what is upper in one is lower in the other.
    (re.compile(r"[▀▄]{10,}"), lambda m: "▀" * len(m[0])),
    (re.compile(r"LAPTOP LOST \d\.\d s"), lambda m: "LAPTOP LOST 0.0 s"),
)


def steady(lines: list[str]) -> str:
    made: list[str] = []
    for line in lines:
        for pattern, replace in CHANGING:
            line = pattern.sub(replace, line)
        made.append(line.rstrip())
    # The day's name and the link's time have no fixed width; what stands left of them does.
    return "\n".join(re.sub(r" {2,}(?=(DAY|Recording|Link))", "  ", line) for line in made) + "\n"


def gradient(call: Any, box: Any) -> Picture:
    """From dark to light, each second line lighter, so that the halves of no cell are the same."""
    lines = [b"".join(bytes([more + 150 * x // box.width] * 3) for x in range(box.width)) for more in (0, 100)]
    pixels = b"".join(lines[y % 2] for y in range(box.height))
    return Picture(call.call_id, box.side, mono_ms(), box.width, box.height, box.width, box.height, pixels)


def scene(server: Server) -> list[Any]:
    child = CallerView("Tom Okafor", "son", "child", "family-1", Vetting.APPROVED)
    note = RestrictionView("PREINF", "Previous information", "2020-01-01", "2099-08-02", "Ring the gate first.")
    ann = CallerView("Ann Okafor", "wife", "adult", "family-1", Vetting.APPROVED, "2026-05-03", [note])
    carol = CallerView("Carol Harris", "mother", "adult", "family-1", Vetting.APPROVED, "2026-05-03")
    authority = AuthorityView("2026-014", "offence-related", "To be watched live", "2020-01-01", "2099-01-01")
    calls = [
        call_view(1, callers=[carol], authority=authority),
        call_view(
            2,
            "OKAFOR",
            CallState.WAITING,
            said="Room open",
            callers=[ann, child],
        ),
        call_view(3, "DUNN", CallState.PAUSED, said="Paused by R. Hughes", pauses=1),
        call_view(4, "EVANS", laptop_online=False),
        call_view(5, "LLOYD", CallState.ENDING, said="Ended by R. Hughes: prisoner asked"),
    ]
    server.seats, server.calls = [seat_view(n) for n in range(1, 7)], calls
    server.seats[5] = seat_view(6, next_call="REES, 1 caller")
    return calls


@pytest.mark.parametrize(
    ("name", "columns", "rows", "environment"),
    [
        ("wall-200x60", 200, 60, {}),
        ("wall-120x40", 120, 40, {}),
        ("wall-120x40-no-color", 120, 40, {"NO_COLOR": "1"}),
        ("wall-80x24", 80, 24, {}),
    ],
)
def test_the_wall_looks_as_it_did(
    tmp_path: Path, name: str, columns: int, rows: int, environment: dict[str, str]
) -> None:
    with serving(tmp_path) as server:
        calls = scene(server)
        with console(server, tmp_path, columns, rows, **environment) as terminal:
            see(terminal, " 06 Visits 6")
            assert terminal.wait_for(lambda _: any(b.boxes for b in server.got(Boxes)), 10)
            boxes = [b for b in server.got(Boxes) if b.boxes][-1].boxes
            terminal.press("01fe\r")
            command = server.command()
            server.send(CommandAnswer(command.command_id, True, None, "Flagged.", "INC-2026-1124-01"))
            see(terminal, "filed INC-2026-1124-01")
            server.show(*[gradient(call, box) for call in calls for box in boxes])
            compare(terminal, server, calls, FOLDER / f"{name}.txt")


def compare(terminal: Terminal, server: Server, calls: list[Any], file: Path) -> None:
    expected = file.read_text() if file.exists() else ""

    def same(t: Terminal) -> bool:
        server.show(
            *[levels(call, -220 - 40 * at, -300) for at, call in enumerate(calls)],
            *[health(call, RECORDING.get(call.state, RecordingState.NOT_STARTED)) for call in calls],
        )
        return steady(t.text()) == expected

    if os.environ.get("UPDATE_SNAPSHOTS"):
        terminal.wait_for(lambda t: same(t) and False, 1.5)
        file.write_text(steady(terminal.text()))
        return
    if not terminal.wait_for(same, 5):
        assert steady(terminal.text()) == expected


def test_a_caller_who_leaves_is_no_longer_admitted(tmp_path: Path) -> None:
    """The panel holds its call: what changes under it is said, and the second key does nothing."""
    with serving(tmp_path) as server:
        scene(server)
        with console(server, tmp_path) as terminal:
            see(terminal, "WAITING")
            terminal.press("02" + F3)
            see(terminal, "ADMIT seat 02 OKAFOR A1002BC")
            see(terminal, "A is off: point 7: 1 to read first (d)")
            terminal.press("A")
            see(terminal, "A is off: point 7")
            terminal.press("d")
            see(terminal, "Ring the gate first.")
            terminal.press("d")
            see(terminal, "[x] 7 Restrictions and monitoring: read")
            terminal.press("A")
            see(terminal, "A again admits")
            gone = [LegView("room", True, True), LegView("family-1", False, False)]
            server.change(call_view(2, "OKAFOR", CallState.WAITING, version=4, legs=gone))
            see(terminal, "The call has changed meanwhile")
            terminal.press("A")
            see(terminal, "Not sent: this caller waits no longer.")
            terminal.press("\r")
            see(terminal, "A is off: this caller waits no longer")
            terminal.press("A")
            terminal.press("q")
            assert terminal.wait_for(lambda t: not t.shows("ADMIT seat"), 5)
            assert not server.got(type(server.calls[0])) and not [
                m for _, m in server.received if type(m).__name__ == "Command"
            ]
