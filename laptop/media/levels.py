"""The level of one side's sound, from decoded Opus, in dBFS after AES17: a full-scale sine reads 0, peak and RMS."""

import math
import time
from collections import deque
from dataclasses import dataclass

import av
import av.error
import numpy as np

from schemas.media import SILENCE

WINDOW_S = 0.1
FLOOR_DBFS = SILENCE / 10
CEILING_DBFS = 3.0
_PEAK_REFERENCE = float(32768**2)
_RMS_REFERENCE = _PEAK_REFERENCE / 2
"""Mean square of a full-scale sine."""


@dataclass(frozen=True)
class Level:
    """Tenths of a dBFS, as on the wire."""

    rms: int
    peak: int


SILENT = Level(SILENCE, SILENCE)


class LevelMeter:
    """`feed` each Opus packet as it comes; `read` the last tenth of a second."""

    def __init__(self) -> None:
        self._decoder = av.CodecContext.create("libopus", "r")
        self._pieces: deque[tuple[float, float, int, float]] = deque()
        """(when it came, sum of squares, samples, largest sample)."""
        self.errors = 0

    def feed(self, payload: bytes) -> float:
        """The RMS of this packet alone, dBFS; FLOOR_DBFS when it can't be decoded."""
        squares, samples, peak = 0.0, 0, 0.0
        try:
            for frame in self._decoder.decode(av.Packet(payload)):
                array = np.frombuffer(memoryview(frame.planes[0]), np.int16)[: frame.samples * frame.layout.nb_channels]
                sound = array.astype(np.float32)
                squares += float(sound @ sound)
                samples += sound.size
                peak = max(peak, float(np.abs(sound).max(initial=0)))
        except av.error.FFmpegError:
            self.errors += 1
            return FLOOR_DBFS
        self._pieces.append((time.monotonic(), squares, samples, peak))
        return _dbfs(squares / samples, _RMS_REFERENCE) if samples else FLOOR_DBFS

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
        rms = _dbfs(sum(piece[1] for piece in pieces) / samples, _RMS_REFERENCE)
        peak = _dbfs(max(piece[3] for piece in pieces) ** 2, _PEAK_REFERENCE)
        return Level(round(rms * 10), round(peak * 10))


def _dbfs(square: float, reference: float) -> float:
    if square <= 0:
        return FLOOR_DBFS
    return min(CEILING_DBFS, max(FLOOR_DBFS, 10 * math.log10(square / reference)))
