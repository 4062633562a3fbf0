"""The door: one address after the other, so many places, so many a second; and rates with some to spare."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import limits
from schemas.wire import CloseCode, Link, WireError
from server.links.bounded import address_of
from server.links.door import Door
from server.rules.allowance import Allowance


class Clock:
    """Time that the test moves; runs what is due."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        self._timers.append((self.now_s + seconds, function))

    def move_to(self, to_s: float) -> None:
        while self._timers and min(self._timers, key=lambda t: t[0])[0] <= to_s:
            timer = min(self._timers, key=lambda t: t[0])
            self._timers.remove(timer)
            self.now_s = max(self.now_s, timer[0])
            timer[1]()
        self.now_s = to_s


class Guest:
    def __init__(self, address: str, order: list["Guest"]) -> None:
        self.address, self._order = address, order

    def let_in(self) -> None:
        self._order.append(self)


class Scene:
    def __init__(self, places: int = 10_000) -> None:
        self.clock = Clock()
        self.door = Door(places, lambda: self.clock.now_s, self.clock.later)
        self.inside: list[Guest] = []

    def arrive(self, address: str, count: int = 1) -> list[tuple[Guest, int]]:
        guests = [Guest(address, self.inside) for _ in range(count)]
        return [(guest, self.door.arrive(guest)[0]) for guest in guests]


def test_who_comes_alone_is_let_in_at_once() -> None:
    scene = Scene()
    ((guest, status),) = scene.arrive("10.0.0.1")
    assert (status, scene.inside) == (0, [guest])


def test_so_many_a_second_are_let_in_and_none_is_forgotten() -> None:
    scene = Scene()
    guests = [guest for n in range(10) for guest, _ in scene.arrive(f"10.0.0.{n}", 40)]
    assert len(scene.inside) == limits.LET_IN_AT_ONCE
    scene.clock.move_to(0.1)
    assert len(scene.inside) == pytest.approx(limits.LET_IN_AT_ONCE + limits.LET_IN_PER_S * 0.1, abs=6)
    scene.clock.move_to(10)
    assert set(scene.inside) == set(guests)


def test_a_crowd_of_one_address_lets_another_through() -> None:
    scene = Scene()
    scene.arrive("10.0.0.1", 900)
    ((guest, _),) = scene.arrive("10.0.0.2")
    scene.clock.move_to(0.02)
    assert guest in scene.inside, "its turn came with the next ones that were let in"
    scene.clock.move_to(60)
    assert len(scene.inside) == limits.UNPROVEN_EACH_ADDRESS + 1, "the others wait for places"
    scene.door.prove(scene.inside[0], Link.PEER, "family-1")
    scene.door.leave(scene.inside[1])
    scene.clock.move_to(61)
    assert len(scene.inside) == limits.UNPROVEN_EACH_ADDRESS + 3


def test_a_crowd_of_many_addresses_fills_no_more_than_the_places_for_strangers() -> None:
    scene = Scene()
    for n in range(100):
        scene.arrive(f"10.0.1.{n}", 20)
    scene.clock.move_to(60)
    assert len(scene.inside) == limits.UNPROVEN_AT_ONCE


def test_those_who_may_not_even_wait_are_told_so() -> None:
    scene = Scene()
    statuses = [status for _, status in scene.arrive("10.0.0.1", 2000)]
    assert statuses.count(429) == 2000 - limits.WAITING_EACH_ADDRESS - limits.LET_IN_AT_ONCE
    for n in range(2, 6):
        scene.arrive(f"10.0.0.{n}", 1000)
    assert scene.arrive("10.0.0.9")[0][1] == 503
    full = Scene(places=3)
    assert [status for _, status in full.arrive("10.0.0.1", 4)] == [0, 0, 0, 503]
    full.door.leave(full.inside[0])
    assert full.arrive("10.0.0.1")[0][1] == 0


def test_links_of_a_name_and_of_a_kind_are_bounded() -> None:
    scene = Scene()

    def prove(who: str) -> Guest:
        ((guest, _),) = scene.arrive("10.0.0.1")
        scene.clock.move_to(scene.clock.now_s + 0.1)
        scene.door.prove(guest, Link.CONSOLE, who)
        return guest

    first = [prove("R. Hughes") for _ in range(limits.SAME_AT_ONCE)]
    with pytest.raises(WireError) as refused:
        prove("R. Hughes")
    assert refused.value.code == CloseCode.TOO_MANY and "R. Hughes" in refused.value.reason
    prove("S. Gill")
    scene.door.leave(first[0])
    prove("R. Hughes")


@given(
    st.lists(
        st.tuples(st.sampled_from(["arrive", "leave", "prove", "wait"]), st.integers(0, 5), st.integers(0, 80)),
        max_size=60,
    )
)
def test_whoever_comes_and_goes_no_place_is_lost(steps: list[tuple[str, int, int]]) -> None:
    scene = Scene(places=300)
    there: list[Guest] = []
    proven: set[Guest] = set()
    for step, address, number in steps:
        if step == "arrive":
            there += [guest for guest, status in scene.arrive(f"10.0.0.{address}", number) if not status]
        elif step == "wait":
            scene.clock.move_to(scene.clock.now_s + number / 100)
        elif there and step == "leave":
            gone = there.pop(number % len(there))
            proven.discard(gone)
            scene.door.leave(gone)
        elif step == "prove" and (unproven := [g for g in there if g in scene.inside and g not in proven]):
            proven.add(unproven[0])
            scene.door.prove(unproven[0], Link.LAPTOP, f"laptop {len(proven)}-{number}-{len(scene.inside)}")
        inside = [guest for guest in there if guest in scene.inside and guest not in proven]
        assert len(inside) <= limits.UNPROVEN_AT_ONCE
        for n in range(6):
            assert sum(g.address == f"10.0.0.{n}" for g in inside) <= limits.UNPROVEN_EACH_ADDRESS
        assert len(there) <= 300
    for guest in there:
        scene.door.leave(guest)
    assert sum(not status for _, status in scene.arrive("10.0.0.1", 310)) == 300


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (("10.1.2.3", 5), "10.1.2.3"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::/64"),
        (("::ffff:10.1.2.3", 5, 0, 0), "10.1.2.3"),
        (None, "unknown"),
    ],
)
def test_strangers_of_one_machine_are_counted_together(name: tuple[object, ...] | None, address: str) -> None:
    transport = SimpleNamespace(get_extra_info={"socket": None, "peername": name}.get)
    assert address_of(cast(asyncio.Transport, transport)) == address


def test_an_allowance_is_spent_and_comes_back() -> None:
    allowance = Allowance(10, 3, 100.0)
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take(100.05)
    assert allowance.take(100.15)
    assert [allowance.take(200.0) for _ in range(4)] == [True, True, True, False]
