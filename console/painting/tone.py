"""Pictures with fewer colours that change less: what a cell gains by one step more is not worth its bytes.

Arrays are (height, width, 3) or (height, width), uint8 or float, rows from the top; two rows make one row of cells.
"""

import numpy as np
from numpy.typing import NDArray

THRESHOLD, FINE_THRESHOLD = 24, 12
"""A cell whose pixels move by less than this of 255 stays as it is; the finer one where one looks closely."""
GREYS = 24
BLUR = 9
"""Pixels across, over which grey takes its contrast from."""
GAIN = 0.7


def held(rgb: NDArray[np.uint8], shown: NDArray[np.uint8] | None, threshold: int) -> NDArray[np.uint8]:
    """The picture, with each cell that moved by less than the threshold left as it is shown."""
    if shown is None or shown.shape != rgb.shape:
        return rgb
    moved = np.maximum(rgb, shown) - np.minimum(rgb, shown) >= threshold
    return np.where(_cells(moved[..., 0] | moved[..., 1] | moved[..., 2])[..., None], rgb, shown)


def twelve_bits(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sixteen steps a channel, each shown by its middle."""
    return (rgb & np.uint8(0xF0)) | np.uint8(8)


def greys(luminance: NDArray[np.float32], shown: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Steps 0 to GREYS - 1, with local contrast; a cell that moved by less than one and a half steps stays."""
    height, width = luminance.shape
    low, high = np.percentile(luminance, (2, 98))
    around = _blurred(luminance)
    clear = luminance + GAIN * (luminance - around)
    # Bounds in coarse steps, so that a picture's whole tone does not tremble with its brightest pixel.
    low, high = np.floor(low / 16) * 16, np.ceil(high / 16) * 16
    steps = np.clip((clear - low) * ((GREYS - 1) / max(48.0, high - low)), 0, GREYS - 1).astype(np.float32)
    if shown is None or shown.shape != (height, width):
        return steps
    return np.where(_cells(np.abs(steps - shown) >= 1.5), steps, shown)


def _cells(moved: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Both pixels of a cell when one of them has moved."""
    if len(moved) % 2:
        moved = np.concatenate([moved, moved[-1:]])
        return np.repeat(moved[0::2] | moved[1::2], 2, axis=0)[:-1]
    return np.repeat(moved[0::2] | moved[1::2], 2, axis=0)


def _blurred(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the pixels around, by running sums; fewer at the edges."""
    made = grey
    for axis in (0, 1):
        count = made.shape[axis]
        sums = np.concatenate([np.zeros_like(made.take([0], axis)), np.cumsum(made, axis)], axis)
        upper = np.minimum(np.arange(count) + BLUR // 2 + 1, count)
        lower = np.maximum(np.arange(count) - BLUR // 2, 0)
        shape = [-1, 1] if axis == 0 else [1, -1]
        made = (sums.take(upper, axis) - sums.take(lower, axis)) / (upper - lower).reshape(shape)
    return made.astype(np.float32)
