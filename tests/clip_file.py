"""Writes clips for tests in the form that the demo's clients play: VP8 and Opus in WebM."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, RATE = 640, 360, 25
SOUND_RATE = 48_000
SOUND_PACKET = SOUND_RATE // 50


def write(path: Path, seconds: int, picture: Callable[[int], np.ndarray], sound: np.ndarray) -> None:
    """25 pictures a second with a key frame every 2 s, and Opus packets of 20 ms.

    `picture`: a picture's number -> grey levels, (HEIGHT, WIDTH), uint8; `sound`: (seconds x SOUND_RATE,), int16.
    `seconds` must be even, so that the clip is whole groups of pictures.
    """
    with av.open(str(path), "w", format="webm") as container:
        video = container.add_stream("libvpx", rate=RATE, options={"deadline": "realtime", "cpu-used": "8", "g": "50"})
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 400_000
        audio = container.add_stream("libopus", rate=SOUND_RATE, options={"frame_duration": "20"})
        audio.layout, audio.bit_rate = "mono", 32_000
        for number in range(seconds * RATE):
            frame = av.VideoFrame.from_ndarray(picture(number), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
            for start in range(number * 2 * SOUND_PACKET, (number + 1) * 2 * SOUND_PACKET, SOUND_PACKET):
                heard = av.AudioFrame.from_ndarray(sound[None, start : start + SOUND_PACKET], "s16", "mono")
                heard.sample_rate, heard.pts, heard.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
                container.mux(audio.encode(heard))
        container.mux(video.encode())
        container.mux(audio.encode())
