"""The level of one side's sound, from decoded Opus, in dBFS after AES17: a full-scale sine reads 0, peak and RMS."""

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import av
import av.error
import numpy as np

from schemas.media import SILENCE

from ..rules.claimed_level import ClaimedLevel

WINDOW_S = 0.1
WAITING_MAX = 50
FLOOR_DBFS = SILENCE / 10
CEILING_DBFS = 3.0
_PEAK_REFERENCE = 1.0
_RMS_REFERENCE = 0.5
"""Mean square of a full-scale sine."""


@dataclass(frozen=True)
class Level:
    """Tenths of a dBFS, as on the wire."""

    rms: int
    peak: int


SILENT = Level(SILENCE, SILENCE)


class LevelMeter:
    """`add` each Opus packet as it comes, which costs next to nothing; `measure` decodes what has come since, together:
    a decoder that is called for one packet at a time finds its tables out of the processor's cache each time. Then
    `read` the last tenth of a second. At most WAITING_MAX packets wait; the oldest fall away."""

    def __init__(self) -> None:
        self._decoder = opus_decoder()
        self.claim = ClaimedLevel()
        self._waiting: deque[tuple[float, bytes, int | None]] = deque(maxlen=WAITING_MAX)
        self._pieces: deque[tuple[float, float, int, float]] = deque()
        """(when it came, sum of squares, samples, largest sample)."""
        self.errors = 0

    def add(self, payload: bytes, came_at: float, claimed_dbov: int | None = None) -> None:
        """`came_at`: CLOCK_MONOTONIC, s; `claimed_dbov`: 0 to 127 below the overload point, as its sender says."""
        self._waiting.append((came_at, payload, claimed_dbov))

    def measure(self) -> float:
        """The RMS of the loudest packet that came since the last call, dBFS; FLOOR_DBFS when none did."""
        loudest = 0.0
        while self._waiting:
            loudest = max(loudest, self._decode(*self._waiting.popleft()))
        return _dbfs(loudest, _RMS_REFERENCE)

    def _decode(self, came_at: float, payload: bytes, claimed_dbov: int | None) -> float:
        """The packet's mean square."""
        try:
            squares, samples, peak = decoded(self._decoder, payload)
        except av.error.FFmpegError:
            self.errors += 1
            return 0.0
        self._pieces.append((came_at, squares, samples, peak))
        if not samples:
            return 0.0
        if claimed_dbov is not None:
            self.claim.add(came_at, claimed_dbov, squares / samples)
        return squares / samples

    def read(self) -> Level:
        """The last tenth of a second; SILENT when nothing has come in it."""
        oldest = time.monotonic() - WINDOW_S
        while self._pieces and self._pieces[0][0] < oldest:
            self._pieces.popleft()
        return self._level(self._pieces)

    def read_newest(self) -> Level:
        """The newest packet only (20 ms): for a sound that has just begun."""
        return self._level([self._pieces[-1]] if self._pieces else [])

    def _level(self, pieces: "deque[tuple[float, float, int, float]] | list[tuple[float, float, int, float]]") -> Level:
        samples = sum(piece[2] for piece in pieces)
        if not samples:
            return SILENT
        peak = _dbfs(max(piece[3] for piece in pieces) ** 2, _PEAK_REFERENCE)
        return Level(rms_level(sum(piece[1] for piece in pieces), samples), round(peak * 10))


def opus_decoder() -> Any:
    return av.CodecContext.create("opus", "r")  # half the cost of libopus; planes of float, full scale 1


def decoded(decoder: Any, payload: bytes) -> tuple[float, int, float]:
    """One Opus packet: sum of squares, samples, largest sample. av's FFmpegError when it can't be decoded."""
    squares, samples, peak = 0.0, 0, 0.0
    for frame in decoder.decode(av.Packet(payload)):
        if not frame.samples:
            continue
        for plane in frame.planes:
            sound = np.frombuffer(plane, np.float32, frame.samples)
            squares += float(np.dot(sound, sound))
            samples += sound.size
            peak = max(peak, float(np.maximum.reduce(sound)), -float(np.minimum.reduce(sound)))
    return squares, samples, peak


def rms_level(squares: float, samples: int) -> int:
    """RMS in tenths of a dBFS."""
    return round(_dbfs(squares / samples, _RMS_REFERENCE) * 10)


def _dbfs(square: float, reference: float) -> float:
    if square <= 0:
        return FLOOR_DBFS
    return min(CEILING_DBFS, max(FLOOR_DBFS, 10 * math.log10(square / reference)))
