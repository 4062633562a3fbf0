"""Which events become lines, and when: what is grave at once, the rest at most one line in two seconds."""

from dataclasses import dataclass, field

from console.state.acts import Acts
from console.state.attention import Entry, Severity, ranked
from console.state.safe_text import safe
from console.state.vigilance import Vigilance
from console.state.wall import OPEN, Wall

from . import words

QUIET_S = 2.0
SEEN_EVENTS = 2000


@dataclass
class Teller:
    """`look` once in a while, and after each message; `now_s` is time.monotonic(). Of what can't be told in its two
    seconds only the newest is, with the number of the others."""

    _entries: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])
    _calls: dict[str, tuple[object, str]] = field(default_factory=dict[str, tuple[object, str]])
    _acts: dict[str, str] = field(default_factory=dict[str, str])
    _lost = False
    _unsupervised = False
    _vigil = Vigilance.QUIET
    _waits = ""
    _more = 0
    _told_s = -1e9

    def look(self, wall: Wall, acts: Acts, vigil: Vigilance, now_s: float) -> list[str]:
        """The lines to print now, in order, without their time."""
        at_once = self._own_acts(wall, acts) + self._link(wall) + self._watch(wall, vigil)
        for severity, line in self._attention(wall, now_s) + self._changes(wall):
            if severity <= Severity.ALERT:
                at_once.append(line)
            else:
                self._more += bool(self._waits)
                self._waits = line
        if self._waits and now_s - self._told_s >= QUIET_S:
            more = f" And {self._more} more." if self._more else ""
            at_once.append(self._waits + more)
            self._waits, self._more, self._told_s = "", 0, now_s
        return at_once

    def _own_acts(self, wall: Wall, acts: Acts) -> list[str]:
        lines: list[str] = []
        for act in reversed(list(acts)):
            call = wall.calls.get(act.command.call_id)
            said = words.act(act, safe(call.surname) if call else "")
            if self._acts.get(act.command.command_id) != said:
                self._acts[act.command.command_id] = said
                lines.append(said)
        if len(self._acts) > SEEN_EVENTS:
            self._acts = {act.command.command_id: self._acts[act.command.command_id] for act in acts}
        return lines

    def _link(self, wall: Wall) -> list[str]:
        was, self._lost = self._lost, wall.link.lost
        if self._lost and not was:
            return ["URGENT Link lost. Nothing that is typed now is sent."]
        return [f"Link back after {words.duration(wall.link.away_s)}."] if was and not self._lost else []

    def _watch(self, wall: Wall, vigil: Vigilance) -> list[str]:
        lines: list[str] = []
        alone, before = wall.unsupervised is not None, self._unsupervised
        if alone != before:
            lines.append("URGENT Nobody watches: calls pause, then end." if alone else "Somebody watches again.")
        self._unsupervised = alone
        if vigil is not self._vigil:
            if vigil is Vigilance.ASKED:
                lines.append("LOOK Are you watching? Type here within a minute.")
            elif vigil is Vigilance.MISSED:
                lines.append("URGENT You no longer count as watching. Type here.")
        self._vigil = vigil
        return lines

    def _attention(self, wall: Wall, now_s: float) -> list[tuple[Severity, str]]:
        found = {_key(entry): entry for entry in ranked(wall, now_s)}
        lines = [(entry.severity, words.entry(entry)) for key, entry in found.items() if key not in self._entries]
        over = [(Severity.NONE, f"Over: {said}") for key, said in self._entries.items() if key not in found]
        self._entries = {key: self._entries.get(key) or words.entry(entry) for key, entry in found.items()}
        return lines + over

    def _changes(self, wall: Wall) -> list[tuple[Severity, str]]:
        lines: list[tuple[Severity, str]] = []
        for call in wall.calls.values():
            now = call.state, safe(call.said)
            before = self._calls.get(call.call_id)
            self._calls[call.call_id] = now
            if before is None or before == now or (call.state not in OPEN and before[0] == call.state):
                continue
            state = words.STATES.get(call.state, str(call.state)).lower()
            said = f" {now[1]}." if now[1] and now[1] != before[1] else ""
            lines.append((Severity.NONE, f"S{words.seat(call)[1:]}: {state}.{said}"))
        self._calls = {call_id: kept for call_id, kept in self._calls.items() if call_id in wall.calls}
        return lines


def _key(entry: Entry) -> tuple[object, ...]:
    """One occurrence: the numbers in its words may change."""
    return entry.seat, entry.severity, "".join(c for c in entry.words if not c.isdigit())
