"""An ordered event that an old console can't read: it gets a snapshot in its place, others get the event."""

from types import SimpleNamespace
from typing import Any, cast

from schemas.call import Role, SeatView
from schemas.console import Delta, SeatChanged, Snapshot, to_console
from schemas.wire import Message
from server.links.fanout import FanOut
from server.links.link import Link

HEAD = 2
"""Bytes of a short frame's websocket head."""


class NewerEvent(SeatChanged, tag=88, frozen=True):
    since = 2


class FakeLink:
    """Keeps what is sent; it is never behind."""

    def __init__(self, protocol: int) -> None:
        self.protocol, self.backlog = protocol, 0
        self.kinds: list[type[Message]] = []
        self.orders: list[int] = []
        transport = SimpleNamespace(get_extra_info=lambda name: None)
        self.connection = SimpleNamespace(transport=transport, send_framed=lambda frame: self.kinds.append(Delta))

    def send_framed(self, frame: bytes, kind: type[Message]) -> bool:
        if not Link.speaks(cast(Link, self), kind):
            return False
        self.kinds.append(kind)
        if kind is Snapshot:
            self.orders.append(to_console.decode(frame[HEAD:]).order)
        return True


def test_an_old_console_gets_a_snapshot_in_place_of_a_newer_event() -> None:
    fanout = FanOut(lambda tick, order: Snapshot(tick, order, 0, [], [], [], [], []), lambda: 0)
    old, new = FakeLink(1), FakeLink(2)
    for link in (old, new):
        fanout.add(cast(Any, link), Role.OFFICER)
    seat = SeatView(1, "BWI-01", "Visits 1", True)
    fanout.event(lambda order: SeatChanged(order, seat))
    fanout.event(lambda order: NewerEvent(order, seat))
    for _ in range(25):  # a delta goes out each second, even when nothing is measured
        fanout.tick()
    assert new.kinds == [Snapshot, SeatChanged, NewerEvent, Delta]
    assert (old.kinds, old.orders) == ([Snapshot, SeatChanged, Snapshot, Delta], [0, 2])
