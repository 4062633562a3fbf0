"""The strip's order and its sound, after EEMUA 191 and ISA-18.2: nothing chases the eye, and nothing cries wolf.

What is new stays new until somebody says that they have seen it, also when its cause is gone. What rises in rank moves
up at most once in 5 s, unless what it passes has been seen. The bell rings for what is new and URGENT or ALERT, at
most once in 5 s; what is URGENT and not seen rings again each 10 s. In a flood (over 10 in 10 min, until under 5) LOOK
is only counted, ALERTs of one cause are one line, and the bell rings at most once in 30 s.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from schemas.attention import Cause

from .attention import Entry, Severity, rank
from .wall import OPEN, Wall

MOVES_EACH_S = 5.0
BELL_EACH_S, BELL_IN_FLOOD_EACH_S, URGENT_AGAIN_S = 5.0, 30.0, 10.0
FLOOD_ABOVE, FLOOD_UNTIL_BELOW, FLOOD_WINDOW_S = 10, 5, 600.0
CHATTER_TIMES, CHATTER_WINDOW_S = 3, 60.0

Key = tuple[str, Cause, int]


@dataclass
class _Known:
    """One occurrence as this console has it."""

    entry: Entry
    moved_s: float
    seen: bool = False
    gone: bool = False


@dataclass(frozen=True)
class Figures:
    """Of the last ten minutes."""

    alarms: int
    flood: bool
    held_back: int
    """LOOK entries that a flood keeps out of the strip."""
    now: tuple[int, int, int] = (0, 0, 0)
    """URGENT, ALERT and LOOK that are on."""

    @property
    def words(self) -> str:
        """`■1 ◆3`; empty when nothing is on."""
        return " ".join(f"{s.glyph}{self.now[s]}" for s in Severity if s is not Severity.NONE and self.now[s])


class Alarms:
    """`look` at least once a second; `now_s` is the console's monotonic clock."""

    def __init__(self) -> None:
        self._known: dict[Key, _Known] = {}
        self._order: list[Key] = []
        self._came: deque[float] = deque()
        self._each: dict[tuple[str, Cause], deque[float]] = {}
        self._flood = False
        self._bell_due = False
        self._bell_s = -1e9
        self._held_back = 0

    def look(self, wall: Wall, entries: list[Entry], now_s: float) -> list[Entry]:
        """The strip, in its order. `entries` as `attention.ranked` gives them."""
        self._take(entries, now_s)
        self._let_go({entry.key for entry in entries}, wall)
        self._count(now_s)
        shown = self._in_order([self._shown(known) for known in self._known.values()], now_s)
        if self._flood:
            self._held_back = sum(entry.severity == Severity.LOOK for entry in shown)
            return _grouped(entry for entry in shown if entry.severity < Severity.LOOK)
        self._held_back = 0
        return shown

    def seen(self, call_id: str) -> list[Entry]:
        """What of this call nobody has seen yet; what is gone is gone for good by it."""
        found = [known.entry for known in self._known.values() if known.entry.call_id == call_id and not known.seen]
        for entry in found:
            if self._known[entry.key].gone:
                del self._known[entry.key]
        return sorted(found, key=rank)

    def rings(self, now_s: float) -> bool:
        """True when the bell is to ring now."""
        urgent = any(k.entry.severity == Severity.URGENT and not k.seen and not k.gone for k in self._known.values())
        quiet_s = now_s - self._bell_s
        least_s = BELL_IN_FLOOD_EACH_S if self._flood else BELL_EACH_S
        if quiet_s < least_s or not (self._bell_due or (urgent and quiet_s >= URGENT_AGAIN_S)):
            return False
        self._bell_due, self._bell_s = False, now_s
        return True

    @property
    def figures(self) -> Figures:
        on = [known.entry.severity for known in self._known.values() if not known.gone]
        now = on.count(Severity.URGENT), on.count(Severity.ALERT), on.count(Severity.LOOK)
        return Figures(len(self._came), self._flood, self._held_back, now)

    def _take(self, entries: list[Entry], now_s: float) -> None:
        for entry in entries:
            known = self._known.get(entry.key)
            if known is None or known.gone or entry.severity < known.entry.severity:
                self._known[entry.key] = _Known(entry, now_s, bool(entry.seen_by))
                self._note(entry, now_s)
            else:
                known.entry, known.seen = entry, bool(entry.seen_by)

    def _note(self, entry: Entry, now_s: float) -> None:
        if entry.severity > Severity.ALERT:
            return
        if not entry.seen_by:
            self._came.append(now_s)
            self._bell_due = True
        times = self._each.setdefault((entry.call_id, entry.cause), deque(maxlen=20))
        times.append(now_s)

    def _let_go(self, there: set[Key], wall: Wall) -> None:
        """A call's alarms end with the call, and LOOK with its cause."""
        for key, known in list(self._known.items()):
            if key in there:
                continue
            call = wall.calls.get(known.entry.call_id)
            ended = call is None or call.state not in OPEN
            if known.seen or ended or known.entry.severity > Severity.ALERT or _again(known.entry, there):
                del self._known[key]
            else:
                known.gone = True
        for pair in [pair for pair in self._each if pair[0] not in wall.calls]:
            del self._each[pair]

    def _count(self, now_s: float) -> None:
        while self._came and now_s - self._came[0] > FLOOD_WINDOW_S:
            self._came.popleft()
        self._flood = len(self._came) > FLOOD_ABOVE or (self._flood and len(self._came) >= FLOOD_UNTIL_BELOW)
        for times in self._each.values():
            while times and now_s - times[0] > CHATTER_WINDOW_S:
                times.popleft()

    def _shown(self, known: _Known) -> Entry:
        times = len(self._each.get((known.entry.call_id, known.entry.cause), ()))
        return replace(known.entry, new=not known.seen, gone=known.gone, times=times if times >= CHATTER_TIMES else 1)

    def _in_order(self, shown: list[Entry], now_s: float) -> list[Entry]:
        by_key = {entry.key: entry for entry in shown}
        order = [key for key in self._order if key in by_key]
        for entry in sorted((e for e in shown if e.key not in set(order)), key=rank):
            ahead = next((i for i, key in enumerate(order) if rank(by_key[key]) > rank(entry)), len(order))
            order.insert(ahead, entry.key)
        for key in sorted(order, key=lambda key: rank(by_key[key])):
            at = order.index(key)
            to = next((i for i, other in enumerate(order[:at]) if rank(by_key[other]) > rank(by_key[key])), at)
            passed = [by_key[other] for other in order[to:at]]
            rested = now_s - self._known[key].moved_s >= MOVES_EACH_S
            if passed and (rested or all(not entry.new or entry.gone for entry in passed)):
                order.insert(to, order.pop(at))
                self._known[key].moved_s = now_s
        self._order = order
        return [by_key[key] for key in order]


def _again(entry: Entry, there: set[Key]) -> bool:
    """The same cause of the same call is on with another number: it has risen, or come again."""
    return any(key[:2] == (entry.call_id, entry.cause) for key in there)


def _grouped(entries: Iterable[Entry]) -> list[Entry]:
    """ALERTs of one cause as one line, in the first one's place; URGENT is never grouped away."""
    made: list[Entry] = []
    first: dict[str, int] = {}
    for entry in entries:
        at = first.get(entry.cause)
        if entry.severity == Severity.URGENT or at is None:
            if entry.severity == Severity.ALERT:
                first[entry.cause] = len(made)
            made.append(replace(entry, times=1) if entry.severity == Severity.ALERT else entry)
        else:
            made[at] = replace(made[at], times=made[at].times + 1, new=made[at].new or entry.new)
    return made
