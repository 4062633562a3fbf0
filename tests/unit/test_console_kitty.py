"""Images by Kitty's protocol: whatever comes and goes, the terminal ends with what should stand, never over words."""

import random
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.painting.detail import HALF_BLOCKS, KITTY, detail_of
from console.painting.grid import Grid
from console.painting.image import EMPTY, Image, empty_rows, fitted_cells, greyed, image_of, open_rows
from console.painting.ink import Colours, Ink
from console.painting.kitty import LOST, Images
from console.painting.profile import Profile
from console.painting.tile import PictureView, picture_row
from console.state.layout import Area
from console.state.media import CallMedia
from laptop.media.picture_modes import png
from schemas.media import Box, Picture, PictureMode, Side
from tests.kitty_terminal import KittyTerminal

AREAS = [Area(1, 1, 10, 5), Area(14, 1, 8, 4), Area(1, 8, 10, 5)]
WIDTH, HEIGHT = 30, 16


def image(number: int, size: int = 1000) -> Image:
    return Image("f=100", random.Random(number).randbytes(size), 20, 10)


class Screen:
    """A grid whose picture places are empty, and the terminal that shows its images."""

    def __init__(self) -> None:
        self.grid, self.images, self.terminal = Grid(WIDTH, HEIGHT), Images(), KittyTerminal()
        self.hidden = np.zeros((HEIGHT, WIDTH), bool)
        for area in AREAS:
            self.clear(area)

    def clear(self, area: Area) -> None:
        for y, row in enumerate(empty_rows(area.width, area.height)):
            self.grid.put(area.y + y, [row], Colours.TRUE, area.x)

    def paint(self, budget: int | None = None, now_s: float = 0.0) -> str:
        text, _ = self.images.paint(lambda area: open_rows(self.grid.glyphs, self.hidden, area), budget, now_s)
        self.terminal.feed(text)
        return text

    def shown(self) -> dict[tuple[int, int, int, int, str], bytes]:
        """Where which data stand."""
        return {place: self.terminal.images[number][1] for number, place in self.terminal.placements.items()}


def whole(area: Area) -> tuple[int, int, int, int, str]:
    return area.x, area.y, area.width, area.height, ""


def test_a_picture_stands_and_the_next_one_takes_its_place_before_it_goes() -> None:
    screen, first, second = Screen(), image(1, 9000), image(2)
    screen.images.show(7, [(AREAS[0], first)], 0.0)
    screen.paint()
    assert screen.shown() == {whole(AREAS[0]): first.data} and not screen.images.behind
    assert screen.paint() == "", "what stands costs nothing"
    screen.images.show(7, [(AREAS[0], second)], 1.0)
    text = screen.paint()
    assert text.index("a=p") < text.index("a=d"), "there is no moment without a picture"
    assert screen.shown() == {whole(AREAS[0]): second.data}
    assert len(screen.terminal.images) == 1, "the terminal keeps nothing that is not shown"


def test_a_call_that_goes_takes_its_picture_with_it() -> None:
    screen = Screen()
    screen.images.show(7, [(AREAS[0], image(1)), (AREAS[1], image(2))], 0.0)
    screen.images.show(8, [(AREAS[2], image(3))], 0.0)
    screen.paint()
    assert len(screen.shown()) == 3
    screen.images.show(7, [(AREAS[0], image(1))], 0.0)
    screen.paint(0)
    assert set(screen.shown()) == {whole(AREAS[0]), whole(AREAS[2])}, "what must go needs no room"
    screen.images.clear()
    screen.paint(0)
    assert not screen.terminal.images and screen.images.idle


def test_rows_under_words_are_cut_off_and_come_back() -> None:
    screen = Screen()
    screen.images.show(7, [(AREAS[0], image(1))], 0.0)
    screen.paint()
    screen.grid.put(4, [("A PANEL OVER IT", Ink.PANEL)], Colours.TRUE)
    text = screen.paint()
    assert "a=t" not in text, "the picture is there: only another part of it is shown"
    assert set(screen.shown()) == {(1, 1, 10, 3, "0,0,20,6")}
    screen.clear(AREAS[0])
    screen.hidden[1:3, 4] = True
    screen.paint()
    assert set(screen.shown()) == {(1, 3, 10, 3, "0,4,20,6")}, "a toast over the upper rows"
    screen.hidden[:] = True
    screen.paint()
    assert not screen.terminal.images, "nothing of it is open"
    screen.hidden[:] = False
    screen.paint()
    assert set(screen.shown()) == {whole(AREAS[0])}


def test_it_is_not_placed_over_cells_that_the_terminal_still_shows_otherwise() -> None:
    screen = Screen()
    screen.grid.put(2, [("words that are not yet gone", Ink.PLAIN)], Colours.TRUE)
    screen.images.show(7, [(AREAS[0], image(1))], 0.0)
    screen.paint()
    assert [place[1] for place in screen.shown()] == [3], "below the words"


def test_pieces_fit_the_budget_and_the_one_that_waited_longest_goes_first() -> None:
    screen, images = Screen(), [image(n, 6000) for n in range(3)]
    for owner, area in enumerate(AREAS):
        screen.images.show(owner, [(area, images[owner])], 0.0)
    step, came = 0, dict[int, int]()
    while step < 200:
        step += 1
        assert len(screen.paint(700, step)) < 1300
        for owner, area in enumerate(AREAS):
            if owner not in came and whole(area) in screen.shown():
                came[owner] = step
        if 0 in came:
            screen.images.show(0, [(AREAS[0], image(step, 6000))], step)  # it changes all the time
        elif step > 5:
            assert screen.images.behind and screen.images.waiting_s(step) == step - 1, "since they could be seen"
        if len(came) == len(AREAS):
            break
    assert list(came) == [0, 1, 2], "one that changes often does not starve the others"


def test_one_that_is_covered_while_it_is_sent_is_given_up() -> None:
    screen = Screen()
    screen.images.show(7, [(AREAS[0], image(1, 3000))], 0.0)
    screen.paint(600)
    assert screen.images.behind
    screen.hidden[:] = True
    screen.paint(600)
    assert not screen.terminal.images
    screen.hidden[:] = False
    screen.paint()
    assert len(screen.shown()) == 1


def test_another_screen_takes_all_away_at_once_and_a_cut_line_too() -> None:
    screen = Screen()
    screen.images.show(7, [(AREAS[0], image(1, 3000))], 0.0)
    screen.images.show(8, [(AREAS[1], image(2, 3000))], 0.0)
    screen.paint(4500)
    screen.terminal.feed(screen.images.leave())
    assert not screen.terminal.images
    screen.paint()
    assert len(screen.shown()) == 2
    screen.terminal.feed(LOST)
    screen.images.forget()
    screen.paint()
    assert len(screen.shown()) == 2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), budgets=st.lists(st.sampled_from([None, 0, 300, 900, 5000]), max_size=12))
def test_whatever_happens_it_ends_as_it_should(seed: int, budgets: list[int | None]) -> None:
    rng, screen = random.Random(seed), Screen()
    wanted: dict[int, list[tuple[Area, Image]]] = {}
    for now_s, budget in enumerate(budgets):
        owner = rng.randrange(3)
        pictures = [(AREAS[owner], image(now_s, rng.choice((10, 900, 6000))))] * (rng.random() < 0.8)
        wanted[owner] = pictures
        screen.images.show(owner, pictures, now_s)
        screen.hidden[:] = False
        if rng.random() < 0.4:
            y, x = rng.randrange(HEIGHT), rng.randrange(WIDTH)
            screen.hidden[y : y + 5, x : x + 12] = True
        screen.paint(budget, now_s)
        for x, y, width, height, _ in screen.terminal.placements.values():
            assert not screen.hidden[y : y + height, x : x + width].any(), "never over what lies above"
    screen.hidden[:] = False
    screen.paint()
    assert screen.shown() == {whole(area): one.data for pictures in wanted.values() for area, one in pictures}
    assert len(screen.terminal.images) == len(screen.terminal.placements) and screen.terminal.most_images <= 4


def picture(mode: PictureMode = PictureMode.PNG, width: int = 16, height: int = 8) -> Picture:
    rgb = np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)
    data = png(rgb) if mode is PictureMode.PNG else rgb.tobytes()
    return Picture("call-1", Side.FAMILY, 0, 83, 36, width, height, data, mode)


def test_a_laptops_png_goes_as_it_came_and_an_old_one_grey() -> None:
    one = picture()
    assert image_of(one, False).data == one.pixels and image_of(one, False).form == "f=100"
    grey = image_of(one, True).data
    assert grey != one.pixels and len(grey) == len(one.pixels)
    at = grey.index(b"PLTE")
    end = at + 4 + int.from_bytes(grey[at - 4 : at])
    palette = np.frombuffer(grey[at + 4 : end], np.uint8).reshape(-1, 3)
    assert (palette == palette[:, :1]).all() and palette.max() < 180
    assert int.from_bytes(grey[end : end + 4]) == zlib.crc32(grey[at:end])
    before = one.pixels.index(b"IDAT")
    assert grey[before:] == one.pixels[before:]


@pytest.mark.parametrize("cut", [0, 5, 40, 70, 200])
def test_a_broken_png_is_never_an_error(cut: int) -> None:
    assert isinstance(greyed(picture().pixels[:cut]), bytes)


def test_an_older_laptops_rgb_is_pressed() -> None:
    one = picture(PictureMode.RGB)
    made = image_of(one, False)
    assert made.form == "f=24,s=16,v=8,o=z" and zlib.decompress(made.data) == one.pixels
    grey = np.frombuffer(zlib.decompress(image_of(one, True).data), np.uint8).reshape(-1, 3)
    assert (grey == grey[:, :1]).all()


def test_a_png_that_says_another_size_is_not_shown() -> None:
    media = CallMedia()
    one = picture()
    assert media.take_picture(one, 1.0)
    for bad in (b"", b"GIF89a", one.pixels[:20], png(np.zeros((9, 16, 3), np.uint8))):
        wrong = Picture(one.call_id, one.side, 0, 83, 36, 16, 8, bad, PictureMode.PNG)
        assert not media.take_picture(wrong, 1.0)


@pytest.mark.parametrize(
    ("size", "place", "cells"),
    [
        ((64, 36), (32, 7), (25, 7)),
        ((64, 36), (32, 20), (32, 9)),
        ((36, 64), (32, 9), (10, 9)),
        ((2, 640), (3, 1), (1, 1)),
    ],
)
def test_a_picture_keeps_its_shape(size: tuple[int, int], place: tuple[int, int], cells: tuple[int, int]) -> None:
    assert fitted_cells(*size, *place) == cells


def test_an_image_never_lies_over_its_label() -> None:
    place = Area(3, 2, 20, 6)
    view = PictureView(empty_rows(10, 5), " OLD 7 s ", Ink.ALERT, image=image(1))
    [(area, _)] = view.images(place)
    assert area == Area(8, 3, 10, 4)
    row = picture_row(0, view, place)
    assert (" OLD 7 s ", Ink.ALERT) in row
    grid = Grid(30, 10)
    for y in range(place.height):
        grid.put(place.y + y, picture_row(y, view, place), Colours.TRUE, place.x)
    shown = grid.glyphs[area.y : area.y + area.height, area.x : area.x + area.width]
    assert (shown == ord(EMPTY)).all()
    assert not PictureView(instead="no picture").images(place)


def test_what_is_asked_for() -> None:
    tile = Area(0, 0, 32, 7)
    assert detail_of(Profile.KITTY).box(Side.FAMILY, tile) == Box(Side.FAMILY, 83, 36, PictureMode.PNG)
    assert KITTY.box(Side.ROOM, Area(0, 0, 98, 28), per_s=10).per_s == 5
    assert detail_of(Profile.GREY).box(Side.ROOM, tile) == Box(Side.ROOM, 32, 14)
    assert KITTY.shows_a_face(tile) and not HALF_BLOCKS.shows_a_face(tile)
    assert KITTY.size(Area(0, 0, 15, 4)) == (39, 32) and KITTY.size(Area(0, 0, 400, 300)) == (640, 640)
