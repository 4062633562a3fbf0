"""From the wall's state to one tile's view; keeps the cells of pictures that have not changed."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console.state.ages import Freshness, short
from console.state.attention import Severity
from console.state.layout import LIST_PICTURE, Area, TileParts
from console.state.media import Shown
from console.state.tile_words import callers, picture_words, side_words, tile_words
from console.state.wall import Wall
from schemas.call import CallView
from schemas.media import Box, PictureMode, Side

from . import mosaic
from .detail import HALF_BLOCKS, Detail, detail_of
from .halfblocks import PictureRow, luminance, of_greys, of_pixels
from .image import Image, empty_rows, fitted_cells, image_of
from .ink import Colours, Ink
from .meters import meter
from .mosaic import QUADRANTS, Mosaic
from .profile import Profile
from .tile import PictureView, TileView
from .tone import FINE_THRESHOLD, THRESHOLD, greys, held, twelve_bits

LESS = 8
"""A small pixel moves more than a large one, and is worth less."""


@dataclass
class _Kept:
    shown: Shown
    old: bool
    at_s: float
    pixels: NDArray[Any]
    """As they are shown: colours before they are reduced, or steps of grey."""
    rows: tuple[PictureRow, ...]


class Gallery:
    """The cells of the pictures on a screen, by call and side: one picture each, the one last drawn.

    `fine`: pictures that are looked at closely keep smaller changes.
    """

    def __init__(self, colours: Colours, fine: bool = False) -> None:
        self.colours, self.profile = colours, Profile.COLOUR
        self._threshold = FINE_THRESHOLD if fine else THRESHOLD
        self._mosaic = QUADRANTS
        self._kept: dict[tuple[str, Side, bool], _Kept] = {}
        self._images: dict[tuple[str, Side, bool], tuple[Shown, bool, Image]] = {}

    @property
    def detail(self) -> Detail:
        return detail_of(self.profile)

    def show_as(self, colours: Colours, profile: Profile, mosaic: Mosaic | None = None) -> None:
        """From now on; what was drawn otherwise is forgotten. `mosaic`: the cells of fine colour."""
        self.colours, self.profile, self._mosaic = colours, profile, mosaic or QUADRANTS
        self._kept.clear()
        self._images.clear()

    def due(self, call_id: str, side: Side, large: bool, newest: Shown | None, now_s: float) -> Shown | None:
        """The picture to show: the newest, or the one before while its time is not over."""
        kept = self._kept.get((call_id, side, large))
        if newest is None or kept is None or kept.shown is newest or now_s - kept.at_s >= self.profile.every_s:
            return newest
        return kept.shown

    def cells(
        self, call_id: str, side: Side, large: bool, shown: Shown, old: bool, now_s: float
    ) -> tuple[PictureRow, ...]:
        key = call_id, side, large
        kept = self._kept.get(key)
        if kept is not None and kept.shown is shown and kept.old == old:
            return kept.rows
        picture = shown.picture
        rgb = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)
        pixels, made = self._drawn(rgb, old, kept.pixels if kept is not None and kept.old == old else None)
        at_s = kept.at_s if kept is not None and kept.shown is shown else now_s
        self._kept[key] = _Kept(shown, old, at_s, pixels, tuple(made))
        return self._kept[key].rows

    def image(self, call_id: str, side: Side, large: bool, shown: Shown, old: bool) -> Image:
        """The same object while it is the same picture."""
        key = call_id, side, large
        kept = self._images.get(key)
        if kept is None or kept[0] is not shown or kept[1] != old:
            kept = self._images[key] = shown, old, image_of(shown.picture, old)
        return kept[2]

    def _drawn(self, rgb: NDArray[np.uint8], old: bool, before: Any) -> tuple[NDArray[Any], list[PictureRow]]:
        if self.colours is Colours.NONE:
            return rgb, of_pixels(rgb, Colours.NONE, old)
        if self.profile is Profile.FINE and self.colours is Colours.TRUE:
            shown = before if before is not None and before.ndim == 4 else None
            cells = mosaic.held(mosaic.samples(rgb, self._mosaic), shown, self._threshold + LESS)
            return cells, mosaic.rows(cells, self._mosaic, old)
        if self.colours is Colours.INDEXED or self.profile is not Profile.COLOUR:
            # An old picture is darker as well, so that grey rooms too look different from live ones.
            steps = greys(luminance(rgb), before if before is not None and before.ndim == 2 else None)
            return steps, of_greys(steps * 0.6 if old else steps)
        colour = held(rgb, before if before is not None and before.ndim == 3 else None, self._threshold)
        return colour, of_pixels(colour if old else twelve_bits(colour), Colours.TRUE, old)

    def keep_calls(self, calls: set[str]) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in calls}
        self._images = {key: kept for key, kept in self._images.items() if key[0] in calls}


def wanted_boxes(parts: TileParts, swapped: bool, straight: bool, detail: Detail = HALF_BLOCKS) -> list[Box]:
    """The picture sizes for tiles of these parts."""
    boxes: list[Box] = []
    for turned in [turned for turned, wanted in ((False, straight), (True, swapped)) if wanted]:
        large, small = _sides(turned)
        for side, area in ((large, parts.large), (small, parts.small)):
            if area.width >= 2 and area.height >= 1:
                boxes.append(detail.box(side, area))
    return boxes


def list_view(wall: Wall, seat: int, side: Side, gallery: Gallery, now_s: float) -> tuple[PictureView, str]:
    """The picture of the chosen seat under the list, and its age in words."""
    call = wall.call_at(seat, now_s)
    if call is None:
        return PictureView(), ""
    area = Area(0, 0, *LIST_PICTURE)
    picture, _, age = _picture(wall, call, side, area, True, gallery, now_s)
    return picture, age


def tile_view(
    wall: Wall, seat: int, parts: TileParts, chosen: bool, swapped: bool, gallery: Gallery, now_s: float
) -> TileView:
    words = tile_words(wall, seat, now_s)
    call = wall.call_at(seat, now_s)
    if call is None:
        nothing = PictureView()
        return TileView(words, chosen, nothing, nothing, "", ())
    large_side, small_side = _sides(swapped)
    large, _, age = _picture(wall, call, large_side, parts.large, True, gallery, now_s)
    small, _, _ = _picture(wall, call, small_side, parts.small, False, gallery, now_s)
    return TileView(
        words=words,
        chosen=chosen,
        large=large,
        small=small,
        picture_words=age,
        sides=_side_lines(call, parts.side_words),
    )


def with_pictures(
    view: TileView, wall: Wall, seat: int, parts: TileParts, swapped: bool, gallery: Gallery, now_s: float
) -> TileView:
    """The view with the newest pictures; its words are as they were."""
    call = wall.call_at(seat, now_s)
    if call is None:
        return view
    large_side, small_side = _sides(swapped)
    large, _, age = _picture(wall, call, large_side, parts.large, True, gallery, now_s)
    small, _, _ = _picture(wall, call, small_side, parts.small, False, gallery, now_s)
    return replace(view, large=large, small=small, picture_words=age)


def left_out(view: TileView) -> TileView:
    """A tile that the filter leaves out: its name, and what is grave; a seat keeps its place."""
    nothing = PictureView()
    grave = view.words.severity <= Severity.ALERT
    words = replace(
        view.words,
        attention=view.words.attention if grave else "",
        attention_age=view.words.attention_age if grave else "",
        lines=(),
        recording="",
        recorded=True,
        has_call=False,
    )
    return replace(view, words=words, large=nothing, small=nothing, sides=(), picture_words="")


def meters(wall: Wall, call: CallView | None, now_s: float) -> tuple[str, str]:
    """The meters of family and room; `off` when nothing can be measured."""
    if call is None:
        return "", ""
    media = wall.media_of(call)
    heard = media.heard(now_s) and not wall.dark(call.seat)
    family, room = media.levels[Side.FAMILY], media.levels[Side.ROOM]
    if not heard:
        return meter(Side.FAMILY, family, None), meter(Side.ROOM, room, None)
    return meter(Side.FAMILY, family, family.now), meter(Side.ROOM, room, room.now)


def _sides(swapped: bool) -> tuple[Side, Side]:
    return (Side.ROOM, Side.FAMILY) if swapped else (Side.FAMILY, Side.ROOM)


def list_boxes(side: Side, detail: Detail = HALF_BLOCKS) -> list[Box]:
    """The picture size that the list shows."""
    return [detail.box(side, Area(0, 0, *LIST_PICTURE))]


def side_view(
    wall: Wall, call: CallView, side: Side, area: Area, gallery: Gallery, now_s: float
) -> tuple[PictureView, Freshness, str]:
    """One side's picture in its place, how fresh it is, and its age in words when that is worth saying."""
    return _picture(wall, call, side, area, True, gallery, now_s)


def _picture(
    wall: Wall, call: CallView, side: Side, area: Area, large: bool, gallery: Gallery, now_s: float
) -> tuple[PictureView, Freshness, str]:
    if not area.width:
        return PictureView(), Freshness.FRESH, ""
    if wall.hidden:
        return PictureView(instead=wall.hidden if large else "", hatched=True), Freshness.GONE, ""
    lost = wall.lost_laptops.get(call.seat)
    if lost is not None:
        words = f"LAPTOP LOST {short(now_s - lost)}" if large else ""
        return PictureView(instead=words, hatched=True), Freshness.GONE, ""
    if gallery.profile is Profile.TEXT:
        return PictureView(instead="text only" if large else ""), Freshness.GONE, ""
    newest = _newest(wall, call, side, area, gallery.detail)
    shown = gallery.due(call.call_id, side, large, newest, now_s)
    how, words = picture_words(shown, now_s, gallery.profile is Profile.LEAN)
    if shown is None:
        return PictureView(instead=side_words(call, side) if large else side.upper()), how, ""
    if how == Freshness.GONE:
        return PictureView(instead=words, hatched=True), how, ""
    if wall.link.lost:
        # Nothing newer can come: it looks old from the first second on.
        how, words = Freshness.OLD, f"OLD {int(now_s - shown.taken_s)} s"
    label = f" {words} " if how == Freshness.OLD else " ROOM " if large and side == Side.ROOM else ""
    label = label if large else ""
    ink = Ink.ALERT if how == Freshness.OLD else Ink.STRONG
    age = f"picture {words or short(now_s - shown.taken_s)}" if how < Freshness.OLD else ""
    picture = shown.picture
    if gallery.profile is Profile.KITTY and area.height > 1:
        image = gallery.image(call.call_id, side, large, shown, how == Freshness.OLD)
        above = int(bool(label))
        columns, rows = fitted_cells(picture.width, picture.height, area.width, area.height - above)
        return PictureView(empty_rows(columns, rows + above), label, ink, image=image), how, age
    if not gallery.detail.fits(picture.width, picture.height, area):
        return PictureView(instead="another size is coming" if large else ""), how, ""
    cells = gallery.cells(call.call_id, side, large, shown, how == Freshness.OLD, now_s)
    return PictureView(cells, label, ink), how, age


def _newest(wall: Wall, call: CallView, side: Side, area: Area, detail: Detail) -> Shown | None:
    """A laptop of the version before makes RGB, whatever it is asked."""
    media, size = wall.media_of(call), detail.size(area)
    newest = media.picture(side, *size, detail.mode)
    return newest or media.picture(side, *size) if detail.mode != PictureMode.RGB else newest


def _side_lines(call: CallView, area: Area) -> tuple[str, ...]:
    if not area.height:
        return ()
    lines = [side_words(call, Side.FAMILY), side_words(call, Side.ROOM)]
    room = area.height - len(lines)
    names = callers(call).split(", ")
    return (*lines, *names[:room])
