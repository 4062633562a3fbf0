"""Tells the levels of both sides ten times a second, a rise at once. A side is as loud as its loudest device."""

import asyncio
import time
from collections.abc import Callable

from schemas.media import Levels, Side
from schemas.wire import Message

from ..rules.levels import is_attack
from .leg import side_of
from .levels import FLOOR_DBFS, SILENT, Level, LevelMeter

TELL_S = 0.1
MEASURED_A_LEVEL = 3
MEASURE_S = TELL_S / MEASURED_A_LEVEL


class LevelTeller:
    """`add` each leg's sound as it comes; `run` measures and tells."""

    def __init__(self, call_id: str, send: Callable[[Message], None]) -> None:
        self._call_id, self._send = call_id, send
        self._meters: dict[str, LevelMeter] = {}
        self._told: dict[Side, float] = dict.fromkeys(Side, FLOOR_DBFS)
        self._told_at = 0.0

    def add(self, leg: str, payload: bytes, came_at: float) -> None:
        """One Opus packet; `came_at` CLOCK_MONOTONIC, s."""
        meter = self._meters.get(leg)
        if meter is None:
            meter = self._meters[leg] = LevelMeter()
        meter.add(payload, came_at)

    def forget(self, leg: str) -> None:
        self._meters.pop(leg, None)

    async def run(self) -> None:
        """On a beat that does not drift; measured three times as often as told, for a rise."""
        loop = asyncio.get_running_loop()
        due, beat = loop.time(), 0
        while True:
            rises = self._measure()
            beat += 1
            if self._meters and (rises or beat % MEASURED_A_LEVEL == 0):
                self._tell(rises)
            due = max(due + MEASURE_S, loop.time() - TELL_S)
            await asyncio.sleep(due - loop.time())

    def _measure(self) -> set[Side]:
        newest: dict[Side, float] = dict.fromkeys(Side, FLOOR_DBFS)
        for leg, meter in self._meters.items():
            newest[side_of(leg)] = max(newest[side_of(leg)], meter.measure())
        for_s = time.monotonic() - self._told_at
        return {side for side, dbfs in newest.items() if is_attack(dbfs, self._told[side], for_s)}

    def _tell(self, rises: set[Side]) -> None:
        levels = dict.fromkeys(Side, SILENT)
        for leg, meter in self._meters.items():
            side = side_of(leg)
            levels[side] = louder(levels[side], meter.read_newest() if side in rises else meter.read())
        self._told = {side: level.rms / 10 for side, level in levels.items()}
        self._told_at = time.monotonic()
        family, room, at_ms = levels[Side.FAMILY], levels[Side.ROOM], round(self._told_at * 1000)
        self._send(Levels(self._call_id, at_ms, family.rms, family.peak, room.rms, room.peak))


def louder(one: Level, other: Level) -> Level:
    return Level(max(one.rms, other.rms), max(one.peak, other.peak))
