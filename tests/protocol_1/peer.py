"""The signalling of a WebRTC peer (a family device or the room's browser) with the server. Tags 90 to 99 go up, 100 to
119 come down. The server passes offers and answers between the peer and the laptop of its call.

    peer -> PeerHello    server -> PeerWelcome, then CallNotice at each change of the call
    peer -> Offer        server -> Answer, or OfferRefused
"""

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
    notice_id: Id


class PeerWelcome(Message, tag=100, frozen=True):
    protocol: int
    call_id: Id
    leg: Id
    words: Words
    """Says that the call is recorded and may be watched."""


class Answer(Message, tag=101, frozen=True):
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


FromPeer = PeerHello | Offer | Leave | NoticeRead
ToPeer = PeerWelcome | Answer | OfferRefused | CallNotice

from_peer = Codec(Link.PEER, FromPeer)
to_peer = Codec(Link.PEER, ToPeer)
