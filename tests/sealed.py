"""Recordings in tests: who seals them, and what is in them once they are opened."""

import io
from pathlib import Path

import av
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from laptop.media.part_file import Sealing
from laptop.signing import public_bytes
from server.recordings.keys import EvidenceKey
from server.recordings.opening import OpenedPart, Stream, open_call
from server.recordings.part import Named

SIGNER = Ed25519PrivateKey.generate()
KEY = EvidenceKey(pyrage.x25519.Identity.generate())  # type: ignore[attr-defined]
SEALING = Sealing("BWI-01", KEY.recipient, SIGNER)


def signs(_named: Named, key: bytes) -> bool:
    """As a server that knows this laptop's key alone."""
    return key == public_bytes(SIGNER)


def opened(folder: Path) -> list[OpenedPart]:
    """A call's parts."""
    return open_call(folder, KEY)


def played(stream: Stream) -> tuple[int, int, list[float]]:
    """Pictures and sounds that a player decodes, and the pictures' times, s."""
    pictures, sounds, times = 0, 0, []
    with av.open(io.BytesIO(bytes(stream.data))) as container:
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    pictures += 1
                    times.append(frame.time)
                else:
                    sounds += 1
    return pictures, sounds, times
