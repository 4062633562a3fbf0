"""A clip's encoded packets, ready to be sent as they are: VP8 at 25 pictures a second with Opus in 20 ms packets."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
from av.error import FFmpegError

MEDIA = Path(__file__).parent.parent / "media"
PICTURES_PER_SECOND, SOUNDS_PER_SECOND = 25, 50
SOUNDS_A_PICTURE = SOUNDS_PER_SECOND // PICTURES_PER_SECOND


@dataclass(frozen=True)
class Clip:
    """`sound` has exactly two packets for each one in `pictures`, so that the two stay in step however often they loop.

    `keys`: the numbers of the key frames among `pictures`, ascending; the first is 0.
    """

    pictures: tuple[bytes, ...]
    sound: tuple[bytes, ...]
    keys: tuple[int, ...]

    @property
    def seconds(self) -> float:
        return len(self.pictures) / PICTURES_PER_SECOND

    def nearest_key(self, number: int) -> int:
        """The key frame with the least distance to picture `number`, before or after it."""
        return min(self.keys, key=lambda key: abs(key - number))

    def is_key(self, number: int) -> bool:
        return is_key_frame(self.pictures[number])


def is_key_frame(picture: bytes) -> bool:
    """RFC 6386, 9.1: the lowest bit of a VP8 frame is 0 in a key frame."""
    return not picture[0] & 1


def check_codecs() -> None:
    """SystemExit when av was built without a codec that the clients need."""
    for name, mode, what in (("vp8", "r", "VP8"), ("opus", "r", "Opus"), ("libopus", "w", "Opus (libopus, to encode)")):
        try:
            av.Codec(name, mode)  # type: ignore[arg-type]
        except ValueError as error:  # av's UnknownCodecError is one
            raise SystemExit(f"peers: the av package has no {what}; install av from its published wheels.") from error


@cache
def read(path: Path) -> Clip:
    """The clip in a WebM file; SystemExit with what is wrong with it. Relative to demo/media, if not absolute."""
    path = MEDIA / path
    pictures: list[bytes] = []
    sound: list[bytes] = []
    try:
        with av.open(path) as container:
            codecs = [(stream.type, stream.codec_context.name) for stream in container.streams]
            if sorted(codecs) != [("audio", "opus"), ("video", "vp8")]:
                held = ", ".join(name for _, name in codecs) or "nothing"
                raise SystemExit(f"peers: {path} holds {held}; give a WebM file with one VP8 and one Opus stream.")
            rate = container.streams.video[0].average_rate
            for packet in container.demux():
                if packet.size:
                    (pictures if packet.stream.type == "video" else sound).append(bytes(packet))
    except (FFmpegError, OSError) as error:
        raise SystemExit(f"peers: {path} can't be read as a clip ({_words(error)}); put the file back.") from error
    if rate != PICTURES_PER_SECOND or any(_milliseconds(packet) != 20 for packet in sound):
        raise SystemExit(f"peers: {path} needs 25 pictures a second and Opus packets of 20 ms; encode it again.")
    loop = min(len(pictures), len(sound) // SOUNDS_A_PICTURE)
    pictures = pictures[:loop]
    keys = tuple(number for number, picture in enumerate(pictures) if is_key_frame(picture))
    if not keys or keys[0] != 0:
        raise SystemExit(f"peers: {path} does not begin with a key frame; the file is broken, put it back.")
    return Clip(tuple(pictures), tuple(sound[: loop * SOUNDS_A_PICTURE]), keys)


def _milliseconds(opus: bytes) -> float:
    """RFC 6716, 3.1: the first byte says how long a frame is (top five bits) and how many there are (lowest two)."""
    kind, count = opus[0] >> 3, opus[0] & 3
    if kind < 12:
        frame = (10, 20, 40, 60)[kind % 4]
    elif kind < 16:
        frame = (10, 20)[kind % 2]
    else:
        frame = (2.5, 5, 10, 20)[kind % 4]
    frames = (1, 2, 2, opus[1] & 63 if len(opus) > 1 else 0)[count]
    return frame * frames


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
