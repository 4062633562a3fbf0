"""A clip with a white flash and a beep at the same moment, each second and a half; read back from what plays."""

from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.clip_file import HEIGHT, RATE, SOUND_RATE, WIDTH, write

EACH_S, LASTS_S = 1.52, 0.2
"""Whole pictures; no whole number of seconds, so that nothing falls in step by chance."""
MILLISECOND = SOUND_RATE // 1000
DARK, LIGHT = 30, 220


def make(path: Path, seconds: int) -> None:
    """As tests.clip_file writes it; `seconds` even."""
    at = np.arange(seconds * SOUND_RATE)
    tone = (_on(at / SOUND_RATE) * 0.5 * np.sin(2 * np.pi * 1000 * at / SOUND_RATE) * 32767).astype(np.int16)

    def picture(number: int) -> np.ndarray:
        return np.full((HEIGHT, WIDTH), LIGHT if _on(np.array([number / RATE]))[0] else DARK, np.uint8)

    write(path, seconds, picture, tone)


def _on(at_s: np.ndarray) -> np.ndarray:
    return (at_s + 1e-6) % EACH_S < LASTS_S


def skews_ms(played: Any, video: int = 0, audio: int = 0, columns: slice = slice(None)) -> list[float]:
    """For each flash how much later (+) or earlier (-) its beep begins, in a file that `av.open` takes.

    `video`, `audio`: which of the file's tracks; `columns`: the part of the picture that is looked at.
    """
    flashes: list[float] = []
    beeps: list[float] = []
    was_light = was_loud = True
    with av.open(played) as container:
        tracks = container.streams.video[video], container.streams.audio[audio]
        for packet in container.demux(*tracks):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    light = frame.to_ndarray(format="gray")[:, columns].mean() > (DARK + LIGHT) / 2
                    if light and not was_light:
                        flashes.append(frame.time)
                    was_light = light
                    continue
                sound = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
                sound = sound / (32768 if frame.format.name.startswith("s16") else 1)
                for begin in range(0, len(sound) - MILLISECOND + 1, MILLISECOND):
                    loud = bool(sound[begin : begin + MILLISECOND].max() > 0.15)
                    if loud and not was_loud:
                        beeps.append(frame.time + begin / SOUND_RATE)
                    was_loud = loud
    return [min((beep - flash for beep in beeps), key=abs) * 1000 for flash in flashes if beeps]
