"""Keeps what officers have said about alarms, tells it to all consoles, and writes it in the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.attention import Acknowledge, CallMarks, Mark, MarkRefused, Shelve

from .rules.marks import acknowledged, shelved, why_not_shelved
from .rules.permissions import may

if TYPE_CHECKING:
    from .establishment import Establishment
    from .links.fanout import Watcher


class Marks:
    """In memory: a server that starts anew asks everybody to look again."""

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._marks: dict[str, list[Mark]] = {}
        self._times: dict[tuple[str, str], int] = {}

    def take(self, message: Acknowledge | Shelve, watcher: Watcher) -> None:
        """Carries it out, or tells this console why not."""
        place, call_id = self._place, message.call_id
        call = place.calls.get(call_id)
        now_ms, before = place.now_ms(), self._marks.get(call_id, [])
        if not may(watcher.role, "watch"):
            self._refuse(message, watcher, f"A {watcher.role} may not do this.")
            return
        if isinstance(message, Shelve):
            times = self._times.get((call_id, message.cause), 0)
            every = [mark for marks in self._marks.values() for mark in marks]
            why = why_not_shelved(call, message, watcher.name, every, times, now_ms)
            if why:
                self._refuse(message, watcher, why)
                return
            self._times[call_id, message.cause] = times + 1
            after = shelved(before, message, watcher.name, now_ms)
            self._record("shelved", f"{message.cause} for {message.minutes} min: {message.why}", watcher, call_id)
        elif call is None:
            self._refuse(message, watcher, "There is no such call.")
            return
        else:
            after = acknowledged(before, message, watcher.name, now_ms)
            if after is not before:
                self._record("acknowledged", str(message.cause), watcher, call_id)
        self._marks[call_id] = after
        place.fanout.tell(CallMarks(call_id, after))

    def joined(self, watcher: Watcher) -> None:
        for call_id, marks in self._marks.items():
            watcher.link.send(CallMarks(call_id, marks))

    def forget(self, call_id: str) -> None:
        """The call is over, and its alarms with it."""
        self._marks.pop(call_id, None)
        for key in [key for key in self._times if key[0] == call_id]:
            del self._times[key]

    def _record(self, action: str, words: str, watcher: Watcher, call_id: str) -> None:
        about = {"who": watcher.name, "role": str(watcher.role), "session": watcher.session}
        self._place.record(action, words, call_id=call_id, **about)

    def _refuse(self, message: Acknowledge | Shelve, watcher: Watcher, words: str) -> None:
        watcher.link.send(MarkRefused(message.call_id, message.cause, words))
