"""A laptop's health, for remote support: numbers, states and codes. No field can hold a name, a word or a picture.

The only text is a laptop's identity, from the establishment's file.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from .media import RecordingState
from .wire import Count, Id, Message, Milliseconds, Seat

NEVER_MS = 2**53
"""An age where nothing ever came."""
UNKNOWN = -1

Version = Annotated[list[Annotated[int, Meta(ge=0, le=99_999)]], Meta(max_length=4)]
"""[1, 4, 2]; empty when the agent does not say it in this form."""
Known = Annotated[int, Meta(ge=UNKNOWN, le=2**53)]
"""UNKNOWN when the laptop does not tell it."""
PerMille = Annotated[int, Meta(ge=0, le=1000)]
OffsetMs = Annotated[int, Meta(ge=-(2**53), le=2**53)]


class WhyNot(StrEnum):
    """Why an agent carries nothing; NOT_SAID by an agent that is too old to say it as a code."""

    NOT_SAID = "not_said"
    CARRYING = "carrying"
    NO_CALL = "no_call"
    CALL_OVER = "call_over"
    NOBODY_ADMITTED = "nobody_admitted"
    PAUSED = "paused"
    TIME_OVER = "time_over"
    NO_LEASE = "no_lease"
    NOT_RECORDED = "not_recorded"


class RecordingFault(StrEnum):
    """What is wrong with the recording, or was with the newest attempt to begin one."""

    NONE = "none"
    NO_ROOM = "no_room"
    """The disk has less free than a full call needs."""
    NOT_WRITABLE = "not_writable"
    TOO_SLOW = "too_slow"


class LegKind(IntEnum):
    """A connection of a call."""

    ROOM = 0
    FAMILY_1 = 1
    FAMILY_2 = 2
    FAMILY_3 = 3
    FAMILY_4 = 4


class FailedSide(StrEnum):
    """Which side failed."""

    NONE = "none"
    LAPTOP = "laptop"
    LINE = "line"
    """Between the laptop and the server."""
    ESTABLISHMENT = "establishment"
    """Several laptops at once: what they share."""
    ROOM = "room"
    FAMILY = "family"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """What is wrong, the gravest only."""

    NONE = "none"
    LOST = "lost"
    """The link ended without a goodbye."""
    SEVERAL_LOST = "several_lost"
    STOPPED = "stopped"
    """The agent said goodbye."""
    NEVER_CAME = "never_came"
    RECORDING_FAILED = "recording_failed"
    RECORDING_OLD = "recording_old"
    DISK_LOW = "disk_low"
    CLOCK_OFF = "clock_off"
    AGENT_BUSY = "agent_busy"
    LINE_SLOW = "line_slow"
    LINE_DROPS = "line_drops"
    BOTH_LEGS = "both_legs"
    """Room and family suffer alike: it is what they share."""
    LEG_GONE = "leg_gone"
    LEG_WEAK = "leg_weak"


class CallPhase(StrEnum):
    """All that support is told of a call."""

    NONE = "none"
    WAITING = "waiting"
    ON = "on"
    PAUSED = "paused"
    ENDING = "ending"


class AgentHealth(Message, tag=7, frozen=True):
    """laptop -> server, each `HealthWanted.every_ms`: how the agent and its machine do, call or not."""

    since: ClassVar[int] = 2

    utc_ms: Milliseconds
    """The laptop's clock when this was sent."""
    up_s: Count
    """Since the agent was started."""
    cpu_per_mille: Count
    """Of one core, since the message before; 2000 is two cores."""
    loop_lag_ms: Count
    """The longest that the agent's event loop was late since the message before."""
    disk_free_mib: Count
    disk_total_mib: Count
    why_not: WhyNot
    recording_fault: RecordingFault
    frames_waiting: Count = 0
    """Pictures that wait to be decoded: up to 25 of each side between two that are shown, more when it is behind."""
    frames_dropped: Count = 0
    """Left out undecoded, since the message before: the decoder was behind."""
    messages_left_out: Count = 0
    """Levels and pictures that were not sent, since the message before: the line took no more."""
    errors_contained: Count = 0
    """Since the call began: what measuring, showing and reading packets stumbled over while forwarding went on."""
    hung: Count = 0
    """How often an agent of this laptop was killed by its watchdog because it hung."""
    hung_at_ms: Milliseconds = 0
    """When last, by the laptop's clock, UTC ms; 0 for never."""


class HealthWanted(Message, tag=30, frozen=True):
    """server -> laptop: tell your health; sent only to an agent whose hello says that it speaks protocol 2."""

    since: ClassVar[int] = 2

    every_ms: Annotated[int, Meta(ge=100, le=60_000)]


class LegNumbers(Message, frozen=True):
    """schemas.media.LegHealth in whole numbers."""

    leg: LegKind
    connected: bool
    media_age_ms: Milliseconds
    """Since the last packet; NEVER_MS when none ever came."""
    lost_per_mille: PerMille
    jitter_ms: Count
    round_trip_ms: Count
    frames_per_s: Count
    kbit_per_s: Count
    louder_db: Annotated[int, Meta(ge=-200, le=200)] = 0
    """As in LegHealth."""


class LaptopView(Message, frozen=True):
    """One laptop as support sees it. Times are the server's, UTC ms; 0 for never."""

    laptop_id: Id
    seat: Seat
    online: bool
    changed_at_ms: Milliseconds
    """Online since, or lost since."""
    version: Version
    round_trip_ms: Known
    """Of the link to the server, from its newest ping."""
    drops: Count
    """How often the link was lost without a goodbye since the server was started."""
    up_s: Known
    cpu_per_mille: Known
    loop_lag_ms: Known
    disk_free_mib: Known
    disk_total_mib: Known
    clock_known: bool
    clock_offset_ms: OffsetMs
    """The laptop's clock less the server's."""
    call: CallPhase
    call_ends_at_ms: Milliseconds
    carrying: bool
    why_not: WhyNot
    recording: RecordingState
    recording_fault: RecordingFault
    recording_age_ms: Milliseconds
    """Age of the newest durable record; NEVER_MS when nothing is recorded."""
    heard_at_ms: Milliseconds
    """When the agent last told how it does."""
    legs: Annotated[list[LegNumbers], Meta(max_length=5)]
    side: FailedSide
    cause: Cause
    cause_since_ms: Milliseconds
    frames_waiting: Known = UNKNOWN
    frames_dropped: Known = UNKNOWN
    messages_left_out: Known = UNKNOWN
    errors_contained: Known = UNKNOWN
    hung: Known = UNKNOWN
    hung_at_ms: Milliseconds = 0


class OpenLaptop(Message, tag=51, frozen=True):
    """console -> server: the person looks at this laptop's details. Goes into the audit."""

    since: ClassVar[int] = 2

    laptop_id: Id


class HealthSnapshot(Message, tag=75, frozen=True):
    """server -> console: all laptops of the establishment. The next HealthDelta has `tick` + 1."""

    since: ClassVar[int] = 2

    tick: Count
    server_time_ms: Milliseconds
    laptops: list[LaptopView]


class HealthDelta(Message, tag=76, frozen=True):
    """server -> console, each second: the laptops that have changed, each whole. Latest wins."""

    since: ClassVar[int] = 2

    tick: Count
    server_time_ms: Milliseconds
    laptops: list[LaptopView]
