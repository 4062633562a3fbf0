"""When levels are told: ten times a second whatever comes, at once when a sound begins, for each side its loudest."""

import asyncio
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from laptop.media import level_teller
from laptop.media.level_teller import LevelTeller
from schemas.media import SILENCE, Levels


def opus(dbfs: float, packets: int) -> list[bytes]:
    """A tone of this level, 20 ms a packet."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "flt"
    encoder.time_base = Fraction(1, 48_000)
    made: list[bytes] = []
    at = np.arange(960 * packets) / 48_000
    tone = (10 ** (dbfs / 20) * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    for n in range(packets):
        frame = av.AudioFrame.from_ndarray(tone[None, 960 * n : 960 * (n + 1)], "flt", "mono")
        frame.sample_rate, frame.pts = 48_000, 960 * n
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


QUIET, LOUD = opus(-60, 60)[10:], opus(-12, 60)[10:]


class Clock:
    """The test's own time, and a loop whose next turn the test calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(level_teller, "time", self)
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        self.told: list[tuple[float, Levels]] = []

    def monotonic(self) -> float:
        return self.now_s

    def send(self, message: object) -> None:
        assert isinstance(message, Levels)
        self.told.append((self.now_s, message))


async def play(teller: LevelTeller, clock: Clock, packets: list[bytes], leg: str = "family-1") -> None:
    for packet in packets:
        clock.now_s += 0.02
        teller.add(leg, packet, clock.now_s)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def test_ten_times_a_second_on_a_beat_that_does_not_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def run() -> None:
        teller = LevelTeller("call", clock.send)
        for _ in range(10):
            await play(teller, clock, QUIET)

    asyncio.run(run())
    times = [at for at, _ in clock.told]
    assert len(times) == pytest.approx(10 * (10 * len(QUIET) * 0.02), abs=2)
    assert np.diff(times).max() <= 0.121


def test_a_rise_is_told_within_two_packets_and_only_of_the_side_that_rose(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def run() -> float:
        teller = LevelTeller("call", clock.send)
        await play(teller, clock, QUIET)
        began = clock.now_s
        await play(teller, clock, LOUD[:5])
        return began

    began = asyncio.run(run())
    first = next(at for at, levels in clock.told if levels.family_rms > -400)
    assert first - began <= 0.041
    assert all(levels.room_rms == SILENCE for _, levels in clock.told)


def test_a_side_is_as_loud_as_its_loudest_device(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def run() -> None:
        teller = LevelTeller("call", clock.send)
        for quiet, loud in zip(QUIET, LOUD, strict=True):
            clock.now_s += 0.02
            teller.add("family-1", quiet, clock.now_s)
            teller.add("family-2", loud, clock.now_s)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    asyncio.run(run())
    assert clock.told[-1][1].family_rms == pytest.approx(-120, abs=5)


def test_silence_is_told_when_nothing_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def run() -> None:
        teller = LevelTeller("call", clock.send)
        await play(teller, clock, LOUD)
        for _ in range(30):
            clock.now_s += 0.1
            teller.look()

    asyncio.run(run())
    assert [levels.family_rms for _, levels in clock.told[-29:]] == [SILENCE] * 29


def test_nothing_is_told_before_anybody_was_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def run() -> None:
        LevelTeller("call", clock.send).look()

    asyncio.run(run())
    assert not clock.told
