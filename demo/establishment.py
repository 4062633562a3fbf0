"""The demo's establishment: invented people, a laptop for each call, and fresh secrets each time.

Nobody here exists: surnames of many origins that are common in the United Kingdom, put together at random once.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CODE, NAME, HALL = "BWI", "Berwyn", "Visits hall"
OFFICER, GOVERNOR = "R. Hughes", "M. Achebe"
CALLS_MAX = 36
MINUTES = 30
"""Each call's booked length, minutes."""

PRISONERS = (
    ("Daniel", "Okafor"), ("Gareth", "Llewellyn"), ("Imran", "Siddiqui"), ("Thomas", "Ashworth"),
    ("Piotr", "Kowalczyk"), ("Marcus", "Bennett"), ("Sanjay", "Chaudhary"), ("Owen", "Prosser"),
    ("Kwame", "Asante"), ("Liam", "Gallagher-Moss"), ("Yusuf", "Demir"), ("Callum", "Drummond"),
    ("Andrei", "Ionescu"), ("Joseph", "Thornbury"), ("Wei", "Zhang"), ("Tariq", "Mahmood"),
    ("Rhys", "Bevan"), ("Emeka", "Nwosu"), ("Stephen", "Halliwell"), ("Harjit", "Gill"),
    ("Luca", "Ferraro"), ("Dylan", "Cadwallader"), ("Ahmed", "Farouk"), ("Patrick", "Doherty"),
    ("Minh", "Tran"), ("Nathan", "Whitlock"), ("Tendai", "Moyo"), ("Ross", "Kilbride"),
    ("Karim", "Benali"), ("Jonas", "Petrauskas"), ("Craig", "Sutherland"), ("Ravi", "Subramaniam"),
    ("Leon", "Fairweather"), ("Aled", "Gwynne"), ("Hassan", "Warsame"), ("Miguel", "Oliveira"),
)  # fmt: skip
"""(forename, surname); no surname is a part of another, so that a tile is found by its name alone."""


@dataclass(frozen=True)
class Family:
    """A family clip and who may be seen in it: (forename, relation) for each face that is there at the start."""

    clip: str
    people: tuple[tuple[tuple[str, str], ...], ...]


FAMILIES = (
    Family("pair", ((("Grace", "mother"), ("Samuel", "father")), (("Ruth", "sister"), ("Adam", "brother")))),
    Family("joins", ((("Helen", "mother"), ("Megan", "sister")), (("Amina", "wife"), ("Zara", "sister-in-law")))),
    Family("covered", ((("Nadia", "wife"),), (("Claire", "partner"),))),
    Family("leaves", ((("Peter", "brother"),), (("Edward", "uncle"),))),
    Family("silent", ((("Ewa", "sister"),), (("Jane", "mother"),))),
    Family("shout", ((("Paul", "father"),), (("Martin", "cousin"),))),
    Family("frozen", ((("David", "brother"),), (("Simon", "cousin"),))),
)
SECOND_DEVICE = Family("shout", ((("Owen", "cousin"),),))
"""Who sits at the second device of a family that has one."""
ROOM_CLIPS = ("steady", "frozen", "shout")
NEXT_PRISONERS = (("Mark", "Ellison"), ("Noah", "Pritchard"), ("Isaac", "Owusu"), ("Glyn", "Tudor"))
NEXT_AFTER_MINUTES = 45
"""From the end of a call that is on to the start of the next one in its room, at every second seat."""
RESTRICTED_SEAT, MONITORED_SEAT = 6, 5
"""Where the officer has something to read before admitting, and whose prisoner is under an authority."""
LOOP_S = 16.0
CALLERS_MAX = 4
SECOND_DEVICE_SEAT, CALLS_WITH_SECOND_DEVICE = 4, 6
OFFSET_STEP_S = LOOP_S * 0.618034
"""The golden section of the loop: no two clients come to the same place, so that equal clips don't look the same."""


@dataclass(frozen=True)
class DemoLaptop:
    id: str
    token: str


@dataclass(frozen=True)
class DemoPeer:
    """One WebRTC client. `clip` is relative to demo/media; `offset_s` is where in the clip it starts."""

    name: str
    token: str
    clip: str
    offset_s: float


@dataclass(frozen=True)
class Plan:
    """What a launcher needs to start the parts of this demo, and to find its calls on the wall."""

    code: str
    laptops: list[DemoLaptop]
    peers: list[DemoPeer]
    seats: dict[int, str]
    """Seat -> the prisoner's SURNAME, as tiles show it."""
    observer_token: str
    """Lets the duty governor's console in over TCP: it sees the wall, and is no officer who watches."""
    _calls: dict[int, str] = field(repr=False)
    second_device_at: int = 0
    """The seat whose family has several devices; 0: none has."""
    devices: int = 2
    """So many."""

    def call_at(self, seat: int) -> str:
        return self._calls[seat]

    def peer_at(self, seat: int, side: str) -> str:
        """The name of the client at a seat; `side` is F for the family, R for the room."""
        return f"{_laptop_id(seat)}/{ {'F': 'family', 'R': 'room'}[side] }"

    def peers_of(self, call_id: str) -> list[str]:
        seat = next(seat for seat, call in self._calls.items() if call == call_id)
        return [self.peer_at(seat, side) for side in "RF"] + self.second_devices(seat)

    def second_devices(self, seat: int) -> list[str]:
        """The names of the further family clients at a seat."""
        if seat != self.second_device_at:
            return []
        return [f"{_laptop_id(seat)}/family-{n}" for n in range(2, self.devices + 1)]

    def peers_as_json(self) -> list[dict[str, Any]]:
        """The plan file of demo.peers.process."""
        return [asdict(peer) for peer in self.peers]


def write(
    path: Path,
    calls: int,
    *,
    now: datetime,
    unix_user: str,
    ends_soon_s: int = 0,
    clip: str | Path | None = None,
    more_staff: Sequence[dict[str, str]] = (),
    second_device_at: int = 0,
    devices: int = 2,
) -> Plan:
    """Writes the establishment's file for `calls` calls that are on at `now`, and says what is in it.

    `ends_soon_s`: the call at the second seat (the only one, if there is one) ends that many seconds after `now`;
    0: none does. `clip`: every client plays this file in place of the demo's clips. `more_staff`: entries of the file's
    staff list besides the demo's own two. `second_device_at`: the family at this seat has `devices`.
    SystemExit for a number of calls that the demo has no people for.
    """
    if not 1 <= calls <= CALLS_MAX:
        raise SystemExit(f"demo: {calls} calls were asked for; give a number from 1 to {CALLS_MAX}.")
    now = now.astimezone(UTC).replace(microsecond=0)
    ends_soon_seat = min(2, calls) if ends_soon_s else 0
    laptops, peers, bookings = [], [], []
    seats: dict[int, str] = {}
    call_ids: dict[int, str] = {}
    for seat in range(1, calls + 1):
        laptop = {"id": _laptop_id(seat), "seat": seat, "room": f"Visits {seat}", "token": _secret()}
        starts_at = now - timedelta(seconds=(seat - 1) * 37 % 600)  # so that not all clocks show the same
        if seat == ends_soon_seat:
            starts_at = now + timedelta(seconds=ends_soon_s) - timedelta(minutes=MINUTES)
        booking, family_clip = _booking(seat, starts_at, now, devices if seat == second_device_at else 1)
        laptops.append(laptop)
        bookings.append(booking)
        seats[seat], call_ids[seat] = booking["prisoner"]["surname"].upper(), booking["reference"]
        room_clip = ROOM_CLIPS[(seat - 1) % len(ROOM_CLIPS)]
        clients = [("room", booking["room_token"], room_clip), ("family", booking["family_token"], family_clip)]
        more = enumerate(booking.get("more_family_tokens", ()), 2)
        clients += [(f"family-{n}", token, SECOND_DEVICE.clip) for n, token in more]
        for name, token, own in clients:
            source = str(clip) if clip else f"{own}.webm"
            offset_s = round(len(peers) * OFFSET_STEP_S % LOOP_S, 2)
            peers.append(DemoPeer(f"{laptop['id']}/{name}", token, source, offset_s))
    observer_token = _secret()
    content = {
        "code": CODE,
        "name": NAME,
        "hall": HALL,
        "policy": {"extension_minutes_max": 15, "call_minutes_max": 60, "gap_minutes": 5},
        "laptops": laptops,
        "staff": [
            {"name": OFFICER, "role": "officer", "unix_user": unix_user},
            {"name": GOVERNOR, "role": "governor", "token": observer_token},
            *more_staff,
        ],
        "bookings": [*bookings, *(_next_booking(one, now) for one in bookings[::2])],
    }
    path.touch(mode=0o600)  # it holds secrets: closed before the first of them is written
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    started = [DemoLaptop(laptop["id"], laptop["token"]) for laptop in laptops]
    return Plan(CODE, started, peers, seats, observer_token, call_ids, second_device_at, devices)


def second_device_at(calls: int) -> int:
    """The seat of a demo of so many calls whose family has two devices; 0: the demo is too small for it."""
    return SECOND_DEVICE_SEAT if calls >= CALLS_WITH_SECOND_DEVICE else 0


def _booking(seat: int, starts_at: datetime, now: datetime, devices: int) -> tuple[dict[str, Any], str]:
    """The booking at a seat, and its family's clip."""
    forename, surname = PRISONERS[seat - 1]
    family = FAMILIES[(seat - 1) % len(FAMILIES)]
    people = family.people[(seat - 1) // len(FAMILIES) % len(family.people)]
    booking = {
        "reference": f"{CODE}-{now:%m%d}-{seat:02d}",
        "laptop": _laptop_id(seat),
        "starts_at": starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "minutes": MINUTES,
        "prisoner": {"number": _prison_number(seat), "forename": forename, "surname": surname},
        "callers": [_caller(f"{name} {surname}", relation, seat, now) for name, relation in people],
        "room_token": _secret(),
        "family_token": _secret(),
    }
    if seat == RESTRICTED_SEAT:
        booking["callers"][0]["restrictions"] = [
            {
                "type": "PREINF",
                "description": "Previous information",
                "starts_on": _day(now, -30),
                "expires_on": _day(now, 60),
                "comment": "Invented for this demo: something to read before you admit.",
            }
        ]
    if seat == MONITORED_SEAT:
        booking["prisoner"]["authority"] = {
            "reference": "DEMO-014",
            "kind": "offence-related",
            "action": "Invented for this demo: to be watched live",
            "starts_on": _day(now, -20),
            "review_on": _day(now, 70),
        }
    if devices > 1:
        booking["more_family_tokens"] = [_secret() for _ in range(devices - 1)]
        # At most four callers: with more than two devices, one at each.
        callers = booking["callers"][: 1 if devices > 2 else None]
        callers += [
            _caller(f"{name} {surname}", relation, seat, now) | {"device": device}
            for device in range(2, devices + 1)
            for name, relation in SECOND_DEVICE.people[0]
        ]
        booking["callers"] = callers[:CALLERS_MAX]
    return booking, family.clip


def _caller(name: str, relation: str, seat: int, now: datetime) -> dict[str, Any]:
    vetted_on = _day(now, -(20 + seat * 17 % 150))
    return {"name": name, "relation": relation, "age_group": "adult", "approved": True, "vetted_on": vetted_on}


def _next_booking(before: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What follows in the room of a booking; nobody comes to it, it is only announced."""
    seat = int(before["laptop"].rpartition("-")[2])
    forename, surname = NEXT_PRISONERS[seat // 2 % len(NEXT_PRISONERS)]
    ends_at = datetime.fromisoformat(before["starts_at"]) + timedelta(minutes=MINUTES)
    quarter = timedelta(minutes=15)
    starts_at = ends_at + timedelta(minutes=NEXT_AFTER_MINUTES)
    starts_at += -(starts_at - datetime(2000, 1, 1, tzinfo=UTC)) % quarter
    return {
        "reference": f"{before['reference']}-next",
        "laptop": before["laptop"],
        "starts_at": starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "minutes": MINUTES,
        "prisoner": {"number": _prison_number(seat + 50), "forename": forename, "surname": surname},
        "callers": [_caller(f"Alex {surname}", "sibling", seat, now)],
        "room_token": _secret(),
        "family_token": _secret(),
    }


def _day(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).date().isoformat()


def _laptop_id(seat: int) -> str:
    return f"{CODE}-{seat:02d}"


def _prison_number(seat: int) -> str:
    """A letter, four digits, two letters; always the same for a seat."""
    return f"A{(1234 + seat * 1597) % 10000:04d}{chr(65 + seat * 7 % 26)}{chr(65 + seat * 11 % 26)}"


def _secret() -> str:
    return secrets.token_urlsafe(24)
