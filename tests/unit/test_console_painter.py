"""Whatever is put, in whatever order and within whatever budget it is painted: the terminal ends as the grid says."""

import random

import numpy as np
import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.painting.grid import METER, PICTURE, TEXT, Grid
from console.painting.halfblocks import of_pixels
from console.painting.ink import Colours, Ink
from console.painting.painter import Painter
from console.painting.strips import Gap, Row
from console.painting.themes import Theme, wear, worn
from console.state.layout import Area
from tests.screen_rig import wrong_cells

WIDTH, HEIGHT = 40, 12
TEXTS = ("", "HARRIS", "a longer text that may be cut", "中文", "  ", "▂▅▆", "R −22", "ł")


class Shown:
    def __init__(self, colours: Colours = Colours.TRUE) -> None:
        self.painter = Painter(colours)
        self.painter.resize(WIDTH, HEIGHT)
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)

    def paint(self, now_s: float, budget: int | None = None) -> int:
        encoder = self.painter.paint(now_s, budget)
        if encoder is None:
            return 0
        self._stream.feed(encoder.text())
        assert encoder.size + 3 == len(encoder.text().encode())
        return encoder.size


def random_row(rng: random.Random) -> Row:
    row: list = []
    for _ in range(rng.randrange(4)):
        if rng.random() < 0.4:
            pixels = np.array([rng.choice((0, 90, 200)) for _ in range(2 * 8 * 3)], np.uint8).reshape(2, 8, 3)
            row += of_pixels(pixels, Colours.TRUE)
        else:
            row.append((rng.choice(TEXTS), rng.choice(list(Ink))))
    return row


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), budgets=st.lists(st.sampled_from([None, 1, 60, 400, 3000]), min_size=1, max_size=6))
def test_the_terminal_ends_as_the_grid_says(seed: int, budgets: list[int | None]) -> None:
    rng, shown = random.Random(seed), Shown()
    shown.painter.places = [Area(0, 0, 8, 4), Area(20, 4, 10, 6)]
    for now_s, budget in enumerate(budgets):
        for _ in range(rng.randrange(6)):
            shown.painter.put({rng.randrange(HEIGHT): random_row(rng)}, rng.randrange(WIDTH))
        shown.painter.cover({rng.randrange(HEIGHT): random_row(rng)} if rng.random() < 0.3 else {})
        shown.paint(now_s, budget)
        assert not wrong_cells(shown.screen, shown.painter.seen), "what is believed to be seen is seen"
    for now_s in range(100, 400):
        if not shown.paint(now_s, 200):
            break
    shown.paint(1000)
    assert not shown.painter.changed().any() and not wrong_cells(shown.screen, shown.painter.seen)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_that_are_passed_over_stand_there_already(seed: int) -> None:
    """Few rows and places, so that they overlap and come again; the plain grid draws each of them."""
    rng, painter, plain = random.Random(seed), Painter(Colours.TRUE), Grid(WIDTH, HEIGHT)
    painter.resize(WIDTH, HEIGHT)
    rows = [[*random_row(rng), ("中", Ink.PLAIN)] for _ in range(4)]
    for _ in range(30):
        x, y, row = rng.choice((0, 3, 11, 30)), rng.randrange(2), list(rng.choice(rows))
        if row and rng.random() < 0.5:
            row[rng.randrange(len(row))] = rng.choice(row)
        painter.put({y: row}, x)
        plain.put(y, row, Colours.TRUE, x)
        assert not painter.wanted.differs(plain).any() and (painter.wanted.kinds == plain.kinds).all()


def test_what_a_gap_holds_stays_while_the_rest_of_its_row_changes() -> None:
    shown = Shown()
    for name in ("HARRIS", "OKAFOR"):
        shown.painter.put({1: [(f"{name} ", Ink.PLAIN), Gap(3, Ink.LOUD), (" REC", Ink.PLAIN)]})
        if name == "HARRIS":
            shown.painter.rewrite(np.arange(3) + WIDTH + 7, "▂▅▆")
        shown.paint(1.0)
        assert shown.screen.display[1].startswith(f"{name} ▂▅▆ REC")
    assert (shown.painter.seen.kinds[1, 6:11] == [TEXT, METER, METER, METER, TEXT]).all()
    shown.painter.put({1: [("LONGER NAMES ", Ink.PLAIN), Gap(3, Ink.LOUD)]})
    shown.paint(2.0)
    assert shown.screen.display[1].startswith("LONGER NAMES    "), "a gap that has moved is blank"


def test_another_theme_is_drawn_though_the_words_are_the_same() -> None:
    shown = Shown()
    before = worn()
    try:
        for theme in (Theme.DARK, Theme.LIGHT):
            wear(theme)
            shown.painter.put({1: [("HARRIS", Ink.PLAIN)]})
            assert shown.paint(1.0)
    finally:
        wear(before)


def picture(level: int, width: int = 8, height: int = 8) -> list[Row]:
    rng = np.random.default_rng(level)
    return [[row] for row in of_pixels(rng.integers(0, 255, (height, width, 3), np.uint8), Colours.TRUE)]


def test_text_goes_first_then_meters_then_the_picture_that_waited_longest() -> None:
    shown = Shown()
    painter = shown.painter
    painter.places = [Area(0, 0, 8, 4), Area(10, 0, 8, 4)]
    for x, level in ((0, 1), (10, 2)):
        painter.put(dict(enumerate(picture(level))), x)
    painter.put({5: [("F ▂▅▆ −22", Ink.LOUD)], 6: [("HARRIS", Ink.PLAIN)]})
    shown.paint(1.0, 1)
    assert "HARRIS" in shown.screen.display[6] and "−22" not in shown.screen.display[5]
    shown.paint(2.0, 40)
    assert "−22" in shown.screen.display[5]
    first = [at for at in (0, 10) if "▀" in shown.screen.display[0][at : at + 8]]
    order: list[int] = []
    for now_s in range(3, 60):
        before = painter.changed()
        if not shown.paint(now_s, 60):
            break
        order += [0 if x < 10 else 10 for x in np.nonzero(before & ~painter.changed())[1][:1].tolist()]
    assert order == sorted(order, key=lambda at: (at not in first and at != order[0], at)), "one is finished first"
    painter.put(dict(enumerate(picture(3))), 0)
    painter.put(dict(enumerate(picture(4))), 10)
    before = painter.changed()
    shown.paint(60.0, 60)
    xs = np.nonzero(before & ~painter.changed())[1]
    assert len(xs) and set((xs >= 10).tolist()) == {order[0] == 10}, "the one that was painted earlier comes first"


def test_a_picture_that_changes_faster_than_the_line_takes_does_not_starve_the_others() -> None:
    shown = Shown()
    painter = shown.painter
    painter.places = [Area(0, 0, 8, 4), Area(10, 0, 8, 4)]
    painted = {0: 0, 10: 0}
    for step in range(120):
        painter.put(dict(enumerate(picture(step))), 0)
        painter.put(dict(enumerate(picture(step + 500))), 10)
        before = painter.changed()
        shown.paint(float(step), 100)
        for x in np.nonzero(before & ~painter.changed())[1].tolist():
            painted[0 if x < 10 else 10] += 1
    assert min(painted.values()) > 0.6 * max(painted.values()), painted


@pytest.mark.parametrize("colours", list(Colours))
def test_what_is_as_before_costs_nothing(colours: Colours) -> None:
    shown = Shown(colours)
    row: Row = [("HARRIS ", Ink.STRONG), *of_pixels(np.full((2, 8, 3), 90, np.uint8), colours), ("中", Ink.URGENT)]
    shown.painter.put({3: row})
    assert shown.paint(1.0)
    shown.painter.put({3: row})
    assert not shown.paint(2.0)


def test_a_cover_lies_over_everything_and_what_was_under_it_comes_back() -> None:
    shown = Shown()
    shown.painter.put({2: [("under", Ink.PLAIN)]})
    shown.painter.cover({2: [("A PANEL", Ink.PANEL)]})
    shown.paint(1.0)
    assert shown.screen.display[2].startswith("A PANEL")
    shown.painter.put({2: [("UNDER", Ink.PLAIN)]})
    shown.painter.cover({})
    shown.paint(2.0)
    assert shown.screen.display[2].rstrip() == "UNDER"


def test_hidden_cells_are_left_alone() -> None:
    shown = Shown()
    hidden = np.zeros((HEIGHT, WIDTH), bool)
    hidden[1, :3] = True
    shown.painter.put({1: [("abcdef", Ink.PLAIN)]})
    encoder = shown.painter.paint(1.0, None, hidden)
    assert encoder is not None and "abc" not in encoder.text() and "def" in encoder.text()
    assert shown.paint(2.0) and "abc" in shown.screen.display[1]


def test_a_grid_cuts_at_its_edges() -> None:
    grid = Grid(5, 2)
    grid.put(0, [("abc", Ink.PLAIN), *of_pixels(np.zeros((2, 8, 3), np.uint8), Colours.TRUE)], Colours.TRUE)
    grid.put(7, [("abc", Ink.PLAIN)], Colours.TRUE)
    grid.put(1, [("abcdefgh", Ink.PLAIN)], Colours.TRUE, 3)
    assert grid.kinds[0].tolist() == [0, 0, 0, PICTURE, PICTURE] and chr(grid.glyphs[1, 4]) == "b"
