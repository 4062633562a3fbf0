"""Who looks at what: told to all consoles, and kept with the call and in the audit when a look is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from schemas.attention import Watchers, WatcherView
from schemas.call import CallState

from .rules.looking import Gaze, Looked, gaze, over

if TYPE_CHECKING:
    from .establishment import Establishment
    from .links.fanout import Watcher
    from .rules.call import Call

WATCHERS_SHOWN = 64
SHOWN = (CallState.WAITING, CallState.LIVE, CallState.PAUSED, CallState.ENDING)


class Looking:
    """`look` is to be called a few times a second; `selected` at each beat."""

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._gazes: dict[Watcher, Gaze] = {}
        self._told: list[WatcherView] = []

    def present(self) -> frozenset[str]:
        """Who watches at a console now, by name."""
        now = time.monotonic()
        return frozenset(w.name for w in self._place.fanout.watchers if w.counts(now))

    def joined(self, watcher: Watcher) -> None:
        """A console that joins is told who is here."""
        watcher.link.send(Watchers(self._told))

    def look(self) -> None:
        """Ends the looks of those who are gone, begins those that have lasted long enough, tells what has changed."""
        now, watchers = time.monotonic(), self._place.fanout.watchers
        for gone in self._gazes.keys() - watchers:
            self._ended(gone, over(self._gazes.pop(gone), now))
        for watcher in watchers:
            self._follow(watcher, now)
        views = [self._view(watcher, now) for watcher in sorted(watchers, key=_order)[:WATCHERS_SHOWN]]
        if views != self._told:
            self._told = views
            self._place.fanout.tell(Watchers(views))

    def _follow(self, watcher: Watcher, now: float) -> None:
        call = self._place.calls.get(watcher.selected) if watcher.is_used(now) else None
        call_id = call.call_id if call is not None and call.state in SHOWN else ""
        self._gazes[watcher], ended = gaze(self._gazes.get(watcher, Gaze()), call_id, watcher.focused, now)
        self._ended(watcher, ended)

    def _view(self, watcher: Watcher, now: float) -> WatcherView:
        one = self._gazes.get(watcher, Gaze())
        looking = one.looks_since_s is not None
        return WatcherView(
            watcher.session, watcher.name, watcher.role, one.call_id, one.focused, looking, watcher.counts(now)
        )

    def _ended(self, watcher: Watcher, look: Looked | None) -> None:
        call = self._place.calls.get(look.call_id) if look is not None else None
        if look is None or call is None:
            return
        began_ms = self._place.now_ms() - round(look.seconds * 1000)
        unseen_ms = unseen_before_ms(call, began_ms)
        how = "in focus" if look.focused else "selected"
        words = f"looked for {look.seconds:.0f} s, {how}; nobody had looked for {unseen_ms / 1000:.0f} s before"
        self._place.record(
            "looked", words, who=watcher.name, role=str(watcher.role), session=watcher.session, call_id=call.call_id
        )
        # Not a change that an officer has to have seen: the version stays.
        seen = msgspec.structs.replace(
            call,
            looked_at_ms=self._place.now_ms(),
            looked_by=watcher.name,
            looked_ms=call.looked_ms + round(look.seconds * 1000),
            unseen_longest_ms=max(call.unseen_longest_ms, unseen_ms),
        )
        if call.state == CallState.ENDED:
            self._place.keep(seen)
        else:
            self._place.change(seen)


def unseen_before_ms(call: Call, began_ms: int) -> int:
    """How long nobody had looked when a look began; counted from the first admission on."""
    since = max(call.looked_at_ms, call.admitted_at_ms)
    return max(0, began_ms - since) if call.admitted_at_ms else 0


def _order(watcher: Watcher) -> tuple[str, str]:
    return watcher.name, watcher.session
