"""A terminal at the end of a slow line: so many bytes a second, half a round trip each way, a deep buffer before it."""

import os
import threading
import time
from collections import deque

from demo.terminal import HERE, Terminal

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
                for _ in range(self._questions(part)):
                    self._back.append((now + self._half_s, HERE))
                self._pieces.append((now, part))
                self._arrived.set()
            try:
                while self._back and self._back[0][0] <= now:
                    os.write(self._master, self._back.popleft()[1])
            except OSError:
                return
