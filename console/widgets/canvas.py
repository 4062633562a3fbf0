"""The widget that a whole screen is drawn in: cells that differ are written straight to the terminal's driver.

Three things keep the terminal and `seen` equal: what Textual itself repaints comes from `seen`; cells under other
widgets are left alone; and nothing is painted while another screen is on top.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from console.painting.grid import ATTRIBUTES, CONTINUED, SPACE, Mask
from console.painting.image import open_rows
from console.painting.ink import Colours, rich_style
from console.painting.kitty import Images
from console.painting.painter import Painter
from console.painting.strips import Row
from console.state.layout import Area

if TYPE_CHECKING:
    from console.app import Console

WHOLE_ROWS = 8
"""So many rows that Textual repaints at once are a whole screen to a slow line."""


class Canvas(Widget):
    """How to draw on it: see console.painting.grid."""

    ALLOW_SELECT = False

    def __init__(self, colours: Colours, on_paint: Callable[[], None] = lambda: None) -> None:
        super().__init__(id="canvas")
        self.painter = Painter(colours)
        self.images = Images()
        """Where the terminal shows Kitty's pictures; empty elsewhere."""
        self.on_paint = on_paint

    def put(self, rows: Mapping[int, Row], x: int = 0) -> None:
        self.painter.put(rows, x)
        self.wake()

    @property
    def places(self) -> list[Area]:
        return self.painter.places

    @places.setter
    def places(self, places: list[Area]) -> None:
        self.painter.places = places

    def wake(self, urgent: bool = False) -> None:
        app: Console = self.app  # pyright: ignore[reportAssignmentType]
        app.pen.wake(urgent)

    def fit(self, size: Size) -> None:
        """Takes the screen's size over; a screen calls it before it draws."""
        if self.painter.size != size:
            self.painter.resize(*size)

    def on_resize(self, event: events.Resize) -> None:
        self.fit(event.size)
        self.wake()

    def paint(self, budget: int | None) -> tuple[str, int]:
        """The bytes that bring the terminal up to date, and the terminal's row where the cursor is left then."""
        self.on_paint()
        region = self.region
        if region.size != self.painter.size:  # the layout has not followed yet
            return "", 0
        now_s, hidden, corner = time.monotonic(), self._hidden(region), (region.x, region.y)
        encoder = self.painter.paint(now_s, budget, hidden, corner)
        text, row = (encoder.text(), encoder.row) if encoder is not None else ("", 0)
        if self.images.idle:
            return text, row
        left = None if budget is None else max(0, budget - len(text))
        glyphs = self.painter.seen.glyphs
        pictures, below = self.images.paint(lambda area: open_rows(glyphs, hidden, area), left, now_s, corner)
        return text + pictures, below or row

    @property
    def behind(self) -> bool:
        """Something was left out of the last painting for want of room."""
        return self.painter.behind or self.images.behind

    def waiting_s(self, now_s: float) -> float:
        """How long the picture waits that waits longest to be whole."""
        return max(self.painter.waiting_s(now_s), self.images.waiting_s(now_s))

    def leave(self) -> None:
        """Another screen comes, which knows nothing of this one's images."""
        if not self.images.idle and self.app._driver is not None:
            self.app._driver.write(self.images.leave())

    def _hidden(self, mine: Region) -> Mask | None:
        """Cells under other widgets of the screen: toasts, tooltips."""
        hidden: Mask | None = None
        above = self.screen._compositor.visible_widgets
        if len(above) <= 2:
            return None
        for widget, (region, clip) in above.items():
            if widget is self or widget is self.screen:
                continue
            over = region.intersection(clip).intersection(mine)
            if over.area:
                if hidden is None:
                    hidden = np.zeros((mine.height, mine.width), bool)
                hidden[over.y - mine.y : over.bottom - mine.y, over.x - mine.x : over.right - mine.x] = True
        return hidden

    # -- Textual's own repaints

    def render_lines(self, crop: Region) -> list[Strip]:
        """What the terminal shows already, past Textual's styling and its cache of lines."""
        app: Console = self.app  # pyright: ignore[reportAssignmentType]
        if crop.height >= WHOLE_ROWS and app.pen.slow:
            self._leave_pictures_out(crop)
        return [self._strip(y, crop.x, crop.right) for y in crop.line_range]

    def _leave_pictures_out(self, crop: Region) -> None:
        """A whole repaint can't be paced, so on a slow line its pictures come after it."""
        mask = np.zeros((self.painter.size[1], self.painter.size[0]), bool)
        mask[crop.y : crop.bottom, crop.x : crop.right] = True
        self.painter.forget(mask & (self.painter.seen.kinds != 0))
        self.wake()

    def _strip(self, y: int, left: int, right: int) -> Strip:
        seen = self.painter.seen
        if y >= seen.height or right > seen.width:  # the screen has not taken its new size over yet
            return Strip.blank(right - left)
        glyphs, inks, papers = (layer[y, left:right].tolist() for layer in (seen.glyphs, seen.inks, seen.papers))
        segments: list[Segment] = []
        text: list[str] = []
        current = None
        for glyph, ink, paper in zip(glyphs, inks, papers, strict=True):
            code = glyph & 0xFFFFFF
            if code == CONTINUED and text:
                continue
            look = ink, paper, glyph >> ATTRIBUTES
            if look != current:
                if current is not None:
                    segments.append(Segment("".join(text), rich_style(*current)))
                current, text = look, []
            text.append(chr(code or SPACE))
        if current is not None:
            segments.append(Segment("".join(text), rich_style(*current)))
        return Strip(segments, right - left)
