"""Coverage-guided fuzzing of what reads a stranger's bytes, with atheris; not part of `make test`.

    .venv/bin/uv pip install --python .venv/bin/python atheris
    .venv/bin/python -m tests.faults.fuzz rtp -max_total_time=60

Targets: rtp (packets, their extensions, frames and their headers, retransmissions), offer (a peer's SDP), wire (each
message of each link), recording (a part, as it is taken in and opened), record (what is sealed in it: dates and
Matroska), terminal (its answers). Begins with what was really sent, by Chromium and by our own programs; what it
finds is raised, with the bytes, and belongs into a test.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports():
    from console.painting.answers import Answers
    from laptop.media import rtp
    from laptop.media.assembly import Assembly
    from laptop.media.offer import OfferError, read
    from laptop.media.opened import open_records
    from laptop.media.vp8 import Numbers, begins_key_frame, renumbered
    from laptop.media.vp8_header import Headers
    from schemas import console, laptop, matroska, peer
    from schemas.recording import (
        BEFORE_ALL,
        BrokenRecordingError,
        FrameKind,
        FrameReader,
        read_begin,
        read_end,
        read_second,
    )
    from schemas.wire import WireError, encode

from tests.captured import OFFERS, RTP
from tests.recording_1 import PART, SECONDS
from tests.wire_samples import ALL, sample

CODECS = (console.from_console, console.to_console, laptop.from_laptop, laptop.to_laptop, peer.from_peer, peer.to_peer)


def packets(data: bytes) -> None:
    """The input is cut into packets, each with its length before it."""
    assembly, headers, now = Assembly(), Headers(), 0.0
    while len(data) > 2:
        length = data[0] << 3 | data[1] & 7
        packet, data = rtp.parse(data[2 : 2 + length]), data[2 + length :]
        if packet is None:
            continue
        begins_key_frame(packet.payload)
        if packet.payload:
            assert len(renumbered(packet.payload, Numbers(-7, 300))) == len(packet.payload)
        for wanted in (1, 14, 200):
            rtp.extension_element(packet.extension, wanted)
        rtp.unwrapped_rtx(packet, 96, 1)
        now += 0.03
        for frame, _ in assembly.add(packet, now):
            assert frame
            headers.disposable(frame)
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


def recording(data: bytes) -> None:
    reader = FrameReader()
    for half in (data[: len(data) // 2], data[len(data) // 2 :]):
        try:
            for frame in reader.feed(half):
                assert frame.data in data
                (read_begin if frame.kind == FrameKind.BEGIN else read_end)(frame)
        except BrokenRecordingError as error:
            assert str(error).strip()
            break
    open_records(BEFORE_ALL + data, [bytes(32)])


def record(data: bytes) -> None:
    try:
        chunks = [chunk.data for chunk in read_second(data).chunks]
    except BrokenRecordingError as error:
        assert str(error).strip()
        chunks = []
    for one in (data, *chunks):
        for block in matroska.blocks(one):
            assert block.data in one


def terminal(data: bytes) -> None:
    answers, text = Answers(), data.decode("latin-1")
    keys = "".join(answers.feed(text[at : at + 7])[0] for at in range(0, len(text), 7)) + answers.give_up()
    assert len(keys) <= len(text)


def in_a_row(some: list[bytes]) -> bytes:
    return b"".join(bytes([len(one) >> 3, len(one) & 7]) + one for one in some)


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "rtp": (packets, [in_a_row([one]) for one in RTP] + [in_a_row(RTP)]),
    "offer": (offer, [text.encode() for text in OFFERS]),
    "recording": (recording, [PART]),
    "record": (record, SECONDS),
    "terminal": (
        terminal,
        [b"\x1b[1;1R\x1b[?62;4c", b"\x1bP>|kitty(0.26.5)\x1b\\", b"\x1b_Gi=31;OK\x1b\\", b"\x1b[Aq"],
    ),
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
