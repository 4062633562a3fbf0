"""When the server looks through all of its memory: in quiet times, and when it grows."""

import gc
from collections.abc import Iterator

import pytest

from server.garbage import GROWN_BYTES, LOOK_S, Garbage, resident_bytes


class Machine:
    def __init__(self) -> None:
        self.busy, self.bytes, self.collected = True, 100, 0
        self.garbage = Garbage(lambda: self.busy, collect=self.collect, resident_bytes=lambda: self.bytes)
        self.collected = 0

    def collect(self) -> None:
        self.collected += 1


@pytest.fixture
def machine() -> Iterator[Machine]:
    before = gc.get_threshold()
    yield Machine()
    gc.unfreeze()
    gc.set_threshold(*before)


def test_python_does_not_look_through_everything_by_itself(machine: Machine) -> None:
    young, middle, old = gc.get_threshold()
    assert young <= 1000 and middle <= 100, "young objects are looked at as always"
    full = gc.get_stats()[2]["collections"]
    kept = [[[] for _ in range(10)] for _ in range(50_000)]
    assert gc.get_stats()[2]["collections"] == full and old > len(kept)


def test_not_while_calls_are_on(machine: Machine) -> None:
    for second in range(1000):
        machine.garbage.look(float(second))
    assert machine.collected == 0


def test_in_quiet_times_now_and_then(machine: Machine) -> None:
    machine.busy = False
    for second in range(int(3 * LOOK_S)):
        machine.garbage.look(float(second))
    assert machine.collected == 3


def test_at_once_when_memory_has_grown_and_not_again_until_it_has_grown_more(machine: Machine) -> None:
    machine.bytes += GROWN_BYTES
    for second in range(5):
        machine.garbage.look(float(second))
    assert machine.collected == 1
    machine.bytes += GROWN_BYTES
    machine.garbage.look(5.0)
    assert machine.collected == 2


def test_resident_memory_is_this_process_own() -> None:
    before = resident_bytes()
    block = bytearray(64 * 1024**2)
    block[::4096] = b"x" * len(block[::4096])
    assert 60 * 1024**2 < resident_bytes() - before < 80 * 1024**2
