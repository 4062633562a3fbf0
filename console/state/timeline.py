"""What happened in a call as this console saw it: who told whom, and when. Kept only here, and only since it joined."""

from collections import deque
from dataclasses import dataclass

from schemas.call import CallView, LegView

from ..actions import key_of
from .acts import ActView, Stage
from .safe_text import safe
from .wall import ROOM_LEG

KEPT = 200
"""Entries of one call; the oldest fall off."""


@dataclass(frozen=True)
class Happening:
    """`at_ms`: server's time, UTC ms. `key` stands for the kind of thing, `told` for who told whom. Safe text."""

    at_ms: int
    key: str
    words: str
    told: str = ""
    bad: bool = False


class Timeline:
    """By call, oldest first."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[Happening]] = {}
        self.since_ms = 0
        """When this console began to watch."""

    def note(self, before: CallView | None, after: CallView, at_ms: int) -> None:
        """A call has a new form."""
        self.since_ms = self.since_ms or at_ms
        if before is None or before.version == after.version:
            return
        kept = self._calls.setdefault(after.call_id, deque(maxlen=KEPT))
        kept.extend(Happening(at_ms, key, words, told) for key, words, told in _differences(before, after))

    def keep_calls(self, calls: set[str]) -> None:
        for gone in self._calls.keys() - calls:
            del self._calls[gone]

    def of(self, call: CallView, acts: list[ActView], now_s: float) -> list[Happening]:
        """All that is known, the newest first: what came, this console's own acts, and what the call itself tells."""
        found = [*self._calls.get(call.call_id, ()), *_known(call)]
        found += [own_act(act, now_s) for act in acts if act.command.call_id == call.call_id]
        return sorted(found, key=lambda one: one.at_ms, reverse=True)


def own_act(act: ActView, now_s: float) -> Happening:
    """From the key to the laptop's word: `you → server ✓ → laptop ✓ 0.21 s`."""
    match act.stage:
        case Stage.PENDING:
            told = f"you → server … {now_s - act.pressed_s:.1f} s"
        case Stage.ACCEPTED:
            told = f"you → server ✓ → laptop … {now_s - act.accepted_s:.1f} s"
        case Stage.CONFIRMED if act.detail.startswith("by laptop"):
            told = f"you → server ✓ → laptop ✓ {act.detail.removeprefix('by laptop ')}"
        case Stage.CONFIRMED if act.read:
            told = "you → server ✓ → " + ", ".join(f"{leg} ✓ {ms / 1000:.1f} s" for leg, ms in act.read)
        case Stage.CONFIRMED:
            told = "you → server ✓"
        case Stage.FILED:
            told = f"you → server ✓ {act.detail}"
        case Stage.REFUSED | Stage.OVERTAKEN:
            told = f"you → server × {act.detail}"
        case Stage.VOID:
            told = "you → server: no answer, void"
    bad = act.stage in (Stage.REFUSED, Stage.OVERTAKEN, Stage.VOID)
    reason = safe(act.command.reason)
    return Happening(act.at_ms, act.key, f"{act.name}: {reason}" if reason else act.name, told, bad)


def _differences(before: CallView, after: CallView) -> list[tuple[str, str, str]]:
    """(key, words, told) of what is new, in the order in which it is told."""
    new: list[tuple[str, str, str]] = []
    old_legs = {leg.leg: leg for leg in before.legs}
    for leg in after.legs:
        words = _leg(old_legs.get(leg.leg), leg)
        if words:
            new.append(("·", words, "laptop → server"))
    for gone in old_legs.keys() - {leg.leg for leg in after.legs}:
        new.append(("·", f"{_device(gone)} left", "laptop → server"))
    if before.laptop_online != after.laptop_online:
        words = "the laptop is back" if after.laptop_online else "the laptop is lost"
        new.append(("·" if after.laptop_online else "■", words, "server"))
    if after.said and after.said != before.said:
        new.append(("·", safe(after.said), "server → all"))
    elif after.state != before.state:
        new.append(("·", f"the call is {after.state.lower()}", "server → all"))
    return new


def _leg(before: LegView | None, after: LegView) -> str:
    device = _device(after.leg)
    was = before is not None and before.connected
    if after.connected and not was:
        return f"{device} connected" if after.admitted or after.leg == ROOM_LEG else f"{device} in the waiting room"
    if was and not after.connected:
        why = safe(after.words)
        return f"{device} away" + (f": {why}" if why else "")
    if before is not None and after.admitted != before.admitted:
        return f"{device} admitted" if after.admitted else f"{device} no longer admitted"
    return ""


def _device(leg: str) -> str:
    return "room" if leg == ROOM_LEG else f"device {safe(leg).rpartition('-')[2]}"


def _known(call: CallView) -> list[Happening]:
    """What the call itself says of its past, which happened perhaps before this console joined."""
    known = [
        (call.admitted_at_ms, key_of("admit-named"), "first caller admitted"),
        (call.ended_at_ms, key_of("end"), "ended"),
    ]
    return [Happening(at_ms, key, words, "server → all") for at_ms, key, words in known if at_ms]
