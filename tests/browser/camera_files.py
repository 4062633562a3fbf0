"""A demo clip as the files that Chromium takes in place of camera and microphone: Y4M pictures and WAV sound."""

import wave
from pathlib import Path

import av
import numpy as np

RATE_HZ = 48_000
SECONDS = 8


def camera_files(clip: Path, folder: Path) -> tuple[Path, Path]:
    """The first SECONDS of the clip: pictures as they are, uncompressed (8.6 MB a second), and its sound."""
    picture, sound = folder / f"{clip.stem}.y4m", folder / f"{clip.stem}.wav"
    with av.open(str(clip)) as container, picture.open("wb") as file:
        stream = container.streams.video[0]
        header = f"YUV4MPEG2 W{stream.width} H{stream.height} F25:1 Ip A1:1 C420jpeg\n"
        file.write(header.encode())
        for n, frame in enumerate(container.decode(stream)):
            if n >= SECONDS * 25:
                break
            file.write(b"FRAME\n" + frame.to_ndarray(format="yuv420p").tobytes())
    with av.open(str(clip)) as container, wave.open(str(sound), "wb") as out:
        out.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        left = SECONDS * RATE_HZ
        for frame in container.decode(audio=0):
            if not left:
                break
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray().reshape(-1)[:left]
                out.writeframes(samples.astype(np.int16).tobytes())
                left -= len(samples)
    return picture, sound
