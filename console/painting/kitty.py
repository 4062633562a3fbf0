"""Kitty's graphics protocol: images over the text's cells. https://sw.kovidgoyal.net/kitty/graphics-protocol/

A placement lies beside the text and knows nothing of it, so an image stands only where the terminal shows EMPTY cells:
rows that a panel or another widget takes are cut off, and an image without any row left is deleted, and sent anew when
its place is free again.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from console.state.layout import Area

from .image import Image

CHUNK, LEAST_CHUNK = 4096, 512
"""Bytes of base64 in one command; the most is the protocol's."""
FIRST = 1000
"""Number of the first image."""
_COMMAND_BYTES = 60
_ABORT = "\x1b_Gm=0,q=2;\x1b\\"
"""An image that ends early is none."""
LOST = "\x18\x1b\\\x1b_Ga=d,d=A,q=2\x1b\\"
"""After a cut stream: ends what was begun, and takes all pictures away."""


@dataclass(frozen=True)
class _Seen:
    """What the terminal shows of one: the image, its number there, its place, and the rows that are not cut off."""

    number: int
    image: Image
    area: Area
    rows: range


@dataclass
class _Place:
    area: Area
    image: Image
    since_s: float
    """Since when the terminal has not had its newest image; counts while `rows` are open."""
    sent_s: float = 0.0
    rows: range = range(0)
    seen: _Seen | None = None

    @property
    def waits(self) -> bool:
        return bool(self.rows) and (self.seen is None or self.seen.image is not self.image)


@dataclass
class _Sending:
    key: Hashable
    number: int
    image: Image
    at: int = 0


OpenRows = Callable[[Area], range]


class Images:
    """Pictures of one screen. `show` says which stand where, `paint` makes the bytes; the newest counts, and the one
    that was sent longest ago goes first. What is half sent when the line is full goes on with the next painting."""

    def __init__(self) -> None:
        self.behind = False
        """Something was left out of the last painting for want of room."""
        self._places: dict[Hashable, _Place] = {}
        self._gone: list[int] = []
        self._sending: _Sending | None = None
        self._number = FIRST

    @property
    def idle(self) -> bool:
        """Nothing stands or has to go."""
        return not (self._places or self._gone or self._sending)

    def show(self, owner: Hashable, pictures: Sequence[tuple[Area, Image]], now_s: float) -> None:
        """All pictures of an owner (a tile), from now on; cells of the screen."""
        for key in [key for key in self._places if isinstance(key, tuple) and key[0] == owner]:
            if key[1] >= len(pictures):
                self._drop(key)
        for number, (area, image) in enumerate(pictures):
            place = self._places.get((owner, number))
            if place is None:
                self._places[owner, number] = _Place(area, image, now_s)
            elif place.image is not image or place.area != area:
                if place.seen is not None and place.seen.image is place.image:
                    place.since_s = now_s  # until now it was as it should be
                place.area, place.image = area, image

    def clear(self) -> None:
        """Nothing stands any more."""
        for key in list(self._places):
            self._drop(key)

    def forget(self) -> None:
        """The terminal has none of them (after LOST): all are sent anew."""
        self._gone.clear()
        self._sending = None
        for place in self._places.values():
            place.seen = None

    def leave(self) -> str:
        """Takes all away at once, until the next painting: another screen comes."""
        made: list[str] = []
        if self._sending is not None:
            self._abort(made)
        for place in self._places.values():
            self._take(place)
            place.rows = range(0)
        return "".join(made + self._deletions())

    def waiting_s(self, now_s: float) -> float:
        """How long the picture waits that waits longest; 0 when none does."""
        return max((now_s - place.since_s for place in self._places.values() if place.waits), default=0.0)

    def paint(
        self, open_rows: OpenRows, budget: int | None, now_s: float, corner: tuple[int, int] = (0, 0)
    ) -> tuple[str, int]:
        """The commands, and the terminal's row (from 1) where the cursor is left; 0: it has not moved.

        `open_rows`: rows of a place, from 0, that show EMPTY cells. `budget`: about as many bytes may go out; what is
        covered goes in any case. `corner`: the screen's place on the terminal.
        """
        out: list[str] = []
        row = self._follow(out, open_rows, now_s, corner)
        self.behind = False
        while (key := self._next_key()) is not None:
            room = budget - sum(map(len, out)) if budget is not None else 1 << 30
            self.behind = room <= 0 or not self._send(out, key, room, now_s)
            if self.behind:
                break
            row = self._put(out, self._places[key], corner)
            out += self._deletions()
        return "".join(out), row

    def _next_key(self) -> Hashable | None:
        """The one that is under way, else that of those that wait which was sent longest ago."""
        if self._sending is not None:
            return self._sending.key
        waiting = [key for key, place in self._places.items() if place.waits]
        return min(waiting, key=lambda key: self._places[key].sent_s, default=None)

    def _follow(self, out: list[str], open_rows: OpenRows, now_s: float, corner: tuple[int, int]) -> int:
        """What stands where it may not goes, what stands otherwise is placed anew; the row as `paint` has it."""
        row = 0
        moved: list[_Place] = []
        for place in self._places.values():
            rows = open_rows(place.area)
            if rows and not place.rows:
                place.since_s = now_s
            place.rows = rows
            if place.seen is not None and not rows:
                self._take(place)
            elif place.seen is not None and (place.seen.area, place.seen.rows) != (place.area, rows):
                moved.append(place)
        sending = self._sending
        if sending is not None and (moved or sending.key not in self._places or not self._places[sending.key].rows):
            self._abort(out)
        out += self._deletions()
        for place in moved:
            row = self._put(out, place, corner)
        return row

    def _send(self, out: list[str], key: Hashable, room: int, now_s: float) -> bool:
        """As much of one image as there is room for; True with its last piece, which makes it the one that is seen."""
        sending, head, sent = self._sending, "", 0
        if sending is None:
            sending = self._sending = _Sending(key, self._number, self._places[key].image)
            self._number += 1
            head = f"a=t,{sending.image.form},i={sending.number},"
        data = sending.image.base64
        while room > sent:
            size = min(CHUNK, max(LEAST_CHUNK, room - sent - _COMMAND_BYTES) & ~3)
            piece = data[sending.at : sending.at + size]
            sending.at += size
            more = sending.at < len(data)
            out.append(f"\x1b_G{head}q=2,m={int(more)};{piece}\x1b\\")
            sent, head = sent + len(out[-1]), ""
            if not more:
                self._sending = None
                self._arrived(sending, now_s)
                return True
        return False

    def _arrived(self, sending: _Sending, now_s: float) -> None:
        place = self._places[sending.key]
        self._take(place)
        place.seen = _Seen(sending.number, sending.image, place.area, place.rows)
        place.sent_s = place.since_s = now_s

    def _put(self, out: list[str], place: _Place, corner: tuple[int, int]) -> int:
        """Places its image over its open rows, in one step with what stood there under the same number."""
        assert place.seen is not None
        area, rows, image = place.area, place.rows, place.seen.image
        place.seen = _Seen(place.seen.number, image, area, rows)
        part = ""
        if len(rows) < area.height:
            top, bottom = (round(y * image.height / area.height) for y in (rows.start, rows.stop))
            top = min(top, image.height - 1)
            part = f"x=0,y={top},w={image.width},h={max(1, bottom - top)},"
        y, x = area.y + rows.start + corner[1] + 1, area.x + corner[0] + 1
        shape = f"{part}c={area.width},r={len(rows)}"
        out.append(f"\x1b[{y};{x}H\x1b_Ga=p,i={place.seen.number},p=1,{shape},C=1,q=2\x1b\\")
        return y

    def _drop(self, key: Hashable) -> None:
        self._take(self._places.pop(key))

    def _take(self, place: _Place) -> None:
        if place.seen is not None:
            self._gone.append(place.seen.number)
            place.seen = None

    def _deletions(self) -> list[str]:
        """Of all that have gone. Nothing may come between the pieces of an image: one that is under way is given up."""
        made: list[str] = []
        if self._gone and self._sending is not None:
            self._abort(made)
        made += [f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\" for number in self._gone]
        self._gone.clear()
        return made

    def _abort(self, out: list[str]) -> None:
        assert self._sending is not None
        out.append(_ABORT)
        self._gone.append(self._sending.number)
        self._sending = None
