"""Tells the levels of both sides ten times a second, a rise at once. A side is as loud as its loudest device."""

import asyncio
import time
from collections.abc import Callable

from schemas.media import Levels, Side, side_of
from schemas.wire import Message

from ..rules.levels import is_attack
from .levels import FLOOR_DBFS, SILENT, Level, LevelMeter

TELL_S = 0.1
MEASURE_S = TELL_S / 3


class LevelTeller:
    """`add` each leg's sound as it comes. It is measured three times as often as it is told, for a rise: in the turn of
    the loop that a packet has woken, behind the packets that wait in it. `look` ten times a second besides, for when
    nothing comes."""

    def __init__(self, call_id: str, send: Callable[[Message], None]) -> None:
        self._call_id, self._send = call_id, send
        self._loop = asyncio.get_running_loop()
        self._meters: dict[str, LevelMeter] = {}
        self._told: dict[Side, float] = dict.fromkeys(Side, FLOOR_DBFS)
        self._told_at = self._tell_due = self._measure_due = 0.0
        self._soon: asyncio.Handle | None = None

    @property
    def errors(self) -> int:
        """Packets that could not be decoded."""
        return sum(meter.errors for meter in self._meters.values())

    def add(self, leg: str, payload: bytes, came_at: float, claimed_dbov: int | None = None) -> None:
        """One Opus packet; `came_at` CLOCK_MONOTONIC, s; `claimed_dbov`: the sender's own word of its level."""
        meter = self._meters.get(leg)
        if meter is None:
            meter = self._meters[leg] = LevelMeter()
        meter.add(payload, came_at, claimed_dbov)
        if came_at >= min(self._measure_due, self._tell_due) and self._soon is None:
            self._soon = self._loop.call_soon(self._measure_and_tell)

    def louder_db(self, leg: str) -> int:
        """By how much this leg's sound contradicts the level that its sender claims; 0: it does not."""
        meter = self._meters.get(leg)
        return meter.claim.louder_db if meter is not None else 0

    def look(self) -> None:
        """Tells what is due, if no packet has come that did it."""
        if time.monotonic() >= self._tell_due and self._soon is None:
            self._measure_and_tell()

    def close(self) -> None:
        if self._soon is not None:
            self._soon.cancel()

    def forget(self, leg: str) -> None:
        self._meters.pop(leg, None)

    def _measure_and_tell(self) -> None:
        self._soon = None
        now = time.monotonic()
        self._measure_due = now + MEASURE_S
        rises = self._measure()
        due = now >= self._tell_due
        if due:  # on a beat that does not drift
            self._tell_due = (self._tell_due if now - self._tell_due < TELL_S else now) + TELL_S
        if self._meters and (rises or due):
            self._tell(rises)

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
