"""A recording's bytes: the chain shows every change, and the streams in it are real Matroska."""

import io

import av
import msgspec
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from demo.peers.clip import MEDIA, is_key_frame
from demo.peers.clip import read as read_clip
from schemas.matroska import AUDIO, VIDEO, Block, blocks, clusters, header
from schemas.recording import (
    Begin,
    BrokenRecordingError,
    Chain,
    FrameKind,
    FrameReader,
    associated,
    part_key,
    read_begin,
    read_end,
    read_second,
)


def recording(bodies: list[bytes]) -> list[bytes]:
    chain = Chain()
    frames = []
    for number, body in enumerate(bodies):
        kind = FrameKind.RECORD if number else FrameKind.BEGIN
        frames.append(chain.frame(chain.head(kind, 1000 * number, 1, 0, len(body)), body))
    return frames


BODIES = st.lists(st.binary(max_size=60), min_size=1, max_size=8)


@given(BODIES, st.data())
def test_what_was_written_is_read_in_pieces_of_any_size(bodies: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(recording(bodies))
    reader, found, at = FrameReader(), [], 0
    while at < len(whole):
        size = data.draw(st.integers(1, len(whole)))
        found += reader.feed(whole[at : at + size])
        at += size
    assert [frame.body for frame in found] == bodies
    assert reader.taken == len(whole) and not reader.missing
    assert [frame.before for frame in found[1:]] == [frame.chain for frame in found[:-1]]


@given(BODIES, st.data())
def test_a_changed_byte_is_found_and_what_was_before_it_stands(bodies: list[bytes], data: st.DataObject) -> None:
    frames = recording(bodies)
    number = data.draw(st.integers(0, len(frames) - 1))
    at = data.draw(st.integers(0, len(frames[number]) - 1))
    changed = bytearray(frames[number])
    changed[at] ^= data.draw(st.integers(1, 255))
    reader = FrameReader()
    sound = list(reader.feed(b"".join(frames[:number])))
    assert len(sound) == number
    try:
        assert not list(reader.feed(bytes(changed)))
    except BrokenRecordingError:
        return
    assert at < 4 and reader.missing, "only a longer length may wait for more"


@given(st.lists(st.binary(max_size=20), min_size=3, max_size=6, unique=True), st.data())
def test_a_frame_that_is_left_out_or_moved_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    frames = recording(bodies)
    out = data.draw(st.integers(0, len(frames) - 2))
    with pytest.raises(BrokenRecordingError):
        list(FrameReader().feed(b"".join(frames[:out] + frames[out + 1 :])))
    frames[out], frames[out + 1] = frames[out + 1], frames[out]
    with pytest.raises(BrokenRecordingError):
        list(FrameReader().feed(b"".join(frames)))


@given(st.binary(max_size=300))
def test_nonsense_is_no_recording(data: bytes) -> None:
    try:
        assert not list(FrameReader().feed(data))
    except BrokenRecordingError:
        pass


@pytest.mark.parametrize("body", [b"", b"\x91", b"\x98\x01\xa1\xff", b"\x91\x91\x94\xa1\xff", b"\xc1"])
def test_a_frame_with_nonsense_in_it_is_told(body: bytes) -> None:
    """Also what is no text: fuzzing found that it came as another error."""
    (frame,) = FrameReader().feed(recording([body])[0])
    for read in (read_begin, read_end):
        with pytest.raises(BrokenRecordingError, match="can't be read"):
            read(frame)
    with pytest.raises(BrokenRecordingError, match="can't be read"):
        read_second(body)


def test_a_sealed_body_is_bound_to_call_part_head_and_history() -> None:
    assert (
        len({associated("a", "b", b"h", b"c"), associated("ab", "", b"h", b"c"), associated("a", "b", b"h", b"d")}) == 3
    )


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.integers(0, 5))
def test_keys_are_derived_by_hkdf(key: bytes, salt: bytes, step: int) -> None:
    """RFC 5869, as the library does it."""
    begin = Begin(2, "BWI-1", "0001-x", "BWI-01", b"", bytes(32), step, salt)
    expected = key
    for _ in range(step):
        expected = HKDF(SHA256(), 32, None, b"sightline recording next key").derive(expected)
    expected = HKDF(SHA256(), 32, salt, b"sightline recording part\0BWI-1\x000001-x").derive(expected)
    assert part_key(begin, key) == expected != key


def test_a_part_of_the_first_format_opens_with_the_key_that_was_wrapped() -> None:
    first = msgspec.msgpack.encode((1, "BWI-1", "0001-x", "BWI-01", b"", bytes(32)))
    assert part_key(msgspec.msgpack.decode(first, type=Begin), b"k" * 32) == b"k" * 32


BLOCKS = st.lists(
    st.builds(Block, st.sampled_from((VIDEO, AUDIO)), st.integers(0, 10**7), st.booleans(), st.binary(max_size=400))
)


@given(BLOCKS)
def test_blocks_are_read_as_they_were_written(some: list[Block]) -> None:
    ordered = sorted(some, key=lambda block: block.at_ms)
    assert list(blocks(header(640, 360) + clusters(some))) == ordered


@given(BLOCKS, st.data())
def test_a_cut_stream_is_read_to_its_cut(some: list[Block], data: st.DataObject) -> None:
    whole = header(640, 360) + clusters(some)
    cut = data.draw(st.integers(0, len(whole)))
    found = list(blocks(whole[:cut]))
    assert found == sorted(some, key=lambda block: block.at_ms)[: len(found)]


@given(st.binary(max_size=200))
def test_nonsense_is_no_stream(data: bytes) -> None:
    assert all(len(block.data) <= len(data) for block in blocks(data))


def test_libav_plays_what_is_written() -> None:
    clip = read_clip(MEDIA / "steady.webm")
    stream = header(640, 360)
    for second in range(3):
        some = []
        for number in range(second * 25, second * 25 + 25):
            picture = clip.pictures[number]
            some.append(Block(VIDEO, number * 40, is_key_frame(picture), picture))
            some += [Block(AUDIO, number * 40 + 20 * half, True, clip.sound[number * 2 + half]) for half in (0, 1)]
        stream += clusters(some)
    pictures, sounds, times = 0, 0, []
    with av.open(io.BytesIO(stream)) as container:
        assert [s.codec_context.name for s in container.streams] == ["vp8", "opus"]
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    pictures += 1
                    times.append(frame.time)
                else:
                    sounds += frame.samples
    assert pictures == 75 and abs(times[-1] - 2.96) < 0.001
    assert sounds >= 3 * 48_000 - 960
