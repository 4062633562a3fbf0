"""A laptop's health in words: states, the verdict, and each number with its unit. All of it is safe text."""

from schemas.health import (
    NEVER_MS,
    UNKNOWN,
    CallPhase,
    Cause,
    FailedSide,
    LaptopView,
    LegKind,
    LegNumbers,
    RecordingFault,
    WhyNot,
)
from schemas.media import RecordingState

from .ages import clock, short
from .attention import Severity
from .safe_text import safe
from .tile_words import claim_words

DASH = "–"

_PHASES = {
    CallPhase.NONE: "○ idle",
    CallPhase.WAITING: "◌ room open",
    CallPhase.ON: "● in call",
    CallPhase.PAUSED: "║ paused",
    CallPhase.ENDING: "▼ ending",
}
_SIDES = {
    FailedSide.NONE: "",
    FailedSide.LAPTOP: "laptop",
    FailedSide.LINE: "line to the server",
    FailedSide.ESTABLISHMENT: "establishment",
    FailedSide.ROOM: "room",
    FailedSide.FAMILY: "family",
    FailedSide.UNKNOWN: "cannot tell",
}
_SEVERITIES = {
    Cause.NONE: Severity.NONE,
    Cause.LOST: Severity.ALERT,
    Cause.SEVERAL_LOST: Severity.ALERT,
    Cause.RECORDING_FAILED: Severity.ALERT,
    Cause.RECORDING_OLD: Severity.ALERT,
    Cause.BOTH_LEGS: Severity.ALERT,
}
"""All others are LOOK; with a call in the room a loss or a failed recording is URGENT."""
_GRAVE_IN_A_CALL = (Cause.LOST, Cause.SEVERAL_LOST, Cause.RECORDING_FAILED)
_WHY_NOT = {
    WhyNot.NOT_SAID: "the agent does not say",
    WhyNot.CARRYING: "picture and sound flow",
    WhyNot.NO_CALL: "no call is open",
    WhyNot.CALL_OVER: "the call is over",
    WhyNot.NOBODY_ADMITTED: "nobody is admitted",
    WhyNot.PAUSED: "the call is paused",
    WhyNot.TIME_OVER: "the time is over",
    WhyNot.NO_LEASE: "no lease from the server",
    WhyNot.NOT_RECORDED: "the recording is behind",
}
_FAULTS = {
    RecordingFault.NONE: "",
    RecordingFault.NO_ROOM: "too little room on the disk",
    RecordingFault.NOT_WRITABLE: "the disk can't be written",
    RecordingFault.TOO_SLOW: "the disk is too slow",
}


def severity(one: LaptopView) -> Severity:
    if one.cause in _GRAVE_IN_A_CALL and one.call != CallPhase.NONE:
        return Severity.URGENT
    return _SEVERITIES.get(one.cause, Severity.LOOK)


def state(one: LaptopView) -> str:
    """Glyph and word."""
    if one.online:
        return phase(one)
    return "■ lost" if one.cause in (Cause.LOST, Cause.SEVERAL_LOST) else "○ away"


def phase(one: LaptopView) -> str:
    """What is known of a call in the laptop's room, whether or not the laptop is there."""
    return _PHASES[one.call]


def verdict(one: LaptopView) -> str:
    """Which side failed, and what; empty when nothing has."""
    if one.cause == Cause.NONE:
        return ""
    return f"{_SIDES[one.side]}: {_cause(one)}"


def _cause(one: LaptopView) -> str:
    match one.cause:
        case Cause.LOST:
            return "laptop or line, no goodbye"
        case Cause.SEVERAL_LOST:
            return "several lost together"
        case Cause.STOPPED:
            return "its agent was stopped"
        case Cause.NEVER_CAME:
            return "not seen since server start"
        case Cause.RECORDING_FAILED:
            return f"no recording, {_FAULTS[one.recording_fault] or 'it has failed'}"
        case Cause.RECORDING_OLD:
            return f"newest record {age(one.recording_age_ms)} old"
        case Cause.DISK_LOW:
            return f"{gib(one.disk_free_mib)} free, calls refused"
        case Cause.CLOCK_OFF:
            return f"clock {offset(one)} off"
        case Cause.AGENT_BUSY:
            dropped = f", {one.frames_dropped} pictures dropped" if one.frames_dropped > 0 else ""
            return f"agent busy, {per_cent(one.cpu_per_mille)} CPU, {whole(one.loop_lag_ms)} ms late{dropped}"
        case Cause.LINE_SLOW:
            return f"slow, {whole(one.round_trip_ms)} ms there and back"
        case Cause.LINE_DROPS:
            return f"broke {one.drops} times"
        case Cause.BOTH_LEGS:
            return "room and family suffer alike"
        case Cause.LEG_GONE:
            return "no picture and sound come"
        case Cause.LEG_WEAK:
            return f"loss {loss(one)} %, jitter {max(leg.jitter_ms for leg in one.legs)} ms"
        case _:
            return safe(str(one.cause)).replace("_", " ")


def strain(one: LaptopView) -> str:
    """How the agent's work goes: what it left out, what it stumbled over, how often it hung."""
    if one.hung == UNKNOWN:
        return DASH
    said = [
        f"{one.frames_waiting} pictures to decode, {one.frames_dropped} dropped",
        f"{one.messages_left_out} messages left out",
        f"{one.errors_contained} errors contained",
    ]
    if one.hung:
        said.append(f"hung {one.hung} times, last {clock(one.hung_at_ms)}")
    return " · ".join(said)


def version(one: LaptopView) -> str:
    return ".".join(map(str, one.version)) or "?"


def whole(value: int) -> str:
    return DASH if value == UNKNOWN else str(value)


def per_cent(per_mille: int) -> str:
    return DASH if per_mille == UNKNOWN else f"{per_mille / 10:.0f} %"


def gib(mib: int) -> str:
    return DASH if mib == UNKNOWN else f"{mib / 1024:.0f} GiB"


def offset(one: LaptopView) -> str:
    return f"{one.clock_offset_ms / 1000:+.2f} s" if one.clock_known else DASH


def age(milliseconds: int) -> str:
    return DASH if milliseconds >= NEVER_MS else short(milliseconds / 1000)


def loss(one: LaptopView) -> str:
    """Of the worst leg, per cent."""
    return f"{max(leg.lost_per_mille for leg in one.legs) / 10:.1f}" if one.legs else DASH


def jitter(one: LaptopView) -> str:
    return str(max(leg.jitter_ms for leg in one.legs)) if one.legs else DASH


def frames(one: LaptopView) -> str:
    """Pictures a second, room and family devices."""
    return "/".join(str(leg.frames_per_s) for leg in one.legs) or DASH


def recording(one: LaptopView) -> str:
    match one.recording:
        case RecordingState.RECORDING:
            return f"● {age(one.recording_age_ms)}"
        case RecordingState.FAILED:
            return "■ FAILED"
        case _:
            return DASH


def carrying(one: LaptopView) -> str:
    return "picture and sound flow" if one.carrying else _WHY_NOT[one.why_not]


def fault(one: LaptopView) -> str:
    return _FAULTS[one.recording_fault]


def leg_name(leg: LegNumbers) -> str:
    return "Room" if leg.leg == LegKind.ROOM else f"Family device {int(leg.leg)}"


def leg_words(leg: LegNumbers) -> str:
    if leg.media_age_ms >= NEVER_MS:
        return "nothing has come yet"
    came = "" if leg.connected else f"AWAY, last packet {age(leg.media_age_ms)} ago · "
    return (
        f"{came}loss {leg.lost_per_mille / 10:.1f} % · jitter {leg.jitter_ms} ms · {leg.round_trip_ms} ms · "
        f"{leg.frames_per_s} fps · {leg.kbit_per_s} kbit/s"
        f"{f' · {claim_words(leg.louder_db)}' if leg.louder_db else ''}"
    )
