"""A family device that keeps to no rule: refused or contained, with a reason, while the other legs go on."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from benchmarks.peers_of_others.run import Program
from demo.peers.clip import read
from laptop.rules.upload import BITS_PER_S
from schemas.laptop import LegAnswer, LegGone, LegRefused
from schemas.media import CallHealth
from tests.bad_peer import BadPeer, pictures
from tests.captured import RTCP, RTP
from tests.legs_rig import OneCall, eventually, one_call

BAD = "family-2"
GOOD = ("room", "family-1")
GOES_ON_S = 1.0
SEED = int(os.environ.get("SIGHTLINE_SEED") or int.from_bytes(os.urandom(4)))


@asynccontextmanager
async def two_good_legs(folder: Path) -> AsyncIterator[tuple[OneCall, Program]]:
    async with one_call(folder, devices=2) as rig:
        peers = rig.start(*GOOD)
        await rig.connected(*GOOD)
        rig.admit("family-1")
        await rig.until(peers, lambda all_: all(all_[leg]["packets"]["video"] > 25 for leg in GOOD), "media flow")
        yield rig, peers


async def admitted(rig: OneCall, bad: BadPeer) -> None:
    """Connected, something was heard of it, and admitted."""
    await bad.connect()
    await eventually(lambda: BAD in rig.call.legs, "the leg is there")
    rig.admit(BAD)


def of(report: dict[str, Any], receiver: str, source: str) -> dict[str, int]:
    got = report[receiver]["of_legs"].get(source)
    return got["packets"] if got else {"audio": 0, "video": 0}


async def go_on(rig: OneCall, peers: Program) -> None:
    """The good legs still get each other's sound and picture."""
    before = await rig.report(peers)
    began = time.monotonic()
    await asyncio.sleep(GOES_ON_S)
    after = await rig.report(peers)
    seconds = time.monotonic() - began
    for receiver, source in (GOOD, GOOD[::-1]):
        grew = {
            kind: of(after, receiver, source)[kind] - of(before, receiver, source)[kind] for kind in ("audio", "video")
        }
        assert grew["audio"] > 25 * seconds and grew["video"] > 12 * seconds, (receiver, grew)


async def test_offers_that_can_not_be_carried_are_refused_with_a_reason(tmp_path: Path) -> None:
    async with two_good_legs(tmp_path) as (rig, peers):
        for kinds, codec, words in (
            (("audio", "video"), "video/H264", "only VP8 is carried as video; the offer has video/h264"),
            (("video",), "", "in pairs, the offer has: video"),
            (("audio",), "", "in pairs, the offer has: audio"),
            (("audio", "video") * 5, "", "at most 4 pairs"),
        ):
            bad = BadPeer(rig, BAD, kinds, codec)
            said = await bad.offer()
            assert isinstance(said, LegRefused) and words in said.reason, said
            await bad.close()
        bad = BadPeer(rig, BAD)
        bad.connection.createDataChannel("more")
        said = await bad.offer()
        assert isinstance(said, LegRefused) and "application" in said.reason
        await bad.close()
        assert BAD not in rig.call.legs
        await go_on(rig, peers)


async def test_offers_again_and_again_take_the_place_of_the_one_before(tmp_path: Path) -> None:
    async with two_good_legs(tmp_path) as (rig, peers):
        bad = BadPeer(rig, BAD)
        await admitted(rig, bad)
        first = rig.call.legs[BAD]
        said = await bad.offer()  # a renegotiation of what is connected
        assert isinstance(said, LegAnswer)
        assert rig.call.legs[BAD] is not first
        others = [BadPeer(rig, BAD) for _ in range(15)]
        for other in others:
            assert isinstance(await other.offer(), LegAnswer)
        assert len(rig.call.legs) == 3
        await eventually(lambda: bad.connection.connectionState != "connected", "the first connection was closed")
        await go_on(rig, peers)
        for one in (bad, *others):
            await one.close()


async def test_packets_that_are_none_or_of_nobody_change_nothing(tmp_path: Path) -> None:
    print(f"SIGHTLINE_SEED={SEED}")
    chance = random.Random(SEED)
    async with two_good_legs(tmp_path) as (rig, peers):
        bad = BadPeer(rig, BAD)
        await admitted(rig, bad)
        clip = read(Path("pair.webm"))
        await pictures(bad, list(clip.pictures[:20]), 25, 1)  # picture, and never a sound
        await rig.until(peers, lambda all_: of(all_, "room", BAD)["video"] > 20, "its picture flows")
        flowed = of(await rig.report(peers), "room", BAD)
        for number in range(100):
            await bad.send(bad.packet("video", b"\x10" + clip.pictures[0][:900], number * 3600, ssrc=number + 1))
        await asyncio.sleep(0.3)
        assert of(await rig.report(peers), "room", BAD) == flowed, "of sources that nobody has announced"

        for _ in range(600):
            data = bytearray(chance.choice(RTP + RTCP * 3))
            for _ in range(chance.randint(1, 5)):
                data[chance.randrange(min(len(data), 40))] = chance.randrange(256)
            data = data[: chance.choice((len(data), chance.randrange(1, len(data))))]
            if chance.random() < 0.3:
                bad.send_plain(bytes(data))
                continue
            # What the encryption itself refuses could not be sent by anybody.
            try:
                await bad.send(bytes(data))
            except Exception as error:
                assert "srtp" in type(error).__module__, error
        for data in (b"", b"\x00", b"\x80", b"\x80\xc8", b"\x16", b"\x01\x01\x00\x00", bytes(2000)):
            bad.send_plain(data)
        await asyncio.sleep(0.3)
        leg = rig.call.legs[BAD]
        assert leg._connection.connectionState == "connected", "its own connection stands too"
        assert leg.errors == 0
        await pictures(bad, list(clip.pictures[:20]), 25, 1)
        await rig.until(
            peers, lambda all_: of(all_, "room", BAD)["video"] > flowed["video"] + 10, "its picture flows on"
        )
        await go_on(rig, peers)
        await bad.close()


async def test_sixty_pictures_a_second_pass_and_ten_times_the_bits_end_the_connection(tmp_path: Path) -> None:
    async with two_good_legs(tmp_path) as (rig, peers):
        clip = read(Path("pair.webm"))
        bad = BadPeer(rig, BAD)
        await admitted(rig, bad)
        await asyncio.gather(pictures(bad, list(clip.pictures[:50]), 60, 2), go_on(rig, peers))
        assert BAD in rig.call.legs
        before = of(await rig.report(peers), "room", BAD)["video"]
        assert before > 60

        began = time.monotonic()
        large = [clip.pictures[0] + bytes(20_000)] * 2
        flood = asyncio.ensure_future(pictures(bad, large, 10 * BITS_PER_S / 2 / 8 / len(large[0]), 8))
        gone = await eventually(lambda: [m for m in rig.of_kind(LegGone) if m.leg == BAD], "the flood is ended", 15)
        took = time.monotonic() - began
        assert gone[0].reason == "it sends more than 4 Mbit/s"
        passed = (of(await rig.report(peers), "room", BAD)["video"] - before) * 1100 * 8
        assert passed < BITS_PER_S * (took + 1.5), "it was held to its limit before"
        await go_on(rig, peers)
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
        assert BAD not in rig.call.legs and BAD not in rig.call.admitted
        await bad.close()


async def test_a_device_that_lies_about_its_level_is_reported_and_goes_on(tmp_path: Path) -> None:
    """RFC 6464: it says that its speech is silence. The level that is shown is the sound's."""
    async with two_good_legs(tmp_path) as (rig, peers):
        bad = BadPeer(rig, BAD)
        await admitted(rig, bad)
        sound = asyncio.ensure_future(bad.sounds(list(read(Path("shout.webm")).sound), claimed_dbov=127, seconds=12))

        def reported() -> int:
            health = rig.of_kind(CallHealth)[-1]
            return next((leg.louder_db for leg in health.legs if leg.leg == BAD), 0)

        await eventually(lambda: reported() > 20, "its lie is in what the server is told", 15)
        assert not any(leg.louder_db for leg in rig.of_kind(CallHealth)[-1].legs if leg.leg in GOOD)
        await rig.until(peers, lambda all_: of(all_, "room", BAD)["audio"] > 100, "its sound flows all the same")
        sound.cancel()
        await asyncio.gather(sound, return_exceptions=True)
        await go_on(rig, peers)
        await bad.close()


def key_frame(width: int, height: int) -> bytes:
    codec: Any = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuv420p", 1
    codec.options = {"deadline": "realtime", "cpu-used": "16"}
    picture = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 90, np.uint8), format="yuv420p")
    picture.pts = 0
    return bytes([*codec.encode(picture), *codec.encode(None)][0])


@pytest.mark.parametrize("size", [(3840, 2160)])
async def test_a_picture_that_is_too_large_ends_the_connection_until_an_admission(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with two_good_legs(tmp_path) as (rig, peers):
        bad = BadPeer(rig, BAD)
        await admitted(rig, bad)
        await pictures(bad, [key_frame(*size)], 5, 1)
        gone = await eventually(lambda: [m for m in rig.of_kind(LegGone) if m.leg == BAD], "it is ended")
        assert gone[0].reason == "its picture of 3840 x 2160 is larger than can be carried"
        await go_on(rig, peers)
        await bad.close()

        again = BadPeer(rig, BAD)
        await again.connect()
        before = of(await rig.report(peers), "room", BAD)["video"]
        await pictures(again, list(read(Path("pair.webm")).pictures[:20]), 25, 1)
        assert of(await rig.report(peers), "room", BAD)["video"] == before, "not admitted again"
        rig.admit(BAD)
        await pictures(again, list(read(Path("pair.webm")).pictures[:20]), 25, 1)
        await rig.until(peers, lambda all_: of(all_, "room", BAD)["video"] > before, "admitted, it flows")
        await again.close()
