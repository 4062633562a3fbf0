"""One part of a recording as it comes in: appended, made durable, its chain checked; no key is needed for it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas.recording import (
    FORMAT,
    OLDEST_FORMAT,
    Begin,
    BrokenRecordingError,
    End,
    Frame,
    FrameKind,
    FrameReader,
    fingerprint,
    read_begin,
    read_end,
    signed,
)

from ..rules.recording import AUDIT_SPARE_BYTES
from .durable import append, make_names_durable

SUFFIX = ".rec"
_READ_BYTES = 1024 * 1024


class RefusedPartError(Exception):
    """Nothing (more) of this part is taken; says why. `again`: later perhaps."""

    def __init__(self, words: str, again: bool = False) -> None:
        super().__init__(words)
        self.again = again


@dataclass(frozen=True)
class Named:
    """Which part of which call, from which laptop."""

    establishment: str
    call_id: str
    part: str
    laptop_id: str


class IncomingPart:
    """`take` bytes, then `make_durable`. RefusedPartError, after which it must not be used any more.

    `bytes`: on the disk for certain; `newest_ms`: when the newest whole record there was made, UTC ms (0: none);
    `begin` and `end`: once they are there; `records`, `gaps`: how many.
    """

    def __init__(self, path: Path, named: Named, signs: Callable[[Named, bytes], bool]) -> None:
        """Goes on with what is on the disk already, as far as its chain holds. `signs(named, key)`: the laptop is
        registered with this key."""
        self.path, self.named, self._signs = path, named, signs
        self.bytes = self.newest_ms = self.records = self.gaps = 0
        self.begin: Begin | None = None
        self.end: End | None = None
        self._reader = FrameReader()
        self._written = 0
        self._newest_written_ms = 0
        self._waiting: list[bytes] = []
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._go_on()

    @property
    def whole(self) -> bool:
        """To its end, and signed by the laptop."""
        return self.end is not None and self.bytes == self._reader.taken

    @property
    def chain(self) -> bytes:
        return self._reader.chain

    @property
    def expected(self) -> int:
        """The offset that the next bytes have to have."""
        return self._written

    def take(self, offset: int, data: bytes) -> None:
        """What is here already is left out; what would leave a hole too."""
        if self.end is not None or not offset <= self._written < offset + len(data):
            return
        data = data[self._written - offset :]
        try:
            for frame in self._reader.feed(data):
                self._check(frame)
        except BrokenRecordingError as error:
            raise RefusedPartError(f"it does not hold: {error}") from error
        if self.end is not None and self._reader.missing:
            raise RefusedPartError("something follows its end")
        self._waiting.append(data)
        self._written += len(data)

    def make_durable(self) -> None:
        """Everything taken is on the disk when this returns."""
        if not self._waiting:
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        try:
            if shutil.disk_usage(self.path.parent).free < len(data) + AUDIT_SPARE_BYTES:
                raise RefusedPartError("the server's disk is full", again=True)
            append(self.path, data)
        except OSError as error:
            self._cut_off()
            raise RefusedPartError(f"the server's disk can't be written ({error.strerror})", again=True) from error
        if self.bytes == 0:
            for folder in tuple(self.path.parents)[:3]:  # the call's, the establishment's, all recordings'
                make_names_durable(folder)
        self.bytes, self.newest_ms = self._written, self._newest_written_ms

    def _go_on(self) -> None:
        if not self.path.exists():
            return
        try:
            descriptor = os.open(self.path, os.O_RDWR)
            try:
                self._read(descriptor)
                os.ftruncate(descriptor, self._reader.taken)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise RefusedPartError(f"the server's disk can't be read ({error.strerror})", again=True) from error
        self._reader.forget_rest()
        self.bytes = self._written = self._reader.taken
        self.newest_ms = self._newest_written_ms

    def _read(self, descriptor: int) -> None:
        try:
            while data := os.read(descriptor, _READ_BYTES):
                for frame in self._reader.feed(data):
                    self._check(frame)
        except BrokenRecordingError:
            pass  # what a power cut has left of the newest bytes

    def _check(self, frame: Frame) -> None:
        if self.end is not None:
            raise RefusedPartError("something follows its end")
        match frame.kind:
            case FrameKind.BEGIN:
                self.begin = read_begin(frame)
                named = Named(self.named.establishment, self.begin.call_id, self.begin.part, self.begin.laptop_id)
                if not OLDEST_FORMAT <= self.begin.format <= FORMAT or named != self.named:
                    raise RefusedPartError("it says that it is another one")
                if not self._signs(self.named, self.begin.signer):
                    key = fingerprint(self.begin.signer)
                    raise RefusedPartError(f"it is to be signed with {key}, which its laptop is not registered with")
            case FrameKind.END:
                self.end = read_end(frame)
                assert self.begin is not None  # FrameReader: index 0 is BEGIN
                if not is_signed(self.begin, frame, self.end):
                    raise RefusedPartError("its end is not signed by its laptop")
            case FrameKind.RECORD:
                self.records += 1
            case FrameKind.GAP:
                self.gaps += 1
        self._newest_written_ms = max(self._newest_written_ms, frame.head.at_ms)

    def _cut_off(self) -> None:
        """A write that failed half way must not stand in the way of the next one."""
        try:
            os.truncate(self.path, self.bytes)
        except OSError:
            pass  # looked at anew when the part is offered again


def is_signed(begin: Begin, frame: Frame, end: End) -> bool:
    """By the laptop that `begin` names. `frame`: the one that is this END."""
    try:
        key = Ed25519PublicKey.from_public_bytes(begin.signer)
        key.verify(end.signature, signed(end.reason, frame.before, frame.head.index))
    except (InvalidSignature, ValueError):
        return False
    return True
