"""Lines of cells for Textual: text in inks, and lines whose escape sequences the pictures' painter made."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.state.safe_text import cell_width

from .halfblocks import PictureRow
from .ink import Colours, Ink, style

Piece = tuple[str, Ink]


class PaintedStrip(Strip):
    """A line that holds pictures: rendered from bytes that exist already, taken apart only when something covers it.

    `_segments` and `_render_cache` are private names of Textual 8.2, which is pinned exactly; a test covers a line.
    """

    __slots__ = ("_parts", "_whole")

    def __init__(self, parts: Sequence[Segment | PictureRow], ansi: str, cell_length: int) -> None:
        self._parts = parts
        self._whole: list[Segment] | None = None
        super().__init__([], cell_length)
        self._render_cache = ansi

    @property
    def _segments(self) -> list[Segment]:  # pyright: ignore[reportIncompatibleVariableOverride]
        if self._whole is None:
            self._whole = self._as_cells()
        return self._whole

    @_segments.setter
    def _segments(self, _none: list[Segment]) -> None:
        """The base class's own, which are none."""

    def _as_cells(self) -> list[Segment]:
        segments: list[Segment] = []
        for part in self._parts:
            if isinstance(part, Segment):
                segments.append(part)
            else:
                segments += [Segment(glyph, _cell_style(upper, lower)) for glyph, upper, lower in part.cells()]
        return segments


@lru_cache(16384)
def _cell_style(upper: int, lower: int) -> Style:
    """From two colours as 0xRRGGBB; -1 is no colour."""
    return Style(color=_colour(upper), bgcolor=_colour(lower))


def _colour(value: int) -> Color | None:
    return None if value < 0 else Color.from_rgb(value >> 16, value >> 8 & 255, value & 255)


def line(pieces: Iterable[Piece], colours: Colours) -> Strip:
    """Text pieces as a strip; the text is safe."""
    segments = [Segment(text, style(ink, colours)) for text, ink in pieces if text]
    return Strip(segments, sum(cell_width(segment.text) for segment in segments))


def painted(parts: Iterable[Piece | PictureRow], colours: Colours) -> Strip:
    """Text and rows of pictures as a strip."""
    made: list[Segment | PictureRow] = []
    ansi: list[str] = []
    cells = 0
    for part in parts:
        if isinstance(part, PictureRow):
            made.append(part)
            ansi.append(part.ansi)
            cells += part.width
        elif part[0]:
            segment = Segment(part[0], style(part[1], colours))
            made.append(segment)
            ansi.append(Strip.render_style(segment.style or Style.null(), segment.text, colours.system))
            cells += cell_width(segment.text)
    return PaintedStrip(made, "".join(ansi), cells)
