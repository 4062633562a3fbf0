"""Coverage-guided fuzzing of what reads a stranger's bytes, with atheris; not part of `make test`.

    .venv/bin/uv pip install --python .venv/bin/python atheris
    .venv/bin/python -m tests.faults.fuzz rtp -max_total_time=60

Targets: rtp (packets, their frames and retransmissions), offer (a peer's SDP), wire (each message of each link). Begins
with what Chromium really sent; what it finds is raised, with the bytes, and belongs into a test.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports():
    from laptop.media import rtp
    from laptop.media.assembly import Assembly
    from laptop.media.offer import OfferError, read
    from laptop.media.vp8 import begins_key_frame
    from schemas import console, laptop, peer
    from schemas.wire import WireError, encode

from tests.captured import OFFERS, RTP
from tests.wire_samples import ALL, sample

CODECS = (console.from_console, console.to_console, laptop.from_laptop, laptop.to_laptop, peer.from_peer, peer.to_peer)


def packets(data: bytes) -> None:
    """The input is cut into packets, each with its length before it."""
    assembly, now = Assembly(), 0.0
    while len(data) > 2:
        length = data[0] << 3 | data[1] & 7
        packet, data = rtp.parse(data[2 : 2 + length]), data[2 + length :]
        if packet is None:
            continue
        begins_key_frame(packet.payload)
        rtp.unwrapped_rtx(packet, 96, 1)
        now += 0.03
        for frame, _ in assembly.add(packet, now):
            assert frame
        assert len(assembly.nack) <= 100


def offer(data: bytes) -> None:
    try:
        read(data.decode("utf-8", "replace"))
    except OfferError as error:
        assert str(error).strip()


def wire(data: bytes) -> None:
    for codec in CODECS:
        try:
            message = codec.decode(data)
        except WireError as error:
            assert error.reason
        else:
            encode(message)


def in_a_row(some: list[bytes]) -> bytes:
    return b"".join(bytes([len(one) >> 3, len(one) & 7]) + one for one in some)


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "rtp": (packets, [in_a_row([one]) for one in RTP] + [in_a_row(RTP)]),
    "offer": (offer, [text.encode() for text in OFFERS]),
    "wire": (wire, [encode(sample(kind)) for _, kind in ALL]),
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"fuzz: give one of {', '.join(TARGETS)}, then libFuzzer's options.")
    target, seeds = TARGETS[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory(prefix="sightline-fuzz-") as folder:
        for number, seed in enumerate(seeds):
            Path(folder, f"seed-{number}").write_bytes(seed)
        atheris.Setup([*sys.argv, folder], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
