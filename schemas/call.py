"""A call as consoles see it, and the words for its states, outcomes, incidents and refusals."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from .wire import Count, Id, Message, Milliseconds, Name, OptionalId, Seat, Words


class CallState(StrEnum):
    """Where a call is in its life."""

    REQUESTED = "REQUESTED"
    BOOKED = "BOOKED"
    WAITING = "WAITING"
    LIVE = "LIVE"
    PAUSED = "PAUSED"
    ENDING = "ENDING"
    """An end was ordered and the laptop has not confirmed it yet."""
    ENDED = "ENDED"


class Outcome(StrEnum):
    """After the public visit scheduler; the last three are ours."""

    COMPLETED_NORMALLY = "COMPLETED_NORMALLY"
    TERMINATED_BY_STAFF = "TERMINATED_BY_STAFF"
    PRISONER_COMPLETED_EARLY = "PRISONER_COMPLETED_EARLY"
    PRISONER_REFUSED_TO_ATTEND = "PRISONER_REFUSED_TO_ATTEND"
    VISITOR_COMPLETED_EARLY = "VISITOR_COMPLETED_EARLY"
    VISITOR_DID_NOT_ARRIVE = "VISITOR_DID_NOT_ARRIVE"
    VISITOR_FAILED_SECURITY_CHECKS = "VISITOR_FAILED_SECURITY_CHECKS"
    ESTABLISHMENT_CANCELLED = "ESTABLISHMENT_CANCELLED"
    TECHNICAL_FAULT = "TECHNICAL_FAULT"
    RECORDING_FAILED = "RECORDING_FAILED"
    UNSUPERVISED = "UNSUPERVISED"


class Category(StrEnum):
    """What an incident is flagged as; the value is the letter that an officer presses."""

    UNAUTHORISED_PERSON = "u"
    OUT_OF_VIEW = "v"
    MORE_THAN_FOUR_CALLERS = "m"
    DRESS_OR_NUDITY = "d"
    DRUGS = "s"
    WEAPON_OR_GANG_SIGN = "w"
    FILMING = "r"
    SECOND_DEVICE = "t"
    THREAT_OR_ABUSE = "a"
    MINOR_WITHOUT_ADULT = "c"
    SELF_HARM_OR_SAFEGUARDING = "h"
    DRIVING = "i"
    PRIVILEGED_CALL = "p"
    TECHNICAL_FAULT = "e"
    OTHER = "o"


class Role(StrEnum):
    """Of a member of staff; permissions follow from it."""

    OFFICER = "officer"
    ORDERLY_OFFICER = "orderly officer"
    GOVERNOR = "governor"
    CLERK = "bookings clerk"
    SUPPORT = "support"
    ADMIN = "admin"


class Refusal(StrEnum):
    """Why a command was refused."""

    NOT_PERMITTED = "not_permitted"
    UNKNOWN_CALL = "unknown_call"
    CALL_ENDED = "call_ended"
    OLD_VERSION = "old_version"
    TOO_LATE = "too_late"
    WRONG_STATE = "wrong_state"
    NO_SUCH_LEG = "no_such_leg"
    NOT_LATER = "not_later"
    BEYOND_POLICY = "beyond_policy"
    ROOM_BOOKED = "room_booked"
    REASON_MISSING = "reason_missing"
    LAPTOP_AWAY = "laptop_away"
    LAPTOP_REFUSED = "laptop_refused"
    NO_AUDIT = "no_audit"
    UNKNOWN_INCIDENT = "unknown_incident"
    NOT_OPENED = "not_opened"
    NOT_PLAYED = "not_played"
    NOT_DECIDED = "not_decided"
    SIGNED_OFF = "signed_off"


class Vetting(StrEnum):
    """Whether a person is on the prisoner's list of approved contacts."""

    NOT_TOLD = ""
    """Whoever made the booking did not say."""
    APPROVED = "approved"
    NOT_APPROVED = "not approved"


class RestrictionView(Message, frozen=True):
    """A restriction on a contact as the contact registry has it. Dates as `2026-05-12`; without an end it stands for
    good."""

    kind: Name
    """The registry's code: BAN, PREINF, …"""
    words: Words
    starts_on: Name
    expires_on: Name = ""
    comment: Words = ""

    def in_force(self, day: str) -> bool:
        """`day` as `2026-05-12`."""
        return self.starts_on <= day and (not self.expires_on or day <= self.expires_on)


class AuthorityView(Message, frozen=True):
    """An authority to monitor a prisoner's calls; after `review_on` it has lapsed."""

    reference: Name
    kind: Name
    """`offence-related` or `intelligence-led`."""
    action: Words
    """What it allows, in words."""
    starts_on: Name
    review_on: Name

    def in_force(self, day: str) -> bool:
        """`day` as `2026-05-12`."""
        return self.starts_on <= day <= self.review_on


RESTRICTIONS_MAX = 20


class CallerView(Message, frozen=True):
    """One person on the family side."""

    name: Name
    relation: Name
    age_group: Name
    """`adult`, `child` or `not known`."""
    leg: OptionalId
    """The device that the person sits at: `family-1` to `family-4`."""
    vetting: Vetting = Vetting.NOT_TOLD
    vetted_on: Name = ""
    """The day of the newest check, as `2026-05-12`; empty when it is not known."""
    restrictions: Annotated[list[RestrictionView], Meta(max_length=RESTRICTIONS_MAX)] = field(
        default_factory=list[RestrictionView]
    )


class LegView(Message, frozen=True):
    """One connection: the room's, or a family device."""

    leg: Id
    connected: bool
    admitted: bool
    words: Words = ""


class CallView(Message, frozen=True):
    """All that a console shows of a call but its media.

    `version` grows with each change; times are the server's, UTC ms.
    """

    call_id: Id
    version: Count
    epoch: Count
    seat: Seat
    state: CallState
    prison_number: Name
    forename: Name
    surname: Name
    callers: Annotated[list[CallerView], Meta(max_length=4)]
    legs: Annotated[list[LegView], Meta(max_length=5)]
    starts_at_ms: Milliseconds
    ends_at_ms: Milliseconds
    latest_end_ms: Milliseconds
    """The latest end that policy and the room's next booking allow."""
    admitted_at_ms: Milliseconds = 0
    ended_at_ms: Milliseconds = 0
    outcome: Outcome | None = None
    extended_ms: Milliseconds = 0
    incidents: Count = 0
    warnings: Count = 0
    pauses: Count = 0
    laptop_online: bool = True
    said: Words = ""
    """The newest thing that happened, in words: "Extended 5 min by R. Hughes"."""
    next_booking_ms: Milliseconds = 0
    copy_words: Words = ""
    """What is wrong with the server's copy of the recording; empty when nothing is."""
    paused_at_ms: Milliseconds = 0
    paused_why: Words = ""
    """Empty until whoever paused it has said why."""
    family_sound_off: bool = False
    family_picture_off: bool = False
    room_sound_off: bool = False
    room_picture_off: bool = False
    watch: Name = ""
    """Who has the watch of this call's seat; empty: nobody has taken it."""
    watch_offered_to: Name = ""
    watch_offered_at_ms: Milliseconds = 0
    help: Name = ""
    """What urgent help was asked for; empty when none is."""
    help_by: Name = ""
    help_at_ms: Milliseconds = 0
    looked_at_ms: Milliseconds = 0
    """When the newest look at it ended; 0: nobody has looked yet. Who looks now stands in Watchers."""
    looked_by: Name = ""
    authority: AuthorityView | None = None
    """To monitor this prisoner's calls, in force or lapsed; None: there is none."""


class SeatView(Message, frozen=True):
    """A laptop's fixed place on the wall."""

    seat: Seat
    laptop_id: Id
    room: Name
    online: bool
    next_call: Words = ""
