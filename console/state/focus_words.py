"""The words of one call in focus: who is in it, how its connections do, what follows in the room."""

from schemas.call import CallState, CallView, LegView
from schemas.media import LegHealth, Side

from . import attention
from .ages import clock, countdown, minute
from .attention import Severity
from .safe_text import safe
from .tile_words import claim_words, recording_words, tile_words
from .wall import ROOM_LEG, Wall

Line = tuple[str, bool]
"""Safe text, and whether it matters more than the lines around it."""


def title(wall: Wall, call: CallView, now_s: float) -> str:
    """`07 HARRIS, Owen A1234BC · Visits 7 · ● LIVE · ends 14:44:48 · 12:41 left`."""
    words = tile_words(wall, call.seat, now_s)
    view = wall.seats.get(call.seat)
    said = [f"{words.title}, {safe(call.forename)} {safe(call.prison_number)}"]
    if view is not None:
        said.append(safe(view.room))
    said.append(words.state)
    if call.state in (CallState.LIVE, CallState.PAUSED, CallState.WAITING):
        left = countdown(call.ends_at_ms - wall.link.server_ms(now_s))
        said += [f"ends {clock(call.ends_at_ms)}", f"{left} left"]
    elif call.outcome is not None:
        said.append(call.outcome.replace("_", " ").lower())
    return " · ".join(said)


def gravest(wall: Wall, call: CallView, now_s: float) -> tuple[Severity, str]:
    """What this call needs most; NONE when nothing."""
    entries = attention.of_call(wall, call, now_s)
    if not entries:
        return Severity.NONE, ""
    age = f" {entries[0].age}" if entries[0].age else ""
    return entries[0].severity, f"{entries[0].severity.glyph} {entries[0].severity.name} {entries[0].words}{age}"


def elsewhere(wall: Wall, call: CallView | None, now_s: float) -> tuple[Severity, str]:
    """What goes on in the other calls: `Others: ■1 ◆3`, or the URGENT one itself."""
    mine = call.seat if call is not None else None
    entries = [entry for entry in attention.ranked(wall, now_s) if entry.seat != mine]
    if entries and entries[0].severity is Severity.URGENT:
        first = entries[0]
        return Severity.URGENT, f"■ URGENT elsewhere: seat {first.seat:02d} {first.surname}: {first.words} {first.age}"
    counts = [sum(e.severity is s for e in entries) for s in (Severity.ALERT, Severity.LOOK)]
    said = [f"{s.glyph}{n}" for s, n in zip((Severity.ALERT, Severity.LOOK), counts, strict=True) if n]
    return (Severity.NONE, f"Others: {' '.join(said)}" if said else "Others: quiet")


def people(wall: Wall, call: CallView) -> list[Line]:
    """Devices with their connections, each person, and what this console does not know."""
    lines: list[Line] = []
    for leg in call.legs:
        if leg.leg == ROOM_LEG:
            continue
        lines.append((_device(wall, call, leg), leg.connected and not leg.admitted))
        lines += [(_person(call, at), False) for at, one in enumerate(call.callers) if one.leg == leg.leg]
    here = {leg.leg for leg in call.legs}
    for at, one in enumerate(call.callers):
        if one.leg not in here:
            lines.append((f"{_person(call, at)} · not joined", False))
    room = next((leg for leg in call.legs if leg.leg == ROOM_LEG), None)
    prisoner = f"Room: {safe(call.forename)} {safe(call.surname).upper()}"
    lines.append((f"{prisoner} · {_state(room)}{_numbers(wall, call, ROOM_LEG)}", False))
    adults = sum(one.age_group == "adult" for one in call.callers)
    children = sum(one.age_group == "child" for one in call.callers)
    unknown = len(call.callers) - adults - children
    ages = ", ".join(f"{n} {w}" for n, w in ((adults, "adult"), (children, "child"), (unknown, "age not known")) if n)
    lines.append((f"Booked: {len(call.callers)} ({ages})" if call.callers else "Booked: nobody", False))
    lines.append(("Vetting, restrictions: not told to consoles yet", False))
    lines.append(("Signals: none are measured yet", False))
    return lines


def state_lines(wall: Wall, call: CallView, now_s: float) -> list[Line]:
    """Recording and counts."""
    recording, well = recording_words(wall, call, now_s)
    counts = ((call.warnings, "warning"), (call.pauses, "pause"), (call.incidents, "incident"))
    said = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n]
    return [(recording, not well), (" · ".join(said) or "No warning, pause or incident yet", False)]


def following(wall: Wall, call: CallView) -> str:
    """`Next in this room 15:00 (K. SHAW). Longest end 15:14. Clock is the server's.`"""
    view = wall.seats.get(call.seat)
    named = safe(view.next_call) if view is not None else ""
    if call.next_booking_ms:
        said = f"Next in this room {minute(call.next_booking_ms)}" + (f": {named}" if named else "")
    else:
        said = "Nothing is booked after it in this room"
    longest = f". Latest end {clock(call.latest_end_ms)}" if call.latest_end_ms else ""
    return f"{said}{longest}. The clock is the server's."


def frame(call: CallView, side: Side) -> str:
    """A picture's title: `FAMILY · device 1 admitted`."""
    legs = [leg for leg in call.legs if (leg.leg == ROOM_LEG) == (side is Side.ROOM)]
    if side is Side.ROOM:
        return f"ROOM · {_state(legs[0] if legs else None)}"
    said = [f"device {_number(leg)} {_state(leg)}" for leg in legs if leg.connected or len(legs) == 1]
    return " · ".join(["FAMILY", *said]) if said else "FAMILY · away"


def _device(wall: Wall, call: CallView, leg: LegView) -> str:
    words = safe(leg.words)
    return f"Device {_number(leg)} {_state(leg)}{_numbers(wall, call, leg.leg)}" + (f" · {words}" if words else "")


def _state(leg: LegView | None) -> str:
    if leg is None or not leg.connected:
        return "away"
    if leg.leg == ROOM_LEG:
        return "connected"
    return "admitted" if leg.admitted else "waits for admission"


def _number(leg: LegView) -> str:
    return safe(leg.leg).rpartition("-")[2]


def _numbers(wall: Wall, call: CallView, leg: str) -> str:
    health = wall.media_of(call).health
    found: LegHealth | None = next((one for one in health.legs if one.leg == leg), None) if health else None
    if found is None or not found.connected:
        return ""
    loss = f"loss {found.lost_per_mille / 10:.1f} %"
    claim = f" · {claim_words(found.louder_db)}" if found.louder_db else ""
    return f" · {loss} · {found.round_trip_ms:.0f} ms · {found.frames_per_s:.0f} fps{claim}"


def _person(call: CallView, at: int) -> str:
    one = call.callers[at]
    age = safe(one.age_group) or "age not known"
    return f"{at + 1} {safe(one.name)} · {safe(one.relation)} · {age} · on the booking"
