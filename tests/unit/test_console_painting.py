"""Pictures, meters and rows as cells."""

import pytest

from console.painting.bars import cut, message_row, panel_rows, strip
from console.painting.halfblocks import labelled, rows
from console.painting.ink import INDEXED, NO_COLOUR, Colours, Ink
from console.painting.meters import CELLS, meter, number
from console.painting.strips import part_width
from console.painting.tile import PictureView, TileView, tile_row
from console.state.acts import Acts
from console.state.attention import Severity
from console.state.layout import tile
from console.state.media import SideLevel
from console.state.panels import FlagPanel
from console.state.safe_text import cell_width
from console.state.tile_words import TileWords
from demo.wall import METER
from schemas.media import Side

from .test_console_state import NOW_S, call

RED, GREEN = bytes((255, 0, 0)), bytes((0, 255, 0))


def test_a_cell_is_two_pixels() -> None:
    (row,) = rows(RED * 2 + GREEN * 2, 2, 2, Colours.TRUE)
    assert row.cells() == [("▀", 0xFF0000, 0x00FF00)] * 2


def test_an_odd_height_ends_in_black_and_is_not_stretched() -> None:
    made = rows(RED * 3, 1, 3, Colours.TRUE)
    assert [row.cells() for row in made] == [[("▀", 0xFF0000, 0xFF0000)], [("▀", 0xFF0000, 0)]]


def test_an_old_picture_is_grey_and_darker() -> None:
    (row,) = rows(bytes((200, 100, 50)) * 2, 1, 2, Colours.TRUE, grey=True)
    ((_, colour, _),) = row.cells()
    assert colour >> 16 == colour >> 8 & 255 == colour & 255 < 125


def test_256_colours_use_the_grey_ramp_only() -> None:
    (row,) = rows(RED + GREEN + bytes(6), 2, 2, Colours.INDEXED)
    assert {colour - INDEXED for _, *both in row.cells() for colour in both} <= set(range(232, 256))


def test_without_colour_brightness_is_shade() -> None:
    (row,) = rows(bytes(3) + b"\xff" * 3 + bytes(3) + b"\xff" * 3, 2, 2, Colours.NONE)
    assert row.cells() == [(" ", NO_COLOUR, NO_COLOUR), ("█", NO_COLOUR, NO_COLOUR)]


@pytest.mark.parametrize("colours", list(Colours))
def test_a_label_takes_the_first_cells(colours: Colours) -> None:
    (row,) = rows(RED * 20, 10, 2, colours)
    text, rest = labelled(row, " OLD ")
    assert (text, rest.width, len(rest.cells())) == (" OLD ", 5, 5)
    assert labelled(row, "longer than the row")[0] == "longer tha"


def test_meters_have_the_form_that_the_demo_reads() -> None:
    level = SideLevel()
    level.add(-223, 1)
    text = meter(Side.FAMILY, level, level.now)
    assert len(text) == CELLS and text.endswith(" −22")
    found = METER.search(f" {text} ")
    assert found and (found[1], found[2]) == ("F", "−22")
    assert meter(Side.ROOM, level, None) == "R ▁▁▁▁▁▁▁  off" and METER.search(meter(Side.ROOM, level, None))


def test_numbers_are_whole_dbfs_in_four_cells() -> None:
    assert [number(n) for n in (-1200, -225, -224, -4, 0, 30)] == ["−120", " −23", " −22", "   0", "   0", "   3"]


def words(**changes: object) -> TileWords:
    fields: dict[str, object] = {
        "title": "02 OKAFOR", "number": "A1234BC", "state": "◌ WAITING", "left": "19:59", "severity": Severity.NONE,
        "paused": False, "attention": "Nothing to report", "attention_age": "", "lines": ("● REC 1 s", "Carol"),
        "recording": "● REC 1 s", "recorded": True, "has_call": True,
    }  # fmt: skip
    return TileWords(**fields | changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("width", "height"), [(66, 26), (67, 18), (50, 18), (40, 16), (33, 9), (30, 11), (26, 10), (20, 5)]
)
@pytest.mark.parametrize("chosen", [True, False])
def test_every_row_of_a_tile_is_as_wide_as_the_tile(width: int, height: int, chosen: bool) -> None:
    parts = tile(width, height)
    large = rows(RED * (parts.large.width * 8), parts.large.width, 8, Colours.TRUE) if parts.large.height >= 4 else ()
    pictures = (PictureView(tuple(large), " ROOM "), PictureView(instead="no picture for 18 s", hatched=True))
    for picture in pictures:
        for long in ("", "very long " * 20):
            view = TileView(
                words(attention=long or "x", lines=(long,) * 3), chosen, picture, PictureView(instead="ROOM"),
                "picture 0.3 s", (long,) * 3,
            )  # fmt: skip
            for y in range(height):
                row = tile_row(y, view, parts, width, height)
                cells = sum(map(part_width, row))
                assert cells == width, (y, row)


def test_a_title_keeps_seat_name_and_state_and_drops_number_and_time_first() -> None:
    def title(width: int) -> str:
        view = TileView(words(), False, PictureView(), PictureView(), "", ())
        return "".join(
            str(part[0]) for part in tile_row(0, view, tile(width, 10), width, 10) if isinstance(part, tuple)
        )

    assert title(50).startswith("┌ 02 OKAFOR A1234BC ─") and "◌ WAITING 19:59" in title(50)
    assert title(33).startswith("┌ 02 OKAFOR ─") and "◌ WAITING 19:59" in title(33)
    assert "◌ WAITING" in title(26) and "19:59" not in title(26)
    assert title(20).startswith("┌ 02 OKAFOR ") and "◌" in title(20)


def test_bars_are_as_wide_as_the_screen() -> None:
    for width in (60, 80, 120, 200):
        for row in panel_rows(FlagPanel(call(), NOW_S, 0).view(), width):
            assert sum(cell_width(text) for text, _ in row) == width
        for row in strip([], width, 4, True):
            assert sum(cell_width(text) for text, _ in row) == width
        assert sum(cell_width(text) for text, _ in message_row(Acts(), "x" * 300, NOW_S, False, width)) == width
    assert (
        cut([("中文", Ink.PLAIN)], 3) == [("中", Ink.PLAIN), (" ", Ink.PLAIN)]
        or cell_width(cut([("中文", Ink.PLAIN)], 3)[0][0]) == 3
    )


def test_before_the_server_has_spoken_nothing_is_said_to_be_well() -> None:
    assert not any("Nothing needs you" in text for row in strip([], 120, 3, False) for text, _ in row)
