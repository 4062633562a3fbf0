"""tmux without pass-through: a client on a quick line gets pictures as it takes them, a slow one is not flooded."""

import fcntl
import os
import pty
import random
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.painting.pace import CAP_BYTES_S
from schemas.console import Boxes
from schemas.media import Picture

from .test_console_server import Server, call_view, mono_ms, seat_view, serving
from .test_console_terminal import console_command
from .tmux_rig import Tmux, tmux

COLUMNS, ROWS = 120, 40


@contextmanager
def attached(window: Tmux, bytes_s: float | None = None) -> Iterator[None]:
    """A client of the window's session that reads so much; None: everything at once."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("tmux", [*window._base, "attach"], window._environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            try:
                got = len(os.read(terminal, 4096))
            except OSError:
                return
            if bytes_s is not None:
                ended.wait(got / bytes_s)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        os.kill(child, 9)
        os.waitpid(child, 0)
        reader.join(5)
        os.close(terminal)


def told(window: Tmux) -> tuple[int, int]:
    """Bytes that tmux has written to its client, and that it has thrown away."""
    said = window.run("list-clients", "-F", "#{client_written} #{client_discarded}").split()
    return (int(said[0]), int(said[1])) if len(said) == 2 else (0, 0)


@contextmanager
def in_focus(folder: Path, bytes_s: float | None) -> Iterator[tuple[Server, Tmux]]:
    call = call_view(1)
    with (
        serving(folder, seats=[seat_view(1)], calls=[call]) as server,
        tmux(folder, console_command(server), COLUMNS, ROWS) as window,
        attached(window, bytes_s),
    ):
        window.see("01 HARRIS")
        window.press("Enter")
        window.see("─ FAMILY ·")
        yield server, window


class Noise:
    """Pictures of which no cell is like its neighbour or like the one before: the dearest there are."""

    def __init__(self, server: Server) -> None:
        self._server, self._random = server, random.Random(1)

    def show(self) -> None:
        asked = self._server.got(Boxes)[-1]
        made: list[Any] = []
        for box in (*asked.focus, *asked.boxes):
            pixels = self._random.randbytes(box.width * box.height * 3)
            made.append(
                Picture("call-1", box.side, mono_ms(), box.width, box.height, box.width, box.height, pixels, box.mode)
            )
        self._server.show(*made)


def until(condition: Any, each: Any, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        each()
        time.sleep(0.1)


def test_a_quick_client_gets_far_more_than_the_cap(tmp_path: Path) -> None:
    with in_focus(tmp_path, None) as (server, window):
        noise = Noise(server)
        quickest = 0.0
        before, at = told(window)[0], time.monotonic()

        def quick() -> bool:
            nonlocal quickest, before, at
            if time.monotonic() - at > 1:
                written, now = told(window)[0], time.monotonic()
                quickest = max(quickest, (written - before) / (now - at))
                before, at = written, now
            return quickest > 4 * CAP_BYTES_S

        until(quick, noise.show, 30, "tmux was given no more than the cap")
        assert told(window)[1] == 0 and not any("slow line" in line for line in window.text())


def test_a_slow_client_makes_the_pictures_cheaper(tmp_path: Path) -> None:
    with in_focus(tmp_path, 20_000) as (server, window):
        noise = Noise(server)
        until(lambda: told(window)[1] > 0, noise.show, 60, "the line takes all")
        window.press("q")
        until(lambda: any("slow line" in line for line in window.text()), noise.show, 60, "nothing became cheaper")
