"""A websocket whose frequent frames take a short way past the library's parser and queue; all else is the library's.

A laptop sends the same kind of frame ten times a second: whole, binary, masked, small. Those are cut out of the stream
and handed on at once, for a fraction of the processor time. Control frames go to the library one by one. At the first
frame that is anything else (text, a fragment, too large, wrong) the library takes over for good, so what is allowed,
and how the rest is refused, is decided in one place only.
"""

import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this platform
    from websockets.utils import apply_mask

BINARY, CONTROL, MASKED = 0x82, 0x88, 0x80
"""First byte of a whole binary frame, and of the first of the control frames; the bit that says that one is masked."""
SMALL, MEDIUM, LARGE = 6, 8, 14
"""Bytes before the payload: two, the longer length's, and the mask's four (RFC 6455, section 5.2)."""
HANDSHAKE_END = b"\r\n\r\n"


def framed(message: bytes) -> bytes:
    """A message as it goes over the wire, the same for everybody: servers don't mask, and we don't compress."""
    return Frame(Opcode.BINARY, message).serialize(mask=False)


class Connection(ServerConnection):
    """`take` gets each whole binary frame as soon as it is there and must not raise; while it is None, `recv` does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.take: Callable[[bytes], None] | None = None
        self.left_to_recv = 0
        """So many messages so far."""
        self.heard_at = time.monotonic()
        """When the last whole frame came, of any kind."""
        self._begun = self._library_only = False
        self._before = self._rest = b""
        """The handshake's last bytes; the beginning of a frame that is not whole yet."""
        self._more: list[bytes] = []
        """What has come of that frame since; put together once it is whole, however small the pieces."""
        self._missing = 0
        self._over = False
        """Nothing more is read."""

    def send_framed(self, frame: bytes) -> None:
        """What `framed` has made, perhaps for many; nothing when the link is closing."""
        if self.protocol.state is OPEN and not self.transport.is_closing():
            self.transport.write(frame)

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            self._begin(data)
        if self._library_only or not self._begun:
            self.heard_at = time.monotonic()
            self.to_library(data)
            return
        if self._rest:
            self._more.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data, self._rest = b"".join((self._rest, *self._more)), b""
            self._more.clear()
        self._cut(data)

    def to_library(self, data: bytes) -> None:
        super().data_received(data)

    def allows_frame(self) -> bool:
        """False when the next frame of the short way may not be taken, and none after it."""
        return True

    def _begin(self, data: bytes) -> None:
        if self.protocol.state is OPEN:
            self._begun = True
            # Frames that came with the handshake, before our answer: the library is somewhere among them.
            self._library_only = self._before != HANDSHAKE_END
        else:
            self._before = (self._before + data)[-len(HANDSHAKE_END) :]

    def _cut(self, data: bytes) -> None:
        """Hands over the whole frames in `data`, one after the other; what is left waits in `_rest`."""
        at, end, most = 0, len(data), self.protocol.max_message_size or 0
        while (have := end - at) >= 2:
            first, size = data[at], data[at + 1] - MASKED
            head = SMALL if size < 126 else MEDIUM if size == 126 else LARGE
            binary = first == BINARY
            if size < 0 or not (binary or (first >= CONTROL and head == SMALL)):
                self._leave_to_library(data[at:])
                return
            if have < head:
                self._missing = head - have
                break
            if head != SMALL:
                size = int.from_bytes(data[at + 2 : at + head - 4])
                if size > most:
                    self._leave_to_library(data[at:])
                    return
            begin = at + head
            if have < head + size:
                self._missing = head + size - have
                break
            if binary and self.take is not None:
                if not self.allows_frame():
                    return
                self.take(apply_mask(data[begin : begin + size], data[begin - 4 : begin]))
            else:
                self.left_to_recv += binary
                self.to_library(data[at : begin + size])
                if self._over:
                    return
            at = begin + size
        else:
            self._missing = 2 - have
        self._rest = data[at:]
        if at:
            self.heard_at = time.monotonic()

    def _leave_to_library(self, data: bytes) -> None:
        self._library_only = True
        self.take = None
        self.to_library(data)
