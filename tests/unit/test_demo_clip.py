"""Clips: read whole, refused with one sentence when they are broken; prepared sounds at the level they promise."""

from pathlib import Path

import av
import numpy as np
import pytest

from demo import layered
from demo.peers import clip
from demo.peers.clip import MEDIA
from demo.peers.prepared_sound import PACKET_SAMPLES, SILENT_PACKETS, TONE_PACKETS, prepared_sound
from demo.peers.receiving import mean_square
from laptop.media.vp8_header import Headers
from tests import marked_clip


@pytest.mark.parametrize("path", sorted(MEDIA.glob("*.webm")), ids=lambda path: path.stem)
def test_the_demos_clips_loop_at_16_seconds(path: Path) -> None:
    read = clip.read(path)
    assert (len(read.pictures), len(read.sound)) == (400, 800)
    assert read.keys == tuple(range(0, 400, 50))


@pytest.mark.parametrize("path", sorted(MEDIA.glob("*.webm")), ids=lambda path: path.stem)
def test_on_every_second_picture_of_the_demos_clips_none_rests(path: Path) -> None:
    headers = Headers()
    assert [headers.disposable(picture) for picture in clip.read(path).pictures] == [False, True] * 200


def test_a_clip_is_encoded_anew_with_its_sound_as_it_is(tmp_path: Path) -> None:
    marked_clip.make(tmp_path / "marked.webm", 2)
    layered.encode_clip(tmp_path / "marked.webm", tmp_path / "anew.webm")
    before, after = clip.read(tmp_path / "marked.webm"), clip.read(tmp_path / "anew.webm")
    assert (len(after.pictures), after.keys, after.sound) == (50, (0,), before.sound)
    headers = Headers()
    assert [headers.disposable(picture) for picture in after.pictures] == [False, True] * 25
    decoder = av.CodecContext.create("vp8", "r")
    marks = [
        marked_clip.read(p.to_ndarray(format="gray")) for d in after.pictures for p in decoder.decode(av.Packet(d))
    ]
    assert marks == [0] * 25 + [1] * 25


def test_a_name_alone_is_one_of_the_demos() -> None:
    assert clip.read(Path("pair.webm")) == clip.read(MEDIA / "pair.webm")


def test_the_nearest_key_frame_may_lie_ahead() -> None:
    pair = clip.read(Path("pair.webm"))
    assert [pair.nearest_key(number) for number in (0, 24, 26, 399)] == [0, 0, 50, 350]


def test_a_missing_a_broken_and_an_unfit_file_each_get_their_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"none\.webm can't be read as a clip \(No such file"):
        clip.read(tmp_path / "none.webm")
    (tmp_path / "broken.webm").write_bytes(b"\x1a\x45\xdf\xa3 and nothing more")
    with pytest.raises(SystemExit, match=r"broken\.webm can't be read as a clip"):
        clip.read(tmp_path / "broken.webm")
    whole = (MEDIA / "steady.webm").read_bytes()
    (tmp_path / "text.webm").write_text("no clip")
    with pytest.raises(SystemExit, match=r"text\.webm can't be read as a clip"):
        clip.read(tmp_path / "text.webm")
    (tmp_path / "cut.webm").write_bytes(whole[: 2 * len(whole) // 3])
    cut = clip.read(tmp_path / "cut.webm")  # its first pictures are whole, so it plays
    assert 50 < len(cut.pictures) < 400 and len(cut.sound) == 2 * len(cut.pictures)


def test_a_file_of_other_codecs_is_named(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.webm"), "w") as container:
        stream = container.add_stream("libopus", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(SystemExit, match="holds opus; give a WebM file with one VP8 and one Opus stream"):
        clip.read(tmp_path / "sound.webm")


def test_a_missing_codec_gets_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    clip.check_codecs()

    def codec(name: str, mode: str) -> None:
        if name == "libopus":
            raise ValueError(name)

    monkeypatch.setattr(clip.av, "Codec", codec)
    with pytest.raises(SystemExit, match=r"no Opus \(libopus, to encode\); install av"):
        clip.check_codecs()


def test_a_burst_is_silence_and_then_its_tone() -> None:
    prepared = prepared_sound()
    assert len(prepared.burst) == SILENT_PACKETS + TONE_PACKETS
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    levels = []
    for packet in prepared.burst:
        (frame,) = decoder.decode(av.Packet(packet))
        assert frame.samples == PACKET_SAMPLES
        levels.append(10 * np.log10(mean_square(frame) + 1e-12))
    assert max(levels[:SILENT_PACKETS]) < -60
    assert levels[SILENT_PACKETS] > -16, "the tone is there in its first packet"
    assert all(abs(level + 6) < 1 for level in levels[SILENT_PACKETS + 1 :])


def test_the_mark_is_read_back_from_a_small_picture(tmp_path: Path) -> None:
    marked_clip.make(tmp_path / "marked.webm", 4)
    read = clip.read(tmp_path / "marked.webm")
    assert (len(read.pictures), len(read.sound)) == (100, 200)
    with av.open(str(tmp_path / "marked.webm")) as container:
        marks = [marked_clip.read(f.reformat(30, 14, "rgb24").to_ndarray()) for f in container.decode(video=0)]
    assert marks == [number // 25 for number in range(100)]
    assert [marked_clip.read(marked_clip.picture(second)) for second in range(130)] == [n % 64 for n in range(130)]
