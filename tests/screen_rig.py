"""The console in this process, drawing on a terminal emulator: what its driver writes is read by pyte."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pyte
from textual import events
from textual.driver import Driver
from textual.geometry import Size
from textual.messages import TerminalSupportsSynchronizedOutput

from console.app import Console
from console.painting.grid import ATTRIBUTES, CONTINUED, Grid
from console.painting.ink import BOLD, INDEXED, NO_COLOUR, REVERSE, UNDERLINE
from console.widgets.canvas import Canvas

PRIVATE = re.compile(r"\x1b\[[<>=?][0-9;]*[uc$p]+")
"""Queries that pyte would print."""


class ScreenDriver(Driver):
    """A terminal of `size_of` cells; `screen` is what it shows, `written` all that was sent to it."""

    size_of = (200, 60)

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        columns, rows = self.size_of
        self.screen = pyte.Screen(columns, rows)
        self.written: list[str] = []
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self.written.append(data)
        self._stream.feed(PRIVATE.sub("", data))

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.send_size(columns, rows)

    def send_size(self, columns: int, rows: int) -> None:
        size = Size(columns, rows)
        self.process_message(events.Resize(size, size))

    def press(self, key: str, character: str | None = None) -> None:
        self.process_message(events.Key(key, character or (key if len(key) == 1 else None)))

    def start_application_mode(self) -> None:
        self.send_size(*self.size_of)
        self.process_message(TerminalSupportsSynchronizedOutput())

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...


@asynccontextmanager
async def on_screen(app: Console, columns: int, rows: int) -> AsyncIterator[ScreenDriver]:
    """Runs the console until the end of the block."""
    ScreenDriver.size_of = columns, rows
    app.driver_class = ScreenDriver
    run = asyncio.create_task(app.run_async())
    try:
        while not isinstance(app._driver, ScreenDriver) or not app.wall_screen.is_mounted:
            await asyncio.sleep(0.01)
            if run.done():
                run.result()
        yield app._driver
    finally:
        app.exit(0)
        await run


def canvas_of(app: Console) -> Canvas:
    return app.screen_stack[-1].query_one(Canvas)


def _look(ink: int, paper: int, attributes: int) -> tuple[str, str, bool, bool, bool]:
    return (
        _colour(ink), _colour(paper),
        bool(attributes & BOLD), bool(attributes & UNDERLINE), bool(attributes & REVERSE),
    )  # fmt: skip


def _colour(value: int) -> str:
    if value == NO_COLOUR:
        return "default"
    return pyte.graphics.FG_BG_256[value - INDEXED] if value >= INDEXED else f"{value:06x}"


def _seen(text: str, fore: str, back: str, bold: bool, underline: bool, reverse: bool) -> tuple[Any, ...]:
    """What an eye sees of a cell: three ways to draw the same halves are the same, and so are all blanks on a paper."""
    marks = bold, underline, reverse
    if text == "▀" and not any(marks):
        return fore, back
    if text == "▄" and not any(marks):
        return back, fore
    if text == " " and not (underline or reverse):
        return back, back
    return text, fore, back, *marks


def wrong_cells(screen: pyte.Screen, grid: Grid, hidden: Callable[[int, int], bool] = lambda x, y: False) -> list[Any]:
    """Cells in which the terminal shows something else than the grid says: (x, y, shown, wanted)."""
    wrong: list[Any] = []
    for y in range(grid.height):
        for x in range(grid.width):
            glyph = int(grid.glyphs[y, x])
            code, attributes = glyph & 0xFFFFFF, glyph >> ATTRIBUTES
            cell = screen.buffer[y][x]
            if hidden(x, y):
                continue
            if code == CONTINUED:
                if cell.data != "":
                    wrong.append((x, y, cell.data, "second half"))
                continue
            wanted = _seen(chr(code), *_look(int(grid.inks[y, x]), int(grid.papers[y, x]), attributes))
            shown = _seen(cell.data, cell.fg, cell.bg, cell.bold, cell.underscore, cell.reverse)
            if shown != wanted:
                wrong.append((x, y, shown, wanted))
    return wrong
