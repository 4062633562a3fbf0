"""From a decoded frame to the bytes that a console asked for: RGB, grey, or a small PNG with a palette."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.media import PICTURE_BYTES_MAX, PictureMode

SIZE_MIN = 2
COLOURS = 28
"""In a PNG. 64 x 36 pixels of a talking head take about 1 KB with them; 32 would take 6 % more for 0.7 dB."""
_BYTES_A_PIXEL = {PictureMode.RGB: 3, PictureMode.GREY: 1, PictureMode.PNG: 1}
_FORMAT = {PictureMode.RGB: "rgb24", PictureMode.GREY: "gray", PictureMode.PNG: "rgb24"}
_UP = 2
_LUMA = np.array([0.299, 0.587, 0.114])
_PNG_SPARE = 2048
"""Signature, palette and what zlib adds to bytes that it can't press."""


def small_picture(
    frame: Any, box_width: int, box_height: int, mode: PictureMode = PictureMode.RGB
) -> tuple[int, int, bytes]:
    """A decoded frame fitted in a box: width, height, and its bytes, never more than PICTURE_BYTES_MAX."""
    width, height = fitted(frame.width, frame.height, box_width, box_height)
    room = (PICTURE_BYTES_MAX - (_PNG_SPARE if mode == PictureMode.PNG else 0)) // _BYTES_A_PIXEL[mode]
    if width * height > room:
        less = (room / (width * height)) ** 0.5
        width, height = max(SIZE_MIN, int(width * less)), max(SIZE_MIN, int(height * less))
    plane = frame.reformat(width, height, _FORMAT[mode], interpolation="AREA").planes[0]
    row_bytes = width if mode == PictureMode.GREY else width * 3
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :row_bytes]
    if mode == PictureMode.PNG:
        return width, height, png(rows.reshape(height, width, 3))
    return width, height, np.ascontiguousarray(rows).tobytes()


def fitted(width: int, height: int, box_width: int, box_height: int) -> tuple[int, int]:
    """The largest size within the box that keeps the picture's proportions; at least 2 x 2 pixels."""
    scale = min(box_width / width, box_height / height)
    fit = max(SIZE_MIN, round(width * scale)), max(SIZE_MIN, round(height * scale))
    return min(fit[0], box_width), min(fit[1], box_height)


def png(rgb: NDArray[np.uint8], colours: int = COLOURS) -> bytes:
    """Height x width x 3 as a PNG file of colour type 3 (PNG specification, 11.2.2)."""
    height, width, _ = rgb.shape
    palette, indices = quantized(rgb.reshape(-1, 3), colours)
    # From dark to light, a pixel is near the one above it in its number too: filter 2 (9.2) leaves small differences.
    from_dark = np.argsort(palette @ _LUMA)
    places = np.empty(len(palette), np.uint8)
    places[from_dark] = np.arange(len(palette))
    rows = places[indices].reshape(height, width)
    scanlines = np.full((height, width + 1), _UP, np.uint8)
    scanlines[0, 1:], scanlines[1:, 1:] = rows[0], rows[1:] - rows[:-1]
    pressed = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    data = pressed.compress(scanlines.tobytes()) + pressed.flush()
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette[from_dark].tobytes()),
            _chunk(b"IDAT", data),
            _chunk(b"IEND", b""),
        )
    )


def quantized(pixels: NDArray[np.uint8], colours: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """n x 3 pixels by median cut (Heckbert 1982): a palette of at most `colours` x 3, and n indices into it.

    The box whose widest channel is widest is cut at that channel's median, until there are enough.
    """
    boxes: list[NDArray[np.intp]] = [np.arange(len(pixels))]
    spreads = [_spread(pixels)]
    while len(boxes) < colours:
        widest = max(range(len(boxes)), key=lambda n: spreads[n][0] * len(boxes[n]))
        spread, channel = spreads[widest]
        if not spread:
            break  # fewer colours than places
        inside = boxes[widest]
        values = pixels[inside, channel]
        # At least one pixel on each side, and equal ones on the same.
        middle = max(int(np.median(values)), int(values.min()) + 1)
        halves = inside[values < middle], inside[values >= middle]
        boxes[widest], spreads[widest] = halves[0], _spread(pixels[halves[0]])
        boxes.append(halves[1])
        spreads.append(_spread(pixels[halves[1]]))
    palette = np.array([pixels[inside].mean(0).round() for inside in boxes], np.uint8)
    indices = np.empty(len(pixels), np.uint8)
    for number, inside in enumerate(boxes):
        indices[inside] = number
    return palette, indices


def _spread(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """How wide the widest channel is, and which it is."""
    wide = pixels.max(0).astype(int) - pixels.min(0)
    channel = int(wide.argmax())
    return int(wide[channel]), channel


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
