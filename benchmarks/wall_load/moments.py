"""What the wall does at once: a snapshot, a new size of the terminal, and a terminal that stops reading."""

import json
import os
import random
import signal
import time

from benchmarks.wall_load.consoles import COLUMNS, ROWS, Running
from benchmarks.wall_load.feed import CALLS, Feed
from benchmarks.wall_load.terminal import StoppingTerminal
from demo.terminal import Terminal
from demo.wall import picture_cell

COLOURS = (200, 24, 40), (24, 56, 216)
"""Which twelve bits have as they are."""
HELD_S = 0.6
"""How long the pictures of a snapshot stay."""
WITHIN_S = 10.0


class _Watcher:
    def __init__(self, surname: str, colour: tuple[int, int, int] | None) -> None:
        self.shown_at: float | None = None
        self._surname, self._colour = surname, bytes(colour).hex() if colour else ""

    def __call__(self, at: float, terminal: Terminal) -> None:
        if self.shown_at is None and self._is_whole(terminal):
            self.shown_at = at

    def _is_whole(self, terminal: Terminal) -> bool:
        lines = terminal.text()
        if " SIGHTLINE" not in lines[0] or "? help" not in lines[terminal.rows - 1]:
            return False
        for seat in range(1, CALLS + 1):
            words = f" {seat:02d} {self._surname}{seat} "
            row = next((y for y, line in enumerate(lines) if words in line), None)
            if row is None:
                return False
            if self._colour:
                cell = terminal.screen.buffer[row + 3][lines[row].index(words) + 15]
                if picture_cell(cell) != (self._colour, self._colour):
                    return False
        return True


def _wait(terminal: Terminal, watcher: _Watcher) -> float:
    terminal.watchers.append(watcher)
    try:
        if not terminal.wait_for(lambda _: watcher.shown_at is not None, WITHIN_S):
            raise RuntimeError("the wall is not whole: " + "\n".join(terminal.text()))
    finally:
        terminal.watchers.remove(watcher)
    assert watcher.shown_at is not None
    return watcher.shown_at


def snapshots_s(one: Running, feed: Feed, count: int) -> list[float]:
    """From a snapshot's sending (36 calls with other names, levels and pictures) until all of it is on the screen."""
    took: list[float] = []
    for number in range(count):
        surname, colour = ("OKAFOR", "HARRIS")[number % 2], COLOURS[number % 2]
        sent_s = feed.renew(surname, colour, HELD_S)
        took.append(_wait(one.terminal, _Watcher(surname, colour)) - sent_s)
        one.terminal.wait_for(lambda _: False, HELD_S)
    return took


def resizes_s(one: Running, count: int, surname: str) -> list[float]:
    """From the terminal's new size until header, footer and all 36 names stand where they belong."""
    rng, terminal = random.Random(2), one.terminal
    took: list[float] = []
    for number in range(count):
        last = number == count - 1
        columns, rows = (COLUMNS, ROWS) if last else (rng.randint(170, 220), rng.randint(42, 64))
        terminal.look()
        terminal.screen.reset()  # what stands there afterwards was painted afterwards
        at_s = time.monotonic()
        terminal.resize(columns, rows)
        took.append(_wait(terminal, _Watcher(surname, None)) - at_s)
        terminal.wait_for(lambda _: False, 0.2)
    return took


def longest_stall_s(one: Running, seconds: float) -> float:
    """The longest that the event loop stands still while the terminal reads nothing for so long."""
    terminal = one.terminal
    assert isinstance(terminal, StoppingTerminal)
    _stall(one)
    terminal.reads.clear()
    time.sleep(seconds)
    terminal.reads.set()
    terminal.wait_for(lambda _: False, 0.3)
    return _stall(one)


def _stall(one: Running) -> float:
    """Since the last time that it was asked."""
    one.stalls.unlink(missing_ok=True)
    os.kill(one.process.pid, signal.SIGUSR1)
    if not one.terminal.wait_for(lambda _: one.stalls.exists(), WITHIN_S * 2):
        raise RuntimeError("the program does not say how long it stood still")
    return float(json.loads(one.stalls.read_text()))
