"""A laptop's agent: proves itself, holds at most one call, sends what it measures, carries out orders."""

import hmac
from functools import partial
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection

from schemas.health import AgentHealth, HealthWanted
from schemas.laptop import (
    CallClosed,
    EvidenceDone,
    EvidencePart,
    EvidenceTaken,
    LaptopHello,
    LaptopWelcome,
    LeaseDenied,
    LeaseGrant,
    LeaseRequest,
    LegAnswer,
    LegGone,
    LegRefused,
    OrderAnswer,
    RecordingChunk,
    RecordingOffer,
)
from schemas.media import CallHealth, Levels, Picture
from schemas.peer import Answer, OfferRefused
from schemas.wire import CloseCode, WireError

from ..establishment import LEASE_MS, Establishment, LaptopEnd, utc_ms
from ..establishment_file import token_hash
from ..estate import Estate
from ..rules.call import OPEN
from .link import Link
from .pulse import Pulse

log = structlog.get_logger()

PING_S, SILENT_S = 1.0, 3.0
HEALTH_EACH_MS = 1000


async def serve_laptop(connection: ServerConnection, link: Link, estate: Estate) -> None:
    hello: LaptopHello = await link.hello(LaptopHello)
    place = await _recognise(hello, estate)
    laptop = _take_over(hello, link, place)
    link.prove(f"laptop {hello.laptop_id}", place.code)
    link.send(LaptopWelcome(link.protocol, utc_ms()))
    log.info("laptop connected", laptop=hello.laptop_id, software=hello.software)
    place.health.came(hello.laptop_id, hello.software)
    place.laptop_connected(laptop, hello.call_id)
    link.send(HealthWanted(HEALTH_EACH_MS))
    alive = Pulse(link, PING_S, SILENT_S)
    try:
        await link.each(partial(_take, laptop, place))
    finally:
        alive.cancel()
        place.laptop_gone(laptop)
        log.info("laptop gone", laptop=hello.laptop_id)


async def _recognise(hello: LaptopHello, estate: Estate) -> Establishment:
    """Its token is right and its signing key registered, or WireError."""
    place = estate.place(hello.establishment)
    known = place.known.laptops.get(hello.laptop_id) if place is not None else None
    if place is None or known is None or not hmac.compare_digest(known.token_hash, token_hash(hello.token)):
        raise WireError(
            CloseCode.NOT_RECOGNISED, f"{hello.laptop_id} is no laptop of this establishment, or its token is wrong"
        )
    await place.signers.let_in(known.id, known.token_hash, hello.signing_key)
    return place


def _take_over(hello: LaptopHello, link: Link, place: Establishment) -> LaptopEnd:
    before = place.laptops.get(hello.laptop_id)
    if before is not None:
        if not before.link.is_silent(SILENT_S):
            raise WireError(
                CloseCode.ALREADY_CONNECTED, f"{hello.laptop_id} is connected already; stop the other agent"
            )
        before.link.abort("another link of the same laptop took over")
        place.laptop_gone(before)
    return LaptopEnd(hello.laptop_id, link)


def _take(laptop: LaptopEnd, place: Establishment, message: Any, frame: bytes) -> None:
    """One message. What names a call that is not this laptop's changes nothing."""
    if isinstance(message, AgentHealth):
        place.health.agent_told(laptop.laptop_id, message)
        return
    if isinstance(message, (RecordingOffer, RecordingChunk)):
        place.on_recording(laptop, message)
        return
    if isinstance(message, (EvidencePart, EvidenceDone, EvidenceTaken)):
        place.on_evidence(laptop.laptop_id, message)
        return
    if message.call_id != laptop.call_id:
        if isinstance(message, LeaseRequest):
            reason = "the call is not open on this laptop"
            laptop.link.send(LeaseDenied(message.call_id, message.epoch, message.nonce, reason, True))
        elif isinstance(message, (OrderAnswer, CallClosed)):
            log.info("answer for a call that is over", laptop=laptop.laptop_id, call=message.call_id)
        return
    match message:
        case Levels():
            place.fanout.levels(message.call_id, frame)
        case Picture():
            box = str(message.side), message.box_width, message.box_height, str(message.mode)
            place.fanout.picture(message.call_id, box, frame)
        case CallHealth():
            place.fanout.health(message.call_id, frame)
            place.health.call_told(laptop.laptop_id, message)
            laptop.recording = message.recording
            place.legs_seen(message.call_id, [(leg.leg, leg.connected, leg.admitted) for leg in message.legs])
        case LeaseRequest(call_id, epoch, nonce):
            refused = place.lease(call_id, epoch)
            if refused:
                final = place.calls[call_id].state not in OPEN
                laptop.link.send(LeaseDenied(call_id, epoch, nonce, refused, final))
            else:
                laptop.link.send(LeaseGrant(call_id, epoch, nonce, LEASE_MS, utc_ms()))
        case LegAnswer(call_id, leg, offer_id, sdp):
            place.peers.send(call_id, leg, Answer(offer_id, sdp))
        case LegRefused(call_id, leg, offer_id, reason):
            place.record("leg_refused", f"{leg}: {reason}", call_id=call_id, accepted=False)
            place.peers.send(call_id, leg, OfferRefused(offer_id, reason, False))
        case OrderAnswer():
            place.orders.laptop_answered(message)
        case LegGone(call_id, leg, reason):
            place.leg_gone(call_id, leg, reason)
        case CallClosed(call_id, _, reason, _):
            place.call_closed(call_id, reason, laptop)
        case _:
            raise WireError(CloseCode.NOT_UNDERSTOOD, f"{type(message).__name__} was not expected here")
