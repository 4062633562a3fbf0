"""A terminal that stops reading, one that never answers, and a slow one: commands, alarms and the link stay alive."""

import fcntl
import os
import pty
import random
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.terminal import HERE, WHERE, Terminal
from schemas.call import CallState
from schemas.console import Beat, Boxes, Command, Pause, TimeProbe
from schemas.media import Picture, Side

from .test_console_server import Server, call_view, levels, mono_ms, seat_view, serving
from .test_console_terminal import console_command, see

STALLED_S = 10.0
QUIT_S = 1.0


class Still:
    """A pseudo-terminal whose other end reads only while `reading` is set; `answers`: it says where its cursor is."""

    def __init__(self, server: Server, log: Path, *, answers: bool = True) -> None:
        self.reading = threading.Event()
        self.reading.set()
        self.came = bytearray()
        self._answers = answers
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                console_command(server), stdin=slave, stdout=slave, stderr=errors, start_new_session=True,
                env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            )  # fmt: skip
        os.close(slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def _read(self) -> None:
        while self.reading.wait():
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                return
            self.came += piece
            if self._answers and (questions := piece.count(WHERE)):
                os.write(self._master, HERE * questions)


@contextmanager
def still(tmp_path: Path, **options: Any) -> Iterator[tuple[Server, Still]]:
    calls = [call_view(n) for n in range(1, 10)]
    with serving(tmp_path, seats=[seat_view(n) for n in range(1, 10)], calls=calls) as server:
        terminal = Still(server, tmp_path / "console.err", **options)
        try:
            yield server, terminal
        finally:
            if terminal.process.poll() is None:
                terminal.process.kill()
            terminal.process.wait()
            terminal.reading.set()
        assert (tmp_path / "console.err").read_text() == ""


def feed(server: Server, seconds: float, step: int = 0) -> None:
    """Pictures that change in all cells, and levels, for so long."""
    boxes = [b for b in server.got(Boxes) if b.boxes][-1].boxes
    box = next(box for box in boxes if box.side == Side.FAMILY)
    rng, end = random.Random(step), time.monotonic() + seconds
    while time.monotonic() < end:
        step += 1
        for call in server.calls:
            pixels = rng.randbytes(box.width * box.height * 3)
            size = box.width, box.height
            server.show(
                levels(call, -100 - step % 400), Picture(call.call_id, box.side, mono_ms(), *size, *size, pixels)
            )
        time.sleep(0.1)


def ready(server: Server, terminal: Still) -> None:
    deadline = time.monotonic() + 15
    while not (any(b.boxes for b in server.got(Boxes)) and b"HARRIS" in terminal.came):
        assert time.monotonic() < deadline and terminal.process.poll() is None
        time.sleep(0.02)


def test_a_terminal_that_stops_reading_delays_no_command_and_no_beat(tmp_path: Path) -> None:
    with still(tmp_path) as (server, terminal):
        ready(server, terminal)
        terminal.reading.clear()
        terminal.press("j")  # the reader takes one more piece before it stops
        feed(server, 2.0)
        before = len(server.got(Beat)), len(server.got(TimeProbe))
        feed(server, STALLED_S - 2.0)
        pressed = time.monotonic()
        terminal.press("P")
        command = server.command()
        assert command.act == Pause() and time.monotonic() - pressed < 1.0
        assert len(server.got(Beat)) - before[0] >= 3, "it goes on saying that it lives"
        server.change(call_view(1, "OKAFOR", CallState.PAUSED, version=9))
        terminal.came.clear()
        terminal.reading.set()
        deadline = time.monotonic() + 5
        while b"OKAFOR" not in terminal.came:
            assert time.monotonic() < deadline, "it shows what is now when it is read again"
            time.sleep(0.02)
        assert len(terminal.came) < 1_000_000, "what is old was not kept for it"


@pytest.mark.parametrize("reads", [True, False])
def test_quitting_takes_less_than_a_second(tmp_path: Path, reads: bool) -> None:
    with still(tmp_path) as (server, terminal):
        ready(server, terminal)
        if not reads:
            terminal.reading.clear()
            terminal.press("j")
            feed(server, 1.5)
        pressed = time.monotonic()
        terminal.press("q")
        assert terminal.process.wait(5) == 0
        assert time.monotonic() - pressed < QUIT_S
        terminal.came.clear() if not reads else None
        terminal.reading.set()
        deadline = time.monotonic() + 3
        while b"\x1b[?1049l" not in terminal.came:
            assert time.monotonic() < deadline, "the terminal gets its own screen back"
            time.sleep(0.02)


def test_a_terminal_that_never_answers_gets_so_much_and_no_more(tmp_path: Path) -> None:
    with still(tmp_path, answers=False) as (server, terminal):
        ready(server, terminal)
        feed(server, 2.5)
        before = len(terminal.came)
        feed(server, 4.0)
        rate = (len(terminal.came) - before) / 4
        assert 2_000 < rate < 60_000, f"{rate:.0f} bytes a second"
        assert not server.got(Command)


def test_the_words_come_though_the_pictures_do_not_stop(tmp_path: Path) -> None:
    """Text goes before pictures, so what a key says is there while more pictures wait than the line takes."""
    calls = [call_view(n) for n in range(1, 10)]
    with serving(tmp_path, seats=[seat_view(n) for n in range(1, 10)], calls=calls) as server:
        terminal = Terminal(200, 60)
        part = terminal.start(console_command(server), tmp_path / "err")
        try:
            see(terminal, " 09 HARRIS")
            feeding = threading.Thread(target=feed, args=(server, 3.0), daemon=True)
            feeding.start()
            terminal.press("X")
            see(terminal, "END seat 01 HARRIS", 2)
            terminal.press("\x1b")
            feeding.join()
        finally:
            part.process.kill()
            part.process.wait()
            terminal.close()
