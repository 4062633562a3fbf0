"""A console whose terminal changes its size again and again, faster than it can draw: it goes on, and settles."""

import random
import time
from pathlib import Path

import pytest

from demo.terminal import Terminal
from schemas.call import CallState
from schemas.console import Boxes
from schemas.media import Side

from .test_console_server import Server, call_view, health, levels, picture, seat_view, serving
from .test_console_terminal import console, see

SEATS = 36
SETTLED_S = 2.0
"""A safety bound; the figure (0.2 s) is the benchmark's."""
F2 = "\x1bOQ"
KEYS = ("j", "l", "s", "g", "t", ".", "X", "/", "\x1b", "\r", F2, "?")
"""None of them ends it, on whichever screen it is pressed."""


def feed(server: Server, rng: random.Random) -> None:
    """Some pictures of the sizes that were asked for, and levels."""
    asked = server.got(Boxes)
    for call in rng.sample(server.calls, 6):
        media = [levels(call, rng.randrange(-600, 0)), health(call)]
        for box in asked[-1].boxes if asked else []:
            if box.side == Side.FAMILY:
                size = min(box.width, box.height * 16 // 9), min(box.height, max(2, box.width * 9 // 16))
                media.append(picture(call, box.side, (200, 24, 40), (box.width, box.height), size))
        server.show(*media)


@pytest.mark.parametrize("seed", range(3))
def test_sizes_that_follow_each_other_at_random_never_end_it(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    calls = [call_view(n, f"HARRIS{n}") for n in range(1, SEATS + 1)]
    with (
        serving(tmp_path, seats=[seat_view(n) for n in range(1, SEATS + 1)], calls=calls) as server,
        console(server, tmp_path) as terminal,
    ):
        see(terminal, "36 HARRIS36")
        for step in range(40):
            small = rng.random() < 0.3
            terminal.resize(rng.randint(1, 60) if small else rng.randint(60, 240), rng.randint(1, 70))
            feed(server, rng)
            if rng.random() < 0.4:
                terminal.press(rng.choice(KEYS))
            if step % 7 == 0:
                server.change(call_view(9, "HARRIS9", rng.choice((CallState.LIVE, CallState.PAUSED)), version=step + 9))
            terminal.wait_for(lambda _: False, rng.choice((0.0, 0.01, 0.05, 0.15)))
            assert terminal.part is not None and terminal.part.process.poll() is None, f"seed {seed}, step {step}"
        terminal.resize(200, 60)
        for key in ("\x1b", "\x1b", F2, "\x1b", "t"):  # out of whatever was opened, then back from the list
            if not terminal.wait_for(is_whole, 0.5):
                terminal.press(key)
        settles(terminal, 190, 55)


def is_whole(terminal: Terminal) -> bool:
    """Header, footer and all tiles stand where they belong."""
    lines = terminal.text()
    placed = all(any(f" {seat:02d} HARRIS{seat} " in line for line in lines) for seat in range(1, SEATS + 1))
    return "SIGHTLINE" in lines[0] and "? help" in lines[-1] and "ATTENTION" in lines[2] and placed


def settles(terminal: Terminal, columns: int, rows: int) -> None:
    """The whole wall is painted anew for this size, and soon."""
    assert is_whole(terminal), "\n".join(terminal.text())
    terminal.screen.reset()
    began = time.monotonic()
    terminal.resize(columns, rows)
    assert terminal.wait_for(is_whole, SETTLED_S), "\n".join(terminal.text())
    assert time.monotonic() - began < SETTLED_S
