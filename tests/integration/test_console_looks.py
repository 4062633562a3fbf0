"""Every screen of an officer as text at the three sizes, in colour and monochrome, against checked-in files.

`UPDATE_SNAPSHOTS=1` writes them anew. The other screens have theirs in test_console_reviews and test_console_laptops.
"""

import difflib
import os
import re
from pathlib import Path
from typing import Any

import pytest

from demo.terminal import Terminal
from schemas.console import Boxes
from schemas.media import RecordingState

from .test_console_server import Server, health, levels, serving
from .test_console_snapshots import FOLDER, RECORDING, gradient, scene, steady
from .test_console_terminal import console, see

SIZES = ((200, 60), (120, 40), (80, 24))
SCREENS: dict[str, tuple[list[tuple[str, str]], str]] = {
    # what is pressed to get there, what shows after each of it, and what is pressed to get back, key by key
    "wall": ([("", "01 HARRIS")], ""),
    "help": ([("?", "KEYS OF THE WALL")], "q"),
    "help-last": ([("?", "KEYS OF THE WALL"), ("\x1b[F", "in dBFS")], "q"),
    "focus": ([("\r", "─ FAMILY ·")], "q"),
    "focus-room": ([("\r", "─ FAMILY ·"), ("s", ""), ("s", ""), ("s", "─ ROOM ·")], "q"),
    "admission": ([("\x1bOR", "CHECK LIST")], "q01"),
    "details": ([("d", "PEOPLE seat 01")], "d"),
    "panel": ([("X", "END seat 01")], "\r"),
    "by-need": ([("t", " #  NAME")], "t"),
    "filter": ([("/dunn\r", "Filter: dunn")], "\x1b"),
}
HISTORY = re.compile(r"[·▁▂▃▄▅▆▇█]{20,}(?=  peak| *$)")
AWAY = re.compile(r"▚+ LAPTOP LOST \d+(\.\d)? s ▚+")
AGE = re.compile(r"\d\.\d s ─")


def show(server: Server, calls: list[Any], pictures: bool) -> None:
    """All levels as they always are, and pictures of the sizes that are asked for now."""
    made: list[Any] = [levels(call, -220 - 40 * at, -300) for at, call in enumerate(calls)]
    if pictures and (asked := server.got(Boxes)):
        now = asked[-1]
        made += [health(call, RECORDING.get(call.state, RecordingState.NOT_STARTED)) for call in calls]
        made += [gradient(call, box) for call in calls for box in now.boxes]
        made += [gradient(call, box) for call in calls if call.call_id == now.focus_call for box in now.focus]
    server.show(*made)


@pytest.mark.parametrize("kind", ["colour", "mono"])
def test_every_screen_looks_as_it_did(tmp_path: Path, kind: str) -> None:
    environment = {"NO_COLOR": "1"} if kind == "mono" else {"COLORTERM": "truecolor"}
    different: list[str] = []
    with serving(tmp_path) as server:
        calls = scene(server)
        with console(server, tmp_path, 200, 60, **environment) as terminal:
            see(terminal, " 06 Visits 6")
            terminal.press("01")
            for columns, rows in SIZES:
                terminal.resize(columns, rows)
                for name, (there, back) in SCREENS.items():
                    if name == "focus-room" and columns > 80:
                        there = there[:3]  # a large screen has both sides first, a small one turns them
                    for keys, shown in there:
                        terminal.press(keys)
                        see(terminal, shown)
                    file = FOLDER / f"{name}-{columns}x{rows}-{kind}.txt"
                    if not same(terminal, server, calls, file):
                        different += difference(file, clean(terminal))
                    for key in back:
                        terminal.press(key)
                    see(terminal, "01 HARRIS")
    assert not different, "\n".join(different)


def same(terminal: Terminal, server: Server, calls: list[Any], file: Path) -> bool:
    expected = file.read_text() if file.exists() else ""
    rounds = 0

    def look(t: Terminal) -> bool:
        nonlocal rounds
        show(server, calls, rounds % 2 == 0)
        rounds += 1
        return clean(t) == expected and rounds > 2

    if os.environ.get("UPDATE_SNAPSHOTS"):
        terminal.wait_for(lambda t: look(t) and False, 1.2)
        file.write_text(clean(terminal))
        return True
    return terminal.wait_for(look, 4)


def difference(file: Path, now: str) -> list[str]:
    before = file.read_text() if file.exists() else ""
    return list(difflib.unified_diff(before.splitlines(), now.splitlines(), file.name, "now", lineterm="", n=0))


def clean(terminal: Terminal) -> str:
    """Levels as they grow, and the ages of pictures, are the clock's as well."""
    lines = [HISTORY.sub(lambda m: "·" * len(m[0]), line) for line in terminal.text()]
    lines = [AWAY.sub(lambda m: " LAPTOP LOST ".center(len(m[0]), "▚"), line) for line in lines]
    return steady([AGE.sub("0.0 s ─", line) for line in lines])
