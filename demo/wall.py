"""Reads the wall off a terminal's screen: where a call's tile is, what its meters and its message row say."""

import re
import time
from dataclasses import dataclass
from typing import Any

from demo.terminal import Terminal

METER = re.compile(r"\b([FR]) [ ▁▂▃▄▅▆▇█]{2,} +([−-]?\d+|off|held|–)")
"""A level row of a tile: side, bars, then the current level in dBFS."""


@dataclass(frozen=True)
class Tile:
    """A tile's place: rows and columns of the screen, and the cells of its two numbers (row, first, last + 1)."""

    seat: int
    top: int
    left: int
    bottom: int
    right: int
    meters: dict[str, tuple[int, int, int]]

    def level_dbfs(self, terminal: Terminal, side: str) -> int | None:
        """The number that the tile shows for side F or R now, dBFS; None when it shows none."""
        row, start, end = self.meters[side]
        text = terminal.line(row, start, end).strip().replace("−", "-")
        try:
            return int(text)
        except ValueError:
            return None


def find_tiles(terminal: Terminal, names: dict[int, str]) -> dict[int, Tile]:
    """The tiles of these seats (seat -> surname in capitals), with their meters, as far as they are shown."""
    lines = terminal.text()
    titles: dict[int, tuple[int, int]] = {}
    for seat, name in names.items():
        for row, line in enumerate(lines):
            at = line.find(f" {seat:02d} {name}")
            # A title has the tile's edge before it; the attention strip and the message row don't.
            if at >= 0 and line[max(0, at - 1)] in "┌╔▶▸":
                titles[seat] = row, at - 1
                break
    tiles = {}
    for seat, (top, left) in titles.items():
        right = min((c for r, c in titles.values() if r == top and c > left), default=terminal.columns)
        bottom = min((r for r, _ in titles.values() if r > top), default=terminal.rows - 3)
        meters = {}
        for row in range(top + 1, bottom):
            for match in METER.finditer(terminal.line(row, left, right)):
                # Numbers have room for four characters, so the field ends where the longest would.
                start, end = match.span(2)
                meters.setdefault(match[1], (row, left + end - max(4, end - start), left + end))
        tiles[seat] = Tile(seat, top, left, bottom, right, meters)
    return tiles


def picture_cell(cell: Any) -> tuple[str, str] | None:
    """Upper and lower colour, six hexadecimal digits each, of a picture's cell; None for a cell that has no colours.

    A picture's cell is an upper half block, a lower one, or a space where both halves are the same.
    """
    halves = {"▀": (cell.fg, cell.bg), "▄": (cell.bg, cell.fg), " ": (cell.bg, cell.bg)}.get(cell.data)
    return halves if halves is not None and all(len(half) == 6 for half in halves) else None


class BurstWatcher:
    """Notes when a meter first shows a burst: a level at or above `loud_dbfs` after one at or below `quiet_dbfs`."""

    def __init__(self, tile: Tile, side: str, *, quiet_dbfs: int = -40, loud_dbfs: int = -16) -> None:
        self.shown_at: float | None = None
        self._tile, self._side = tile, side
        self._quiet_dbfs, self._loud_dbfs = quiet_dbfs, loud_dbfs
        self._was_quiet = False

    def __call__(self, at: float, terminal: Terminal) -> None:
        if self.shown_at is not None:
            return
        level = self._tile.level_dbfs(terminal, self._side)
        if level is None:
            return
        if level <= self._quiet_dbfs:
            self._was_quiet = True
        elif level >= self._loud_dbfs and self._was_quiet:
            self.shown_at = at


class ShownWatcher:
    """Notes when the screen first shows what a pattern says, in any row (or `row`, counted from the top). A row that
    still says `unlike` does not count."""

    def __init__(self, pattern: str, row: int | None = None, unlike: str = "") -> None:
        self.shown_at: float | None = None
        self.match: re.Match[str] | None = None
        self._pattern, self._row, self._unlike = re.compile(pattern), row, unlike.strip()

    def __call__(self, at: float, terminal: Terminal) -> None:
        if self.shown_at is not None:
            return
        rows = range(terminal.rows) if self._row is None else (self._row,)
        for row in rows:
            line = terminal.line(row)
            if line.strip() != self._unlike and (match := self._pattern.search(line)):
                self.shown_at, self.match = at, match
                return


def wait(terminal: Terminal, watcher: BurstWatcher | ShownWatcher, seconds: float) -> bool:
    """Watches until it has seen it; False when `seconds` have passed."""
    terminal.watchers.append(watcher)
    try:
        watcher(time.monotonic(), terminal)
        return terminal.wait_for(lambda _: watcher.shown_at is not None, seconds)
    finally:
        terminal.watchers.remove(watcher)
