"""The conversation between a laptop's agent and its server. Tags 1 to 19 go up, 20 to 39 come down.

laptop -> LaptopHello          server -> LaptopWelcome, then OpenCall when a call is due in this room
server -> LegOffer (a peer's)  laptop -> LegAnswer or LegRefused
laptop -> LeaseRequest (1/s)   server -> LeaseGrant or LeaseDenied
server -> Order                laptop -> OrderAnswer
server -> PicturesWanted       laptop -> Picture, Levels, CallHealth
server -> HealthWanted         laptop -> AgentHealth, call or not
server -> EvidenceWanted       laptop -> EvidencePart, as many as EvidenceMore allows, then EvidenceDone
server -> EvidenceRecords      laptop -> EvidenceTaken for each
laptop -> RecordingOffer       server -> RecordingKept, or RecordingRefused
laptop -> RecordingChunk       server -> RecordingKept, now and then, and once more when all of it is there and checked
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta, field

from .health import AgentHealth, HealthWanted
from .incident import EvidenceLevels, EvidenceOutcome, EvidencePicture, Gap, Offset
from .media import Box, CallHealth, Levels, Picture, Side
from .wire import Codec, Count, EstablishmentCode, Id, Link, Message, Milliseconds, Name, OptionalId, Sdp, Token, Words


class LaptopHello(Message, tag=10, frozen=True):
    """First message. `call_id` and `epoch` name the call that the agent still holds, after a lost link; else empty.

    `signing_key`: Ed25519, public; the ends of this laptop's recordings are signed with it. It is registered with the
    token that it is first shown with; another one is refused.
    """

    protocol: int
    establishment: EstablishmentCode
    laptop_id: Id
    token: Token
    software: Name
    call_id: OptionalId = ""
    epoch: Count = 0
    signing_key: Annotated[bytes, Meta(max_length=32)] = b""


class LeaseRequest(Message, tag=11, frozen=True):
    """Asked each second; the laptop counts the granted time from when it sent this."""

    call_id: Id
    epoch: Count
    nonce: Count


class LegAnswer(Message, tag=12, frozen=True):
    """The agent's WebRTC answer to an offer, complete with candidates."""

    call_id: Id
    leg: Id
    offer_id: Id
    sdp: Sdp


class LegRefused(Message, tag=13, frozen=True):
    """No connection for this offer, and why."""

    call_id: Id
    leg: Id
    offer_id: Id
    reason: Words


class OrderAnswer(Message, tag=14, frozen=True):
    """The order was carried out, or why not. After a stop: `packets` were sent to the stopped side in this call in all,
    and no further one follows."""

    order_id: Id
    call_id: Id
    done: bool
    reason: Words
    packets: Count = 0
    took_us: Count = 0
    """From the order's arrival at the agent to its last forwarded packet, microseconds."""


class LegGone(Message, tag=15, frozen=True):
    """A leg's connection closed or its media stopped for 2 s."""

    call_id: Id
    leg: Id
    reason: Words


class CallClosed(Message, tag=16, frozen=True):
    """The agent has ended the call by itself, or has carried out an END order: legs closed, recording finished."""

    call_id: Id
    epoch: Count
    reason: Words
    recorded_ms: Milliseconds


class EvidencePart(Message, tag=4, frozen=True):
    """A piece of a recorded stretch, in the order of time; an empty one says that it is still looked for."""

    since: ClassVar[int] = 2

    request_id: Id
    pictures: Annotated[list[EvidencePicture], Meta(max_length=64)]
    levels: Annotated[list[EvidenceLevels], Meta(max_length=2)]


class EvidenceDone(Message, tag=5, frozen=True):
    """No further part follows. `until_ms`: how far the stretch has been read."""

    since: ClassVar[int] = 2

    request_id: Id
    outcome: EvidenceOutcome
    words: Words
    until_ms: Offset
    gaps: Annotated[list[Gap], Meta(max_length=64)]


class RecordingOffer(Message, tag=6, frozen=True):
    """A part of a call's recording is here (schemas/recording.py): how much of it does the server have?"""

    since: ClassVar[int] = 2

    call_id: Id
    part: Id


RECORDING_CHUNK_BYTES = 64 * 1024
RECORDING_WINDOW_BYTES = 8 * RECORDING_CHUNK_BYTES
"""Bytes that a laptop may have sent beyond what the server says that it has."""


class RecordingChunk(Message, tag=8, frozen=True):
    """Bytes of a part from `offset` on, one chunk after the other, as they have become durable on the laptop."""

    since: ClassVar[int] = 2

    call_id: Id
    part: Id
    offset: Count
    data: Annotated[bytes, Meta(max_length=RECORDING_CHUNK_BYTES)]


class EvidenceTaken(Message, tag=9, frozen=True):
    """One EvidenceRecords was taken: another may follow."""

    since: ClassVar[int] = 2

    request_id: Id


class LaptopWelcome(Message, tag=20, frozen=True):
    """The hello was accepted; `protocol` is what this link speaks from here on."""

    protocol: int
    server_time_ms: Milliseconds


class OpenCall(Message, tag=21, frozen=True):
    """A call is due in this room: be ready for its legs. Nothing may flow between them until ADMIT."""

    call_id: Id
    epoch: Count
    ends_in_ms: Milliseconds
    expected_ms: Milliseconds
    """Full planned length, for the check of free disk space."""
    grace_ms: Milliseconds = 60_000
    """A family device that was lost may come back so long without a new admission."""
    evidence_key: Annotated[str, Meta(max_length=128)] = ""
    """For whom it is recorded: the establishment's evidence key, age's public form. Without one nothing is recorded,
    and so nothing carried."""


class LegOffer(Message, tag=22, frozen=True):
    """A peer's WebRTC offer, complete with candidates."""

    call_id: Id
    epoch: Count
    leg: Id
    offer_id: Id
    sdp: Sdp


class LeaseGrant(Message, tag=23, frozen=True):
    """The call may carry media for `granted_ms` from when the request with this nonce was sent."""

    call_id: Id
    epoch: Count
    nonce: Count
    granted_ms: Milliseconds
    server_time_ms: Milliseconds = 0
    """When it was granted, UTC ms: recordings are dated by the server's clock, as flags are. 0: an older server."""


class LeaseDenied(Message, tag=24, frozen=True):
    """No further lease. `final`: the call is over for the server; close it."""

    call_id: Id
    epoch: Count
    nonce: Count
    reason: Words
    final: bool


class OrderAct(StrEnum):
    """What an order is about."""

    ADMIT = "admit"
    REFUSE = "refuse"
    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    END = "end"
    ONE_SIDE = "one_side"


class Order(Message, tag=25, frozen=True):
    """What the laptop has to do now. ADMIT and REFUSE name a leg; ONE_SIDE names a side and what of it is off."""

    order_id: Id
    call_id: Id
    epoch: Count
    act: OrderAct
    leg: OptionalId = ""
    side: Side | None = None
    sound_off: bool = False
    picture_off: bool = False
    ends_in_ms: Milliseconds = 0
    reason: Words = ""


class PicturesWanted(Message, tag=26, frozen=True):
    """The sizes and modes in which consoles want pictures of this call; replaces the list before."""

    call_id: Id
    boxes: Annotated[list[Box], Meta(max_length=8)]


PartKey = Annotated[bytes, Meta(max_length=64)]
EVIDENCE_WINDOW = 2
"""Parts that may be under way before the first EvidenceMore."""


class EvidenceWanted(Message, tag=27, frozen=True):
    """A governor reviews an incident: read this stretch of the call's recording."""

    since: ClassVar[int] = 2

    request_id: Id
    call_id: Id
    pressed_at_ms: Milliseconds
    """Offsets count from here; server's time, UTC ms."""
    from_ms: Offset
    to_ms: Offset
    boxes: Annotated[list[Box], Meta(max_length=2)]
    keys: Annotated[list[PartKey], Meta(max_length=32)] = field(default_factory=list[bytes])
    """Of the parts whose records follow, in their order; kept in memory only, no longer than this stretch is read."""
    copied_ms: Milliseconds = 0
    """How far the records go, server's time, UTC ms."""
    to_come: bool = False
    """More of this call is still to be recorded or to come to the server."""


class EvidenceMore(Message, tag=28, frozen=True):
    """One part has been passed on: another may follow."""

    since: ClassVar[int] = 2

    request_id: Id


class EvidenceStop(Message, tag=29, frozen=True):
    """Nobody looks at it any more."""

    since: ClassVar[int] = 2

    request_id: Id


EVIDENCE_RECORDS_BYTES = 128 * 1024
EVIDENCE_RECORDS_WINDOW = 2
"""Pieces that may be under way before the first EvidenceTaken."""


class EvidenceRecords(Message, tag=31, frozen=True):
    """The server's copy of what an EvidenceWanted is about: the frames of a recording, each after the chain before it,
    cut into pieces of any size. `last`: all has come."""

    since: ClassVar[int] = 2

    request_id: Id
    data: Annotated[bytes, Meta(max_length=EVIDENCE_RECORDS_BYTES)]
    last: bool


class RecordingKept(Message, tag=32, frozen=True):
    """The server has `bytes` of this part on its disk, and the chain of what it has holds.

    `whole`: to its end, with the laptop's signature: this is the receipt, and the laptop's copy may go.
    """

    since: ClassVar[int] = 2

    call_id: Id
    part: Id
    bytes: Count
    whole: bool


class RecordingRefused(Message, tag=33, frozen=True):
    """The server takes nothing (more) of this part. `again`: it may be offered again, after some seconds."""

    since: ClassVar[int] = 2

    call_id: Id
    part: Id
    words: Words
    again: bool


FromLaptop = (
    LaptopHello
    | LeaseRequest
    | LegAnswer
    | LegRefused
    | OrderAnswer
    | LegGone
    | CallClosed
    | Levels
    | Picture
    | CallHealth
    | AgentHealth
    | EvidencePart
    | EvidenceDone
    | RecordingOffer
    | RecordingChunk
    | EvidenceTaken
)
ToLaptop = (
    LaptopWelcome
    | OpenCall
    | LegOffer
    | LeaseGrant
    | LeaseDenied
    | Order
    | PicturesWanted
    | HealthWanted
    | EvidenceWanted
    | EvidenceMore
    | EvidenceStop
    | EvidenceRecords
    | RecordingKept
    | RecordingRefused
)

from_laptop = Codec(Link.LAPTOP, FromLaptop)
to_laptop = Codec(Link.LAPTOP, ToLaptop)
