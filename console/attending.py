"""The part of the desk about attention: the strip, ways to what needs eyes, and what was seen or put aside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from console.actions import key_of
from console.state import attention
from console.state.acts import Stage
from console.state.alarms import Alarms
from console.state.attention import Entry
from console.state.duty import ShelvePanel
from console.state.safe_text import safe
from console.state.unseen import longest_unseen
from console.state.walking import Walk
from schemas.attention import SHELVABLE, Acknowledge, Cause
from schemas.console import Pause

if TYPE_CHECKING:
    from console.desk import Desk
    from schemas.call import CallView


OWN_WITHIN_MS = 10_000
"""A pause that began so near to this console's own is this console's own."""


class Attending:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.alarms = Alarms()
        self.walk = Walk()
        self._said: set[tuple[str, Cause, int]] = set()
        """Told to the others already."""

    def strip(self, now_s: float) -> list[Entry]:
        """What needs a person now, in the strip's order."""
        wall = self._desk.wall
        entries = [self._own(entry) for entry in attention.ranked(wall, now_s)]
        return self.alarms.look(wall, entries, now_s)

    def _own(self, entry: Entry) -> Entry:
        """Who has paused a call, or asked for help, has seen that it is so: it rings at the others' consoles."""
        mine = self._desk.wall.my_name
        call = self._desk.wall.calls.get(entry.call_id)
        if entry.seen_by or call is None or not (self._asked(entry, call, mine) or self._paused(entry)):
            return entry
        if entry.key not in self._said and self._desk.tell(Acknowledge(*entry.key)):
            self._said.add(entry.key)
        return replace(entry, seen_by=safe(mine))

    def _asked(self, entry: Entry, call: CallView, mine: str) -> bool:
        return entry.cause is Cause.URGENT_HELP and call.help_by == mine

    def _paused(self, entry: Entry) -> bool:
        return entry.cause is Cause.PAUSED and any(
            isinstance(act.command.act, Pause)
            and act.command.call_id == entry.call_id
            and act.stage in (Stage.ACCEPTED, Stage.CONFIRMED)
            and abs(act.at_ms - entry.occurrence) < OWN_WITHIN_MS
            for act in self._desk.acts
        )

    def do(self, action: str, call: CallView | None, now_s: float) -> bool:
        """Carries out an action that is about attention; False for all others. `call`: the chosen one."""
        match action:
            case "attend":
                seats = list(dict.fromkeys(entry.seat for entry in self.strip(now_s)))
                self._go(self.walk.next_of(seats, self._desk.seat), "Nothing needs you", now_s)
            case "unseen":
                self._go(longest_unseen(self._desk.wall, now_s), "All calls are looked at", now_s)
            case "previous":
                seat = self.walk.back(list(self._desk.wall.seats), self._desk.seat)
                self._go(seat, "There is no call before", now_s)
            case "ok-seen" if call is not None:
                self._seen(call, now_s)
            case "shelve" if call is not None:
                self._shelve(call, now_s)
            case _:
                return False
        return True

    def _go(self, seat: int | None, otherwise: str, now_s: float) -> None:
        if seat is None:
            self._desk.say(otherwise, now_s)
        else:
            self._desk.choose(seat)

    def _seen(self, call: CallView, now_s: float) -> None:
        self.strip(now_s)
        found = self.alarms.seen(call.call_id)
        where = f"seat {call.seat:02d}"
        if not found:
            self._desk.say(f"Nothing new at {where}", now_s)
            return
        sent = [self._desk.tell(Acknowledge(*e.key)) for e in found if not e.gone]
        words = "link lost: not sent" if not all(sent) else "OK, seen: " + ", ".join(e.words for e in found)
        self._desk.say(f"{where} {words}"[:120], now_s)

    def _shelve(self, call: CallView, now_s: float) -> None:
        entries = attention.of_call(self._desk.wall, call, now_s)
        entry = next((e for e in entries if e.cause in SHELVABLE and not e.shelved_s), None)
        if entry is None:
            why = f"{entries[0].words}: it can't be shelved" if entries else "nothing to shelve"
            self._desk.say(f"{key_of('shelve')} at seat {call.seat:02d}: {why}"[:120], now_s)
            return
        self._desk.panel = ShelvePanel(call, now_s, entry)
