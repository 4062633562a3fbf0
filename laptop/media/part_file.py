"""One part of a recording on this machine's disk: what one run of the agent has recorded of a call.

Written record by record, sealed, and durable when `write` returns: fsync's answer is the only proof.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.recording import (
    FORMAT,
    KEY_BYTES,
    Begin,
    BrokenRecordingError,
    Chain,
    Chunk,
    End,
    EndReason,
    FrameKind,
    FrameReader,
    Second,
    associated,
    nonce,
    sealing_key,
    signed,
)

from ..durable import make_names_durable, write_all
from ..signing import public_bytes
from .call_key import take_key

SUFFIX = ".rec"
_NAME = re.compile(r"\d{4}-[0-9a-f]{8}")
_READ_BYTES = 1024 * 1024
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True)
class Sealing:
    """Who records, and for whom. `recipient`: the establishment's evidence key, age's public form."""

    laptop_id: str
    recipient: str
    signer: Ed25519PrivateKey


class PartFile:
    """OSError from every method when the disk does not take it; then nothing more may be written.

    `durable_bytes`: so much of the file is on the disk for certain.
    """

    def __init__(self, folder: Path, call_id: str, sealing: Sealing) -> None:
        """`folder`: the call's. ValueError when the evidence key is none."""
        run = take_key(folder.parent, call_id, sealing.recipient)
        number = 1 + max((int(path.name[:4]) for path in parts(folder)), default=run.step)
        self.name = f"{number:04}-{secrets.token_hex(4)}"
        self.path = folder / f"{self.name}{SUFFIX}"
        self.durable_bytes = 0
        self.ended = False
        self._call_id, self._signer = call_id, sealing.signer
        begin = Begin(
            FORMAT, call_id, self.name, sealing.laptop_id, run.wrapped, public_bytes(sealing.signer),
            run.step, secrets.token_bytes(KEY_BYTES),
        )  # fmt: skip
        self._cipher, self._chain = AESGCM(sealing_key(begin, run.key)), Chain()
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        body = _encode(begin)
        self._append(self._chain.frame(self._chain.head(FrameKind.BEGIN, 0, 0, 0, len(body)), body))
        for names in (folder, folder.parent):
            make_names_durable(names)

    def write(self, chunks: list[Chunk], keys: int, at_ms: int) -> None:
        """One record, or a gap when there is no chunk; durable when this returns."""
        plain = _encode(Second(chunks))
        streams = 0
        for chunk in chunks:
            streams |= 1 << chunk.number
        kind, chain = FrameKind.RECORD if chunks else FrameKind.GAP, self._chain
        head = chain.head(kind, at_ms, streams, keys, len(plain) + 16)
        bound_to = associated(self._call_id, self.name, head, chain.chain)
        self._append(chain.frame(head, self._cipher.encrypt(nonce(chain.index), plain, bound_to)))

    def end(self, at_ms: int) -> None:
        """Signed; nothing follows."""
        self._append(_end(self._chain, EndReason.ENDED, at_ms, self._signer))
        self.ended = True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, frame: bytes) -> None:
        write_all(self._descriptor, frame)
        os.fsync(self._descriptor)
        self.durable_bytes += len(frame)


def parts(folder: Path) -> list[Path]:
    """A call's parts, the oldest first; none when there is no such folder."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(path.stem))


def finish_interrupted(path: Path, signer: Ed25519PrivateKey) -> bool:
    """After a kill: cuts off a record that is not whole and signs what there is. True when something of it is left.

    OSError when the disk does not take it.
    """
    reader, ended, at_ms = FrameReader(), False, 0
    descriptor = os.open(path, os.O_RDWR)
    try:
        try:
            while not ended and (data := os.read(descriptor, _READ_BYTES)):
                for frame in reader.feed(data):
                    ended, at_ms = frame.kind == FrameKind.END, max(at_ms, frame.head.at_ms)
        except BrokenRecordingError:
            pass  # what follows the last whole frame was on its way to the disk
        if reader.taken == 0:
            os.unlink(path)
            return False
        os.ftruncate(descriptor, reader.taken)
        if not ended:
            os.lseek(descriptor, reader.taken, os.SEEK_SET)
            write_all(descriptor, _end(Chain(reader.index, reader.chain), EndReason.INTERRUPTED, at_ms, signer))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _end(chain: Chain, reason: EndReason, at_ms: int, signer: Ed25519PrivateKey) -> bytes:
    body = _encode(End(reason, signer.sign(signed(reason, chain.chain, chain.index))))
    return chain.frame(chain.head(FrameKind.END, at_ms, 0, 0, len(body)), body)
