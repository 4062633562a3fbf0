"""Where everything stands: which grid a screen has room for, and what a tile has room for. Cells, from the top left."""

from dataclasses import dataclass
from math import ceil

LEAST_COLUMNS, LEAST_ROWS = 60, 20
SIDE_CELLS = 15
"""Width of the small picture beside or under the large one."""
BOTTOM_ROWS = 2
"""Message row and footer."""
LIST_BELOW_COLUMNS, LIST_BELOW_ROWS = 100, 30
"""A smaller screen has the seats as a list of words, with the chosen one's picture below it."""
LIST_PICTURE = 32, 9
"""Columns and rows of that picture."""


@dataclass(frozen=True)
class Area:
    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(frozen=True)
class Grid:
    """`tiles` in the order of the seats; empty when the seats are a list (`as_list`) or the screen is `too_small`."""

    header_rows: int
    strip_rows: int
    area: Area
    tiles: tuple[Area, ...]
    as_list: bool
    too_small: bool


@dataclass(frozen=True)
class TileParts:
    """Parts of a tile, relative to its corner. A picture of no width is not shown."""

    framed: bool
    large: Area
    small: Area
    meters_y: int
    meters_stacked: bool
    """F and R one under the other, where they don't fit side by side."""
    words: Area
    side_words: Area
    """Beside the large picture, under the small one."""


def too_small(columns: int, rows: int) -> bool:
    """Nothing is made for a screen of this size."""
    return columns < LEAST_COLUMNS or rows < LEAST_ROWS


def grid(columns: int, rows: int, seats: int, as_list: bool = False) -> Grid:
    """Tiles as in the table of screens for 200×60 and 120×40; any other size gets the largest pictures.

    `as_list`: the list, also where there is room for tiles.
    """
    whole = Area(0, 0, columns, rows)
    if too_small(columns, rows):
        return Grid(0, 0, whole, (), False, True)
    if columns < LIST_BELOW_COLUMNS or rows < LIST_BELOW_ROWS:
        return Grid(1, 0, Area(0, 1, columns, rows - 1 - BOTTOM_ROWS), (), True, False)
    header_rows = 2
    strip_rows = 4 if rows >= 50 else 3 if rows >= 34 else 2
    top = header_rows + strip_rows
    area = Area(0, top, columns, rows - top - BOTTOM_ROWS)
    across = 0 if as_list else _across(area, max(1, seats))
    if across == 0:
        return Grid(header_rows, 0, Area(0, header_rows, columns, rows - header_rows - BOTTOM_ROWS), (), True, False)
    down = ceil(max(1, seats) / across)
    width, height = area.width // across, area.height // down
    spare_x, spare_y = area.width - across * width, area.height - down * height
    tiles: list[Area] = []
    for seat in range(seats):
        row, column = divmod(seat, across)
        x = column * width + min(column, spare_x)
        y = area.y + row * height + min(row, spare_y)
        tiles.append(Area(x, y, width + (column < spare_x), height + (row < spare_y)))
    return Grid(header_rows, strip_rows, area, tuple(tiles), False, False)


def _across(area: Area, seats: int) -> int:
    """Tiles beside each other; 0 when no tile would be large enough to be read."""
    best, chosen = 0.0, 0
    most = 3 if (seats <= 9 and area.width >= 160) or seats <= 6 else 4 if seats <= 16 else 6
    for across in range(1, most + 1):
        width, height = area.width // across, area.height // ceil(seats / across)
        if width < 20 or height < 5:
            continue
        large = tile(width, height).large
        # The height that a 16:9 picture really uses; a tile without a picture still beats a list.
        value = 1 + min(large.width, large.height * 32 / 9) * min(large.height, large.width * 9 / 32)
        if value > best:
            best, chosen = value, across
    return chosen


def tile(width: int, height: int) -> TileParts:
    """What a tile of this size holds."""
    framed = width >= 36 and height >= 12
    x = 1 if framed else 0
    inner = width - 2 if framed else width - 1
    below = height - (2 if framed else 1)
    stacked = inner < 29
    meter_rows = 2 if stacked else 1
    room = below - meter_rows
    nothing = Area(0, 0, 0, 0)
    if room < 4 or inner < 20:
        y = 1
        words = Area(x, y + meter_rows, inner, max(0, room))
        return TileParts(framed, nothing, nothing, y, stacked, words, nothing)

    def picture_rows(cells: int, words: int) -> int:
        return max(0, min(ceil(cells * 9 / 32), room - words))

    beside_width, beside_rows = 0, 0
    if inner >= 44:
        beside_rows = picture_rows(inner - SIDE_CELLS - 1, 2)
        beside_width = min(inner - SIDE_CELLS - 1, ceil(beside_rows * 32 / 9))
    full_rows = picture_rows(inner, 5 if inner >= 44 else 2 if room >= 8 else 1)
    full_size = min(inner, full_rows * 32 / 9) * full_rows
    if beside_rows and beside_width * beside_rows >= full_size:
        large = Area(x, 1, beside_width, beside_rows)
        side_x, side_width = x + beside_width + 1, inner - beside_width - 1
        small_rows = min(ceil(side_width * 9 / 32), max(4, beside_rows // 2), beside_rows)
        small = Area(side_x, 1, side_width, small_rows)
        side_words = Area(side_x, 1 + small_rows, side_width, beside_rows - small_rows)
        meters_y = 1 + beside_rows
        words = Area(x, meters_y + meter_rows, inner, room - beside_rows)
        return TileParts(framed, large, small, meters_y, stacked, words, side_words)
    large = Area(x, 1, inner, full_rows)
    meters_y = 1 + full_rows
    words = Area(x, meters_y + meter_rows, inner, room - full_rows)
    small = nothing
    if inner >= 44 and words.height >= 4:
        small = Area(x + inner - SIDE_CELLS, words.y, SIDE_CELLS, min(words.height, 5))
        words = Area(x, words.y, inner - SIDE_CELLS - 1, words.height)
    return TileParts(framed, large, small, meters_y, stacked, words, nothing)
