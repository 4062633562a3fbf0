"""What support is told of a laptop: numbers and codes made from what is known, and the verdict which side failed.

Nothing here passes a text through: an agent's words are read only to be turned into numbers and codes.
"""

import math
import re
from dataclasses import dataclass, replace

import msgspec

from schemas.call import CallState
from schemas.health import (
    NEVER_MS,
    UNKNOWN,
    AgentHealth,
    CallPhase,
    Cause,
    FailedSide,
    LaptopView,
    LegKind,
    LegNumbers,
    RecordingFault,
    WhyNot,
)
from schemas.media import CallHealth, LegHealth, RecordingState

from .call import Call

DISK_LOW_MIB = 4 * 1024
"""A call of an hour needs 1.5 times its 1.8 GB and 2 GiB free, or it is refused (laptop/media/recording.py)."""
CLOCK_OFF_MS = 2000
BUSY_PER_MILLE = 900
LATE_MS = 500
"""An event loop that is so late makes sound stutter."""
SLOW_MS = 500
DROPS_MANY, DROPS_WITHIN_MS = 3, 3_600_000
TOGETHER_MS = 10_000
"""Laptops that are lost within so long of each other have a cause in common."""
LOSS_PER_MILLE, JITTER_MS = 30, 30
RECORD_OLD_MS = 3000
STALE_MS = 5000
"""What a laptop told so long ago says nothing about now."""
LARGEST = 2**53

_PHASES = {
    CallState.WAITING: CallPhase.WAITING,
    CallState.LIVE: CallPhase.ON,
    CallState.PAUSED: CallPhase.PAUSED,
    CallState.ENDING: CallPhase.ENDING,
}
_LEGS = {"room": LegKind.ROOM, **{f"family-{n}": LegKind(n) for n in range(1, 5)}}
_SOFTWARE = re.compile(r"sightline laptop ([0-9]{1,5}(?:\.[0-9]{1,5}){0,3})")


@dataclass(frozen=True)
class Presence:
    """Whether a laptop is there. Times: server's clock, UTC ms."""

    online: bool = False
    changed_at_ms: int = 0
    """0: it never came."""
    drops: int = 0
    newest_drops_ms: tuple[int, ...] = ()
    """When the last few were, at most DROPS_MANY."""
    said_goodbye: bool = False
    version: tuple[int, ...] = ()

    def came(self, now_ms: int, software: str) -> "Presence":
        return replace(self, online=True, changed_at_ms=now_ms, said_goodbye=False, version=version(software))

    def went(self, now_ms: int, said_goodbye: bool) -> "Presence":
        gone = replace(self, online=False, changed_at_ms=now_ms, said_goodbye=said_goodbye)
        if said_goodbye:
            return gone
        return replace(gone, drops=self.drops + 1, newest_drops_ms=(*self.newest_drops_ms, now_ms)[-DROPS_MANY:])


@dataclass(frozen=True)
class Told:
    """What the laptop has told last, and when (server's clock, UTC ms)."""

    agent: AgentHealth | None = None
    agent_at_ms: int = 0
    call: CallHealth | None = None
    call_at_ms: int = 0


@dataclass(frozen=True)
class Known:
    """All that is known of one laptop; `round_trip_s` of its link, None while it is not measured."""

    laptop_id: str
    seat: int
    presence: Presence
    told: Told
    call: Call | None
    """The one that is open in its room."""
    round_trip_s: float | None


def version(software: str) -> tuple[int, ...]:
    """`sightline laptop 1.4.2` -> (1, 4, 2); anything else -> ()."""
    found = _SOFTWARE.fullmatch(software)
    return tuple(map(int, found[1].split("."))) if found else ()


def views(known: list[Known], before: dict[str, LaptopView], now_ms: int) -> list[LaptopView]:
    """Each laptop with its verdict: the gravest thing that is wrong, and on which side. `before`: the last result."""
    lost = [k.presence.changed_at_ms for k in known if _is_lost(k.presence)]
    found: list[LaptopView] = []
    for one in known:
        view = _measured(one, now_ms)
        side, cause = _verdict(view, one.presence, lost, now_ms)
        past = before.get(one.laptop_id)
        since = 0 if cause == Cause.NONE else past.cause_since_ms if past and past.cause == cause else now_ms
        found.append(msgspec.structs.replace(view, side=side, cause=cause, cause_since_ms=since))
    return found


def _measured(known: Known, now_ms: int) -> LaptopView:
    presence, told, call = known.presence, known.told, known.call
    agent = told.agent if presence.online and now_ms - told.agent_at_ms < STALE_MS else None
    of_call = told.call if presence.online and call and now_ms - told.call_at_ms < STALE_MS else None
    recorded = of_call is not None and of_call.recording != RecordingState.NOT_STARTED
    offset = agent.utc_ms + round((known.round_trip_s or 0) * 500) - told.agent_at_ms if agent else 0
    return LaptopView(
        laptop_id=known.laptop_id,
        seat=known.seat,
        online=presence.online,
        changed_at_ms=presence.changed_at_ms,
        version=list(presence.version),
        round_trip_ms=UNKNOWN if known.round_trip_s is None else math.ceil(known.round_trip_s * 1000),
        drops=presence.drops,
        up_s=agent.up_s if agent else UNKNOWN,
        cpu_per_mille=agent.cpu_per_mille if agent else UNKNOWN,
        loop_lag_ms=agent.loop_lag_ms if agent else UNKNOWN,
        disk_free_mib=agent.disk_free_mib if agent else UNKNOWN,
        disk_total_mib=agent.disk_total_mib if agent else UNKNOWN,
        clock_known=agent is not None,
        clock_offset_ms=max(-LARGEST, min(LARGEST, offset)),
        call=_PHASES.get(call.state, CallPhase.NONE) if call else CallPhase.NONE,
        call_ends_at_ms=call.ends_at_ms if call else 0,
        carrying=of_call.carrying if of_call else False,
        why_not=agent.why_not if agent else WhyNot.NOT_SAID,
        recording=of_call.recording if of_call else RecordingState.NOT_STARTED,
        recording_fault=agent.recording_fault if agent else RecordingFault.NONE,
        recording_age_ms=of_call.recording_age_ms if of_call and recorded else NEVER_MS,
        heard_at_ms=max(told.agent_at_ms, told.call_at_ms),
        legs=_legs(of_call.legs) if of_call else [],
        frames_waiting=agent.frames_waiting if agent else UNKNOWN,
        frames_dropped=agent.frames_dropped if agent else UNKNOWN,
        messages_left_out=agent.messages_left_out if agent else UNKNOWN,
        errors_contained=agent.errors_contained if agent else UNKNOWN,
        hung=agent.hung if agent else UNKNOWN,
        hung_at_ms=agent.hung_at_ms if agent else 0,
        side=FailedSide.NONE,
        cause=Cause.NONE,
        cause_since_ms=0,
    )


def _legs(legs: list[LegHealth]) -> list[LegNumbers]:
    """Those whose name is one of ours, as a number; what else a laptop may call a leg is left out."""
    numbers = {
        _LEGS[leg.leg]: LegNumbers(
            _LEGS[leg.leg],
            leg.connected,
            leg.media_age_ms,
            leg.lost_per_mille,
            *map(_whole, (leg.jitter_ms, leg.round_trip_ms, leg.frames_per_s, leg.kbit_per_s)),
            louder_db=leg.louder_db,
        )
        for leg in legs
        if leg.leg in _LEGS
    }
    return [numbers[kind] for kind in sorted(numbers)]


def _whole(value: float) -> int:
    """Neither NaN nor infinity comes through."""
    return round(min(value, LARGEST)) if value >= 0 else 0


def _is_lost(presence: Presence) -> bool:
    return not presence.online and presence.changed_at_ms > 0 and not presence.said_goodbye


def _verdict(view: LaptopView, presence: Presence, lost: list[int], now_ms: int) -> tuple[FailedSide, Cause]:
    if not presence.online:
        return _absence(presence, lost)
    of_laptop = _laptops_own_fault(view)
    if of_laptop != Cause.NONE:
        return FailedSide.LAPTOP, of_laptop
    drops = [at for at in presence.newest_drops_ms if now_ms - at < DROPS_WITHIN_MS]
    line = Cause.LINE_DROPS if len(drops) >= DROPS_MANY else Cause.NONE
    line = Cause.LINE_SLOW if view.round_trip_ms > SLOW_MS else line
    if line != Cause.NONE:
        return FailedSide.LINE, line  # a family's leg goes over the same line, so its faults follow from this
    return _legs_fault(view)


def _absence(presence: Presence, lost: list[int]) -> tuple[FailedSide, Cause]:
    if not presence.changed_at_ms:
        return FailedSide.UNKNOWN, Cause.NEVER_CAME
    if presence.said_goodbye:
        return FailedSide.LAPTOP, Cause.STOPPED
    if sum(abs(at - presence.changed_at_ms) <= TOGETHER_MS for at in lost) > 1:
        return FailedSide.ESTABLISHMENT, Cause.SEVERAL_LOST
    return FailedSide.UNKNOWN, Cause.LOST


def _laptops_own_fault(view: LaptopView) -> Cause:
    if view.recording == RecordingState.FAILED or view.recording_fault != RecordingFault.NONE:
        return Cause.RECORDING_FAILED
    if view.recording == RecordingState.RECORDING and view.recording_age_ms > RECORD_OLD_MS:
        return Cause.RECORDING_OLD
    if view.clock_known and abs(view.clock_offset_ms) > CLOCK_OFF_MS:
        return Cause.CLOCK_OFF
    if 0 <= view.disk_free_mib < DISK_LOW_MIB:
        return Cause.DISK_LOW
    if view.cpu_per_mille > BUSY_PER_MILLE or view.loop_lag_ms > LATE_MS or view.frames_dropped > 0:
        return Cause.AGENT_BUSY
    return Cause.NONE


def _legs_fault(view: LaptopView) -> tuple[FailedSide, Cause]:
    """Only while the call is on: before it a leg that is not there is no fault."""
    if view.call not in (CallPhase.ON, CallPhase.PAUSED):
        return FailedSide.NONE, Cause.NONE
    gone = {leg.leg for leg in view.legs if not leg.connected}
    weak = {leg.leg for leg in view.legs if leg.lost_per_mille > LOSS_PER_MILLE or leg.jitter_ms > JITTER_MS}
    bad = gone | weak
    if LegKind.ROOM in bad and len(bad) > 1:
        return FailedSide.LAPTOP, Cause.BOTH_LEGS
    side = FailedSide.ROOM if LegKind.ROOM in bad else FailedSide.FAMILY
    if gone:
        return side, Cause.LEG_GONE
    return (side, Cause.LEG_WEAK) if weak else (FailedSide.NONE, Cause.NONE)
