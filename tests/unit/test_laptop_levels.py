"""Levels are calibrated: a sine of a known level, through a real Opus encoder, reads that level."""

import time

import av
import numpy as np
import pytest

from laptop.media.levels import FLOOR_DBFS, SILENT, LevelMeter

RATE, PACKET = 48_000, 960


def opus(level_dbfs: float, layout: str = "stereo", hertz: float = 1000.0, packets: int = 10) -> list[bytes]:
    """A sine of this level (AES17: full scale reads 0) as Opus packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, layout, "s16", 128_000
    channels = 2 if layout == "stereo" else 1
    time_s = np.arange(packets * PACKET) / RATE
    sine = (10 ** (level_dbfs / 20) * 32767 * np.sin(2 * np.pi * hertz * time_s)).astype(np.int16)
    made: list[bytes] = []
    for number in range(packets):
        part = np.repeat(sine[number * PACKET : (number + 1) * PACKET], channels)[None, :]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), "s16", layout)
        frame.sample_rate, frame.pts = RATE, number * PACKET
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


@pytest.mark.parametrize("level_dbfs", [-60.0, -40.0, -20.0, -6.0, -1.0])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_a_sine_reads_its_level(level_dbfs: float, layout: str) -> None:
    meter = LevelMeter()
    for packet in opus(level_dbfs, layout):
        meter.add(packet, time.monotonic())
        newest = meter.measure()
    level = meter.read()
    assert abs(level.rms / 10 - level_dbfs) <= 0.5
    assert abs(level.peak / 10 - level_dbfs) <= 0.5
    assert abs(newest - level_dbfs) <= 0.5


def test_nothing_heard_is_silence() -> None:
    assert LevelMeter().read() == LevelMeter().read_newest() == SILENT


def test_what_is_no_opus_is_counted_and_changes_nothing() -> None:
    meter = LevelMeter()
    meter.add(b"\xff" * 7, time.monotonic())
    assert meter.measure() == FLOOR_DBFS
    assert meter.errors == 1
    for packet in opus(-20.0):
        meter.add(packet, time.monotonic())
    assert abs(meter.measure() + 20) <= 0.5, "packets that waited are measured together"
    assert abs(meter.read().rms / 10 + 20) <= 0.5
