"""A clip whose pictures say which second they belong to, readable even from a thumbnail of some 30 x 14 pixels."""

from pathlib import Path

import numpy as np

from tests.clip_file import HEIGHT, RATE, SOUND_RATE, WIDTH, write

ROWS, COLUMNS = 2, 3
NUMBERS = 2 ** (ROWS * COLUMNS)
DARK, LIGHT = 40, 215
LEVEL_DBFS = -20.0
"""Of a sine after AES17: one at full scale reads 0."""


def make(path: Path, seconds: int, mark_s: int = 1) -> None:
    """As tests.clip_file writes it, with a tone at LEVEL_DBFS; `seconds` even.

    Six blocks of dark and light fill each picture; they are the bits, highest first and row by row, of the second's
    number modulo 64, or of each `mark_s` seconds.
    """
    time_s = np.arange(seconds * SOUND_RATE) / SOUND_RATE
    tone = (10 ** (LEVEL_DBFS / 20) * np.sin(2 * np.pi * 440 * time_s) * 32767).astype(np.int16)
    write(path, seconds, lambda number: picture(number // (RATE * mark_s)), tone)


def picture(second: int) -> np.ndarray:
    """The picture of a second: grey levels, (HEIGHT, WIDTH), uint8."""
    bits = [second % NUMBERS >> bit & 1 for bit in reversed(range(ROWS * COLUMNS))]
    blocks = np.where(np.array(bits).reshape(ROWS, COLUMNS), LIGHT, DARK).astype(np.uint8)
    return _stretch(_stretch(blocks, HEIGHT, 0), WIDTH, 1)


def read(pixels: np.ndarray) -> int:
    """The number in a picture of any size: (height, width) grey or (height, width, 3) colour."""
    grey = pixels.astype(float).mean(axis=2) if pixels.ndim == 3 else pixels.astype(float)
    height, width = grey.shape
    number = 0
    for row in range(ROWS):
        for column in range(COLUMNS):
            middle_y, middle_x = (2 * row + 1) * height // (2 * ROWS), (2 * column + 1) * width // (2 * COLUMNS)
            block = grey[max(0, middle_y - 1) : middle_y + 1, max(0, middle_x - 1) : middle_x + 1]
            number = number * 2 + int(block.mean() > (DARK + LIGHT) / 2)
    return number


def _stretch(blocks: np.ndarray, size: int, axis: int) -> np.ndarray:
    return blocks.take(np.arange(size) * blocks.shape[axis] // size, axis)
