"""Which seats a list has, and in which order: by seat, or by need; all, or those that a filter keeps."""

from collections.abc import Iterable

from .filtering import Filter
from .safe_text import safe
from .tile_words import callers, tile_words
from .wall import Wall

BY_NEED_FOR_S = 300.0
"""After so long the seats are in their places again: where a room is, is what officers remember."""


def kept(wall: Wall, filter: Filter, seat: int, now_s: float) -> bool:
    """By name, number, seat, room, state, callers, and what the tile says of it."""
    if not filter.active:
        return True
    words = tile_words(wall, seat, now_s)
    call, view = wall.call_at(seat, now_s), wall.seats.get(seat)
    people = callers(call) if call is not None else ""
    room = safe(view.room) if view is not None else ""
    said = (words.title, words.number, words.state, words.attention, words.recording)
    return filter.keeps(f"{seat:02d}", room, people, *said)


def listed(wall: Wall, filter: Filter, needy: Iterable[int] | None, now_s: float) -> list[int]:
    """`needy`: the seats that need somebody, the first one most; None for the order of the seats."""
    seats = [seat for seat in wall.seats if kept(wall, filter, seat, now_s)]
    if needy is None:
        return seats
    first = [seat for seat in dict.fromkeys(needy) if seat in seats]
    with_call = [s for s in seats if s not in first and wall.call_at(s, now_s) is not None]
    return [*first, *with_call, *(s for s in seats if s not in first and s not in with_call)]
