"""A call: what is known of it, its room in time, and how it looks to a console."""

import msgspec

from schemas.call import AuthorityView, CallerView, CallState, CallView, LegView, Outcome
from schemas.wire import WORDS_LONGEST

ROOM_LEG = "room"
OPEN = (CallState.WAITING, CallState.LIVE, CallState.PAUSED)
"""States in which the laptop may hold a lease."""
AT_RISK = (CallState.LIVE, CallState.PAUSED)
"""States of which somebody has to watch and a copy has to be kept: it carries, or will when a pause is lifted."""
OVER = (CallState.ENDING, CallState.ENDED)
MINUTE_MS = 60_000


class Policy(msgspec.Struct, frozen=True):
    """What the governor has laid down, minutes."""

    extension_minutes_max: int = 15
    call_minutes_max: int = 60
    gap_minutes: int = 5
    grace_seconds: int = 60
    """A family device that was lost may come back so long without a new admission."""
    forbidding_restrictions: tuple[str, ...] = ("BAN", "CLOSED")
    """Codes of the contact registry: whoever has one in force can't be on a call."""


class Leg(msgspec.Struct, frozen=True):
    """One connection. `admitting`: an officer has admitted it and the laptop has not confirmed yet."""

    leg: str
    connected: bool = False
    admitted: bool = False
    admitting: bool = False
    words: str = ""
    refused_until_ms: int = 0
    """Refused by an officer: its offers are turned away for so long."""


class Call(msgspec.Struct, frozen=True):
    """The truth about one call; each change makes a new one with a higher version. Times: server's clock, UTC ms."""

    call_id: str
    laptop_id: str
    seat: int
    prison_number: str
    forename: str
    surname: str
    callers: tuple[CallerView, ...]
    starts_at_ms: int
    booked_end_ms: int
    ends_at_ms: int
    legs: tuple[Leg, ...]
    state: CallState = CallState.BOOKED
    version: int = 1
    epoch: int = 1
    admitted_at_ms: int = 0
    paused_at_ms: int = 0
    ended_at_ms: int = 0
    outcome: Outcome | None = None
    extended_ms: int = 0
    incidents: int = 0
    warnings: int = 0
    pauses: int = 0
    said: str = ""
    ended_by: str = ""
    paused_by_fault: bool = False
    """Paused by the server and not by a person: what is lost is given back."""
    copy_words: str = ""
    """What is wrong with the server's copy of the recording."""
    paused_why: str = ""
    family_sound_off: bool = False
    family_picture_off: bool = False
    room_sound_off: bool = False
    room_picture_off: bool = False
    watch: str = ""
    watch_offered_to: str = ""
    watch_offered_at_ms: int = 0
    help: str = ""
    help_by: str = ""
    help_at_ms: int = 0
    looked_at_ms: int = 0
    looked_by: str = ""
    looked_ms: int = 0
    """Time in all that somebody had it in focus or selected."""
    unseen_longest_ms: int = 0
    """Of the time since the first admission."""
    authority: AuthorityView | None = None

    def leg(self, name: str) -> Leg | None:
        return next((leg for leg in self.legs if leg.leg == name), None)

    def admitted(self, name: str) -> bool:
        return any(leg.admitted for leg in self.legs if leg.leg == name)

    def changed(self, **fields: object) -> "Call":
        """With these fields, one version on."""
        return msgspec.structs.replace(self, version=self.version + 1, **fields)

    def with_leg(self, name: str, **fields: object) -> tuple[Leg, ...]:
        return tuple(msgspec.structs.replace(leg, **fields) if leg.leg == name else leg for leg in self.legs)


def state_with(call: Call, legs: tuple[Leg, ...]) -> CallState:
    """The state once its legs are these: a call that is on with nobody admitted waits again."""
    if call.state == CallState.LIVE and not any(leg.admitted for leg in legs):
        return CallState.WAITING
    return call.state


def latest_end_ms(call: Call, policy: Policy, next_start_ms: int) -> int:
    """The latest end that policy and the room's next booking (0: none) allow; never before the end that it has."""
    latest = min(
        call.booked_end_ms + policy.extension_minutes_max * MINUTE_MS,
        call.starts_at_ms + policy.call_minutes_max * MINUTE_MS,
    )
    if next_start_ms:
        latest = min(latest, next_start_ms - policy.gap_minutes * MINUTE_MS)
    return max(latest, call.ends_at_ms)


def call_view(call: Call, policy: Policy, next_start_ms: int, laptop_online: bool) -> CallView:
    """What consoles get to know. A sentence with somebody's words in it may be longer than the wire lets it be: then no
    console could read it, nor any snapshot that has this call."""
    return CallView(
        call_id=call.call_id,
        version=call.version,
        epoch=call.epoch,
        seat=call.seat,
        state=call.state,
        prison_number=call.prison_number,
        forename=call.forename,
        surname=call.surname,
        callers=list(call.callers),
        legs=[LegView(leg.leg, leg.connected, leg.admitted, leg.words[:WORDS_LONGEST]) for leg in call.legs],
        starts_at_ms=call.starts_at_ms,
        ends_at_ms=call.ends_at_ms,
        latest_end_ms=latest_end_ms(call, policy, next_start_ms),
        admitted_at_ms=call.admitted_at_ms,
        ended_at_ms=call.ended_at_ms,
        outcome=call.outcome,
        extended_ms=call.extended_ms,
        incidents=call.incidents,
        warnings=call.warnings,
        pauses=call.pauses,
        laptop_online=laptop_online,
        said=call.said[:WORDS_LONGEST],
        next_booking_ms=next_start_ms,
        copy_words=call.copy_words,
        paused_at_ms=call.paused_at_ms,
        paused_why=call.paused_why,
        family_sound_off=call.family_sound_off,
        family_picture_off=call.family_picture_off,
        room_sound_off=call.room_sound_off,
        room_picture_off=call.room_picture_off,
        watch=call.watch,
        watch_offered_to=call.watch_offered_to,
        watch_offered_at_ms=call.watch_offered_at_ms,
        help=call.help,
        help_by=call.help_by,
        help_at_ms=call.help_at_ms,
        looked_at_ms=call.looked_at_ms,
        looked_by=call.looked_by,
        authority=call.authority,
    )
