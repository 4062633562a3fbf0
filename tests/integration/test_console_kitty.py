"""Debian's kitty shows each call's picture in its own tile and none under words; seen on its screen, pixel by pixel."""

import threading
from itertools import repeat
from pathlib import Path

import numpy as np

from console.painting.image import EMPTY
from laptop.media.picture_modes import png
from schemas.call import CallState, CallView
from schemas.console import Boxes
from schemas.media import Box, Picture, PictureMode, Side

from .kitty_rig import Kitty, kitty
from .test_console_server import Server, call_view, health, levels, mono_ms, seat_view, serving
from .test_console_terminal import console_command

SEATS = 36
CLOSE = 8
"""Of 255: half blocks have colours of twelve bits."""


def colour(seat: int) -> tuple[int, int, int]:
    """Of a seat's pictures; they differ by more than CLOSE, and from what the console's words have."""
    return 10 + 36 * (seat % 6), 20 + 30 * (seat // 6), 255


def show(server: Server, call: CallView, box: Box, bands: bool) -> None:
    width, height = min(box.width, box.height * 16 // 9), min(box.height, box.width * 9 // 16)
    rgb = np.full((height, width, 3), colour(call.seat), np.uint8)
    if bands:
        rgb[0::4] = 0
    pixels = png(rgb) if box.mode == PictureMode.PNG else rgb.tobytes()
    picture = Picture(call.call_id, box.side, mono_ms(), box.width, box.height, width, height, pixels, box.mode)
    server.show(picture, health(call), levels(call))


def share(pixels: np.ndarray, seat: int) -> float:
    """How much of this is the seat's colour."""
    return float((np.abs(pixels.astype(int) - colour(seat)).max(axis=2) <= CLOSE).mean())


class Feed(threading.Thread):
    """Pictures of all calls, each a second, in the sizes and modes that the console asks for."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server, self._end = server, threading.Event()
        self.bands = False
        """The first of each four rows of pixels is black."""

    def run(self) -> None:
        while not self._end.wait(1.0):
            for asked in self._server.got(Boxes)[-1:]:
                for call in list(self._server.calls):
                    for box in [*asked.boxes, *(asked.focus if call.call_id == asked.focus_call else [])]:
                        show(self._server, call, box, self.bands)

    def __enter__(self) -> "Feed":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.join()


class Look:
    """What stands in the tiles of a kitty's window."""

    def __init__(self, window: Kitty) -> None:
        self.window = window
        self.places = {seat: window.find(f" {seat:02d} HARRIS") for seat in range(1, SEATS + 1)}

    def stand(self, *seats: int) -> None:
        """Each picture fills a good part of its tile, and nothing of it is elsewhere."""
        self.window.until(lambda: all(map(self._stands, seats, repeat(self.window.pixels()))), f"pictures of {seats}")

    def _stands(self, seat: int, pixels: np.ndarray) -> bool:
        (column, row), (across, down) = self.places[seat], self.window.cell
        tile = pixels[row * down : (row + 8) * down, (column - 1) * across : (column + 32) * across]
        everywhere, inside = share(pixels, seat) * pixels.size, share(tile, seat) * tile.size
        return share(tile, seat) > 0.25 and inside > 0.98 * everywhere

    def gone(self, *seats: int) -> None:
        def none() -> bool:
            pixels = self.window.pixels()
            return all(share(pixels, seat) < 1e-4 for seat in seats)

        self.window.until(none, f"no pictures of {seats}")


def _third(look: Look) -> bool:
    """Whether the picture of seat 8 has cells of three rows, the first one dark: in half blocks it would be half."""
    (column, row), (_, down) = look.places[8], look.window.cell
    middle = look.window.cells(column + 14, row + 2, 1, 1).astype(int)
    light = np.abs(middle - colour(8)).max(axis=(1, 2)) <= CLOSE
    return light.tolist() == [y >= down / 3 for y in range(down)]


def asks_for_large(server: Server) -> bool:
    focus = server.got(Boxes)[-1].focus
    return any(one.side == Side.FAMILY and one.mode == PictureMode.PNG and one.width > 200 for one in focus)


ALL = range(1, SEATS + 1)


def test_kitty_shows_each_picture_in_its_tile_and_none_under_words(tmp_path: Path) -> None:
    calls = [call_view(n, f"HARRIS{n}") for n in ALL]
    with (
        serving(tmp_path, seats=[seat_view(n) for n in ALL], calls=calls) as server,
        kitty(tmp_path, console_command(server)) as window,
        Feed(server) as feed,
    ):
        window.see("36 HARRIS36")
        window.see("Pictures: images")
        look = Look(window)
        look.stand(*ALL)

        window.press("X")
        window.see("Keep the call")
        _, top = window.find("END seat 01")
        under = range(top, window.rows)

        def is_clear() -> bool:
            pixels = window.cells(0, under.start, window.columns, len(under))
            return all(share(pixels, seat) == 0 for seat in ALL)

        window.until(is_clear, "nothing under the panel")
        above = window.cells(0, top - 2, window.columns, 2)
        assert share(above, 36) > 0 and share(above, 31) > 0, "what the panel leaves free goes on"
        window.press("\x1b")
        look.stand(*ALL)

        window.press("?")
        window.see("KEYS OF THE WALL")
        look.gone(*ALL)
        window.press("q")
        look.stand(*ALL)

        server.change(call_view(9, "HARRIS9", CallState.ENDED, version=9))
        look.gone(9)
        look.stand(8, 10)

        window.press("\r")
        window.until(lambda: share(window.pixels(), 1) > 0.15, "a large picture of the call in focus")
        window.until(lambda: asks_for_large(server), "an image for the whole place is asked for")
        look.gone(*ALL[1:])
        window.press("q")
        look.stand(8, 10)

        window.press(".")  # the same, but chosen; then in fine cells
        feed.bands = True
        window.press(".")
        window.see("Pictures: fine colour (your choice)")
        window.until(lambda: _third(look), "the upper third of cells is darker")
        feed.bands = False

        window.press(".")
        window.see("Pictures: colour (your choice)")
        assert server.got(Boxes)[-1].boxes[0].mode == PictureMode.RGB
        look.stand(8, 10)
        assert not any(EMPTY in line for line in window.text()), "in cells, as there are no places for images"
        window.press("q")
        window.ended()
