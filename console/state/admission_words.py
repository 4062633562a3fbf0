"""The words of an admission: who waits, with whom, for how long, and what is known of them. Safe text."""

from schemas.call import CallView
from schemas.media import LegHealth

from . import people
from .admission import Admission
from .ages import minute, since
from .focus_words import next_in_room, person_lines, signals
from .people import Line
from .safe_text import safe
from .wall import ROOM_LEG, Wall, waiting_legs


def device(leg: str) -> str:
    """`device 2`."""
    return f"device {safe(leg).rpartition('-')[2]}"


def waiting(wall: Wall) -> list[tuple[CallView, str]]:
    """(call, leg) of all that wait: booked time first, then how long they have waited."""
    found = [(call, leg.leg) for call in wall.calls.values() for leg in waiting_legs(call)]
    return sorted(found, key=lambda one: (one[0].starts_at_ms, _since(wall, *one), one[0].seat, one[1]))


def _since(wall: Wall, call: CallView, leg: str) -> float:
    return wall.waiting_since.get((call.call_id, leg), 0.0)


def waited_s(wall: Wall, call: CallView, leg: str, now_s: float) -> float:
    return now_s - wall.waiting_since.get((call.call_id, leg), now_s)


def title(wall: Wall, admission: Admission, now_s: float) -> str:
    """`ADMIT seat 02 OKAFOR A1002BC · device 1 · waited 1:40`."""
    call = admission.call
    who = f"seat {call.seat:02d} {safe(call.surname).upper()} {safe(call.prison_number)}"
    waited = f"waited {since(waited_s(wall, call, admission.leg, now_s))}" if admission.waits else "waits no longer"
    return f"ADMIT {who} · {device(admission.leg)} · {waited}"


def frame(admission: Admission) -> str:
    """The picture's title. A side has one picture of all its devices, in their order."""
    family = [leg for leg in admission.call.legs if leg.leg != ROOM_LEG and leg.connected]
    if len(family) > 1:
        at = next((n for n, leg in enumerate(family, 1) if leg.leg == admission.leg), 0)
        return f"FAMILY · {len(family)} devices in one picture, {device(admission.leg)} is number {at}"
    return f"LIVE · {device(admission.leg)} · no sound"


def facts(wall: Wall, admission: Admission, now_s: float) -> list[Line]:
    """What an officer looks at beside the picture."""
    call, day = admission.call, people.day_of(wall.link.server_ms(now_s))
    view = wall.seats.get(call.seat)
    room = next((leg for leg in call.legs if leg.leg == ROOM_LEG), None)
    present = "room connected" if room is not None and room.connected else "room not connected"
    place = f"{safe(view.room)} · " if view is not None else ""
    lines: list[Line] = [
        (f"{safe(call.forename)} {safe(call.surname).upper()} {safe(call.prison_number)} · {place}{present}", False),
        (f"Booked {minute(call.starts_at_ms)}–{minute(call.ends_at_ms)}. {next_in_room(wall, call)}", False),
        ("", False),
    ]
    for at, one in enumerate(call.callers):
        if one in admission.callers:
            lines += person_lines(at, one, day)
    others = [safe(one.name) for one in call.callers if one not in admission.callers]
    lines += [(f"At other devices: {', '.join(others)}", False)] if others else []
    lines += [
        ("", False),
        people.restrictions_of_all(call, day),
        people.authority(call, day),
        (_line(wall, call, admission.leg), False),
        signals(wall, call),
        ("No picture of an earlier call is held", False),
        ("They neither see nor hear the room yet", False),
    ]
    return lines


def _line(wall: Wall, call: CallView, leg: str) -> str:
    """How the device's connection does."""
    health = wall.media_of(call).health
    found: LegHealth | None = next((one for one in health.legs if one.leg == leg), None) if health else None
    if found is None or not found.connected:
        return f"{device(leg).capitalize()}: its connection is not measured yet"
    loss = f"loss {found.lost_per_mille / 10:.1f} %"
    return f"{device(leg).capitalize()}: {loss} · {found.round_trip_ms:.0f} ms · {found.frames_per_s:.0f} fps"


def listed(wall: Wall, now_s: float) -> list[tuple[CallView, str, str]]:
    """(call, leg, words) of each that waits: `seat 02 OKAFOR  Ann Okafor +1  1:40`."""
    made: list[tuple[CallView, str, str]] = []
    for call, leg in waiting(wall):
        names = [safe(one.name) for one in call.callers if one.leg == leg] or ["not on the booking"]
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        age = since(waited_s(wall, call, leg, now_s))
        made.append((call, leg, f"seat {call.seat:02d} {safe(call.surname).upper()} · {names[0]}{more} · {age}"))
    return made
