"""A clip with a white flash and a beep at the same moment, each second and a half; read back from what plays."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

WIDTH, HEIGHT, RATE, SOUND_RATE = 640, 360, 25, 48_000
EACH_S, LASTS_S = 1.52, 0.2
"""Whole pictures; no whole number of seconds, so that nothing falls in step by chance."""
SOUND_PACKET = SOUND_RATE // 50
MILLISECOND = SOUND_RATE // 1000
DARK, LIGHT = 30, 220


def make(path: Path, seconds: int) -> None:
    """VP8 at 25 pictures a second with Opus in 20 ms packets; `seconds` even."""
    with av.open(str(path), "w", format="webm") as container:
        video = container.add_stream("libvpx", rate=RATE, options={"deadline": "realtime", "cpu-used": "8", "g": "50"})
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 400_000
        sound = container.add_stream("libopus", rate=SOUND_RATE, options={"frame_duration": "20"})
        sound.layout, sound.bit_rate = "mono", 32_000
        at = np.arange(seconds * SOUND_RATE)
        loud = _on(at / SOUND_RATE)
        tone = (loud * 0.5 * np.sin(2 * np.pi * 1000 * at / SOUND_RATE) * 32767).astype(np.int16)
        for number in range(seconds * RATE):
            grey = np.full((HEIGHT, WIDTH), LIGHT if _on(np.array([number / RATE]))[0] else DARK, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
            for start in range(number * 2 * SOUND_PACKET, (number + 1) * 2 * SOUND_PACKET, SOUND_PACKET):
                heard = av.AudioFrame.from_ndarray(tone[None, start : start + SOUND_PACKET], "s16", "mono")
                heard.sample_rate, heard.pts, heard.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
                container.mux(sound.encode(heard))
        container.mux(video.encode())
        container.mux(sound.encode())


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
