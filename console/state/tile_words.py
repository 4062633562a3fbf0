"""The words of one tile, by importance."""

from dataclasses import dataclass

from schemas.call import CallState, CallView
from schemas.media import RecordingState, Side

from . import attention
from .ages import Freshness, countdown, freshness, minute, short
from .attention import Severity
from .cut import off_words
from .media import Shown
from .safe_text import safe
from .unseen import seen_short, seen_words, walls
from .wall import ROOM_LEG, Wall, waiting_legs

HEALTH_HELD_S = 3.5
"""A call's health comes each second; after so long without it nobody knows whether it is recorded."""

_STATES = {
    CallState.LIVE: "● LIVE",
    CallState.PAUSED: "║ PAUSED",
    CallState.ENDING: "▼ ENDING",
    CallState.ENDED: "○ ENDED",
    CallState.BOOKED: "○ BOOKED",
    CallState.REQUESTED: "○ REQUESTED",
}


@dataclass(frozen=True)
class TileWords:
    """All is safe text; `lines` come in order of importance."""

    title: str
    """Seat and surname."""
    number: str
    """The prison number; empty for an empty seat."""
    state: str
    """Glyph and word."""
    left: str
    """The time left."""
    severity: Severity
    paused: bool
    attention: str
    """The most urgent thing, or the newest that happened."""
    attention_age: str
    lines: tuple[str, ...]
    recording: str
    recorded: bool
    has_call: bool
    seen: str = ""
    """How long ago somebody looked, short: `now you`, `0:40`, `!6:06`."""


def tile_words(wall: Wall, seat: int, now_s: float) -> TileWords:
    call = wall.call_at(seat, now_s)
    if call is None:
        return _empty(wall, seat)
    entries = [entry for entry in attention.of_call(wall, call, now_s) if not entry.shelved_s]
    severity = entries[0].severity if entries else Severity.NONE
    name = safe(call.surname).upper() or "NO NAME"
    said = f"{entries[0].severity.glyph} {entries[0].words}" if entries else safe(call.said) or "Nothing to report"
    lost = seat in wall.lost_laptops
    counts = call.state != CallState.ENDED and not lost
    left = countdown(call.ends_at_ms - wall.link.server_ms(now_s)) if counts else ""
    if call.state == CallState.ENDED and call.outcome:
        said = f"{safe(call.said) or 'Ended'} ({call.outcome.replace('_', ' ').lower()})"
    recording, recorded = recording_words(wall, call, now_s)
    return TileWords(
        title=f"{seat:02d} {name}",
        number=safe(call.prison_number),
        state=_state(call, lost),
        left=left,
        severity=severity,
        paused=call.state == CallState.PAUSED,
        attention=said,
        attention_age=entries[0].age if entries else "",
        lines=tuple(
            filter(
                None,
                (
                    f"{recording}{_off(call)}{_quality(wall, call)}",
                    _looks(wall, call, now_s),
                    callers(call),
                    _counts(call),
                ),
            )
        ),
        recording=recording,
        recorded=recorded,
        has_call=True,
        seen=seen_short(wall, call, now_s),
    )


def _looks(wall: Wall, call: CallView, now_s: float) -> str:
    """`Seen 0:40 ago · 2 walls · watch J. Patel`."""
    said = [seen_words(wall, call, now_s)]
    if wall.watchers is not None and len(wall.watchers) > 1:
        said.append(walls(wall))
    if call.watch:
        said.append(f"watch {safe(call.watch)}")
    return " · ".join(filter(None, said))


def callers(call: CallView) -> str:
    """`Linda (wife), Mia (daughter, child)`."""
    said = [f"{safe(c.name)} ({safe(c.relation)}{', child' if c.age_group == 'child' else ''})" for c in call.callers]
    return ", ".join(said) or "no caller booked"


def side_words(call: CallView, side: Side) -> str:
    """Who is connected on one side."""
    legs = [leg for leg in call.legs if (leg.leg == ROOM_LEG) == (side == Side.ROOM)]
    connected = sum(leg.connected for leg in legs)
    if side == Side.ROOM:
        return "ROOM connected" if connected else "ROOM away"
    if not connected:
        return "FAMILY away"
    admitted = sum(leg.connected and leg.admitted for leg in legs)
    return "FAMILY admitted" if admitted == connected else "FAMILY waits"


def picture_words(shown: Shown | None, now_s: float, lean: bool = False) -> tuple[Freshness, str]:
    """How fresh a picture is, and what is said of it; GONE without words when there never was one."""
    if shown is None:
        return Freshness.GONE, ""
    age_s = now_s - shown.taken_s
    how = freshness(age_s, lean)
    words = {
        Freshness.FRESH: "",
        Freshness.AGEING: f"{int(age_s)} s old",
        Freshness.OLD: f"OLD {int(age_s)} s",
        Freshness.GONE: f"no picture for {short(age_s)}",
    }[how]
    return how, words


def recording_words(wall: Wall, call: CallView, now_s: float) -> tuple[str, bool]:
    """The recording's state in words, and whether it is as it should be."""
    fault = attention.recording_fault(wall, call)
    if fault:
        return f"■ NOT RECORDED: {fault}", False
    media = wall.media_of(call)
    health = media.health
    unheard = now_s - media.health_s > HEALTH_HELD_S or wall.dark(call.seat)
    if call.state in (CallState.LIVE, CallState.PAUSED) and unheard:
        return "○ REC not known", False
    if call.state == CallState.ENDED:
        return "○ REC closed", True
    if health is not None and health.recording == RecordingState.RECORDING:
        return f"● REC {short(health.recording_age_ms / 1000)}", True
    if call.state == CallState.LIVE:
        return "○ NOT REC yet", False
    if call.state == CallState.PAUSED:
        return "○ NOT REC (paused)", True
    return ("○ NOT REC (not live)" if call.state == CallState.WAITING else "○ NOT REC"), True


def _state(call: CallView, lost: bool) -> str:
    waits = bool(waiting_legs(call))
    if lost:
        return "■ LAPTOP LOST"
    if call.state == CallState.WAITING:
        return "◌ WAITING" if waits else "◌ ROOM OPEN"
    return ("◌ WAITING " if waits else "") + _STATES[call.state]


def _off(call: CallView) -> str:
    off = off_words(call)
    return f" · {off.upper()}" if off else ""


def _quality(wall: Wall, call: CallView) -> str:
    health = wall.media_of(call).health
    legs = [leg for leg in health.legs if leg.connected] if health else []
    if not legs:
        return ""
    lost = max(leg.lost_per_mille for leg in legs) / 10
    claims = "".join(f" · {safe(leg.leg)} {claim_words(leg.louder_db)}" for leg in legs if leg.louder_db)
    return f"{claims} · loss {lost:.1f} % · {max(leg.round_trip_ms for leg in legs):.0f} ms"


def claim_words(louder_db: int) -> str:
    """A sender whose own level contradicts its sound; empty while it does not."""
    if not louder_db:
        return ""
    return f"sound {abs(louder_db)} dB {'louder' if louder_db > 0 else 'quieter'} than it claims"


def _counts(call: CallView) -> str:
    said: list[str] = []
    for count, word in ((call.incidents, "incident"), (call.warnings, "warning"), (call.pauses, "pause")):
        if count:
            said.append(f"{count} {word}{'s' if count > 1 else ''}")
    if call.extended_ms:
        said.append(f"extended {call.extended_ms / 60_000:g} min")
    said.append(f"next in room {minute(call.next_booking_ms)}" if call.next_booking_ms else "nothing booked after")
    return " · ".join(said).capitalize()


def _empty(wall: Wall, seat: int) -> TileWords:
    view = wall.seats.get(seat)
    if view is None:
        return TileWords(f"{seat:02d}", "", "", "", Severity.NONE, False, "", "", (), "", True, False)
    ready = "Room ready, laptop OK" if view.online else "▲ Laptop away"
    following = safe(view.next_call)
    return TileWords(
        title=f"{seat:02d} {safe(view.room)}",
        number="",
        left="",
        state="○ EMPTY",
        severity=Severity.NONE,
        paused=False,
        attention=ready,
        attention_age="",
        lines=(f"Next: {following}" if following else "No call is booked",),
        recording="",
        recorded=True,
        has_call=False,
    )
