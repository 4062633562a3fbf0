"""A whole call whose laptop, console and peers speak version 1: their structs are frozen in tests/protocol_1.

Every frame that they get is read with those structs, so one that they could not read fails the test.
"""

import asyncio
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from schemas.console import ConsoleHello, from_console
from schemas.wire import CloseCode, Message, encode
from server.links.bounded import BoundedConnection
from server.links.door import Door
from server.links.link import Link
from server.links.refusals import Refusals
from tests.protocol_1 import call, console, laptop, media, peer
from tests.server_rig import OFFICER_TOKEN, End, Server, establishment, running_server

Act = laptop.OrderAct


class OldLaptop(End):
    def __init__(self, server: Server) -> None:
        super().__init__(connect(f"{server.url}/laptop", compression=None), laptop.to_laptop)
        self.send(laptop.LaptopHello(1, "BWI", "BWI-01", "laptop-token-123456", "0.1"))

    def confirm(self, act: laptop.OrderAct) -> laptop.Order:
        order = self.next(laptop.Order, lambda o: o.act == act)
        self.send(laptop.OrderAnswer(order.order_id, order.call_id, True, "", 10, 50))
        return order


class OldConsole(End):
    def __init__(self, server: Server) -> None:
        super().__init__(
            connect(f"{server.url}/console", compression=None, max_size=4 * 1024 * 1024), console.to_console
        )
        self.call: call.CallView | None = None
        self.orders: list[int] = []
        self.send(console.ConsoleHello(1, "BWI", OFFICER_TOKEN, 200, 60))

    def took(self, message: Any) -> None:
        if isinstance(message, console.Snapshot):
            self.call = next((c for c in message.calls if c.call_id == "BWI-1"), self.call)
            self.orders = [message.order]
        elif isinstance(message, console.CallChanged):
            self.orders.append(message.order)
            self.call = message.call if message.call.call_id == "BWI-1" else self.call
        elif isinstance(message, console.SeatChanged):
            self.orders.append(message.order)

    def is_so(self, where: Any) -> None:
        while self.call is None or not where(self.call):
            self.next((console.Snapshot, console.CallChanged))

    def give(self, act: console.Act, refusal: console.Refusal | None = None) -> str:
        assert self.call is not None
        command_id, soon = uuid.uuid4().hex, int(time.time() * 1000) + 5000
        self.send(console.Command(command_id, "BWI-1", self.call.version, soon, "because", act))
        answer = self.next(console.CommandAnswer, lambda a: a.command_id == command_id)
        assert (answer.accepted, answer.refusal) == (refusal is None, refusal), answer
        return command_id


class OldPeer(End):
    def __init__(self, server: Server, token: str) -> None:
        super().__init__(connect(f"{server.url}/peer", compression=None), peer.to_peer)
        self.send(peer.PeerHello(1, token))
        assert self.next(peer.PeerWelcome).protocol == 1
        self.send(peer.Offer("o1", f"v=0 {token}"))


def test_a_whole_call_of_version_1(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        agent, wall = OldLaptop(server), OldConsole(server)
        assert agent.next(laptop.LaptopWelcome).protocol == 1
        assert wall.next(console.ConsoleWelcome).protocol == 1
        call_id, epoch = (opened := agent.next(laptop.OpenCall)).call_id, opened.epoch
        agent.send(laptop.LeaseRequest(call_id, epoch, 1))
        assert agent.next(laptop.LeaseGrant).nonce == 1
        wall.send(console.Boxes([media.Box(media.Side.FAMILY, 32, 14)]))
        assert agent.next(laptop.PicturesWanted, lambda p: p.boxes).boxes[0].width == 32
        people = {leg: OldPeer(server, f"{end}-token-BWI-1") for leg, end in (("room", "room"), ("family-1", "family"))}
        for leg, person in people.items():
            offer = agent.next(laptop.LegOffer, lambda o, leg=leg: o.leg == leg)
            agent.send(laptop.LegAnswer(call_id, leg, offer.offer_id, "v=1"))
            assert person.next(peer.Answer).sdp == "v=1"
        legs = [media.LegHealth(leg, True, 0, 0, 0.0, 0.0, 25.0, 650.0) for leg in people]
        health = media.CallHealth(call_id, False, "waiting", media.RecordingState.NOT_STARTED, 0, 0, "", legs)
        agent.send(health)
        wall.is_so(lambda c: all(leg.connected for leg in c.legs))

        admitted = wall.give(console.Admit("family-1"))
        agent.confirm(Act.ADMIT)
        assert wall.next(console.CommandDone, lambda d: d.command_id == admitted).done
        wall.is_so(lambda c: c.state == call.CallState.LIVE)
        agent.send(media.Levels(call_id, 1, -200, -100, -300, -250))
        agent.send(media.Picture(call_id, media.Side.FAMILY, 2, 32, 14, 2, 2, bytes(12)))
        measured: set[str] = set()
        while measured != {"levels", "pictures"}:
            delta = wall.next(console.Delta)
            measured |= {name for name in ("levels", "pictures") if getattr(delta, name)}

        wall.give(console.Notice(media.Side.FAMILY, "Hold the device level."))
        assert people["family-1"].next(peer.CallNotice, lambda n: n.notice_id != "state").words
        wall.give(console.Warn(None, "Keep to the rules."))
        notice = people["room"].next(peer.CallNotice, lambda n: n.notice_id != "state")
        people["room"].send(peer.NoticeRead(notice.notice_id))
        wall.give(console.OneSide(media.Side.FAMILY, True, False))
        agent.confirm(Act.ONE_SIDE)
        wall.give(console.Pause())
        agent.confirm(Act.PAUSE)
        wall.is_so(lambda c: c.state == call.CallState.PAUSED)
        wall.give(console.Resume(True))
        agent.confirm(Act.RESUME)
        wall.is_so(lambda c: c.state == call.CallState.LIVE)
        wall.give(console.Flag(call.Category.FILMING, "A second phone", int(time.time() * 1000)))
        wall.give(console.UrgentHelp("staff"))
        wall.give(console.Watch(True))
        assert wall.call is not None
        wall.give(console.Extend(wall.call.ends_at_ms - 1), console.Refusal.NOT_LATER)
        wall.is_so(lambda c: c.said != "")
        wall.give(console.Extend(wall.call.ends_at_ms + 5 * 60_000))
        agent.confirm(Act.EXTEND)
        ended = wall.give(console.End())
        agent.confirm(Act.END)
        assert wall.next(console.CommandDone, lambda d: d.command_id == ended).done
        agent.send(laptop.CallClosed(call_id, epoch, "ended", 1000))
        wall.is_so(lambda c: c.state == call.CallState.ENDED)
        assert people["family-1"].next(peer.CallNotice, lambda n: n.state == call.CallState.ENDED)
        agent.send(laptop.LeaseRequest(call_id, epoch, 2))
        assert agent.next(laptop.LeaseDenied).final
        wall.send(console.TimeProbe(7))
        assert wall.next(console.TimeReply).sent_ms == 7
        wall.send(console.SnapshotRequest())
        numbers = wall.orders
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "no ordered event was missed"
        wall.next(console.Snapshot)
        for end in (agent, wall, *people.values()):
            end.close()
        assert "Traceback" not in server.log.read_text() and server.verify()["intact"]


class Newer(Message, tag=89, frozen=True):
    """A kind that version 1 does not have."""

    since = 2
    words: str


class AsEver(Message, tag=88, frozen=True):
    """A kind that every version has."""

    words: str


async def test_a_newer_kind_is_never_sent_to_an_older_client() -> None:
    got: dict[int, list[bytes]] = {}

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, BoundedConnection)
        link = Link(connection, from_console, lambda who, why: None)
        await link.hello(ConsoleHello)
        link.send(Newer("new"))
        link.send(AsEver("old"))

    loop = asyncio.get_running_loop()
    bounds = {"door": Door(100, loop.time, loop.call_later), "refusals": Refusals(lambda *_, **__: None)}
    async with serve(handle, "127.0.0.1", 0, create_connection=partial(BoundedConnection, **bounds)) as server:
        port = server.sockets[0].getsockname()[1]
        for protocol in (1, 2):
            async with connect_async(f"ws://127.0.0.1:{port}") as client:
                await client.send(encode(ConsoleHello(protocol, "BWI")))
                async with asyncio.timeout(10):
                    got[protocol] = [bytes(frame) async for frame in client if isinstance(frame, bytes)]
    assert got == {1: [encode(AsEver("old"))], 2: [encode(Newer("new")), encode(AsEver("old"))]}


def test_an_old_console_of_remote_support_is_told_to_update(tmp_path: Path) -> None:
    """Version 1 has no view of health: it gets no frame of it."""
    staff = [{"name": "T. Novak", "role": "support", "token": "support-token-123456"}]
    with (
        running_server(tmp_path, establishment(staff=staff)) as server,
        connect(f"{server.url}/console", compression=None) as link,
    ):
        link.send(encode(ConsoleHello(1, "BWI", "support-token-123456")))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                console.to_console.decode(bytes(link.recv(timeout=10)))
    assert closed.value.rcvd is not None and closed.value.rcvd.code == CloseCode.PROTOCOL_VERSION
    assert "update" in closed.value.rcvd.reason
