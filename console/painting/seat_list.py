"""The list form of the wall: a row a seat, and under it the chosen one with its picture."""

from console.actions import together
from console.state import attention
from console.state.attention import Severity
from console.state.layout import LIST_PICTURE, Area
from console.state.media import CallMedia
from console.state.safe_text import fit, safe, sides
from console.state.tile_words import TileWords, tile_words
from console.state.wall import Wall
from schemas.media import Side

from .ink import SEVERITY_INK, Ink
from .meters import bar, number
from .strips import Part, Piece
from .tile import PictureView, picture_row
from .tile_view import Gallery, list_view, meters

Row = list[Part]
BARS = 3
"""Seconds of level in a row."""
FEWEST_SEATS = 4


def list_rows(
    wall: Wall,
    seats: list[int],
    chosen: int | None,
    turned: bool,
    gallery: Gallery,
    now_s: float,
    width: int,
    height: int,
) -> tuple[list[Row], PictureView]:
    """Exactly `height` rows of exactly `width` cells: a heading, `seats`, a rule, the chosen seat; and its picture,
    which is in the last rows."""
    room, below = _room(height)
    shown = seats_in_view(seats, chosen, height)
    blank: Row = [(" " * width, Ink.PLAIN)]
    rows: list[Row] = [[(_heading(width), Ink.FAINT)]]
    rows += [_row(wall, seat, seat == chosen, now_s, width) for seat in shown]
    rows += [blank] * (room - len(shown))
    picture = PictureView()
    if below:
        side = Side.ROOM if turned else Side.FAMILY
        rows.append([(_rule(wall, chosen, side, [s for s in seats if s not in shown], now_s, width), Ink.FAINT)])
        picture, age = list_view(wall, chosen, side, gallery, now_s) if chosen is not None else (picture, "")
        rows += _chosen(wall, chosen, picture, age, now_s, width)
    return rows, picture


def seats_in_view(seats: list[int], chosen: int | None, height: int) -> list[int]:
    """Those that have a row, from the one under the heading on."""
    room, _ = _room(height)
    at = seats.index(chosen) if chosen in seats else 0
    first = max(0, min(at - room // 2, len(seats) - room))
    return seats[first : first + room]


def _room(height: int) -> tuple[int, int]:
    """Rows for seats, and for the chosen one below them."""
    below = 1 + LIST_PICTURE[1]
    return (height - 1 - below, below) if height - 1 - below >= FEWEST_SEATS else (height - 1, 0)


def _heading(width: int) -> str:
    return sides(" #  NAME         STATE      WHAT  since or seen", "LEFT  FAMILY   ROOM     REC  ", width)


def _row(wall: Wall, seat: int, chosen: bool, now_s: float, width: int) -> Row:
    words = tile_words(wall, seat, now_s)
    call = wall.call_at(seat, now_s)
    levels = _levels(wall, wall.media_of(call) if call else None, seat, now_s)
    left = f"{'▶' if chosen else ' '}{fit(words.title, 15)} {fit(words.state.replace('LAPTOP LOST', 'LOST'), 10)} "
    right = f" {words.left.rjust(5)}  {levels}  {_recorded(words.recording)} "
    room = width - len(left) - len(right)
    end = words.attention_age or words.seen
    said = sides(words.attention, f" {end}" if end else "", room)
    ink = SEVERITY_INK[words.severity] if words.severity < Severity.NONE else Ink.STRONG if chosen else Ink.PLAIN
    plain = Ink.STRONG if chosen else Ink.PLAIN if words.has_call else Ink.FAINT
    return [(left, plain), (said, ink), (right, plain)]


def _recorded(recording: str) -> str:
    """The recording's state in four cells."""
    if "not known" in recording:
        return "?REC"
    return {"■": "■NOT", "●": "●REC", "○": "○NOT"}.get(recording[:1], " " * 4)


def _levels(wall: Wall, media: CallMedia | None, seat: int, now_s: float) -> str:
    dark = media is None or wall.dark(seat)
    said: list[str] = []
    for side in Side:
        level = None if media is None or dark else media.level(side, now_s)
        if media is None:
            said.append(" " * (BARS + 4))
        elif level is None:
            said.append(f"{bar(-1200) * BARS} off")
        else:
            said.append("".join(map(bar, list(media.levels[side].bars)[-BARS:])) + number(level))
    return "  ".join(said)


def _rule(wall: Wall, chosen: int | None, side: Side, hidden: list[int], now_s: float, width: int) -> str:
    """Whose picture stands below, and what the list has no room for."""
    what = ""
    if chosen is not None:
        words = tile_words(wall, chosen, now_s)
        room = safe(wall.seats[chosen].room) if words.has_call and chosen in wall.seats else ""
        what = " · ".join(filter(None, (f"{words.title} {words.number}".rstrip(), room)))
        if words.has_call:
            what += f" · {side.upper()} side"
    if hidden:
        calls = [call for seat in hidden if (call := wall.call_at(seat, now_s)) is not None]
        worst = [entry.severity for call in calls for entry in attention.of_call(wall, call, now_s)]
        said = " ".join(f"{s.glyph}{worst.count(s)}" for s in Severity if s is not Severity.NONE and s in worst)
        more = f"{len(hidden)} more seats ({together('move-down', 'move-up')})" + (f": {said}" if said else "")
        return sides(f"─ {what} ", f" {more} ─", width, "─")
    return sides(f"─ {what} " if what else "", "", width, "─")


def _chosen(wall: Wall, seat: int | None, picture: PictureView, age: str, now_s: float, width: int) -> list[Row]:
    columns, height = LIST_PICTURE
    beside = _beside(wall, seat, age, now_s) if seat is not None else []
    area = Area(0, 0, columns, height)
    rows: list[Row] = []
    for y in range(height):
        text, ink = beside[y] if y < len(beside) else ("", Ink.PLAIN)
        rows.append([*picture_row(y, picture, area), (fit(f"  {text}", width - columns), ink)])
    return rows


def _beside(wall: Wall, seat: int, age: str, now_s: float) -> list[Piece]:
    words: TileWords = tile_words(wall, seat, now_s)
    lines: list[Piece] = [(f"{words.state} {words.left}".rstrip(), Ink.STRONG)]
    call = wall.call_at(seat, now_s)
    ink = SEVERITY_INK[words.severity] if words.severity < Severity.NONE else Ink.PLAIN
    lines.append((f"{words.attention} {words.attention_age}".rstrip(), ink))
    if call is not None:
        lines += [(one, Ink.LOUD) for one in meters(wall, call, now_s)]
    lines += [
        (line, Ink.URGENT if not words.recorded and index == 0 else Ink.FAINT) for index, line in enumerate(words.lines)
    ]
    if age:
        lines.append((age, Ink.FAINT))
    return lines
