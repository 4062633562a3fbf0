"""When the screen is painted: at once after a key, else at most twenty times a second."""

import asyncio
import time
from typing import TYPE_CHECKING

from console.widgets.canvas import Canvas

if TYPE_CHECKING:
    from console.app import Console

PERIOD_S = 0.05


class Pen:
    """Paints the canvas of the screen that is on top."""

    def __init__(self, app: "Console") -> None:
        self._app = app
        self._due: asyncio.Handle | None = None
        self._at_once = False
        self._painted_s = 0.0
        self.slow = False

    @property
    def busy(self) -> bool:
        """Something has changed and is not painted yet."""
        return self._due is not None

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

    def _paint(self) -> None:
        self._due = None
        app = self._app
        canvas = self._canvas()
        if canvas is None or app._batch_count or app._driver is None:
            return
        self._painted_s = time.monotonic()
        text, _ = canvas.paint(None)
        if text:
            app._begin_update()
            app._driver.write(text)
            app._end_update()

    def _canvas(self) -> Canvas | None:
        screen = self._app.screen_stack[-1] if self._app.screen_stack else None
        if screen is None or not screen.is_running:
            return None
        return screen.query_one(Canvas) if screen.query(Canvas) else None
