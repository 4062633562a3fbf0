"""The part of the desk about attention: the strip, ways to what needs eyes, and what was seen or put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.state import attention
from console.state.alarms import Alarms
from console.state.attention import Entry
from console.state.duty import ShelvePanel
from console.state.unseen import longest_unseen
from console.state.walking import Walk
from schemas.attention import SHELVABLE, Acknowledge

if TYPE_CHECKING:
    from console.desk import Desk
    from schemas.call import CallView


class Attending:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.alarms = Alarms()
        self.walk = Walk()
        self._strip: list[Entry] = []

    def strip(self, now_s: float) -> list[Entry]:
        """What needs a person now, in the strip's order."""
        wall = self._desk.wall
        self._strip = self.alarms.look(wall, attention.ranked(wall, now_s), now_s)
        return self._strip

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
        sent = [self._desk.tell(Acknowledge(e.call_id, e.cause, e.occurrence)) for e in found if not e.gone]
        words = "link lost: not sent" if not all(sent) else "OK, seen: " + ", ".join(e.words for e in found)
        self._desk.say(f"{where} {words}"[:120], now_s)

    def _shelve(self, call: CallView, now_s: float) -> None:
        entries = attention.of_call(self._desk.wall, call, now_s)
        entry = next((e for e in entries if e.cause in SHELVABLE and not e.shelved_s), None)
        if entry is None:
            why = f"{entries[0].words}: it can't be shelved" if entries else "nothing to shelve"
            self._desk.say(f"z at seat {call.seat:02d}: {why}"[:120], now_s)
            return
        self._desk.panel = ShelvePanel(call, now_s, entry)
