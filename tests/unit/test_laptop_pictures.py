"""Pictures for consoles: at the pace, size and mode wanted, in true colours, and on at a key frame after a fault."""

import random
import time
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest

from demo import layered
from laptop.media.picture_modes import COLOURS, fitted, png, small_picture
from laptop.media.pictures import BACKLOG_MAX, SPREAD, PictureMaker
from laptop.media.vp8_header import Headers
from schemas.media import PICTURE_BYTES_MAX, Box, Picture, PictureMode, Side

GREEN, RED = (40, 180, 90), (200, 40, 40)


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
    """Pictures come at once when they are due: `chance` draws 0 unless a test gives another."""

    def __init__(self) -> None:
        self.chance = lambda: 0.0
        self.pictures: list[Picture] = []
        self.behind: list[str] = []
        self.maker = PictureMaker("call", 0.0, self.pictures.append, self.behind.append, lambda: self.chance())

    def add(self, data: bytes, key: bool) -> None:
        self.maker.add("family-1", data, key, time.monotonic())

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


def test_as_many_a_second_as_are_wanted_each_with_the_time_of_its_frame(maker: Maker) -> None:
    """Two seconds of frames at 25 a second, added at once: what counts is when each came."""
    maker.maker.want([Box(Side.FAMILY, 48, 27), Box(Side.FAMILY, 48, 27, PictureMode.GREY, 10)])
    began = float(int(time.monotonic()))
    times = [began + n / 25 for n in range(50)]
    for at, (data, key) in zip(times, vp8(GREEN, 50), strict=True):
        maker.maker.add("family-1", data, key, at)
    maker.wait(lambda: len(maker.pictures) >= 22)
    by_mode = {m: [p.at_ms for p in maker.pictures if p.mode == m] for m in (PictureMode.RGB, PictureMode.GREY)}
    assert len(by_mode[PictureMode.RGB]) == 2 and len(by_mode[PictureMode.GREY]) == 20
    assert set(by_mode[PictureMode.GREY]) <= {round(at * 1000) for at in times}
    steps = np.diff(by_mode[PictureMode.GREY])
    assert steps.min() >= 80 and steps.max() <= 120


def test_grey_is_luma_from_black_to_white() -> None:
    ramp = np.repeat(np.linspace(0, 255, 640).astype(np.uint8)[None, :, None], 360, 0).repeat(3, 2)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(ramp), "rgb24").reformat(format="yuv420p")
    width, height, pixels = small_picture(frame, 64, 36, PictureMode.GREY)
    assert (width, height, len(pixels)) == (64, 36, 64 * 36)
    row = np.frombuffer(pixels, np.uint8).reshape(36, 64)[18].astype(int)
    assert row[0] <= 6 and row[-1] >= 249 and (np.diff(row) >= 0).all()


def test_a_png_has_a_palette_and_decodes_to_the_picture() -> None:
    rng = np.random.default_rng(5)
    colours = rng.integers(0, 256, (COLOURS, 3), np.uint8)
    picture = colours[rng.integers(0, COLOURS, (54, 96))]
    decoded = list(av.CodecContext.create("png", "r").decode(av.Packet(png(picture))))
    assert decoded[0].format.name == "pal8"
    assert (decoded[0].reformat(format="rgb24").to_ndarray() == picture).all(), "few colours are kept as they are"
    smooth = np.add.outer(np.arange(54), np.arange(96))[:, :, None] * np.array([1, 1, 0.5])
    noisy = np.clip(smooth + rng.normal(0, 4, (54, 96, 3)), 0, 255).astype(np.uint8)
    back = next(iter(av.CodecContext.create("png", "r").decode(av.Packet(png(noisy))))).reformat(format="rgb24")
    assert np.abs(back.to_ndarray().astype(int) - noisy).mean() < 8


@pytest.mark.parametrize("mode", list(PictureMode))
def test_no_picture_is_larger_than_the_wire_allows(mode: PictureMode) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, "rgb24").reformat(format="yuv420p")
    width, height, pixels = small_picture(frame, 640, 640, mode)
    assert len(pixels) <= PICTURE_BYTES_MAX
    assert abs(width / height - 16 / 9) < 0.02


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (9, 200, 31)])
def test_a_picture_of_one_colour_as_png(colour: tuple[int, int, int]) -> None:
    one = np.full((4, 6, 3), colour, np.uint8)
    back = next(iter(av.CodecContext.create("png", "r").decode(av.Packet(png(one))))).reformat(format="rgb24")
    assert (back.to_ndarray() == one).all()


def test_a_side_that_nobody_looked_at_begins_with_a_key_frame_that_is_asked_for_until_it_comes(maker: Maker) -> None:
    frames = vp8(GREEN, 3)
    maker.maker.want([Box(Side.ROOM, 48, 27)])
    maker.add(*frames[0])  # nobody looks at the family
    maker.maker.want([Box(Side.ROOM, 48, 27), Box(Side.FAMILY, 48, 27)])
    maker.wait(lambda: maker.behind == ["family-1"])
    maker.wait(lambda: maker.add(*frames[1]) or len(maker.behind) > 1)  # none has come: again
    assert not maker.pictures
    maker.add(*frames[0])
    maker.wait(lambda: maker.add(*frames[2]) or bool(maker.pictures))


def test_when_it_is_behind_it_drops_what_waits_and_says_how_much(maker: Maker) -> None:
    maker.maker.want([Box(Side.FAMILY, 48, 27)])
    frames = vp8(GREEN, 2)
    at = float(int(time.monotonic()))  # all in one beat, so that the thread is not woken for them
    for _ in range(2 * BACKLOG_MAX + 10):
        maker.maker.add("family-1", *frames[1], at)
    maker.wait(lambda: maker.maker.dropped >= BACKLOG_MAX - 1)
    assert maker.maker.waiting <= BACKLOG_MAX
    asked = len(maker.behind)
    maker.maker.add("family-1", *frames[0], at + 1)
    maker.wait(lambda: len(maker.behind) > asked or bool(maker.pictures))
    maker.maker.add("family-1", *frames[0], at + 2)
    maker.wait(lambda: bool(maker.pictures))


def test_a_side_with_several_devices_is_one_picture_of_all_that_are_there(maker: Maker) -> None:
    colours = {"family-1": (200, 40, 40), "family-2": (40, 180, 90), "family-4": (40, 60, 200)}
    streams = {leg: vp8(colour, 12) for leg, colour in colours.items()}
    maker.maker.want([Box(Side.FAMILY, 64, 36)])
    for number in range(10):
        for leg in ("family-2", "family-1"):
            maker.maker.add(leg, *streams[leg][number], 100.0 + number)
    maker.wait(lambda: len(maker.pictures) >= 9)
    two = pixels(maker.pictures[-1])
    assert two.shape == (36, 64, 3)
    assert np.abs(two[18, 16].astype(int) - colours["family-1"]).max() <= 8
    assert np.abs(two[18, 48].astype(int) - colours["family-2"]).max() <= 8
    assert two[2].max() <= 8 and two[33].max() <= 8, "each is whole within its half"

    for number in range(10):
        for leg in streams:
            maker.maker.add(leg, *streams[leg][number], 110.0 + number)
    maker.wait(lambda: len(maker.pictures) >= 18)
    three = pixels(maker.pictures[-1])
    for (row, column), leg in (((9, 16), "family-1"), ((9, 48), "family-2"), ((27, 16), "family-4")):
        assert np.abs(three[row, column].astype(int) - colours[leg]).max() <= 8
    assert three[27, 48].max() <= 8

    maker.maker.add("family-2", *streams["family-2"][10], 200.0)
    maker.wait(lambda: maker.pictures[-1].at_ms == 200_000)
    assert np.abs(pixels(maker.pictures[-1]).astype(int) - colours["family-2"]).max() <= 8, "the others are gone"


def colours_of_two_layers(frames: int) -> list[bytes]:
    """Three temporal layers; the frames that nothing rests on are red, all others green."""
    green, red = (np.full((360, 640, 3), colour, np.uint8) for colour in (GREEN, RED))
    films = [
        av.VideoFrame.from_ndarray(red if n % 2 else green, "rgb24").reformat(format="yuv420p") for n in range(frames)
    ]
    made = [
        bytes(packet) for packet in layered.encoded(films, layered.OPTIONS | {"deadline": "realtime", "cpu-used": "8"})
    ]
    headers = Headers()
    assert [headers.disposable(frame) for frame in made] == [bool(n % 2) for n in range(frames)]
    return made


def is_red(picture: Picture) -> bool:
    away = [np.abs(pixels(picture).astype(int) - colour).max() for colour in (GREEN, RED)]
    assert min(away) <= 24, away
    return away[1] < away[0]


def test_which_frame_is_shown_is_drawn_among_all_frames_also_those_that_nothing_rests_on(maker: Maker) -> None:
    """A sender can't keep the officer from what its far peer sees, in frames of any layer."""
    rng = random.Random(11)
    maker.chance = rng.random
    maker.maker.want([Box(Side.FAMILY, 32, 18)])
    frames = colours_of_two_layers(20 * 25)
    times = [100.0 + n / 25 for n in range(len(frames))]
    for number, (at, data) in enumerate(zip(times, frames, strict=True)):
        maker.maker.add("family-1", data, not data[0] & 1, at)
        if number % 25 == 24:
            maker.wait(lambda shown=number // 25: len(maker.pictures) >= shown)
    maker.wait(lambda: len(maker.pictures) >= 20)
    number_at = {round(at * 1000): number for number, at in enumerate(times)}
    shown = {number_at[picture.at_ms]: is_red(picture) for picture in maker.pictures}
    assert all(red == bool(number % 2) for number, red in shown.items()), "each is the frame that it says it is"
    assert {number % 4 for number in shown} == {0, 1, 2, 3}
    assert {number // 25 for number in shown} == set(range(20)), "one each second"
    assert max(number % 25 for number in shown) <= 25 * SPREAD + 1
    assert not maker.behind and not maker.maker.errors


def test_the_other_devices_of_a_side_are_shown_with_their_newest_frame_too(maker: Maker) -> None:
    maker.maker.want([Box(Side.FAMILY, 64, 36)])
    frames = colours_of_two_layers(8)
    plain = vp8((40, 60, 200), 3)
    for number, data in enumerate(frames):
        maker.maker.add("family-2", data, not number, 100.5 + number / 25)
        if number in (0, 6):  # after the first, the due one comes from the other device, when the newest here is red
            maker.maker.add("family-1", *plain[number // 6], 100.52)
    maker.maker.add("family-1", *plain[2], 101.0)
    maker.wait(lambda: len(maker.pictures) >= 2)
    assert np.abs(pixels(maker.pictures[-1])[18, 48].astype(int) - RED).max() <= 24


def test_what_came_before_a_key_frame_is_not_decoded(maker: Maker) -> None:
    """What does not matter any more costs nothing: here it could not even be decoded."""
    maker.maker.want([Box(Side.FAMILY, 48, 27)])
    frames = vp8(GREEN, 2)
    maker.maker.add("family-1", *frames[0], 100.0)
    maker.wait(lambda: len(maker.pictures) == 1)
    for number in range(5):
        maker.maker.add("family-1", b"\x11\x00\x00no frame at all", False, 100.1 + number / 25)
    assert maker.maker.waiting == 5
    maker.maker.add("family-1", *frames[0], 100.5)
    maker.maker.add("family-1", *frames[1], 101.0)
    maker.wait(lambda: len(maker.pictures) == 2)
    assert not maker.maker.errors and not maker.behind


def test_a_frame_that_can_not_be_shown_leaves_its_place_to_the_next_one(maker: Maker) -> None:
    maker.maker.want([Box(Side.FAMILY, 48, 27)])
    frames = vp8(GREEN, 3)
    maker.maker.add("family-1", *frames[0], 100.0)
    maker.wait(lambda: len(maker.pictures) == 1)
    changed, _ = frames[1]
    hidden = bytes([changed[0] & ~0x10]) + changed[1:]
    maker.maker.add("family-1", hidden, False, 101.0)
    maker.maker.add("family-1", *frames[2], 101.04)
    maker.maker.add("family-1", *frames[2], 102.0)
    maker.wait(lambda: len(maker.pictures) == 3)
    assert [picture.at_ms for picture in maker.pictures] == [100_000, 101_040, 102_000]


def pixels(picture: Picture) -> np.ndarray:
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)
