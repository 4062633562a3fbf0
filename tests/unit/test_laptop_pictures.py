"""Pictures for consoles: one a second and size, fitted, in true colours, and on again at a key frame after a fault."""

import time
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest

from laptop.media.pictures import PictureMaker, fitted
from schemas.media import Box, Picture, Side

GREEN = (40, 180, 90)


def vp8(colour: tuple[int, int, int], frames: int, size: tuple[int, int] = (640, 360)) -> list[tuple[bytes, bool]]:
    """Frames of one colour; the first is a key frame."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "g": "1000"}
    picture = np.full((size[1], size[0], 3), colour, np.uint8)
    made: list[tuple[bytes, bool]] = []
    for number in range(frames):
        frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
        frame.pts = number
        made += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return made + [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(None)]


class Maker:
    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.behind: list[Side] = []
        self.maker = PictureMaker("call", 0.0, self.pictures.append, self.behind.append)

    def add(self, data: bytes, key: bool) -> None:
        self.maker.add(Side.FAMILY, data, key, time.monotonic())

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture
def maker():
    one = Maker()
    yield one
    one.maker.stop()


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((640, 360), (64, 64), (64, 36)),
        ((640, 360), (32, 14), (25, 14)),
        ((360, 640), (64, 36), (20, 36)),
        ((640, 360), (640, 360), (640, 360)),
        ((2, 2000), (40, 40), (2, 40)),
        ((4000, 2), (40, 40), (40, 2)),
    ],
)
def test_a_picture_fits_its_box_and_keeps_its_shape(
    size: tuple[int, int], box: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fitted(*size, *box) == expected


def test_a_picture_of_each_size_that_is_wanted_in_its_own_colours(maker: Maker) -> None:
    boxes = [Box(Side.FAMILY, 48, 27), Box(Side.FAMILY, 15, 8), Box(Side.ROOM, 48, 27)]
    maker.maker.want(boxes)
    for data, key in vp8(GREEN, 3):
        maker.add(data, key)
    maker.wait(lambda: len(maker.pictures) >= 2)
    assert {(p.box_width, p.box_height) for p in maker.pictures} == {(48, 27), (15, 8)}
    for picture in maker.pictures:
        assert picture.side == Side.FAMILY
        pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)
        assert np.abs(pixels.astype(int) - GREEN).max() <= 8


def test_nothing_is_made_that_nobody_wants(maker: Maker) -> None:
    for data, key in vp8(GREEN, 3):
        maker.add(data, key)
    maker.maker.want([Box(Side.FAMILY, 48, 27)])
    for data, key in vp8(GREEN, 1):
        maker.add(data, key)
    maker.wait(lambda: len(maker.pictures) == 1)


def test_a_broken_frame_asks_for_a_key_frame_and_the_next_one_shows_again(maker: Maker) -> None:
    maker.maker.want([Box(Side.FAMILY, 48, 27)])
    maker.add(b"\x00\x01\x02", True)
    maker.wait(lambda: bool(maker.behind))
    before = len(maker.pictures)
    rest = vp8(GREEN, 3)
    maker.add(*rest[1])  # no key frame: nothing can be shown of it
    for data, key in rest:
        maker.add(data, key)
    maker.wait(lambda: len(maker.pictures) > before)


def test_a_change_of_size_in_mid_stream_is_shown(maker: Maker) -> None:
    maker.maker.want([Box(Side.FAMILY, 48, 48)])
    frames = vp8(GREEN, 1) + vp8((180, 40, 40), 1, (360, 640))
    maker.add(*frames[0])
    maker.wait(lambda: len(maker.pictures) == 1)
    deadline = time.monotonic() + 5
    while len(maker.pictures) < 2 and time.monotonic() < deadline:  # the next of its beat
        maker.add(*frames[1])
        time.sleep(0.05)
    assert [(p.width, p.height) for p in maker.pictures[:2]] == [(48, 27), (27, 48)]
