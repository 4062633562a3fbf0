"""One tile's rows, from its parts, words, meters and pictures."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from console.state.layout import Area, TileParts
from console.state.safe_text import cell_width, fit, sides
from console.state.tile_words import TileWords

from .grid import Cells
from .halfblocks import PictureRow, labelled
from .image import Image
from .ink import SEVERITY_INK, Ink
from .meters import CELLS
from .strips import Gap, Part

HATCH = "▚"


@dataclass(frozen=True)
class PictureView:
    """`rows` are centred in their place; `label` stands in the picture, `instead` where there is none. With an `image`
    the rows are empty, and it stands over all of them but the label's."""

    rows: tuple[PictureRow, ...] = ()
    label: str = ""
    label_ink: Ink = Ink.STRONG
    instead: str = ""
    hatched: bool = False
    image: Image | None = None

    def images(self, place: Area) -> list[tuple[Area, Image]]:
        """The image and the cells that it stands over, in this place of the screen; none or one."""
        if self.image is None or not self.rows:
            return []
        width, above = self.rows[0].width, int(bool(self.label))
        x, y = place.x + (place.width - width) // 2, place.y + (place.height - len(self.rows)) // 2
        return [(Area(x, y + above, width, len(self.rows) - above), self.image)]


@dataclass(frozen=True)
class TileView:
    words: TileWords
    chosen: bool
    large: PictureView
    small: PictureView
    picture_words: str
    """Age of the large picture when it is worth saying."""
    sides: tuple[str, ...]
    """Words beside the large picture, under the small one."""

    @property
    def pictures(self) -> tuple[object, ...]:
        return self.large, self.small, self.sides


@dataclass
class Placed:
    """A tile on the wall: where it stands, and what it showed last. Its rows have gaps for the meters."""

    seat: int
    area: Area
    parts: TileParts
    screen_width: int
    view: TileView | None = None
    look: tuple[bool, bool, bool] | None = None
    """Chosen, turned, kept by the filter, as it was drawn last."""

    def rows(self, of: range) -> dict[int, list[Part]]:
        """Rows of the tile, by their number on the screen."""
        if self.view is None:
            return {}
        width, height = self.area.width, self.area.height
        return {self.area.y + y: tile_row(y, self.view, self.parts, width, height) for y in of}

    def rows_since(self, before: TileView | None) -> dict[int, list[Part]]:
        """All rows but those of a large picture that is, with what stands beside it, as it was before."""
        height, large = self.area.height, self.parts.large
        if before is None or self.view is None or before.pictures != self.view.pictures:
            return self.rows(range(height))
        return self.rows(range(large.y)) | self.rows(range(large.y + large.height, height))

    @property
    def meter_rows(self) -> range:
        return range(self.parts.meters_y, self.parts.meters_y + 1 + self.parts.meters_stacked)

    @cached_property
    def meter_cells(self) -> Cells:
        """The cells of the screen that the family's meter and the room's stand in, CELLS each."""
        x, y = self.area.x + self.parts.framed, self.area.y + self.parts.meters_y
        inner = self.area.width - 1 - self.parts.framed
        starts = (0, self.screen_width) if self.parts.meters_stacked else _meter_columns(inner)
        return np.concatenate([np.arange(CELLS) + (y * self.screen_width + x + start) for start in starts])

    @property
    def picture_rows(self) -> range:
        """Rows that hold pictures, and the age of the large one beside the meters."""
        areas = [area for area in (self.parts.large, self.parts.small) if area.width]
        first = min([self.parts.meters_y, *(area.y for area in areas)])
        last = max([self.meter_rows.stop, *(area.y + area.height for area in areas)])
        return range(first, min(last, self.area.height))

    def images(self) -> list[tuple[Area, Image]]:
        """Images and the cells of the screen that they stand over."""
        if self.view is None:
            return []
        x, y = self.area.x, self.area.y
        made: list[tuple[Area, Image]] = []
        for view, one in ((self.view.large, self.parts.large), (self.view.small, self.parts.small)):
            made += view.images(Area(x + one.x, y + one.y, one.width, one.height))
        return made

    @property
    def pictures(self) -> list[Area]:
        """Their places on the screen."""
        x, y = self.area.x, self.area.y
        return [
            Area(x + one.x, y + one.y, one.width, one.height)
            for one in (self.parts.large, self.parts.small)
            if one.width
        ]


def title_row(view: TileView, parts: TileParts, width: int) -> list[Part]:
    words = view.words
    if parts.framed:
        left, rule, right = "╔═╗" if view.chosen else "┌─┐"
    else:
        left, rule, right = ("▶", " ", " ") if view.chosen else ("┌", "─", " ")
    room = width - 2
    text = _title(words, room, rule)
    if words.severity <= 1:
        return [(left, _edge(view)), (text, SEVERITY_INK[words.severity]), (right, _edge(view))]
    ink = Ink.PAUSED if words.paused else Ink.CHOSEN if view.chosen else Ink.PLAIN if words.has_call else Ink.FAINT
    return [(left, _edge(view)), (text, ink), (right, _edge(view))]


def _title(words: TileWords, room: int, rule: str) -> str:
    """What fits of number, time left and the state's word, in this order of falling off; the glyph always stays."""
    full = f"{words.title} {words.number}".rstrip()
    state = f"{words.state} {words.left}".rstrip()
    for name, said in ((full, state), (words.title, state), (words.title, words.state)):
        if cell_width(name) + cell_width(said) + 4 <= room:
            break
    else:
        name = words.title
        said = words.state if cell_width(words.state) + 14 <= room else words.state[:1]
    return sides(f" {name} ", f" {said} " if said else "", room, rule)


def tile_row(y: int, view: TileView, parts: TileParts, width: int, height: int) -> list[Part]:
    """Row `y` of the tile, in exactly `width` cells."""
    if y == 0:
        return title_row(view, parts, width)
    if parts.framed and y == height - 1:
        left, rule, right = "╚═╝" if view.chosen else "└─┘"
        return [(left + rule * (width - 2) + right, _edge(view))]
    side = ("║" if view.chosen else "│") if parts.framed else ""
    inner = width - 2 if parts.framed else width - 1
    row: list[Part] = [(side, _edge(view)), *_inner(y, view, parts, inner)]
    row.append((side or " ", _edge(view)))
    return row


def _inner(y: int, view: TileView, parts: TileParts, inner: int) -> list[Part]:
    large, words = parts.large, parts.words
    meter_rows = 2 if parts.meters_stacked else 1
    if large.y <= y < large.y + large.height:
        row = picture_row(y - large.y, view.large, large)
        if large.width < inner:
            row.append((" ", Ink.PLAIN))
            row += _beside(y, view, parts, inner - large.width - 1)
        return row
    if parts.meters_y <= y < parts.meters_y + meter_rows:
        return _meters(view, parts, inner)
    index = y - words.y
    row = _words(index, view, words.height, words.width)
    if words.width < inner:
        row.append((" ", Ink.PLAIN))
        row += picture_row(y - parts.small.y, view.small, parts.small)
    return row


def _beside(y: int, view: TileView, parts: TileParts, width: int) -> list[Part]:
    small, words = parts.small, parts.side_words
    if small.y <= y < small.y + small.height:
        return picture_row(y - small.y, view.small, small)
    index = y - words.y
    text = view.sides[index] if 0 <= index < len(view.sides) else ""
    return [(fit(text, width), Ink.PLAIN if index < 2 else Ink.FAINT)]


def _meters(view: TileView, parts: TileParts, inner: int) -> list[Part]:
    if not view.words.has_call:
        return [(" " * inner, Ink.PLAIN)]
    if parts.meters_stacked:
        return [Gap(CELLS, Ink.LOUD), (" " * (inner - CELLS), Ink.PLAIN)]
    _, room = _meter_columns(inner)
    spare = inner - room - CELLS
    words = view.picture_words if spare > cell_width(view.picture_words) + 1 else ""
    return [Gap(room + CELLS, Ink.LOUD), (f"{words.rjust(spare - 1)} " if spare else "", Ink.FAINT)]


def _meter_columns(inner: int) -> tuple[int, int]:
    """Where the family's meter and the room's begin, side by side."""
    return (1, CELLS + 3) if inner >= 31 else (1, CELLS + 2) if inner >= 30 else (0, CELLS + 1)


def _words(index: int, view: TileView, rows: int, width: int) -> list[Part]:
    words = view.words
    if index == 0:
        ink = SEVERITY_INK[words.severity] if words.severity < len(SEVERITY_INK) - 1 else Ink.FAINT
        end = words.attention_age or (words.recording.split(" (")[0] if rows == 1 and width >= 24 else "")
        return [(" ", Ink.PLAIN), (sides(words.attention, f" {end} " if end else "", width - 1), ink)]
    if index - 1 < len(words.lines):
        ink = Ink.FAINT if words.recorded or index > 1 else Ink.URGENT
        # Where only one line more fits, it ends with how long ago somebody looked.
        ago = f"UNSEEN {words.seen[1:]}" if words.seen[:1] == "!" else f"seen {words.seen}"
        seen = f" {ago} " if index == 1 and rows == 2 and words.seen else ""
        return [(" ", Ink.PLAIN), (sides(words.lines[index - 1], seen, width - 1), ink)]
    return [(" " * width, Ink.PLAIN)]


def picture_row(y: int, picture: PictureView, area: Area) -> list[Part]:
    """Row `y` of a picture's place, in exactly the place's width."""
    if not 0 <= y < area.height:
        return [(" " * area.width, Ink.PLAIN)]
    if not picture.rows:
        return _instead(y, picture, area)
    top = (area.height - len(picture.rows)) // 2
    index = y - top
    if not 0 <= index < len(picture.rows):
        return [(" " * area.width, Ink.PLAIN)]
    row = picture.rows[index]
    left = (area.width - row.width) // 2
    parts: list[Part] = [(" " * left, Ink.PLAIN)]
    if index == 0 and picture.label:
        text, rest = labelled(row, picture.label)
        parts += [(text, picture.label_ink), rest]
    else:
        parts.append(row)
    parts.append((" " * (area.width - left - row.width), Ink.PLAIN))
    return parts


def _instead(y: int, picture: PictureView, area: Area) -> list[Part]:
    fill = HATCH if picture.hatched else " "
    if y != area.height // 2 or not picture.instead:
        return [(fill * area.width, Ink.HATCH)]
    text = fit(f" {picture.instead} ", min(area.width, cell_width(picture.instead) + 2))
    spare = area.width - cell_width(text)
    ink = Ink.STRONG if picture.hatched else Ink.FAINT
    return [(fill * (spare // 2), Ink.HATCH), (text, ink), (fill * (spare - spare // 2), Ink.HATCH)]


def _edge(view: TileView) -> Ink:
    return Ink.CHOSEN if view.chosen else Ink.EDGE
