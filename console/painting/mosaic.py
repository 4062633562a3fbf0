"""Pictures in cells of several pixels: each cell has two colours, in the pattern of its pixels that is nearest.

Quadrants are 2 x 2 to a cell (U+2596 to U+259F), sextants 2 x 3 (U+1FB00 to U+1FB3B). A pattern is a number with a bit
for each pixel, from the upper left on. Its last pixel always has the paper's colour: with the two colours exchanged a
pattern and its opposite are the same, so that half of them are enough.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .halfblocks import PictureRow, packed
from .tone import twelve_bits

ACROSS, DOWN = 2, 4
"""Pixels of a cell that are asked for: square ones, where a cell is twice as high as wide."""
BLACK = 0.0


@dataclass(frozen=True, eq=False)
class Mosaic:
    """`glyphs`: a character for each pattern of 2 x `down` pixels, its opposite too."""

    down: int
    glyphs: str

    @property
    def pixels(self) -> int:
        return ACROSS * self.down

    @cached_property
    def points(self) -> NDArray[np.uint32]:
        return np.array([ord(glyph) for glyph in self.glyphs], np.uint32)

    @cached_property
    def patterns(self) -> NDArray[np.float32]:
        """(patterns without the last pixel, pixels): 1 where a pixel has the ink's colour."""
        bits = np.arange(1 << (self.pixels - 1))[:, None] >> np.arange(self.pixels) & 1
        return bits.astype(np.float32)

    @cached_property
    def rows_of(self) -> NDArray[np.float32]:
        """(down, DOWN): how much of each row that came is in each row of the cell."""
        edges, came = np.arange(self.down + 1) * (DOWN / self.down), np.arange(DOWN)
        here = np.clip(np.minimum(edges[1:, None], came + 1) - np.maximum(edges[:-1, None], came), 0, 1)
        return (here / here.sum(1, keepdims=True)).astype(np.float32)

    def opposites(self) -> dict[int, int]:
        """The code point of each pattern that is used, and that of its opposite."""
        most = len(self.glyphs) - 1
        return {ord(self.glyphs[n]): ord(self.glyphs[most - n]) for n in range(1, len(self.glyphs) // 2)}


def _sextants() -> str:
    """The halves and the full block, which are elsewhere, are left out of the row of sextants."""
    elsewhere = {0: " ", 21: "▌", 42: "▐", 63: "█"}
    rest = iter(range(0x1FB00, 0x1FB3C))
    return "".join(elsewhere.get(n) or chr(next(rest)) for n in range(64))


QUADRANTS = Mosaic(2, " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")
SEXTANTS = Mosaic(3, _sextants())


def samples(rgb: NDArray[np.uint8], mosaic: Mosaic) -> NDArray[np.uint8]:
    """(rows, columns, pixels, 3) of a picture of DOWN x ACROSS pixels a cell; what is missing at its edges is black."""
    height, width = -(-len(rgb) // DOWN), -(-rgb.shape[1] // ACROSS)
    whole = np.full((height * DOWN, width * ACROSS, 3), BLACK, np.float32)
    whole[: len(rgb), : rgb.shape[1]] = rgb
    cells = np.einsum("sd,ydxak->yxsak", mosaic.rows_of, whole.reshape(height, DOWN, width, ACROSS, 3))
    return cells.reshape(height, width, mosaic.pixels, 3).round().astype(np.uint8)


def held(now: NDArray[np.uint8], shown: NDArray[np.uint8] | None, threshold: int) -> NDArray[np.uint8]:
    """Samples, with each cell that moved by less than the threshold left as it is shown."""
    if shown is None or shown.shape != now.shape:
        return now
    change = np.abs(now.astype(np.int16) - shown).max(axis=(2, 3))
    return np.where((change >= threshold)[..., None, None], now, shown)


def rows(cells: NDArray[np.uint8], mosaic: Mosaic, old: bool = False) -> list[PictureRow]:
    """Rows of cells from samples; an old picture is grey and darker.

    Of all patterns the one with the least squared error: each of its two colours is the mean of its pixels, so that is
    the one with the greatest sum of |sum of colours|^2 / pixels over both.
    """
    height, width = cells.shape[:2]
    pixels = cells.reshape(height * width, mosaic.pixels, 3).astype(np.float32)
    if old:
        grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32) * np.float32(0.7)
        pixels = np.repeat(grey[..., None], 3, axis=2)
    patterns = mosaic.patterns
    inside = patterns.sum(1)
    of_ink = np.matmul(patterns, pixels)
    of_paper = pixels.sum(1, keepdims=True) - of_ink
    good = (of_ink**2).sum(2) / np.maximum(inside, 1) + (of_paper**2).sum(2) / (mosaic.pixels - inside)
    best = good.argmax(1)
    each = np.arange(len(best))
    ink = of_ink[each, best] / np.maximum(inside[best], 1)[:, None]
    paper = of_paper[each, best] / (mosaic.pixels - inside[best])[:, None]
    inks, papers = (packed(_reduced(colour, old)).reshape(height, width) for colour in (ink, paper))
    points = mosaic.points[best].reshape(height, width)
    plain = (points == ord(" ")) | (inks == papers)
    points, inks = np.where(plain, ord(" "), points).astype(np.uint32), np.where(plain, papers, inks)
    return [PictureRow(*row) for row in zip(points, inks, papers, strict=True)]


def _reduced(colour: NDArray[np.float32], old: bool) -> NDArray[np.uint8]:
    rounded = colour.round().astype(np.uint8)
    return rounded if old else twelve_bits(rounded)
