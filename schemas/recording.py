"""A recording as it lies on a disk and goes over the wire: one append-only file of frames for each run of an agent.

    length (4)  kind (1)  index (8)  at (8, UTC ms)  streams (4)  keys (4)  body  chain (32)

All numbers highest byte first; the length counts what follows it. `streams` and `keys`: bit n says that stream n is in
this record, and that a key frame of it is. `chain` is SHA-256 over the chain before and the frame up to here, so a part
that was cut, changed, moved or left out shows without any key.

The first frame (BEGIN) says what it is and holds the call's key, wrapped to the establishment's evidence key. Each
further one is a RECORD of at most a second, or a GAP where nothing came: a `Second`, sealed with AES-256-GCM under the
part's key (`part_key`); its nonce is its index, its associated data see `associated`. END is signed with the laptop's
Ed25519 key.
"""

import base64
import hashlib
import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from .wire import Id, Milliseconds

FORMAT, OLDEST_FORMAT = 2, 1
"""In format 1 each part had a key of its own, and that one was wrapped."""
KEY_BYTES, CHAIN_BYTES = 32, 32
STEPS_MAX = 10_000
"""Runs of an agent in one call."""
FRAME_BYTES_MAX = 16 * 1024 * 1024
"""Ten times the agreed bit rate of five sources, over a second; a longer frame is none of ours."""
STREAMS_MAX = 32
RECORD_EACH_S = 0.8
"""A record is begun so often: with what writing and fsync take, a kill loses less than a second."""
_HEAD = struct.Struct(">IBQQII")
HEAD_BYTES = _HEAD.size
BEFORE_ALL = bytes(CHAIN_BYTES)
"""The chain before the first frame."""
_SIGNED = b"sightline recording end\0"
_NEXT_KEY, _PART_KEY = b"sightline recording next key", b"sightline recording part\0"


class FrameKind(IntEnum):
    BEGIN = 0
    RECORD = 1
    GAP = 2
    END = 3


class EndReason(StrEnum):
    """INTERRUPTED: the agent was killed; its next start has signed what there was."""

    ENDED = "ended"
    INTERRUPTED = "interrupted"


class Begin(msgspec.Struct, array_like=True, frozen=True):
    """`wrapped`: the call's key, as an age file; `signer`: the laptop's public key that END will be signed with.

    `step`: so many runs of an agent had a key of this call before; `salt`: random, of this part.
    """

    format: int
    call_id: Id
    part: Id
    laptop_id: Id
    wrapped: Annotated[bytes, Meta(max_length=4096)]
    signer: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
    step: Annotated[int, Meta(ge=0, lt=STEPS_MAX)] = 0
    salt: Annotated[bytes, Meta(max_length=KEY_BYTES)] = b""


class End(msgspec.Struct, array_like=True, frozen=True):
    reason: EndReason
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


_Body = TypeVar("_Body", Begin, End)


class Date(msgspec.Struct, array_like=True, frozen=True):
    """At `at_ms` in the stream it was `utc_ms` here (the server's clock; 0: not known) when the frame came, and
    `ntp_ms` by the sender's clock when it was made (RTCP sender report; 0: none yet).

    `origin` grows when the stream's time was set anew, after a jump of the source's clock or a new connection.
    """

    kind: str
    at_ms: Milliseconds
    utc_ms: Milliseconds
    ntp_ms: int
    origin: int


class Chunk(msgspec.Struct, array_like=True, frozen=True):
    """What came of one source: whole Matroska clusters, after the stream's header in its first chunk. `source` is the
    leg's name."""

    source: Id
    number: Annotated[int, Meta(ge=0, lt=STREAMS_MAX)]
    data: bytes
    dates: list[Date]


class Second(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed in a RECORD; in a GAP it has no chunk."""

    chunks: list[Chunk]


class BrokenRecordingError(Exception):
    """The chain does not hold, or what is there is no frame; says which."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the first bytes of a frame say."""

    kind: FrameKind
    index: int
    at_ms: int
    streams: int
    keys: int


class Frame(NamedTuple):
    """One frame. `before`: the chain up to it; `data`: all of it as it lies in the file."""

    head: Head
    body: bytes
    before: bytes
    chain: bytes
    data: bytes

    @property
    def kind(self) -> FrameKind:
        return self.head.kind

    def bound_to(self, begin: Begin) -> bytes:
        """The associated data of its sealed body."""
        return associated(begin.call_id, begin.part, self.data[:HEAD_BYTES], self.before)


class Chain:
    """Makes frames one after the other. `index`: of the next one."""

    def __init__(self, index: int = 0, chain: bytes = BEFORE_ALL) -> None:
        self.index, self.chain = index, chain

    def head(self, kind: FrameKind, at_ms: int, streams: int, keys: int, body_bytes: int) -> bytes:
        length = HEAD_BYTES - 4 + body_bytes + CHAIN_BYTES
        return _HEAD.pack(length, kind, self.index, at_ms, streams, keys)

    def frame(self, head: bytes, body: bytes) -> bytes:
        """The next frame's bytes; `head` as made for it."""
        self.chain = hashlib.sha256(b"".join((self.chain, head, body))).digest()
        self.index += 1
        return b"".join((head, body, self.chain))


class FrameReader:
    """Takes a recording's bytes from its beginning, in pieces of any size, and hands out its frames.

    `taken`: bytes of whole frames so far; `chain`, `index`: where the next one has to go on.
    """

    def __init__(self) -> None:
        self.taken = self.index = 0
        self.chain = BEFORE_ALL
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now, one after the other; BrokenRecordingError at the first one that does not hold.
        Has to be gone through."""
        self._rest += data
        while len(self._rest) >= HEAD_BYTES:
            size = 4 + int.from_bytes(self._rest[:4])
            if not HEAD_BYTES + CHAIN_BYTES <= size <= FRAME_BYTES_MAX:
                raise BrokenRecordingError(f"at byte {self.taken} there is no frame")
            if len(self._rest) < size:
                break
            frame = self._frame(bytes(self._rest[:size]))
            del self._rest[:size]
            yield frame

    def forget_rest(self) -> None:
        """What is not whole will come anew."""
        self._rest.clear()

    @property
    def missing(self) -> bool:
        """A frame has begun that is not whole."""
        return bool(self._rest)

    def _frame(self, data: bytes) -> Frame:
        frame = whole_frame(data, self.chain)
        index = frame.head.index
        if index != self.index or (frame.kind == FrameKind.BEGIN) != (index == 0):
            raise BrokenRecordingError(f"frame {index} stands where frame {self.index} should")
        self.chain, self.index = frame.chain, self.index + 1
        self.taken += len(data)
        return frame


def whole_frame(data: bytes, before: bytes) -> Frame:
    """One frame's bytes, given the chain up to it. BrokenRecordingError when it is another one's."""
    head = frame_head(data[:HEAD_BYTES])
    body, chain = data[HEAD_BYTES:-CHAIN_BYTES], data[-CHAIN_BYTES:]
    if hashlib.sha256(b"".join((before, data[:HEAD_BYTES], body))).digest() != chain:
        raise BrokenRecordingError(f"the chain breaks at frame {head.index}")
    return Frame(head, body, before, chain, data)


def frame_head(head: bytes) -> Head:
    """What the first HEAD_BYTES of a frame say. BrokenRecordingError when they are none."""
    try:
        _, kind, index, at_ms, streams, keys = _HEAD.unpack(head)
        return Head(FrameKind(kind), index, at_ms, streams, keys)
    except (struct.error, ValueError) as error:
        raise BrokenRecordingError("what is there is no frame") from error


def part_key(begin: Begin, call_key: bytes) -> bytes:
    """What a part's records are sealed with; `call_key`: what was wrapped."""
    if begin.format == OLDEST_FORMAT:
        return call_key
    for _ in range(begin.step):
        call_key = next_key(call_key)
    return sealing_key(begin, call_key)


def sealing_key(begin: Begin, run_key: bytes) -> bytes:
    """A part's key out of its run's. The salt is random: no two parts share a key, not even when a laptop's disk is put
    back to an older state."""
    return _hkdf(run_key, begin.salt, _PART_KEY + begin.call_id.encode() + b"\0" + begin.part.encode())


def next_key(run_key: bytes) -> bytes:
    """The key of a call's next run, out of the one before (of the first run: the call's key). There is no way back: who
    has it opens nothing of what was recorded before."""
    return _hkdf(run_key, b"", _NEXT_KEY)


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, for 32 bytes: one step of the expansion."""
    extracted = hmac.digest(salt or bytes(KEY_BYTES), key, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def fingerprint(public: bytes) -> str:
    """A laptop's signing key for people: SHA-256 in base 64, as OpenSSH writes them."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


def nonce(index: int) -> bytes:
    """Never used twice: a part has a key of its own, and its frames count on."""
    return index.to_bytes(12)


def associated(call_id: str, part: str, head: bytes, before: bytes) -> bytes:
    """What a sealed body is bound to: call, part, its own head (with the index) and the chain of all before it."""
    return b"".join((call_id.encode(), b"\0", part.encode(), b"\0", head, before))


def signed(reason: EndReason, before: bytes, index: int) -> bytes:
    """What the signature of an END is over."""
    return b"".join((_SIGNED, str(reason).encode(), b"\0", index.to_bytes(8), before))


def read_begin(frame: Frame) -> Begin:
    """BrokenRecordingError when it can't be read."""
    return _read(frame, Begin)


def read_end(frame: Frame) -> End:
    """BrokenRecordingError when it can't be read."""
    return _read(frame, End)


def read_second(plain: bytes) -> Second:
    """What was sealed in a frame. BrokenRecordingError when it can't be read."""
    try:
        return msgspec.msgpack.decode(plain, type=Second)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenRecordingError(f"a record can't be read: {error}") from error


def _read(frame: Frame, kind: type[_Body]) -> _Body:
    try:
        return msgspec.msgpack.decode(frame.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenRecordingError(f"frame {frame.head.index} can't be read: {error}") from error
