"""The signalling of a WebRTC peer (a family device or the room's browser) with the server. Tags 90 to 99 go up, 100 to
119 come down. The server passes offers and answers between the peer and the laptop of its call.

    peer -> PeerHello    server -> PeerWelcome, then CallNotice and LegStates at each change of the call
    peer -> Offer        server -> Answer, or OfferRefused

An offer has one pair of m-lines (a sound, a picture) that carries both ways, and further pairs that only receive: as
many pairs as PeerWelcome has `slots`. Each pair is a slot for one other leg of the call; in the answer its msid names
it: `a=msid:family-2 family-2-video`, in a browser `event.streams[0].id`. Nothing is
offered anew when people come and go.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from .call import CallState
from .wire import Codec, Id, Link, Message, Milliseconds, Sdp, Token, Words


class PeerHello(Message, tag=90, frozen=True):
    """`token` is good for one leg of one call."""

    protocol: int
    token: Token


class Offer(Message, tag=91, frozen=True):
    """A complete offer (candidates included). A new one replaces the connection before."""

    offer_id: Id
    sdp: Sdp


class Leave(Message, tag=92, frozen=True):
    """The person leaves the call."""


class NoticeRead(Message, tag=93, frozen=True):
    """The people have seen this notice."""

    notice_id: Id


class PeerWelcome(Message, tag=100, frozen=True):
    """The hello was accepted; `protocol` is what this link speaks from here on."""

    protocol: int
    call_id: Id
    leg: Id
    words: Words
    """Says that the call is recorded and may be watched."""
    slots: Annotated[int, Meta(ge=1, le=4)] = 1
    """Other legs that this call can have: so many pairs of m-lines an offer needs."""


class Answer(Message, tag=101, frozen=True):
    """The laptop's answer to the offer of this id, complete with candidates."""

    offer_id: Id
    sdp: Sdp


class OfferRefused(Message, tag=102, frozen=True):
    """No connection now, and why. `retry`: the same offer may be sent again later (the laptop is away)."""

    offer_id: Id
    reason: Words
    retry: bool


class CallNotice(Message, tag=103, frozen=True):
    """The state of the call in words for the people on it."""

    state: CallState
    words: Words
    server_time_ms: Milliseconds
    ends_at_ms: Milliseconds
    notice_id: Id = "state"
    """Anything but `state` is to be acknowledged with NoticeRead."""


class LegState(Message, frozen=True):
    """What may come in one leg's slot now."""

    leg: Id
    here: bool
    """Connected and admitted. A leg that is not may come back, and then its slot goes on."""
    sound: bool
    """False while staff have switched this leg's sound off."""
    picture: bool
    words: Words
    """Why it is not here, for the people on the call; else empty."""


class LegStates(Message, tag=104, frozen=True):
    """All legs of the call, the receiver's own too; replaces the list before."""

    since: ClassVar[int] = 2

    legs: Annotated[list[LegState], Meta(max_length=5)]


FromPeer = PeerHello | Offer | Leave | NoticeRead
ToPeer = PeerWelcome | Answer | OfferRefused | CallNotice | LegStates

from_peer = Codec(Link.PEER, FromPeer)
to_peer = Codec(Link.PEER, ToPeer)
