"""`python -m demo.layered FROM TO`: a folder's clips, encoded anew as a browser sends them with three temporal layers.

Of four pictures one rests on the last such one only, the third on these two, and nothing rests on the second and the
fourth: so Chromium encodes for `scalabilityMode: "L1T3"`. The sound stays as it is.
"""

import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType

from demo.peers.clip import PICTURES_PER_SECOND

BITS_PER_S = 600_000
GROUP = 50
BIT_EXACT = 0x0400
"""libav's flag: no random identifier in the file."""
LAYER_SHARES = 0.4, 0.6, 1.0
"""Of the bit rate, of the lowest one, two and three layers; as Chromium divides them."""
LAYERS = ":".join(
    (
        "ts_number_layers=3",
        "ts_target_bitrate=" + ",".join(str(round(BITS_PER_S * share / 1000)) for share in LAYER_SHARES),
        "ts_rate_decimator=4,2,1",
        "ts_periodicity=4",
        "ts_layer_id=0,2,1,2",
        "ts_layering_mode=3",
    )
)
OPTIONS = {
    "deadline": "good",
    "cpu-used": "1",
    "g": str(GROUP),
    "keyint_min": str(GROUP),
    "auto-alt-ref": "0",
    "lag-in-frames": "0",
    "qmin": "4",
    "qmax": "48",
    "error-resilient": "default",
    "ts-parameters": LAYERS,
}


def encoded(frames: Iterable[av.VideoFrame], options: dict[str, str] = OPTIONS) -> Iterator[av.Packet]:
    """Frames of one size, 25 a second, as VP8."""
    encoder: Any = None
    for number, frame in enumerate(frames):
        if encoder is None:
            encoder = av.CodecContext.create("libvpx", "w")
            encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
            encoder.time_base, encoder.framerate = Fraction(1, PICTURES_PER_SECOND), Fraction(PICTURES_PER_SECOND)
            encoder.bit_rate, encoder.options = BITS_PER_S, options
        frame.pts, frame.time_base = number, encoder.time_base
        frame.pict_type = PictureType.NONE  # the encoder's choice, not the source's
        yield from encoder.encode(frame)
    if encoder is not None:
        yield from encoder.encode(None)


def encode_clip(source: Path, target: Path) -> None:
    """The pictures anew, the sound's packets as they are."""
    with av.open(str(source)) as seen, av.open(str(source)) as heard, av.open(str(target), "w", format="webm") as out:
        out.flags |= BIT_EXACT
        video = out.add_stream("libvpx", rate=PICTURES_PER_SECOND)
        first = seen.streams.video[0]
        video.width, video.height, video.pix_fmt = first.width, first.height, "yuv420p"
        audio = out.add_stream_from_template(heard.streams.audio[0])
        pictures = ((packet, video) for packet in encoded(seen.decode(first)))
        sounds = ((packet, audio) for packet in heard.demux(audio=0) if packet.size)
        packet: Any
        for packet, stream in merge(pictures, sounds, key=_at_s):
            packet.stream = stream
            out.mux(packet)


def _at_s(one: tuple[Any, Any]) -> float:
    packet, _ = one
    return float(packet.pts * packet.time_base)


def main() -> None:
    source, target = map(Path, sys.argv[1:3])
    for clip in sorted(source.glob("*.webm")):
        encode_clip(clip, target / clip.name)


if __name__ == "__main__":
    main()
