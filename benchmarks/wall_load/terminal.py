"""Terminals: at the end of a slow line, one that says what it can, and one that can be made to stop reading."""

import os
import re
import threading
import time
from collections import deque
from collections.abc import Mapping

import pyte

from demo.terminal import Terminal

PIECE_S = 0.005


class FarTerminal(Terminal):
    """`rate` bytes/s reach it; the line holds `buffer` bytes before the program feels anything."""

    def __init__(self, columns: int, rows: int, rate: int, round_trip_s: float, buffer: int) -> None:
        super().__init__(columns, rows)
        self._rate, self._half_s, self._buffer = rate, round_trip_s / 2, buffer
        self._line: deque[bytes] = deque()
        self._under_way = 0
        self._back: deque[tuple[float, bytes]] = deque()
        threading.Thread(target=self._deliver, daemon=True).start()

    def press(self, keys: str | bytes) -> float:
        at = time.monotonic()
        self._back.append((at + self._half_s, keys.encode() if isinstance(keys, str) else keys))
        return at

    def _read(self) -> None:
        while True:
            while self._under_way >= self._buffer:
                time.sleep(PIECE_S)
            try:
                piece = os.read(self._master, 4096)
            except OSError:
                return
            self._line.append(piece)
            self._under_way += len(piece)

    def _deliver(self) -> None:
        """Bytes that have waited their turn, then half a round trip."""
        flying: deque[tuple[float, bytes]] = deque()
        allowance, last = 0.0, time.monotonic()
        while True:
            time.sleep(PIECE_S)
            now = time.monotonic()
            allowance, last = min(allowance + (now - last) * self._rate, self._rate * 0.05), now
            while self._line and allowance >= 1:
                piece = self._line.popleft()
                part = piece[: int(allowance)]
                if len(part) < len(piece):
                    self._line.appendleft(piece[len(part) :])
                allowance -= len(part)
                self._under_way -= len(part)
                flying.append((now + self._half_s, part))
            while flying and flying[0][0] <= now:
                _, part = flying.popleft()
                self.bytes_out += len(part)
                if replies := self._replies(part):
                    self._back.append((now + self._half_s, replies))
                self._pieces.append((now, part))
                self._arrived.set()
            try:
                while self._back and self._back[0][0] <= now:
                    os.write(self._master, self._back.popleft()[1])
            except OSError:
                return


class AnsweringTerminal(Terminal):
    """Answers these questions besides, once each. It takes commands of Kitty's pictures; its screen has the text."""

    def __init__(self, columns: int, rows: int, answers: Mapping[bytes, bytes]) -> None:
        super().__init__(columns, rows)
        self._stream = _WithoutImages(self.screen)
        self._besides, self._asked = dict(answers), b""

    def _replies(self, piece: bytes) -> bytes:
        replies, self._asked = super()._replies(piece), (self._asked + piece)[-65_536:]
        for question in [question for question in self._besides if question in self._asked]:
            replies += self._besides.pop(question)
        return replies


SHOWS_IMAGES = {b"\x1b_Gi=31,": b"\x1b_Gi=31;OK\x1b\\"}
HAS_SEXTANTS = {b"\x1b[>0q": b"\x1bP>|foot(1.16.2)\x1b\\"}
"""By its name."""
_IMAGE = re.compile(rb"\x1b_[^\x1b]*\x1b\\")
_BEGUN = re.compile(rb"\x1b(_[^\x1b]*\x1b?)?\Z")


class _WithoutImages(pyte.ByteStream):
    """pyte would print the commands."""

    _kept = b""

    def feed(self, data: bytes) -> None:
        data = _IMAGE.sub(b"", self._kept + data)
        begun = _BEGUN.search(data)
        self._kept = begun[0] if begun else b""
        super().feed(data[: len(data) - len(self._kept)])


class StoppingTerminal(Terminal):
    """Reads only while `reads` is set."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows)
        self.reads = threading.Event()
        self.reads.set()

    def _replies(self, piece: bytes) -> bytes:
        self.reads.wait()
        return super()._replies(piece)
