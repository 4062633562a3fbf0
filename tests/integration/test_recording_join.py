"""`sightline recording join`: one WebM that plays, with sound and picture together, and its gaps as gaps."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyrage
import pytest

from demo.peers import clip
from demo.processes import child_environment, sightline
from laptop.media.part_file import parts
from laptop.media.recording import Recording
from laptop.media.stream import Piece, SenderReport
from laptop.signing import public_bytes
from schemas.recording import fingerprint
from server.recordings.laptop_keys import write_list
from server.rules.signing import Registered
from tests import flash_clip
from tests.sealed import SEALING

BEGAN_MS = 1_800_000_000_000
NTP_MS = 3_900_000_000_000.0
"""A sender's clock: some other time."""
PICTURES_PER_S, SOUNDS_PER_S = 25, 50
LIP_SYNC_MS = 40.0
SOUND_LATE_S, PICTURE_LATE_S = 0.02, 0.24
"""How long they are on their way: without the sender's clock, sound would be 220 ms early."""


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "BWI.key"
    secret = pyrage.x25519.Identity.generate()  # type: ignore[attr-defined]
    path.write_text(f"# of a test\n{secret}\n")
    write_list(path.with_suffix(".laptops"), [Registered("BWI-01", public_bytes(SEALING.signer), "", BEGAN_MS)])
    return path


@pytest.fixture(scope="module")
def flashing(tmp_path_factory: pytest.TempPathFactory) -> clip.Clip:
    path = tmp_path_factory.mktemp("clip") / "flash.webm"
    flash_clip.make(path, 16)
    return clip.read(path)


class Scene:
    """A recording whose time is not real: frames come when the test says, records are made when it says."""

    def __init__(self, folder: Path, identity: Path, later_s: int = 0) -> None:
        secret = pyrage.x25519.Identity.from_str(identity.read_text().splitlines()[1])  # type: ignore[attr-defined]
        sealing = type(SEALING)(SEALING.laptop_id, str(secret.to_public()), SEALING.signer)
        self.zero = time.monotonic()
        boot = time.clock_gettime(time.CLOCK_BOOTTIME) - self.zero

        def server_ms(at: float) -> int:
            return BEGAN_MS + later_s * 1000 + round((at - boot) * 1000)

        self.recording = Recording(folder, "BWI-1", sealing, lambda at: None, lambda words: None, server_ms)
        self.recording.start(1)

    def play(
        self, source: str, what: clip.Clip, from_s: float, to_s: float, *, reports: bool = True,
        clock_ppm: float = 0.0, picture: Callable[[int], bytes] | None = None,
    ) -> None:  # fmt: skip
        """A source that sends from one second to the other; `clock_ppm`: how much its clock is too fast."""
        fast = 1 + clock_ppm / 1e6
        pieces: list[tuple[float, Any]] = []
        for number in range(round(from_s * PICTURES_PER_S), round(to_s * PICTURES_PER_S)):
            made = number / PICTURES_PER_S
            data = (picture or (lambda n: what.pictures[n % len(what.pictures)]))(number)
            key = clip.is_key_frame(data)
            size = (int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")) if key else (0, 0)
            came = self.zero + made + PICTURE_LATE_S
            stamp = 777 + round(made * fast * 90_000)
            pieces.append((came, Piece(source, "video", data, stamp, came, key, size)))
            for sound in (2 * number, 2 * number + 1):
                at = sound / SOUNDS_PER_S
                came = self.zero + at + SOUND_LATE_S
                heard = what.sound[sound % len(what.sound)]
                stamp = 99 + round(at * fast * 48_000)
                pieces.append((came, Piece(source, "audio", heard, stamp, came, True, (0, 0))))
            if reports and number % PICTURES_PER_S == 20:
                for kind, rate, first in (("video", 90_000, 777), ("audio", 48_000, 99)):
                    report = SenderReport(source, kind, first + round(made * fast * rate), NTP_MS + made * fast * 1000)
                    pieces.append((came, report))
        for _, piece in sorted(pieces, key=lambda timed: timed[0]):
            if isinstance(piece, Piece):
                self.recording.add(piece)
            else:
                self.recording.report(piece)

    def finish(self) -> None:
        self.recording.finish(20)


def join(folder: Path, identity: Path, output: Path, *more: object, status: int = 0) -> dict[str, Any]:
    run = subprocess.run(
        sightline("recording", "join", folder, "--identity", identity, "-o", output, *more),
        capture_output=True, text=True, env=child_environment(), check=False,
    )  # fmt: skip
    assert run.returncode == status, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def joined(
    tmp_path_factory: pytest.TempPathFactory, identity: Path, flashing: clip.Clip
) -> tuple[dict[str, Any], Path]:
    """The room all along, a device that comes, goes at 8 s and is back at 14 s, and one without sender reports."""
    folder = tmp_path_factory.mktemp("recorded")
    scene = Scene(folder, identity)
    for second in range(0, 20, 4):  # less than the queue takes at once
        scene.play("room", flashing, second, second + 4, clock_ppm=300)
        if second < 8 or second >= 12:
            scene.play("family-1", flashing, second if second != 12 else 14, second + 4)
        scene.play("family-2", flashing, second, second + 4, reports=False)
        time.sleep(1)  # records are made meanwhile
    scene.finish()
    output = folder / "out.webm"
    return join(folder / "BWI-1", identity, output), output


def test_it_has_a_common_picture_and_sound_and_each_source_s_own(joined: tuple[dict[str, Any], Path]) -> None:
    found, output = joined
    assert found["sources"] == ["room", "family-1", "family-2"]
    assert [(part["end"], part["signed"], part["broken"]) for part in found["parts"]] == [("ended", True, "")]
    assert abs(found["seconds"] - 20.0) < 0.5
    with av.open(str(output)) as container:
        titles = [(stream.type, stream.metadata.get("title")) for stream in container.streams]
        assert titles[:2] == [("video", "family and room"), ("audio", "all sound")]
        assert sorted(titles[2:]) == sorted((k, s) for s in found["sources"] for k in ("video", "audio"))
        assert abs((container.duration or 0) / av.time_base - 20.0) < 0.5
        decoded = {stream.index: 0 for stream in container.streams}
        for packet in container.demux():
            for frame in packet.decode():
                decoded[packet.stream_index] += isinstance(frame, av.VideoFrame) or frame.samples / 960
    video = [count for index, count in decoded.items() if titles[index][0] == "video"]
    audio = [count for index, count in decoded.items() if titles[index][0] == "audio"]
    assert video[0] >= 490 and sorted(video[1:]) == [350, 500, 500]
    assert audio[0] >= 990 and sorted(round(a) for a in audio[1:]) == [700, 1000, 1000]


def test_sound_and_picture_are_together_by_the_sender_s_clock(joined: tuple[dict[str, Any], Path]) -> None:
    found, output = joined
    for number, source in enumerate(found["sources"], 1):
        skews = flash_clip.skews_ms(str(output), number, number)
        assert len(skews) >= 7, source
        if source == "family-2":
            assert abs(np.median(skews)) > 150, "without reports only the arrival is known: the test itself can fail"
        else:
            assert max(map(abs, skews)) <= LIP_SYNC_MS, (source, skews)
    room = flash_clip.skews_ms(str(output), 0, found["sources"].index("room") + 1, slice(640, 1280))
    assert len(room) >= 10 and max(map(abs, room)) <= LIP_SYNC_MS + 20, room


def test_gaps_are_shown_as_gaps(joined: tuple[dict[str, Any], Path]) -> None:
    found, output = joined
    gaps = [(gap["source"], gap["kind"], gap["from_s"], gap["to_s"]) for gap in found["gaps"]]
    assert [gap[:2] for gap in gaps] == [("family-1", "video"), ("family-1", "audio")]
    for _, _, first, last in gaps:
        assert abs(first - 8.0) < 0.3 and abs(last - 14.0) < 0.3
    with av.open(str(output)) as container:
        shades: dict[int, int] = {}
        for frame in container.decode(video=0):
            corner = frame.to_ndarray(format="gray")[20:160, 20:300]  # family-1's place in the grid
            shades[round(frame.time * 25)] = len({int(shade) // 12 for shade in np.unique(corner)})
    assert all(shades[n] > 1 for n in range(10 * 25, 13 * 25)), "hatched while nothing is recorded"
    assert all(shades[n] == 1 for n in range(3 * 25, 7 * 25) if (n / 25) % flash_clip.EACH_S > 0.5)


def test_another_size_in_mid_stream_and_a_second_part_play(tmp_path: Path, identity: Path, flashing: clip.Clip) -> None:
    """As Chromium does under load; and an agent that was killed and came back, its first part without an end."""
    small_file = tmp_path / "small.webm"
    with av.open(str(small_file), "w", format="webm") as container:
        video = container.add_stream("libvpx", rate=25, options={"deadline": "realtime", "cpu-used": "8"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for _ in range(50):
            grey = np.full((180, 320), 128, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")))
        container.mux(video.encode())
    with av.open(str(small_file)) as container:
        small = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for later_s in (0, 6):
        scene = Scene(tmp_path, identity, later_s)
        for source in ("room", "family-1"):
            scene.play(source, flashing, 0, 2)
            scene.play(source, flashing, 2, 4, picture=lambda n: small[n - 50])
        scene.finish()
    first, second = parts(tmp_path / "BWI-1")
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) - 60])
    output = tmp_path / "out.webm"
    found = join(tmp_path / "BWI-1", identity, output, status=1)
    assert [part["end"] for part in found["parts"]] == ["none", "ended"]
    sizes: list[tuple[int, int]] = []
    with av.open(str(output)) as container:
        for frame in container.decode(video=1):
            if (frame.width, frame.height) not in sizes[-1:]:
                sizes.append((frame.width, frame.height))
    assert sizes == [(640, 360), (320, 180)] * 2
    with av.open(str(output)) as container:
        assert {(frame.width, frame.height) for frame in container.decode(video=0)} == {(1280, 360)}
    if shutil.which("ffmpeg"):
        run = subprocess.run(["ffmpeg", "-v", "error", "-i", output, "-map", "0", "-f", "null", "-"],
                             capture_output=True, check=False)  # fmt: skip
        assert run.returncode == 0 and run.stderr == b""
    assert second.exists()


def test_a_side_that_never_came_is_a_gap(tmp_path: Path, identity: Path, flashing: clip.Clip) -> None:
    scene = Scene(tmp_path, identity)
    scene.play("room", flashing, 0, 2)
    scene.finish()
    found = join(tmp_path / "BWI-1", identity, tmp_path / "out.webm")
    assert found["sources"] == ["room"]
    with av.open(str(tmp_path / "out.webm")) as container:
        last = list(container.decode(video=0))[-1].to_ndarray(format="gray")
    assert last[:360, :640].std() > 5 and last[:360, 660:1260].std() < 5, "hatched beside the evenly grey room"


def test_a_part_that_no_registered_laptop_has_signed_is_told(
    tmp_path: Path, identity: Path, flashing: clip.Clip
) -> None:
    """Its signature holds, by a key that its own beginning names: only the list shows that it is nobody's."""
    scene = Scene(tmp_path, identity)
    scene.play("room", flashing, 0, 1)
    scene.finish()
    others = tmp_path / "others"
    write_list(others, [Registered("BWI-02", public_bytes(SEALING.signer), "", BEGAN_MS)])
    for more, status, registered in (((), 0, True), (("--laptops", others), 1, False)):
        (part,) = join(tmp_path / "BWI-1", identity, tmp_path / "out.webm", *more, status=status)["parts"]
        assert part["signed"] and part["registered"] == registered
        assert (part["laptop"], part["key"]) == ("BWI-01", fingerprint(public_bytes(SEALING.signer)))


@pytest.mark.parametrize("what", ["no folder", "no key", "no list", "another key"])
def test_what_can_t_be_joined_is_said_in_one_sentence(
    tmp_path: Path, identity: Path, flashing: clip.Clip, what: str
) -> None:
    if what != "no folder":
        scene = Scene(tmp_path, identity)
        scene.play("room", flashing, 0, 1)
        scene.finish()
    key = tmp_path / "other.key"
    if what != "no list":
        shutil.copy(identity.with_suffix(".laptops"), key.with_suffix(".laptops"))
    if what == "another key":
        key.write_text(str(pyrage.x25519.Identity.generate()))  # type: ignore[attr-defined]
    run = subprocess.run(
        sightline("recording", "join", tmp_path / "BWI-1", "--identity", identity if what == "no folder" else key,
                  "-o", tmp_path / "out.webm"),
        capture_output=True, text=True, env=child_environment(), check=False,
    )  # fmt: skip
    words = {
        "no folder": "there is no recording",
        "no key": "can't be read",
        "no list": "--laptops",
        "another key": "another evidence key",
    }
    assert run.returncode == 1 and words[what] in run.stderr and run.stderr.count("\n") == 1
    assert not (tmp_path / "out.webm").exists()
