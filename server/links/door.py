"""Who is let in, and when. Strangers wait in a fair queue, one address after the other: a flood delays itself.

A stranger is let in (its request is read), then proves who it is with its hello. Until then it is unproven, and there
are so many places for those, in all and for each address. What an accepted link may do is bounded by its kind.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Protocol

from schemas.limits import (
    LET_IN_AT_ONCE,
    LET_IN_PER_S,
    LIMITS,
    SAME_AT_ONCE,
    UNPROVEN_AT_ONCE,
    UNPROVEN_EACH_ADDRESS,
    WAITING_AT_ONCE,
    WAITING_EACH_ADDRESS,
)
from schemas.wire import CloseCode, Link, WireError

from ..rules.allowance import Allowance

PACE_S = 0.01


class Guest(Protocol):
    """A connection as the door sees it."""

    address: str

    def let_in(self) -> None: ...


class Door:
    """`places`: connections that the process has file descriptors for. `later(seconds, function)`: a timer."""

    def __init__(
        self, places: int, now_s: Callable[[], float], later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._free, self._now_s, self._later = places, now_s, later
        self._allowance = Allowance(LET_IN_PER_S, LET_IN_AT_ONCE, now_s())
        self._queues: dict[str, OrderedDict[Guest, None]] = {}
        """Address -> who waits there, the first one first."""
        self._ready: OrderedDict[str, None] = OrderedDict()
        """Addresses where somebody waits and a place is free, in the order of their turns."""
        self._unproven: dict[Guest, None] = {}
        self._unproven_of: Counter[str] = Counter()
        self._waiting = 0
        self._links: dict[Guest, tuple[Link, str]] = {}
        self._links_of: Counter[Link | str] = Counter()
        self._timer_runs = False
        self.told = 0
        """Turned-away connections that are being told why."""

    def arrive(self, guest: Guest) -> tuple[int, str]:
        """Lets the guest in, now or in its turn: (0, ""). Or an HTTP status and one sentence: it may not even wait."""
        queue = self._queues.get(guest.address)
        if self._free <= 0 or self._waiting >= WAITING_AT_ONCE:
            return 503, "Too many connections wait here; try again in a few seconds."
        if queue is not None and len(queue) >= WAITING_EACH_ADDRESS:
            return 429, f"Too many connections from {guest.address} wait here; try again in a few seconds."
        self._free -= 1
        self._waiting += 1
        self._queues.setdefault(guest.address, OrderedDict())[guest] = None
        self._check_ready(guest.address)
        self._let_in()
        return 0, ""

    def prove(self, guest: Guest, link: Link, who: str) -> None:
        """The guest's hello is accepted. WireError when there are too many links of its kind or its name."""
        if self._links_of[link] >= LIMITS[link].links:
            raise WireError(CloseCode.TOO_MANY, f"{LIMITS[link].links} {link} links are open; try again later")
        if self._links_of[who] >= SAME_AT_ONCE:
            raise WireError(CloseCode.TOO_MANY, f"{SAME_AT_ONCE} links of {who} are open; close one")
        self._end_unproven(guest)
        self._links[guest] = link, who
        self._links_of.update((link, who))

    def leave(self, guest: Guest) -> None:
        """The guest's connection is gone, however far it came. Only for one that arrived well."""
        self._free += 1
        if guest in self._links:
            for name in self._links.pop(guest):
                self._links_of[name] -= 1
                if not self._links_of[name]:
                    del self._links_of[name]
        elif guest in self._unproven:
            self._end_unproven(guest)
        else:
            self._take_out(guest)

    def _end_unproven(self, guest: Guest) -> None:
        del self._unproven[guest]
        self._unproven_of[guest.address] -= 1
        if not self._unproven_of[guest.address]:
            del self._unproven_of[guest.address]
        self._check_ready(guest.address)
        self._let_in()

    def _take_out(self, guest: Guest) -> None:
        queue = self._queues[guest.address]
        del queue[guest]
        self._waiting -= 1
        if not queue:
            del self._queues[guest.address]
        self._check_ready(guest.address)

    def _check_ready(self, address: str) -> None:
        if address in self._queues and self._unproven_of[address] < UNPROVEN_EACH_ADDRESS:
            self._ready.setdefault(address)
        else:
            self._ready.pop(address, None)

    def _let_in(self) -> None:
        while self._ready and len(self._unproven) < UNPROVEN_AT_ONCE:
            if not self._allowance.take(self._now_s()):
                self._let_in_later()
                return
            address = next(iter(self._ready))
            guest = next(iter(self._queues[address]))
            self._unproven[guest] = None
            self._unproven_of[address] += 1
            self._take_out(guest)
            if address in self._ready:
                self._ready.move_to_end(address)
            guest.let_in()

    def _let_in_later(self) -> None:
        if not self._timer_runs:
            self._timer_runs = True
            self._later(PACE_S, self._after_a_while)

    def _after_a_while(self) -> None:
        self._timer_runs = False
        self._let_in()
