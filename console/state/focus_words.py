"""The words of one call in focus: who is in it, how its connections do, what follows in the room."""

from schemas.call import CallerView, CallState, CallView, LegView
from schemas.media import LegHealth, Side

from ..actions import key_of
from . import attention, people
from .ages import clock, countdown, minute
from .attention import Severity
from .people import Line
from .safe_text import safe
from .tile_words import claim_words, recording_words, tile_words
from .wall import ROOM_LEG, Wall


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


def people_lines(wall: Wall, call: CallView, now_s: float) -> list[Line]:
    """Devices with their connections, each person with vetting and restrictions, and signals."""
    lines: list[Line] = []
    day = people.day_of(wall.link.server_ms(now_s))
    for leg in call.legs:
        if leg.leg == ROOM_LEG:
            continue
        lines.append((_device(wall, call, leg), leg.connected and not leg.admitted))
        for at, one in enumerate(call.callers):
            lines += person_lines(at, one, day) if one.leg == leg.leg else []
    here = {leg.leg for leg in call.legs}
    for at, one in enumerate(call.callers):
        if one.leg not in here:
            lines += person_lines(at, one, day, " · not joined")
    lines += [people.restrictions_of_all(call, day), people.authority(call, day)]
    room = next((leg for leg in call.legs if leg.leg == ROOM_LEG), None)
    prisoner = f"Room: {safe(call.forename)} {safe(call.surname).upper()}"
    lines.append((f"{prisoner} · {_state(room)}{_numbers(wall, call, ROOM_LEG)}", False))
    adults = sum(one.age_group == "adult" for one in call.callers)
    children = sum(one.age_group == "child" for one in call.callers)
    unknown = len(call.callers) - adults - children
    ages = ", ".join(f"{n} {w}" for n, w in ((adults, "adult"), (children, "child"), (unknown, "age not known")) if n)
    lines.append((f"Booked: {len(call.callers)} ({ages})" if call.callers else "Booked: nobody", False))
    lines.append(signals(wall, call))
    return lines


def person_lines(at: int, one: CallerView, day: str, more: str = "") -> list[Line]:
    """A person of the booking, and under them the restrictions that are in force."""
    words, matters = people.vetting(one)
    lines: list[Line] = [(f"{at + 1} {people.person(one)} · {words}{more}", matters)]
    reads = f": {key_of('details')} reads it"
    return lines + [(f"· {people.restriction(each)}{reads}", True) for each in people.in_force(one, day)]


def signals(wall: Wall, call: CallView) -> Line:
    """What is measured, and what is not: faces and pictures have no detector yet."""
    health = wall.media_of(call).health
    if health is None:
        return "Signals: nothing is told yet", False
    said = [
        f"{_place(leg.leg)}: {claim_words(leg.louder_db)}" for leg in health.legs if leg.connected and leg.louder_db
    ]
    sound = ", ".join(said) or "sound is as loud as its sender claims"
    return f"Signals: {sound}; faces and covered pictures are not measured", bool(said)


def _place(leg: str) -> str:
    return "room" if leg == ROOM_LEG else f"device {safe(leg).rpartition('-')[2]}"


def state_lines(wall: Wall, call: CallView, now_s: float) -> list[Line]:
    """Recording and counts."""
    recording, well = recording_words(wall, call, now_s)
    counts = ((call.warnings, "warning"), (call.pauses, "pause"), (call.incidents, "incident"))
    said = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n]
    return [(recording, not well), (" · ".join(said) or "No warning, pause or incident yet", False)]


def following(wall: Wall, call: CallView) -> str:
    """`Next in this room 15:00: SHAW A2290BD, 2 callers. Latest end 15:14:48. The clock is the server's.`"""
    longest = f". Latest end {clock(call.latest_end_ms)}" if call.latest_end_ms else ""
    return f"{next_in_room(wall, call)}{longest}. The clock is the server's."


def next_in_room(wall: Wall, call: CallView) -> str:
    """`Next in this room 15:00: SHAW A2290BD, 2 callers`."""
    view = wall.seats.get(call.seat)
    if call.next_booking_ms:
        starts = minute(call.next_booking_ms)
        named = safe(view.next_call).removeprefix(starts).strip() if view is not None else ""
        return f"Next in this room {starts}" + (f": {named}" if named else "")
    return "Nothing is booked after it in this room"


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
