"""A family device's or room browser's signalling: a token is good for one leg of one call."""

import time

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from schemas.call import CallState, Outcome
from schemas.peer import Leave, NoticeRead, Offer, OfferRefused, PeerHello, PeerWelcome
from schemas.wire import CloseCode, WireError

from ..establishment import Establishment, utc_ms
from ..establishment_file import token_hash
from ..estate import Estate
from ..peers import PeerEnd, call_notice
from ..rules.call import ROOM_LEG
from ..rules.happenings import is_open, words_for_the_people
from .link import Link
from .pulse import Pulse

log = structlog.get_logger()

PING_S, SILENT_S = 5.0, 15.0
TAKEN_OVER_S = 7.0
"""A link that has been silent for longer than its next ping has lost its device: the same token may come again."""
OFFER_EACH_S = 0.25
"""Each offer costs the laptop a connection; one that comes sooner is refused, to be sent again."""
TOLD = "This call is recorded. Prison staff may watch it."


async def serve_peer(connection: ServerConnection, link: Link, estate: Estate) -> None:
    hello: PeerHello = await link.hello(PeerHello)
    belongs = estate.of_peer(token_hash(hello.token))
    if belongs is None:
        raise WireError(
            CloseCode.NOT_RECOGNISED, "this token belongs to no call here; use the newest link you were sent"
        )
    place, (call_id, leg) = belongs
    call = place.calls[call_id]
    if call.state == CallState.ENDED:
        raise WireError(CloseCode.CALL_OVER, words_for_the_people(call))
    link.prove(f"{leg} of {call_id}", place.code)
    peer = PeerEnd(call_id, leg, link)
    before = place.peers.get(call_id, leg)
    if before is not None:
        known = call.leg(leg)
        alive = before.link.connection.state is State.OPEN and not before.link.is_silent(TAKEN_OVER_S)
        if known is not None and known.connected and alive:
            place.record("second_device", link.peer, who=leg, role="peer", call_id=call_id, accepted=False)
            raise WireError(CloseCode.ALREADY_CONNECTED, "this call is open on another device; close it there first")
        before.link.abort("opened anew")
    place.peers.came(peer)
    place.record("peer_connected", link.peer, who=leg, role="peer", call_id=call_id)
    link.send(PeerWelcome(link.protocol, call_id, leg, TOLD, max(1, len(call.legs) - 1)))
    link.send(call_notice(call, words_for_the_people(call), utc_ms()))
    for notice in place.notices.unread(call_id, leg):
        link.send(notice)
    place.peers.tell_legs(call, leg)
    alive = Pulse(link, PING_S, SILENT_S)
    try:
        async for message, _ in link.messages():
            _take(message, peer, place)
    finally:
        alive.cancel()
        place.peers.went(peer)


def _take(message: object, peer: PeerEnd, place: Establishment) -> None:
    call = place.calls[peer.call_id]
    match message:
        case Offer(offer_id, _):
            if call.state in (CallState.ENDING, CallState.ENDED):
                peer.link.send(OfferRefused(offer_id, words_for_the_people(call), False))
                return
            if time.monotonic() - peer.offered_at < OFFER_EACH_S:
                peer.link.send(OfferRefused(offer_id, "Offers come too fast; send it again.", True))
                return
            peer.offer, peer.passed_on, peer.offered_at = message, False, time.monotonic()
            place.peers.pass_offer_on(peer)
        case Leave():
            if is_open(call) and not place.leg_left(call, peer.leg):
                in_room = peer.leg == ROOM_LEG
                outcome = Outcome.PRISONER_COMPLETED_EARLY if in_room else Outcome.VISITOR_COMPLETED_EARLY
                place.end_by_server(call, outcome, "the room" if in_room else "the family", "left the call")
        case NoticeRead(notice_id):
            place.notices.read(peer.call_id, peer.leg, notice_id)
        case _:
            raise WireError(CloseCode.NOT_UNDERSTOOD, f"{type(message).__name__} was not expected here")
