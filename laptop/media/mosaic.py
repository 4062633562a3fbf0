"""One picture of a side that has several devices: all of them, none hidden and none cut."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .picture_modes import fitted

WIDTH, HEIGHT = 640, 360
BLACK, COLOURLESS = 16, 128
"""In YUV of limited range, which VP8 has."""


def mosaic(frames: list[Any]) -> Any:
    """Decoded frames in the order of their devices: one as it is, two beside each other, three or four as 2 x 2, in
    WIDTH x HEIGHT, each whole within its cell."""
    if len(frames) == 1:
        return frames[0]
    columns, rows = 2, 1 if len(frames) == 2 else 2
    width, height = WIDTH // columns, HEIGHT // rows
    whole = np.full((HEIGHT * 3 // 2, WIDTH), COLOURLESS, np.uint8)
    whole[:HEIGHT] = BLACK
    luma, blue, red = _planes(whole)
    for number, frame in enumerate(frames[: columns * rows]):
        w, h = (max(2, size // 2 * 2) for size in fitted(frame.width, frame.height, width, height))
        x = number % columns * width + (width - w) // 4 * 2
        y = number // columns * height + (height - h) // 4 * 2
        small = frame.reformat(w, h, "yuv420p", interpolation="AREA")
        for plane, into, part in zip(small.planes, (luma, blue, red), (1, 2, 2), strict=True):
            picture = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: h // part, : w // part]
            into[y // part : (y + h) // part, x // part : (x + w) // part] = picture
    return av.VideoFrame.from_ndarray(whole, "yuv420p")


def _planes(whole: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Views of the three planes in an array as `from_ndarray` takes it."""
    quarter = HEIGHT // 2 * WIDTH // 2
    chroma = whole[HEIGHT:].reshape(-1)
    half = HEIGHT // 2, WIDTH // 2
    return whole[:HEIGHT], chroma[:quarter].reshape(half), chroma[quarter:].reshape(half)
