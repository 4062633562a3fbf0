"""Pictures as images that the terminal itself enlarges, and the cells that are kept empty for them."""

import zlib
from base64 import standard_b64encode
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from console.state.layout import Area
from schemas.media import Picture, PictureMode

from .halfblocks import PictureRow
from .ink import NO_COLOUR

EMPTY = "\u00a0"
"""A cell that an image may lie over: it looks empty and is no other cell."""


@dataclass(frozen=True, eq=False)
class Image:
    """`form` says what the data are, in the protocol's keys. Two are the same only when they are one object."""

    form: str
    data: bytes
    width: int
    height: int

    @cached_property
    def base64(self) -> str:
        return standard_b64encode(self.data).decode()


def image_of(picture: Picture, old: bool) -> Image:
    """A PNG as it came, RGB (from a laptop that makes no PNG) pressed; an old one darker and grey."""
    width, height = picture.width, picture.height
    if picture.mode == PictureMode.PNG:
        return Image("f=100", greyed(picture.pixels) if old else picture.pixels, width, height)
    pixels = picture.pixels
    if old:
        pixels = np.repeat(_grey(np.frombuffer(pixels, np.uint8).reshape(-1, 3)), 3).tobytes()
    return Image(f"f=24,s={width},v={height},o=z", zlib.compress(pixels), width, height)


def greyed(png: bytes) -> bytes:
    """The same PNG with a palette of dark greys (PNG specification, 11.2.2); what has no palette stays as it is."""
    made, at = [png[:8]], 8
    while at + 12 <= len(png):
        size, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        if kind == b"PLTE" and len(body) % 3 == 0:
            body = np.repeat(_grey(np.frombuffer(body, np.uint8).reshape(-1, 3)), 3).tobytes()
        made.append(len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4))
        at += 12 + size
    return b"".join(made)


def _grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return (rgb @ np.array([0.299, 0.587, 0.114]) * 0.7).astype(np.uint8)


def fitted_cells(width: int, height: int, columns: int, rows: int) -> tuple[int, int]:
    """The most columns and rows that a picture of these pixels takes in a place; a cell is twice as high as wide."""
    scale = min(columns / width, rows * 2 / height)
    return max(1, min(columns, round(width * scale))), max(1, min(rows, round(height * scale / 2)))


@lru_cache(256)
def empty_rows(columns: int, rows: int) -> tuple[PictureRow, ...]:
    """Rows that a picture may stand over."""
    glyphs, none = np.full(columns, ord(EMPTY), np.uint32), np.full(columns, NO_COLOUR, np.int32)
    return (PictureRow(glyphs, none, none),) * rows


def open_rows(glyphs: NDArray[np.uint32], hidden: NDArray[np.bool_] | None, area: Area) -> range:
    """The most rows in a run, from the area's first, that are EMPTY on the terminal (glyphs as in grid.py) and under
    nothing else."""
    ys, xs = slice(area.y, area.y + area.height), slice(area.x, area.x + area.width)
    empty = (glyphs[ys, xs] == ord(EMPTY)).all(1)
    if hidden is not None:
        empty &= ~hidden[ys, xs].any(1)
    if len(empty) < area.height or not area.width:
        return range(0)
    best, first = range(0), 0
    for y, is_open in enumerate([*empty.tolist(), False]):
        if not is_open:
            best = max(best, range(first, y), key=len)
            first = y + 1
    return best
