"""A sender that says of its frames that nothing rests on them: what the officer sees is what it sent all the same."""

import asyncio
import time
from pathlib import Path

import av
import numpy as np
from aiortc.codecs.vpx import VpxPayloadDescriptor

from demo import layered
from schemas.media import Box, Picture, PictureMode, Side
from tests.bad_peer import BadPeer
from tests.legs_rig import one_call

LEVELS = 20
DARKEST, STEP = 30, 10
SECONDS, PICTURES = 4, 10
LATE_S = 0.3
"""Between a frame's sending and the moment that its picture bears."""
ONE_LAYER = {"deadline": "realtime", "cpu-used": "8", "g": "1000"}
LAYERS = 0, 2, 1, 2


def grey(number: int) -> int:
    return DARKEST + STEP * (number % LEVELS)


def frames(count: int) -> list[bytes]:
    """Each rests on the one before, and is lighter than it by STEP; without the one before it would be so too."""
    films = (av.VideoFrame.from_ndarray(np.full((360, 640), grey(n), np.uint8), "gray") for n in range(count))
    packets = layered.encoded((film.reformat(format="yuv420p") for film in films), ONE_LAYER)
    return [bytes(packet) for packet in packets]


async def test_frames_that_are_said_to_be_of_a_layer_that_can_be_left_out_are_shown_as_they_are(tmp_path: Path) -> None:
    async with one_call(tmp_path, devices=1) as rig:
        liar = BadPeer(rig, "family-1")
        await liar.connect()
        rig.call.want_pictures([Box(Side.FAMILY, 32, 18, PictureMode.GREY, 3)])
        sent_at: list[float] = []
        began = time.monotonic()
        for number, frame in enumerate(frames(SECONDS * 25)):
            await asyncio.sleep(began + number / 25 - time.monotonic())
            descriptor = bytes(VpxPayloadDescriptor(1, 0, number, number // 4, (LAYERS[number % 4], 1)))
            assert len(frame) < 1100, "one packet each"
            sent_at.append(time.monotonic())
            await liar.send(liar.packet("video", descriptor + frame, number * 3600))
        shown = rig.of_kind(Picture)
        assert len(shown) >= PICTURES
        for picture in shown:
            pixels = np.frombuffer(picture.pixels, np.uint8)
            level = (float(pixels.mean()) - DARKEST) / STEP
            assert pixels.std() < 1 and abs(level - round(level)) < 0.3, (level, pixels.std())
            ages = [picture.at_ms / 1000 - at for number, at in enumerate(sent_at) if number % LEVELS == round(level)]
            assert any(-0.002 <= age < LATE_S for age in ages), (picture.at_ms, level, ages)
        assert not rig.call.strain().errors_contained
        await liar.close()
