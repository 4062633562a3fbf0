"""Opus packets that a client plays in place of its clip's sound: silence, and a burst of a tone."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

RATE_HZ, PACKET_SAMPLES = 48_000, 960
SILENT_PACKETS, TONE_PACKETS = 20, 10
"""0.4 s of silence, so that a meter comes down first; then 0.2 s of the tone."""
TONE_HZ, TONE_DBFS = 1000, -6.0
"""RMS; 0 dBFS is the RMS of a square wave at full scale."""
BIT_RATE = 32_000
"""The clips' own."""


@dataclass(frozen=True)
class PreparedSound:
    """Packets of 20 ms each. `silence` may be repeated; `burst` is silence and then the tone."""

    silence: bytes
    burst: tuple[bytes, ...]


@cache
def prepared_sound() -> PreparedSound:
    quiet = np.zeros(SILENT_PACKETS * PACKET_SAMPLES)
    time_s = np.arange(TONE_PACKETS * PACKET_SAMPLES) / RATE_HZ
    tone = 10 ** (TONE_DBFS / 20) * np.sqrt(2) * np.sin(2 * np.pi * TONE_HZ * time_s)
    # What comes after the tone only pushes the encoder's look-ahead of 6.5 ms out.
    packets = _encode(np.concatenate([quiet, tone, np.zeros(2 * PACKET_SAMPLES)]))
    return PreparedSound(silence=packets[SILENT_PACKETS - 2], burst=packets[: SILENT_PACKETS + TONE_PACKETS])


def _encode(samples: np.ndarray) -> tuple[bytes, ...]:
    """Samples from -1 to 1, mono, 48 kHz -> Opus packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "s16"
    encoder.bit_rate = BIT_RATE
    encoder.time_base = Fraction(1, RATE_HZ)
    encoder.options = {"application": "voip", "frame_duration": "20"}
    whole = (samples * 32767).round().astype(np.int16)
    packets: list[bytes] = []
    for start in range(0, len(whole), PACKET_SAMPLES):
        frame = av.AudioFrame.from_ndarray(whole[None, start : start + PACKET_SAMPLES], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(packets)
