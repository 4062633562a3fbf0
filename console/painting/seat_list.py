"""The seats as a list of words, where the screen has no room for tiles."""

from console.state.media import CallMedia
from console.state.safe_text import fit, sides
from console.state.tile_words import tile_words
from console.state.wall import Wall
from schemas.media import Side

from .ink import SEVERITY_INK, Ink
from .meters import number
from .strips import Piece


def seat_rows(wall: Wall, chosen: int | None, now_s: float, width: int, rows: int) -> list[list[Piece]]:
    """A row a seat, scrolled so that the chosen one is seen; the last row says how many more there are."""
    seats = list(wall.seats)
    at = seats.index(chosen) if chosen in seats else 0
    room = rows if len(seats) <= rows else rows - 1
    first = max(0, min(at - room // 2, len(seats) - room))
    made = [_row(wall, seat, seat == chosen, now_s, width) for seat in seats[first : first + room]]
    if len(seats) > rows:
        made.append([(fit(f" {len(seats) - room} more seats: move with j and k", width), Ink.FAINT)])
    return made


def _row(wall: Wall, seat: int, chosen: bool, now_s: float, width: int) -> list[Piece]:
    words = tile_words(wall, seat, now_s)
    call = wall.call_at(seat, now_s)
    levels = _levels(wall.media_of(call), now_s) if call and not wall.link.lost else ""
    left = f"{'▶' if chosen else '┌'} {fit(words.title, 18)} {fit(f'{words.state} {words.left}', 16)} {words.attention}"
    text = sides(left, f" {levels} {words.recording.split(' (')[0]} ", width)
    return [(text, SEVERITY_INK[words.severity] if words.severity <= 1 else Ink.STRONG if chosen else Ink.PLAIN)]


def _levels(media: CallMedia, now_s: float) -> str:
    said: list[str] = []
    for side, letter in ((Side.FAMILY, "F"), (Side.ROOM, "R")):
        level = media.level(side, now_s)
        said.append(f"{letter}{' off' if level is None else number(level)}")
    return " ".join(said)
