"""Cells of four and six pixels: each is drawn in the two colours, and the pattern, that are nearest to its picture."""

import unicodedata
from itertools import combinations

import numpy as np
import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.painting.detail import FINE, HALF_BLOCKS
from console.painting.halfblocks import PictureRow
from console.painting.ink import Colours
from console.painting.mosaic import QUADRANTS, SEXTANTS, Mosaic, held, rows, samples
from console.painting.painter import Painter
from console.painting.profile import Profile
from console.painting.tile_view import Gallery
from console.painting.tone import twelve_bits
from console.state.layout import Area
from console.state.media import Shown
from schemas.media import Box, Picture, Side

BOTH = pytest.mark.parametrize("mosaic", [QUADRANTS, SEXTANTS], ids=["quadrants", "sextants"])
PARTS = {"UPPER LEFT": 1, "UPPER RIGHT": 2, "LOWER LEFT": 4, "LOWER RIGHT": 8}


def seen(made: list[PictureRow], mosaic: Mosaic) -> np.ndarray:
    """(rows, columns, pixels, 3): what an eye sees of the cells."""
    cells = [
        [
            [ink if mosaic.glyphs.index(glyph) >> bit & 1 else paper for bit in range(mosaic.pixels)]
            for glyph, ink, paper in row.cells()
        ]
        for row in made
    ]
    values = np.array(cells)
    return np.stack([values >> 16, values >> 8 & 255, values & 255], axis=-1)


def test_the_characters_are_what_unicode_says() -> None:
    assert len(set(QUADRANTS.glyphs)) == 16 and len(set(SEXTANTS.glyphs)) == 64
    sextants = quadrants = 0
    for number, glyph in enumerate(SEXTANTS.glyphs):
        name = unicodedata.name(glyph)
        if name.startswith("BLOCK SEXTANT-"):
            sextants += 1
            assert number == sum(1 << int(digit) - 1 for digit in name.removeprefix("BLOCK SEXTANT-"))
    for number, glyph in enumerate(QUADRANTS.glyphs):
        name = unicodedata.name(glyph)
        if name.startswith("QUADRANT "):
            quadrants += 1
            parts = name.removeprefix("QUADRANT ").replace(" AND ", "+").split("+")
            assert number == sum(PARTS[part] for part in parts), name
    assert (quadrants, sextants) == (10, 60)


@BOTH
@given(seed=st.integers(0, 2**32))
def test_no_other_pattern_of_two_colours_is_nearer(mosaic: Mosaic, seed: int) -> None:
    cells = np.random.default_rng(seed).integers(0, 256, (1, 3, mosaic.pixels, 3), np.uint8)
    shown = seen(rows(cells, mosaic), mosaic)
    for cell, drawn in zip(cells[0].astype(float), shown[0], strict=True):
        best = min(
            _error(cell, list(inside))
            for count in range(1, mosaic.pixels + 1)
            for inside in combinations(range(mosaic.pixels), count)
        )
        # Colours of twelve bits are up to 8 away from what they are in each channel.
        assert ((cell - drawn) ** 2).sum() <= (best**0.5 + 8 * (3 * mosaic.pixels) ** 0.5) ** 2


def _error(cell: np.ndarray, inside: list[int]) -> float:
    outside = [n for n in range(len(cell)) if n not in inside]
    parts = [cell[part] for part in (inside, outside) if part]
    return float(sum(((part - part.mean(0)) ** 2).sum() for part in parts))


@BOTH
def test_two_colours_are_drawn_exactly_and_one_is_a_blank(mosaic: Mosaic) -> None:
    dark, light = twelve_bits(np.array([[20, 40, 60], [200, 180, 30]], np.uint8))
    for pattern in range(1 << mosaic.pixels):
        bits = np.array([pattern >> n & 1 for n in range(mosaic.pixels)])
        cell = np.where(bits[:, None] == 1, light, dark).astype(np.uint8)[None, None]
        [row] = rows(cell, mosaic)
        assert (seen([row], mosaic)[0, 0] == cell[0, 0]).all()
        assert (chr(row.glyphs[0]) == " ") == (pattern in (0, (1 << mosaic.pixels) - 1))


@BOTH
def test_an_old_picture_is_grey_and_darker(mosaic: Mosaic) -> None:
    cells = np.random.default_rng(1).integers(0, 256, (4, 5, mosaic.pixels, 3), np.uint8)
    shown = seen(rows(cells, mosaic, old=True), mosaic)
    assert (shown == shown[..., :1]).all() and shown.max() <= 180


@BOTH
def test_a_picture_of_an_odd_size_keeps_its_shape_and_its_mean(mosaic: Mosaic) -> None:
    cells = samples(np.full((7, 9, 3), 96, np.uint8), mosaic)
    assert cells.shape == (2, 5, mosaic.pixels, 3)
    assert (cells[0, :4] == 96).all() and (cells[1, 4, -1] == 0).all()
    noise = np.random.default_rng(2).integers(0, 256, (8, 10, 3), np.uint8)
    assert abs(samples(noise, mosaic).mean() - noise.mean()) < 1


@BOTH
def test_noise_costs_nothing_and_a_movement_shows(mosaic: Mosaic) -> None:
    rng = np.random.default_rng(3)
    still = np.full((3, 4, mosaic.pixels, 3), 120, np.uint8)
    shown = still
    for _ in range(20):
        shown = held(still + rng.integers(0, 8, still.shape, np.uint8), shown, 32)
        assert (shown == still).all()
    moved = still.copy()
    moved[1, 2, 0] = 200
    assert (held(moved, shown, 32) == moved).all() and (held(moved[:2], shown, 32) == moved[:2]).all()


@BOTH
def test_the_terminal_shows_what_the_grid_says_whichever_of_two_opposites_is_sent(mosaic: Mosaic) -> None:
    rng, painter, screen = np.random.default_rng(4), Painter(Colours.TRUE), pyte.Screen(12, 4)
    painter.resize(12, 4)
    stream = pyte.Stream(screen)
    opposites = 0
    for _ in range(6):
        cells = rng.choice(np.array([40, 120, 216], np.uint8), (4, 12, mosaic.pixels, 1)).repeat(3, axis=3)
        made = rows(cells, mosaic)
        painter.put({y: [row] for y, row in enumerate(made)})
        encoder = painter.paint(1.0)
        assert encoder is not None
        stream.feed(encoder.text())
        wanted = seen(made, mosaic)
        for y in range(4):
            for x in range(12):
                cell = screen.buffer[y][x]
                number = mosaic.glyphs.index(cell.data)
                opposites += number >= len(mosaic.glyphs) // 2
                told = [cell.fg if number >> bit & 1 else cell.bg for bit in range(mosaic.pixels)]
                assert told == [bytes(pixel.tolist()).hex() for pixel in wanted[y, x]]
    assert opposites, "where they are shorter"


def test_what_fine_colour_asks_for_and_shows() -> None:
    tile = Area(0, 0, 32, 7)
    assert FINE.box(Side.FAMILY, tile) == Box(Side.FAMILY, 64, 28)
    assert FINE.fits(50, 28, tile) and not FINE.fits(50, 29, tile) and HALF_BLOCKS.fits(25, 14, tile)
    assert not FINE.shows_a_face(tile), "more detail in two colours a cell is not more of a face"
    assert FINE.shows_a_face(Area(0, 0, 48, 13)) and HALF_BLOCKS.shows_a_face(Area(0, 0, 48, 13))
    gallery = Gallery(Colours.TRUE)
    gallery.show_as(Colours.TRUE, Profile.FINE, SEXTANTS)
    pixels = np.random.default_rng(5).integers(0, 256, (28, 50, 3), np.uint8)
    shown = Shown(Picture("call-1", Side.FAMILY, 0, 64, 28, 50, 28, pixels.tobytes()), 0.0)
    made = gallery.cells("call-1", Side.FAMILY, True, shown, False, 0.0)
    assert len(made) == 7 and made[0].width == 25
    assert any(chr(glyph) > "\U0001fb00" for row in made for glyph in row.glyphs)
