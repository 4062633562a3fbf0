"""What the server has told: seats, calls and their media. A snapshot replaces it, deltas and events change it."""

from dataclasses import dataclass, field

from schemas.attention import CallMarks, Mark, Watchers, WatcherView
from schemas.call import CallState, CallView, LegView, SeatView
from schemas.console import CallChanged, ConsoleWelcome, Delta, SeatChanged, Snapshot, SupervisionChanged
from schemas.media import CallHealth, Levels, Picture

from .link import LinkState
from .media import BoxKey, CallMedia

ROOM_LEG = "room"
OPEN = (CallState.WAITING, CallState.LIVE, CallState.PAUSED, CallState.ENDING)
ENDED_SHOWN_S = 30.0
"""How long an ended call keeps its tile when no other call takes it."""


@dataclass
class Changed:
    """Seats to draw anew, by what of them has changed."""

    words: set[int] = field(default_factory=set[int])
    levels: set[int] = field(default_factory=set[int])
    pictures: set[int] = field(default_factory=set[int])
    seats: bool = False
    """Seats have come or gone: the grid is another."""
    gap: bool = False
    """A frame is missing: a snapshot is needed."""


class Wall:
    """`now_s` is the console's monotonic clock everywhere, s."""

    def __init__(self, now_s: float) -> None:
        self.link = LinkState(now_s)
        self.welcome: ConsoleWelcome | None = None
        self.seats: dict[int, SeatView] = {}
        self.calls: dict[str, CallView] = {}
        self.media: dict[str, CallMedia] = {}
        self.lost_laptops: dict[int, float] = {}
        """Seat -> since when its laptop is away, for as long as its call is open."""
        self.waiting_since: dict[tuple[str, str], float] = {}
        """(call, leg) -> since when this caller waits, as this console saw it."""
        self.wanted: frozenset[BoxKey] = frozenset()
        """The pictures that this console asked for, by side and box; others come for other consoles."""
        self.unsupervised: SupervisionChanged | None = None
        """Set while nobody watches this establishment, as the server says."""
        self.watchers: list[WatcherView] | None = None
        """All consoles of this establishment; None until the server has said (an older one never does)."""
        self.marks: dict[str, list[Mark]] = {}
        """By call: what was seen or shelved, and by whom."""
        self.hidden = ""
        """Why no picture is shown at this console; empty while they are."""
        self._tick = self._order = -1
        self._of_seat: dict[int, list[CallView]] | None = None
        """The calls of each seat, the newest first; None when they have changed."""

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(self.welcome.permissions) if self.welcome else frozenset()

    @property
    def my_name(self) -> str:
        """The name of who sits at this console; empty before the server has said it."""
        return self.welcome.staff_name if self.welcome else ""

    def dark(self, seat: int) -> bool:
        """Nothing newer of this seat can come: the link or its laptop is lost."""
        return self.link.lost or seat in self.lost_laptops

    def apply(self, message: object, now_s: float) -> Changed:
        """Takes one message in; says what it has changed. Other messages than those below change nothing."""
        match message:
            case ConsoleWelcome():
                self.welcome = message
                self.link.server_said(message.server_time_ms, now_s * 1000)
                return Changed()
            case Snapshot():
                return self._snapshot(message, now_s)
            case Delta():
                return self._delta(message, now_s)
            case CallChanged(order, call):
                gap = self._gap("_order", order)
                changed = Changed({call.seat}, gap=gap)
                before = self.calls.get(call.call_id)
                if before is not None and before.seat != call.seat:
                    changed.words.add(before.seat)
                self._take_call(call, now_s)
                return changed
            case SeatChanged(order, seat):
                gap = self._gap("_order", order)
                new = seat.seat not in self.seats
                self.seats[seat.seat] = seat
                self._note_laptop(seat.seat, now_s)
                return Changed({seat.seat}, seats=new, gap=gap)
            case SupervisionChanged(supervised):
                self.unsupervised = None if supervised else message
                return Changed(set(self.seats))
            case Watchers(watchers):
                before, self.watchers = self.watchers or [], watchers
                return Changed(self._seats_of({watcher.call_id for watcher in before + watchers}))
            case CallMarks(call_id, marks):
                self.marks[call_id] = marks
                return Changed(self._seats_of({call_id}))
            case _:
                return Changed()

    def _seats_of(self, calls: set[str]) -> set[int]:
        return {call.seat for call_id in calls if (call := self.calls.get(call_id)) is not None}

    def call_at(self, seat: int, now_s: float) -> CallView | None:
        """The call that the tile shows: the open one, else one that has just ended."""
        if self._of_seat is None:
            self._of_seat = {}
            for call in sorted(self.calls.values(), key=lambda call: -call.starts_at_ms):
                self._of_seat.setdefault(call.seat, []).append(call)
        of_seat = self._of_seat.get(seat, [])
        for call in of_seat:
            if call.state in OPEN:
                return call
        server_ms = self.link.server_ms(now_s)
        ended = [call for call in of_seat if call.state == CallState.ENDED and call.ended_at_ms]
        newest = max(ended, key=lambda call: call.ended_at_ms, default=None)
        return newest if newest and server_ms - newest.ended_at_ms < ENDED_SHOWN_S * 1000 else None

    def unheard(self, now_s: float) -> set[int]:
        """Seats of calls whose levels nobody renews."""
        return {c.seat for c in self.calls.values() if not self.media_of(c).heard(now_s)}

    def media_of(self, call: CallView) -> CallMedia:
        media = self.media.get(call.call_id)
        if media is None:
            media = self.media[call.call_id] = CallMedia()
        return media

    def _snapshot(self, snapshot: Snapshot, now_s: float) -> Changed:
        before = set(self.seats)
        self._tick, self._order = snapshot.tick, snapshot.order
        self.link.server_said(snapshot.server_time_ms, now_s * 1000)
        self.seats = {seat.seat: seat for seat in sorted(snapshot.seats, key=lambda seat: seat.seat)}
        self.calls, self._of_seat = {}, None
        for call in snapshot.calls:
            self._take_call(call, now_s)
        self.media = {call_id: media for call_id, media in self.media.items() if call_id in self.calls}
        self.marks = {call_id: marks for call_id, marks in self.marks.items() if call_id in self.calls}
        waiting = {(c.call_id, leg.leg) for c in snapshot.calls for leg in waiting_legs(c)}
        self.waiting_since = {key: at for key, at in self.waiting_since.items() if key in waiting}
        for seat in self.seats:
            self._note_laptop(seat, now_s)
        changed = self._take_media(snapshot.levels, snapshot.health, snapshot.pictures, now_s)
        changed.words |= set(self.seats) | before
        changed.seats = before != set(self.seats)
        return changed

    def _delta(self, delta: Delta, now_s: float) -> Changed:
        gap = self._gap("_tick", delta.tick)
        changed = self._take_media(delta.levels, delta.health, delta.pictures, now_s)
        changed.gap = gap
        return changed

    def _take_media(
        self, levels: list[Levels], health: list[CallHealth], pictures: list[Picture], now_s: float
    ) -> Changed:
        changed = Changed()
        for one in levels:
            if (call := self.calls.get(one.call_id)) is not None:
                self.media_of(call).take_levels(one, now_s)
                changed.levels.add(call.seat)
        for one in health:
            call = self.calls.get(one.call_id)
            if call is not None and self.media_of(call).take_health(one, now_s):
                changed.words.add(call.seat)
        for one in pictures:
            call = self.calls.get(one.call_id)
            if call is not None and self.media_of(call).take_picture(one, now_s):
                changed.pictures.add(call.seat)
                self.media_of(call).keep_boxes(self.wanted)
        return changed

    def _take_call(self, call: CallView, now_s: float) -> None:
        known = self.calls.get(call.call_id)
        if known is not None and (known.epoch, known.version) > (call.epoch, call.version):
            return
        self.calls[call.call_id], self._of_seat = call, None
        media = self.media_of(call)
        media.uncopied_since_s = (media.uncopied_since_s or now_s) if call.copy_words else None
        if media.stopped_since_s is not None and (known is None or known.state != call.state):
            media.stopped_since_s = now_s  # until now it was right that nothing flowed
        for leg in call.legs:
            key = call.call_id, leg.leg
            if leg in waiting_legs(call):
                self.waiting_since.setdefault(key, now_s)
            else:
                self.waiting_since.pop(key, None)
        if call.state == CallState.ENDED:
            self.media.pop(call.call_id, None)
            self.marks.pop(call.call_id, None)
        self._note_laptop(call.seat, now_s)

    def _note_laptop(self, number: int, now_s: float) -> None:
        seat = self.seats.get(number)
        calls = [call for call in self.calls.values() if call.seat == number and call.state in OPEN]
        away = any(not call.laptop_online for call in calls) or bool(calls and seat and not seat.online)
        if away:
            self.lost_laptops.setdefault(number, now_s)
        else:
            self.lost_laptops.pop(number, None)

    def _gap(self, counter: str, number: int) -> bool:
        expected = getattr(self, counter) + 1
        setattr(self, counter, max(number, expected - 1))
        return number > expected


def waiting_legs(call: CallView) -> list[LegView]:
    """Family devices that are connected and not yet admitted, of a call that is open."""
    if call.state not in (CallState.WAITING, CallState.LIVE):
        return []
    return [leg for leg in call.legs if leg.leg != ROOM_LEG and leg.connected and not leg.admitted]
