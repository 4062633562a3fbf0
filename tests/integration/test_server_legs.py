"""Several devices of a family at a real server: their tokens, what each is told of the others, who may come back."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from schemas.call import CallState, Outcome
from schemas.console import Admit, OneSide, Refuse
from schemas.laptop import LegAnswer, LegGone, LegOffer, OpenCall, OrderAct
from schemas.media import CallHealth, LegHealth, RecordingState, Side
from schemas.peer import (
    Answer,
    CallNotice,
    Leave,
    LegState,
    LegStates,
    Offer,
    OfferRefused,
    PeerHello,
    PeerWelcome,
    to_peer,
)
from schemas.wire import CloseCode
from server.establishment_file import EstablishmentFileError, read
from tests.server_rig import Console, End, Laptop, Peer, Server, establishment, running_server

SECOND, THIRD = "second-family-token-1", "third-family-token-12"
LEGS = ("room", "family-1", "family-2", "family-3")


def three_devices() -> dict[str, Any]:
    content = establishment()
    content["policy"]["grace_seconds"] = 45
    content["bookings"][0]["more_family_tokens"] = [SECOND, THIRD]
    content["bookings"][0]["callers"].append(
        {"name": "Mia Prosser", "relation": "sister", "age_group": "adult", "device": 3}
    )
    return content


class Rig:
    """Laptop and officer are there, and the room and two of the three family devices are connected."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.laptop, self.console = Laptop(server), Console(server)
        self.opened: OpenCall = self.laptop.next(OpenCall)
        self.admitted: set[str] = set()
        self.there = {"room", "family-1", "family-2"}
        self.tell()
        self.console.call("BWI-1", lambda c: {leg.leg for leg in c.legs if leg.connected} == self.there)

    def tell(self) -> None:
        legs = [
            LegHealth(leg, leg in self.there, 0, 0, 0.0, 0.0, 25.0, 650.0, leg in self.admitted)
            for leg in LEGS
            if leg in self.there or leg in self.admitted
        ]
        self.laptop.send(CallHealth("BWI-1", False, "", RecordingState.RECORDING, 0, 0, "", legs))

    def admit(self, leg: str) -> None:
        self.console.call("BWI-1", lambda c: not any(one.admitted for one in c.legs if one.leg == leg))
        assert self.console.give(Admit(leg)).accepted
        self.laptop.confirm(OrderAct.ADMIT)
        self.admitted.add(leg)
        self.console.call("BWI-1", lambda c: any(one.admitted for one in c.legs if one.leg == leg))
        self.tell()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_server(tmp_path, three_devices()) as server:
        yield Rig(server)


def told(peer: Peer, where: Callable[[dict[str, LegState]], bool]) -> dict[str, LegState]:
    """What a device is told of all legs, once it is so."""
    message = peer.next(LegStates, lambda m: where({state.leg: state for state in m.legs}))
    return {state.leg: state for state in message.legs}


def test_each_device_has_its_token_its_slots_and_its_own_offers(rig: Rig) -> None:
    for token, leg in (("family-token-BWI-1", "family-1"), (SECOND, "family-2"), (THIRD, "family-3")):
        with Peer(rig.server, token) as peer:
            welcome = peer.next(PeerWelcome)
            assert (welcome.leg, welcome.slots) == (leg, 3)
            peer.send(Offer(f"offer of {leg}", "v=0"))
            offer = rig.laptop.next(LegOffer)
            assert offer.leg == leg
            rig.laptop.send(LegAnswer("BWI-1", leg, offer.offer_id, "v=0 answer"))
            assert peer.next(Answer).offer_id == f"offer of {leg}"
    callers = rig.console.calls["BWI-1"].callers
    assert [caller.leg for caller in callers] == ["family-1", "family-3"]
    assert rig.opened.grace_ms == 45_000
    rig.server.restart()
    with Peer(rig.server, THIRD) as again:
        assert again.next(PeerWelcome).leg == "family-3", "kept in the database"


def test_everybody_is_told_who_is_there_and_why_somebody_is_not(rig: Rig) -> None:
    room, family = Peer(rig.server, "room-token-BWI-1"), Peer(rig.server, "family-token-BWI-1")
    for peer in (room, family):
        assert not any(state.here for leg, state in told(peer, lambda s: True).items() if leg != "room")
    rig.admit("family-1")
    rig.admit("family-2")
    for peer in (room, family):
        states = told(peer, lambda s: s["family-1"].here and s["family-2"].here)
        assert states["family-3"].words == "Family device 3 is not there yet." and states["room"].here

    rig.there.discard("family-2")
    rig.laptop.send(LegGone("BWI-1", "family-2", "no media for 2 s"))
    rig.tell()
    for peer in (room, family):
        gone = told(peer, lambda s: not s["family-2"].here)["family-2"]
        assert gone.words == "Family device 2 has lost its connection: no media for 2 s. It may come back within 45 s."
    rig.there.add("family-2")
    rig.tell()
    for peer in (room, family):
        told(peer, lambda s: s["family-2"].here)
    assert next(leg for leg in rig.console.calls["BWI-1"].legs if leg.leg == "family-2").admitted

    rig.console.give(OneSide(Side.FAMILY, True, False))
    rig.laptop.confirm(OrderAct.ONE_SIDE)
    for peer in (room, family):
        states = told(peer, lambda s: not s["family-1"].sound)
        assert states["family-1"].picture and not states["family-2"].sound and states["room"].sound


def test_when_the_laptop_no_longer_waits_for_a_device_it_is_to_be_admitted_again(rig: Rig) -> None:
    rig.admit("family-1")
    family = Peer(rig.server, "family-token-BWI-1")
    told(family, lambda s: s["family-1"].here)
    rig.there.discard("family-1")
    rig.tell()
    told(family, lambda s: not s["family-1"].here)
    rig.admitted.discard("family-1")
    rig.there.add("family-1")
    rig.tell()
    call = rig.console.call("BWI-1", lambda c: c.state == CallState.WAITING)
    assert "admitted again" in call.said
    assert family.next(CallNotice, lambda n: n.state == CallState.WAITING).words
    waits = told(family, lambda s: not s["family-1"].here)["family-1"]
    assert waits.words == "Family device 1 waits until staff admit it."
    rig.admit("family-1")
    assert rig.console.call("BWI-1", lambda c: c.state == CallState.LIVE)


def test_one_device_leaves_and_the_call_goes_on_until_the_last_one_does(rig: Rig) -> None:
    rig.admit("family-1")
    rig.admit("family-2")
    first, second = Peer(rig.server, "family-token-BWI-1"), Peer(rig.server, SECOND)
    told(first, lambda s: s["family-2"].here)
    second.send(Leave())
    rig.tell()  # sent before the laptop has carried it out: says that the leg is there
    assert rig.laptop.confirm(OrderAct.REFUSE).leg == "family-2"
    rig.there.discard("family-2")
    rig.admitted.discard("family-2")
    rig.tell()
    assert told(first, lambda s: not s["family-2"].here)["family-2"].words
    call = rig.console.call("BWI-1", lambda c: not any(leg.connected for leg in c.legs if leg.leg == "family-2"))
    assert call.state == CallState.LIVE and not any(leg.admitted for leg in call.legs if leg.leg == "family-2")
    first.send(Leave())
    rig.laptop.confirm(OrderAct.END)
    ended = rig.console.call("BWI-1", lambda c: c.state == CallState.ENDED)
    assert ended.outcome == Outcome.VISITOR_COMPLETED_EARLY


def test_the_only_admitted_caller_refused_leaves_a_call_that_waits(rig: Rig) -> None:
    rig.admit("family-1")
    assert rig.console.give(Refuse("family-1")).accepted
    rig.laptop.confirm(OrderAct.REFUSE)
    rig.console.call("BWI-1", lambda c: c.state == CallState.WAITING)


def test_a_second_device_with_a_token_in_use_is_refused_and_the_first_goes_on(rig: Rig) -> None:
    rig.admit("family-1")
    first = Peer(rig.server, "family-token-BWI-1")
    told(first, lambda s: s["family-1"].here)
    second = Peer(rig.server, "family-token-BWI-1")
    with pytest.raises(ConnectionClosed) as closed:
        second.next(PeerWelcome)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == CloseCode.ALREADY_CONNECTED
    assert "another device" in closed.value.rcvd.reason
    first.send(Offer("first goes on", "v=0"))
    assert rig.laptop.next(LegOffer).offer_id == "first goes on"
    rig.there.discard("family-1")
    rig.tell()
    told(first, lambda s: not s["family-1"].here)
    third = Peer(rig.server, "family-token-BWI-1")
    assert third.next(PeerWelcome).leg == "family-1", "the first has lost its media: it may come anew"


def test_offers_that_come_too_fast_do_not_reach_the_laptop(rig: Rig) -> None:
    with Peer(rig.server, SECOND) as peer:
        peer.next(PeerWelcome)
        for number in range(20):
            peer.send(Offer(f"{number}", "v=0"))
        refused = peer.next(OfferRefused, lambda r: r.offer_id == "19")
        assert refused.retry and "too fast" in refused.reason
        assert rig.laptop.next(LegOffer).offer_id == "0"
        time.sleep(0.3)
        peer.send(Offer("later", "v=0"))
        passed_on = rig.laptop.next(LegOffer, lambda offer: offer.offer_id == "later")
        assert passed_on.leg == "family-2"
        offers = [message for message in rig.laptop.seen if isinstance(message, LegOffer)]
        assert len(offers) <= 4


def test_a_caller_at_a_device_without_a_token_is_refused_in_words(tmp_path: Path) -> None:
    content = three_devices()
    content["bookings"][0]["callers"][1]["device"] = 4
    path = tmp_path / "BWI.json"
    path.write_text(json.dumps(content))
    with pytest.raises(EstablishmentFileError, match=r"callers\[1\].device 4 has no token"):
        read(path)


def test_the_states_of_the_legs_are_not_sent_to_an_older_client(rig: Rig) -> None:
    with Peer(rig.server, SECOND) as peer:
        peer.next(LegStates)
    with End(connect(f"{rig.server.url}/peer", compression=None), to_peer) as old:
        old.send(PeerHello(1, THIRD))
        rig.admit("family-1")
        old.next(CallNotice, lambda n: n.state == CallState.LIVE)
        assert not any(isinstance(message, LegStates) for message in old.seen)
