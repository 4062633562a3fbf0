"""Pictures as half blocks: each cell is two pixels, the upper one its ink and the lower one its paper."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ink import INDEXED, NO_COLOUR, Colours

UPPER_HALF = "▀"
SHADES = " ░▒▓█"
GREY_RAMP = 232, 24
"""First of the 24 greys of the 256 colours, and how many they are."""


@dataclass(frozen=True, eq=False)
class PictureRow:
    """One row of a picture's cells, arrays of one length: code points, and the colours of ink and paper as grid.py
    has them. Two are the same only when they are one object."""

    glyphs: NDArray[np.uint32]
    inks: NDArray[np.int32]
    papers: NDArray[np.int32]

    @property
    def width(self) -> int:
        return len(self.glyphs)

    def cells(self) -> list[tuple[str, int, int]]:
        """(glyph, ink, paper) of each cell."""
        return list(zip(map(chr, self.glyphs.tolist()), self.inks.tolist(), self.papers.tolist(), strict=True))

    def after(self, cells: int) -> "PictureRow":
        """Without its first `cells`."""
        return PictureRow(self.glyphs[cells:], self.inks[cells:], self.papers[cells:])


def rows(pixels: bytes, width: int, height: int, colours: Colours, grey: bool = False) -> list[PictureRow]:
    """Rows of cells of an RGB picture, `ceil(height / 2)` of them; `grey` for one that is old.

    An odd height gets a last row of black: a picture is never stretched.
    """
    return of_pixels(np.frombuffer(pixels, np.uint8).reshape(height, width, 3), colours, grey)


def of_pixels(rgb: NDArray[np.uint8], colours: Colours, grey: bool = False) -> list[PictureRow]:
    """The same from an array (height, width, 3)."""
    if len(rgb) % 2:
        rgb = np.concatenate([rgb, np.zeros((1, rgb.shape[1], 3), np.uint8)])
    if colours is Colours.NONE:
        return _shaded(rgb)
    if colours is Colours.INDEXED:
        values = _grey_steps(luminance(rgb), 0.6 if grey else 1.0)
    elif grey:
        # An old picture is darker as well, so that grey rooms too look different from live ones.
        values = (luminance(rgb) * 0.7).astype(np.int32) * 0x010101
    else:
        values = packed(rgb)
    glyphs = np.full(rgb.shape[1], ord(UPPER_HALF), np.uint32)
    return [PictureRow(glyphs, upper, lower) for upper, lower in zip(values[0::2], values[1::2], strict=True)]


def of_greys(steps: NDArray[np.float32]) -> list[PictureRow]:
    """Rows of cells of grey steps, 0 to 23 (height, width), as indexes of the 256 colours: the shortest to send."""
    values = np.clip(steps, 0, GREY_RAMP[1] - 1).astype(np.int32) + (GREY_RAMP[0] + INDEXED)
    if len(values) % 2:
        values = np.concatenate([values, np.full((1, values.shape[1]), GREY_RAMP[0] + INDEXED, np.int32)])
    glyphs = np.full(steps.shape[1], ord(UPPER_HALF), np.uint32)
    return [PictureRow(glyphs, upper, lower) for upper, lower in zip(values[0::2], values[1::2], strict=True)]


def packed(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """0xRRGGBB of each pixel."""
    return rgb.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)


def luminance(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _grey_steps(grey: NDArray[np.float32], brightness: float) -> NDArray[np.int32]:
    first, count = GREY_RAMP
    low, high = float(grey.min()), float(grey.max())
    # Spread over the ramp: 24 greys show a face in a dim room only with the contrast that is there.
    spread = (grey - low) * (brightness * (count - 1) / max(32.0, high - low))
    return np.clip(spread, 0, count - 1).astype(np.int32) + (first + INDEXED)


def _shaded(rgb: NDArray[np.uint8]) -> list[PictureRow]:
    grey = luminance(rgb)
    cells = (grey[0::2] + grey[1::2]) / 2
    steps = np.clip(cells * (len(SHADES) / 256), 0, len(SHADES) - 1).astype(int)
    glyphs = np.array([ord(shade) for shade in SHADES], np.uint32)[steps]
    none = np.full(rgb.shape[1], NO_COLOUR, np.int32)
    return [PictureRow(row, none, none) for row in glyphs]


def labelled(row: PictureRow, label: str) -> tuple[str, PictureRow]:
    """The row with its first cells given to a label: the label's text, and the rest of the row."""
    start = min(len(label), row.width)
    return label[:start], row.after(start)
