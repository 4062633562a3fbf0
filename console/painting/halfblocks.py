"""Pictures as half blocks: each cell is two pixels, the upper one its ink and the lower one its paper."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ink import Colours

UPPER_HALF = "▀"
SHADES = " ░▒▓█"
_GREY_RAMP = 232, 24
"""First of the 24 greys of the 256 colours, and how many they are."""


@dataclass(frozen=True)
class PictureRow:
    """One row of cells: its escape sequences, and its two rows of colours 0xRRGGBB (or shades) for taking apart."""

    ansi: str
    width: int
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    shades: str = ""

    def cells(self) -> Iterator[tuple[str, int, int]]:
        """(glyph, upper colour, lower colour); colours are -1 where the glyph says all."""
        if self.shades:
            return ((glyph, -1, -1) for glyph in self.shades)
        return ((UPPER_HALF, upper, lower) for upper, lower in zip(self.upper, self.lower, strict=True))


def rows(pixels: bytes, width: int, height: int, colours: Colours, grey: bool = False) -> list[PictureRow]:
    """Rows of cells of an RGB picture, `ceil(height / 2)` of them; `grey` for one that is old.

    An odd height gets a last row of black: a picture is never stretched.
    """
    rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    if height % 2:
        rgb = np.concatenate([rgb, np.zeros((1, width, 3), np.uint8)])
    if colours is Colours.NONE:
        return _shaded(rgb)
    if grey or colours is Colours.INDEXED:
        luminance = _luminance(rgb)
        if colours is Colours.INDEXED:
            return _indexed(luminance, 0.6 if grey else 1.0)
        # An old picture is darker as well, so that grey rooms too look different from live ones.
        dimmed = (luminance * 0.7).astype(np.uint32)
        values = dimmed << 16 | dimmed << 8 | dimmed
    else:
        wide = rgb.astype(np.uint32)
        values = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    pairs = zip(values[0::2].tolist(), values[1::2].tolist(), strict=True)
    return [_true_row(upper, lower) for upper, lower in pairs]


def _luminance(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _true_row(upper: list[int], lower: list[int]) -> PictureRow:
    out: list[str] = []
    ink = paper = -1
    for above, below in zip(upper, lower, strict=True):
        if above != ink and below != paper:
            out.append(
                f"\x1b[38;2;{above >> 16};{above >> 8 & 255};{above & 255};"
                f"48;2;{below >> 16};{below >> 8 & 255};{below & 255}m"
            )
        elif above != ink:
            out.append(f"\x1b[38;2;{above >> 16};{above >> 8 & 255};{above & 255}m")
        elif below != paper:
            out.append(f"\x1b[48;2;{below >> 16};{below >> 8 & 255};{below & 255}m")
        out.append(UPPER_HALF)
        ink, paper = above, below
    out.append("\x1b[0m")
    return PictureRow("".join(out), len(upper), tuple(upper), tuple(lower))


def _indexed(luminance: NDArray[np.float32], brightness: float) -> list[PictureRow]:
    first, count = _GREY_RAMP
    low, high = float(luminance.min()), float(luminance.max())
    # Spread over the ramp: 24 greys show a face in a dim room only with the contrast that is there.
    spread = (luminance - low) * (brightness * (count - 1) / max(32.0, high - low))
    steps = np.clip(spread, 0, count - 1).astype(int)
    made: list[PictureRow] = []
    for upper, lower in zip(steps[0::2].tolist(), steps[1::2].tolist(), strict=True):
        out: list[str] = []
        before = None
        for pair in zip(upper, lower, strict=True):
            if pair != before:
                out.append(f"\x1b[38;5;{first + pair[0]};48;5;{first + pair[1]}m")
                before = pair
            out.append(UPPER_HALF)
        out.append("\x1b[0m")
        made.append(PictureRow("".join(out), len(upper), _greys(upper), _greys(lower)))
    return made


def _greys(steps: list[int]) -> tuple[int, ...]:
    """The ramp's colours as xterm defines them: 8 + 10 for each step."""
    return tuple((8 + 10 * step) * 0x010101 for step in steps)


def _shaded(rgb: NDArray[np.uint8]) -> list[PictureRow]:
    luminance = _luminance(rgb)
    cells = (luminance[0::2] + luminance[1::2]) / 2
    steps = np.clip(cells * (len(SHADES) / 256), 0, len(SHADES) - 1).astype(int)
    made: list[PictureRow] = []
    for row in steps.tolist():
        text = "".join(SHADES[step] for step in row)
        made.append(PictureRow(text, len(text), (), (), text))
    return made


def labelled(row: PictureRow, label: str, colours: Colours) -> tuple[str, PictureRow]:
    """The row with its first cells given to a label: the label's text, and the rest of the row."""
    start = min(len(label), row.width)
    upper, lower = list(row.upper[start:]), list(row.lower[start:])
    if row.shades:
        rest = PictureRow(row.shades[start:], row.width - start, (), (), row.shades[start:])
    elif colours is Colours.INDEXED:
        cells = "".join(
            f"\x1b[38;5;{_step(above)};48;5;{_step(below)}m{UPPER_HALF}"
            for above, below in zip(upper, lower, strict=True)
        )
        rest = PictureRow(f"{cells}\x1b[0m", len(upper), tuple(upper), tuple(lower))
    else:
        rest = _true_row(upper, lower)
    return label[:start], rest


def _step(grey: int) -> int:
    return _GREY_RAMP[0] + ((grey & 255) - 8) // 10
