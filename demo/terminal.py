"""The console in a pseudo-terminal: real keys go in, and what comes out is read as a terminal would show it.

A thread takes each piece of output with the time of its arrival; pyte turns it into a screen of cells when somebody
looks. So a time that is read off the screen is the time when the bytes left the console.
"""

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pyte
import pyte.modes

from demo.processes import Part, child_environment, end_with_parent

WHERE, HERE = b"\x1b[6n", b"\x1b[2;1R"
Watcher = Callable[[float, "Terminal"], None]


class Terminal:
    """A console of `columns` x `rows` cells. `copy_to`: a file descriptor that gets all output as well. `answers`: what
    the terminal says to a question, as soon as it has come whole."""

    def __init__(
        self,
        columns: int,
        rows: int,
        *,
        parse: bool = True,
        copy_to: int | None = None,
        answers: Mapping[bytes, bytes] = MappingProxyType({WHERE: HERE}),
    ) -> None:
        self.columns, self.rows = columns, rows
        self.screen = pyte.Screen(columns, rows)
        self.bytes_out = 0
        self.check: Callable[[], None] = lambda: None
        """Called again and again while somebody waits; what it raises ends the waiting."""
        self.watchers: list[Watcher] = []
        """Called after each piece of output with its time (CLOCK_MONOTONIC, s), while somebody looks at the screen."""
        self._stream = pyte.ByteStream(self.screen)
        self._parse, self._copy_to = parse, copy_to
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._arrived = threading.Event()
        self._last = b""
        self._answers = answers
        self._master, self._slave = os.openpty()
        self._resize(columns, rows)
        self.part: Part | None = None

    def start(self, command: Sequence[str], log: Path, **environment: str) -> Part:
        parent, slave = os.getpid(), self._slave

        def prepare() -> None:
            end_with_parent(parent)()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        with log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=slave,
                stdout=slave,
                stderr=errors,
                env=child_environment() | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | environment,
                preexec_fn=prepare,
            )
        os.close(slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.part = Part("console", process, log)
        return self.part

    def resize(self, columns: int, rows: int) -> None:
        self.look()
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self._resize(columns, rows)
        if self.part is not None:
            os.killpg(self.part.process.pid, signal.SIGWINCH)

    def _resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str | bytes) -> float:
        """Types; returns when the keys went in (CLOCK_MONOTONIC, s)."""
        at = time.monotonic()
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)
        return at

    def look(self) -> None:
        """Brings the screen up to what has come out so far."""
        while self._pieces:
            at, piece = self._pieces.popleft()
            self._stream.feed(piece)
            for watcher in self.watchers:
                watcher(at, self)

    def wait_for(self, condition: Callable[["Terminal"], bool], seconds: float) -> bool:
        """Looks at each new output until `condition` holds; False when it doesn't within `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            self._arrived.clear()
            self.look()
            if condition(self):
                return True
            self.check()
            left = deadline - time.monotonic()
            if left <= 0 or (self.part is not None and self.part.process.poll() is not None):
                return False
            self._arrived.wait(min(left, 0.25))

    def line(self, row: int, start: int = 0, end: int | None = None) -> str:
        cells = self.screen.buffer[row]
        return "".join(cells[column].data for column in range(start, self.columns if end is None else end))

    def text(self) -> list[str]:
        return [self.line(row) for row in range(self.rows)]

    def shows(self, words: str) -> bool:
        return any(words in line for line in self.text())

    def stop_parsing(self) -> None:
        """From now on output is passed on and no longer read as a screen."""
        self._parse = False
        self._pieces.clear()

    def drain(self) -> None:
        """Waits until the last output of a console that has ended is read."""
        if self.part is not None:
            self._thread.join(1)

    def close(self) -> None:
        self.drain()
        try:
            os.close(self._master)
        except OSError:
            pass

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # the console has gone
                break
            if not piece:
                break
            at = time.monotonic()
            self.bytes_out += len(piece)
            if self._copy_to is not None:
                _write_all(self._copy_to, piece)
            elif replies := self._replies(piece):
                os.write(self._master, replies)
            if self._parse:
                self._pieces.append((at, piece))
            self._arrived.set()
        self._arrived.set()

    def _replies(self, piece: bytes) -> bytes:
        """To the questions that this piece has made whole, in their order."""
        window, known = self._last + piece, len(self._last)
        found = [
            (at.start(), answer)
            for question, answer in self._answers.items()
            for at in re.finditer(re.escape(question), window)
            if at.end() > known
        ]
        longest = max(map(len, self._answers))
        self._last = window[-(longest - 1) :]
        return b"".join(answer for _, answer in sorted(found))


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
