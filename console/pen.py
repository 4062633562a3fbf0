"""When the screen is painted, and how much of it: at once after a key, else at most twenty times a second, and never
more than the terminal takes."""

import asyncio
import os
import time
from typing import TYPE_CHECKING

from textual._ansi_sequences import SYNC_END, SYNC_START

from console.multiplexer import ELSEWHERE_BYTES_S, THROUGH_TMUX, asks_tmux, elsewhere, follow, question
from console.painting.answers import CURSOR, Answer, CursorSeen, Name
from console.painting.kitty import LOST
from console.painting.pace import CAP_BYTES_S, Pace
from console.terminal import OutputDriver
from console.widgets.canvas import Canvas

if TYPE_CHECKING:
    from console.app import Console

PERIOD_S = 0.05
LOOK_S = 0.1
"""How often a full line is looked at, should no answer come."""


class Pen:
    """Paints the canvas of the screen that is on top."""

    def __init__(self, app: "Console") -> None:
        self._app = app
        self._due: asyncio.Handle | None = None
        self._at_once = False
        self._painted_s = 0.0
        self._counted = 0
        self.pace = Pace(time.monotonic())
        self._environment = dict(os.environ)
        self._question = question(self._environment)
        self._following: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Something has changed and is not painted yet."""
        return self._due is not None

    @property
    def slow(self) -> bool:
        return self._driver is not None and self.pace.slow

    def begin(self) -> None:
        """The driver runs: from now on its answers set the pace."""
        driver = self._driver
        if driver is None:
            return
        loop, app = asyncio.get_running_loop(), self._app

        def on_answer(answer: Answer, now_s: float) -> None:
            loop.call_soon_threadsafe(app.terminal_says, answer, now_s)

        def on_lost() -> None:
            loop.call_soon_threadsafe(self._all_lost)

        driver.on_answer, driver.on_lost = on_answer, on_lost
        driver.ask()
        self.pace = Pace(time.monotonic(), self._limit)
        if not self._question:
            self.pace.answers = False
        self._write("", 0, time.monotonic())  # while next to nothing is under way: how long is the line?

    def wake(self, urgent: bool = False) -> None:
        """Something has changed."""
        if self._due is not None:
            if not urgent or self._at_once:
                return
            self._due.cancel()
        loop = asyncio.get_running_loop()
        wait_s = self._painted_s + PERIOD_S - time.monotonic()
        self._at_once = urgent or wait_s <= 0 or self._app.is_headless
        self._due = loop.call_soon(self._paint) if self._at_once else loop.call_later(wait_s, self._paint)

    def take(self, answer: Answer, now_s: float) -> None:
        """The terminal's answer, and when it came."""
        if isinstance(answer, CursorSeen):
            self.pace.answered(now_s)
            if self._due is not None:  # more was waiting for it
                self._due.cancel()
                self._paint()
        elif isinstance(answer, Name) and answer.text.startswith("tmux"):
            self._question = THROUGH_TMUX

    @property
    def _driver(self) -> OutputDriver | None:
        driver = self._app._driver
        return driver if isinstance(driver, OutputDriver) else None

    def _paint(self) -> None:
        urgent, self._due, self._at_once = self._at_once, None, False
        app, canvas = self._app, self.canvas()
        if canvas is None or app._batch_count or app._driver is None:
            return
        now_s = time.monotonic()
        budget = self._budget(now_s, urgent)
        if budget == 0:
            if self.pace.under_way and not self.pace.waiting:
                self._write("", 0, now_s)
            self._due = asyncio.get_running_loop().call_later(LOOK_S, self._paint)
            return
        self._painted_s = now_s
        text, row = canvas.paint(budget)
        if text:
            self._write(f"{SYNC_START}{text}{SYNC_END}" if app._sync_available else text, row, now_s)
        if canvas.behind:
            loop = asyncio.get_running_loop()
            more = self._driver is None or self.pace.room(now_s) > 0
            self._due = loop.call_soon(self._paint) if more else loop.call_later(LOOK_S, self._paint)

    def _budget(self, now_s: float, urgent: bool) -> int | None:
        """Bytes that may be painted now; None: as many as there are; 0: wait."""
        driver, pace = self._driver, self.pace
        if driver is None:
            return None
        self._count()
        pace.look(now_s)
        if pace.answers is False and self._question == THROUGH_TMUX:
            pace = self._ask_tmux_itself(now_s)
        if driver.output.backlog and (pace.answers is False or driver.output.backlog > pace.window):
            return 0  # not even the device takes more
        return pace.room(now_s, urgent)

    @property
    def _limit(self) -> float | None:
        far = elsewhere(self._environment) and self._question == CURSOR
        return ELSEWHERE_BYTES_S if far else None

    def _ask_tmux_itself(self, now_s: float) -> Pace:
        """tmux passes no question on. It acknowledges what it has taken; what becomes of that only its clients know."""
        self._question = CURSOR
        command = asks_tmux(self._environment)
        self.pace = Pace(now_s, CAP_BYTES_S if command else ELSEWHERE_BYTES_S)
        if command and self._following is None:
            self._following = asyncio.create_task(follow(command, self._allow))
        self._write("", 0, now_s)
        return self.pace

    def _allow(self, bytes_s: float) -> None:
        self.pace.limit_bytes_s = bytes_s

    def end(self) -> None:
        """The console ends."""
        if self._following is not None:
            self._following.cancel()

    def _write(self, text: str, row: int, now_s: float) -> None:
        """Writes and asks, all at once: each piece would wake the thread that writes. `row`: where the cursor is."""
        driver, pace = self._app._driver, self.pace
        asks = self._driver is not None and pace.answers is not False
        if asks:
            # A report of the first row would look like a function key.
            text += f"\x1b[2d{self._question}" if row == 1 else self._question
        if driver is not None and text:
            driver.write(text)
        if asks:
            self._count()
            pace.asked(now_s)

    def _count(self) -> None:
        """Tells the pace what was written, by whomever."""
        if self._driver is not None:
            self.pace.sent(self._driver.sent - self._counted)
            self._counted = self._driver.sent

    def _all_lost(self) -> None:
        """The terminal reads again, and what waited for it was thrown away."""
        canvas, driver = self.canvas(), self._driver
        if canvas is not None and driver is not None and not canvas.images.idle:
            driver.write(LOST)  # what was cut off may have been an image
            canvas.images.forget()
        self._app.screen.refresh()
        self.wake()

    def canvas(self) -> Canvas | None:
        """Of the screen on top."""
        screen = self._app.screen_stack[-1] if self._app.screen_stack else None
        canvas = getattr(screen, "canvas", None)  # Textual's palette has none
        return canvas if isinstance(canvas, Canvas) and canvas.is_running else None
