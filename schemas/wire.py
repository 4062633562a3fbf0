"""What holds for every link: protocol version, limits, close codes, encoding and decoding.

A message is a tagged msgspec struct in array form, as msgpack, one a websocket frame. Tags are unique over all
conversations, so that a message of another conversation is known for what it is.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

PROTOCOL_VERSION = 2
OLDEST_PROTOCOL_VERSION = 1
"""The server speaks both; which one a link speaks is said in its hello. So the server is updated first."""


class Link(StrEnum):
    """The kinds of peer that a server speaks with; each has a path of its own, `/laptop` and so on."""

    LAPTOP = "laptop"
    CONSOLE = "console"
    PEER = "peer"


MAX_FRAME_BYTES = {Link.LAPTOP: 256 * 1024, Link.CONSOLE: 64 * 1024, Link.PEER: 64 * 1024}
"""Largest frame that the server takes from each kind of peer, bytes."""
MAX_SERVER_FRAME_BYTES = 4 * 1024 * 1024
"""Largest frame that a server sends: a snapshot of an establishment with its pictures, bytes."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
OptionalId = Annotated[str, Meta(max_length=64)]
EstablishmentCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Name = Annotated[str, Meta(max_length=200)]
WORDS_LONGEST = 500
Words = Annotated[str, Meta(max_length=WORDS_LONGEST)]
Token = Annotated[str, Meta(max_length=128)]
Sdp = Annotated[str, Meta(min_length=1, max_length=32 * 1024)]
Seat = Annotated[int, Meta(ge=1, le=999)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]
Count = Annotated[int, Meta(ge=0, le=2**53)]


class CloseCode(IntEnum):
    """Why a link was closed; the reason in words goes with it.

    The websocket's own are 1002 (its rules broken), 1007 (a text that is no UTF-8) and 1009 (frame too large). What is
    refused before there is a websocket gets an HTTP status and one sentence: 408, 429 or 503.
    """

    PROTOCOL_VERSION = 4000
    NOT_UNDERSTOOD = 4001
    WRONG_KIND = 4002
    NOT_RECOGNISED = 4003
    ALREADY_CONNECTED = 4004
    TOO_SLOW = 4005
    CALL_OVER = 4006
    TOO_FAST = 4007
    TOO_MANY = 4008


class WireError(Exception):
    """A frame that was not understood or not wanted: close code and a reason in at most 120 bytes."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:120].decode(errors="ignore")


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of all messages. New fields go to the end and have defaults; no field changes its type."""

    since: ClassVar[int] = 1
    """The first protocol version that has this kind; it is never sent on a link that speaks an older one."""


encode = msgspec.msgpack.Encoder().encode
"""Any message -> its frame, bytes."""


class Codec:
    """Reads one direction of one link: `messages` is the union of what may come in on it.

    `decode(frame)` returns a message, or raises WireError: WRONG_KIND for a message of another conversation,
    NOT_UNDERSTOOD for anything else that is no valid message.
    """

    def __init__(self, link: Link, messages: Any) -> None:
        self.link = link
        self._decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(messages)

    def decode(self, frame: bytes | str) -> Any:
        if isinstance(frame, str):
            raise WireError(CloseCode.NOT_UNDERSTOOD, "a text frame came where a binary frame was expected")
        try:
            return self._decoder.decode(frame)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            other = _other_conversation(frame, self.link)
            if other:
                raise WireError(CloseCode.WRONG_KIND, f"a {self.link} link does not take {other} messages") from error
            raise WireError(CloseCode.NOT_UNDERSTOOD, f"message not understood: {error}") from error


TAGS = {
    Link.LAPTOP: range(1, 40),
    Link.CONSOLE: range(40, 90),
    Link.PEER: range(90, 120),
}
"""The tags that belong to each conversation, both directions."""


def _other_conversation(frame: bytes, link: Link) -> str:
    try:
        first = msgspec.msgpack.decode(frame, type=list[msgspec.Raw])[0]
        tag = msgspec.msgpack.decode(first, type=int)
    except (msgspec.DecodeError, IndexError, RecursionError):
        return ""
    return next((str(kind) for kind, tags in TAGS.items() if tag in tags and kind != link), "")
