"""The people's devices on an establishment's calls: what they are told, and their offers on the way to a laptop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.laptop import LegOffer
from schemas.peer import CallNotice, Offer, OfferRefused
from schemas.wire import Message

from .rules import company, happenings
from .rules.call import OPEN
from .rules.plain_words import refused_words

if TYPE_CHECKING:
    from .establishment import Establishment
    from .links.link import Link
    from .rules.call import Call
    from .rules.decision import Told


@dataclass
class PeerEnd:
    """A connected family device or room browser."""

    call_id: str
    leg: str
    link: Link
    offer: Offer | None = None
    passed_on: bool = False
    offered_at: float = 0.0
    """CLOCK_MONOTONIC, s."""


class Peers:
    """One device for each leg of a call at most."""

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._ends: dict[tuple[str, str], PeerEnd] = {}

    def get(self, call_id: str, leg: str) -> PeerEnd | None:
        return self._ends.get((call_id, leg))

    def came(self, peer: PeerEnd) -> None:
        """Takes the place of the one before."""
        self._ends[peer.call_id, peer.leg] = peer

    def went(self, peer: PeerEnd) -> None:
        if self.get(peer.call_id, peer.leg) is peer:
            del self._ends[peer.call_id, peer.leg]

    def legs(self, call: Call) -> frozenset[str]:
        """Those whose device can be told something now."""
        return frozenset(peer.leg for peer in self._of(call))

    def _of(self, call: Call) -> Iterator[PeerEnd]:
        for leg in call.legs:
            peer = self.get(call.call_id, leg.leg)
            if peer is not None:
                yield peer

    # What they are told

    def send(self, call_id: str, leg: str, message: Message) -> None:
        peer = self.get(call_id, leg)
        if peer is not None:
            peer.link.send(message)

    def notify(self, call: Call, told: Told | None = None, notice_id: str = "state") -> None:
        """Tells the people on the call its state, or what staff have to say."""
        words = told.words if told else happenings.words_for_the_people(call)
        if told is not None:
            self._place.notices.sent(call.call_id, notice_id, told)
        for peer in self._of(call):
            if told is None or told.reaches(peer.leg):
                peer.link.send(call_notice(call, words, self._place.now_ms(), notice_id))

    def tell_legs(self, call: Call, only: str = "") -> None:
        """Tells the people on the call, or one leg of it, who is there."""
        states = company.leg_states(call, self._place.policy)
        for peer in self._of(call):
            if only in ("", peer.leg):
                peer.link.send(states)

    # Offers

    def pass_offers_on(self, call: Call) -> None:
        for peer in self._of(call):
            self.pass_offer_on(peer)

    def pass_offer_on(self, peer: PeerEnd) -> None:
        """A peer's offer goes to its laptop as soon as both are there and the room is open; until then it waits."""
        if peer.offer is None or peer.passed_on:
            return
        place = self._place
        call = place.calls[peer.call_id]
        laptop, leg = place.laptops.get(call.laptop_id), call.leg(peer.leg)
        if leg is not None and leg.refused_until_ms:
            if leg.refused_until_ms > place.now_ms():
                words = refused_words(leg.words.removeprefix("refused: "))
                peer.link.send(OfferRefused(peer.offer.offer_id, words, False))
                peer.offer = None
                return
            place.change(happenings.refusal_over(call, peer.leg))
        if call.state in OPEN and laptop is not None and laptop.call_id == call.call_id:
            peer.passed_on = True
            laptop.link.send(LegOffer(call.call_id, call.epoch, peer.leg, peer.offer.offer_id, peer.offer.sdp))

    def offer_anew(self, call: Call) -> None:
        """The laptop has forgotten what it was offered."""
        for peer in self._of(call):
            if peer.passed_on and peer.offer is not None:
                peer.link.send(OfferRefused(peer.offer.offer_id, "The laptop has started anew.", True))
                peer.offer, peer.passed_on = None, False


def call_notice(call: Call, words: str, now_ms: int, notice_id: str = "state") -> CallNotice:
    return CallNotice(call.state, words[:500], now_ms, call.ends_at_ms, notice_id)
