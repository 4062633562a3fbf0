"""How finely a picture is painted in a place of the screen, and so which size and mode is asked for."""

from dataclasses import dataclass

from console.state.focus_layout import FACE_COLUMNS, FACE_ROWS
from console.state.layout import Area
from schemas.media import Box, PictureMode, Side

from . import mosaic
from .profile import Profile

MOST_PIXELS = 640
FINEST_DOWN = 8
FACE_PIXELS = FACE_COLUMNS, 2 * FACE_ROWS
"""A known face is recognised from a picture of so many pixels on."""


@dataclass(frozen=True)
class Detail:
    """Pixels of a cell, across and down."""

    across: float
    down: float
    mode: PictureMode = PictureMode.RGB
    most_per_s: int = 10
    least_height: int = 0
    """So many pixels are asked for also where rows are few, but not more than FINEST_DOWN a row."""
    two_colours: bool = False
    """A cell has two colours, whatever its pixels: for a face it counts as two pixels."""

    def size(self, area: Area) -> tuple[int, int]:
        """Pixels of the largest picture that the place shows."""
        least = min(self.least_height, area.height * FINEST_DOWN)
        height = max(least, round(area.height * self.down))
        return min(MOST_PIXELS, round(area.width * self.across)), min(MOST_PIXELS, height)

    def fits(self, width: int, height: int, area: Area) -> bool:
        """Whether a picture of these pixels has room in the place's cells."""
        return width <= area.width * self.across and height <= area.height * self.down

    def box(self, side: Side, area: Area, per_s: int = 1) -> Box:
        """The largest picture that this place shows, so many a second."""
        return Box(side, *self.size(area), self.mode, per_s=min(per_s, self.most_per_s))

    def shows_a_face(self, area: Area) -> bool:
        """Whether a picture in this place is enough to know a face by."""
        width, height = (area.width, area.height * 2) if self.two_colours else self.size(area)
        return width >= FACE_PIXELS[0] and height >= FACE_PIXELS[1]


HALF_BLOCKS = Detail(1, 2)
KITTY = Detail(2.6, 5.2, PictureMode.PNG, most_per_s=5, least_height=36)
"""64 x 36 pixels in the smallest tile of 36; in focus fewer a second, because each is some 15 KB."""


FINE = Detail(mosaic.ACROSS, mosaic.DOWN, two_colours=True)


def detail_of(profile: Profile) -> Detail:
    return {Profile.KITTY: KITTY, Profile.FINE: FINE}.get(profile, HALF_BLOCKS)
