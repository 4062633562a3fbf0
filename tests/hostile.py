"""A client without manners: raw bytes on a real socket, and whatever the server says to them."""

import base64
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.frames import Close, Frame, Opcode

WITHIN_S = 15.0


class Wire:
    """A TCP or Unix connection; what came in is kept in `got`."""

    def __init__(self, end: socket.socket) -> None:
        self.socket, self.got = end, b""
        self.opened_at = time.monotonic()
        end.settimeout(WITHIN_S)

    def send(self, data: bytes) -> bool:
        """False when the server has closed it."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def read(self) -> bool:
        """Some more; False at its end. TimeoutError when the server says nothing and leaves it open."""
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.got += more
        return bool(more)

    def rest(self) -> bytes:
        """All until the server closes it."""
        while self.read():
            pass
        return self.got

    def upgrade(self, path: str, *headers: str) -> bytes:
        """Becomes a websocket; returns the response's head, the frames stay in `got`."""
        self.send(request(path, *headers))
        while b"\r\n\r\n" not in self.got:
            assert self.read(), "closed instead of an answer"
        head, _, self.got = self.got.partition(b"\r\n\r\n")
        return head

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """(opcode, payload) of each frame that comes, until the end."""
        while True:
            while len(self.got) < 2 or len(self.got) < sum(self._lengths()):
                if not self.read():
                    return
            head, length = self._lengths()
            frame, self.got = self.got[: head + length], self.got[head + length :]
            yield frame[0] & 15, frame[head:]

    def _lengths(self) -> tuple[int, int]:
        short = self.got[1]
        if short == 126:
            return 4, struct.unpack("!H", self.got[2:4].rjust(2, b"\0"))[0]
        if short == 127:
            return 10, struct.unpack("!Q", self.got[2:10].rjust(8, b"\0"))[0]
        return 2, short

    def close_code(self) -> tuple[int, str]:
        """The close that the server sends; (0, "") when it ends without one."""
        for opcode, payload in self.frames():
            if opcode == Opcode.CLOSE:
                close = Close.parse(payload)
                return int(close.code), close.reason
        return 0, ""


@contextmanager
def tcp(port: int, address: str = "127.0.0.1") -> Iterator[Wire]:
    with socket.socket() as end:
        end.settimeout(WITHIN_S)
        end.bind((address, 0))
        end.connect(("127.0.0.1", port))
        yield Wire(end)


@contextmanager
def unix(path: Path) -> Iterator[Wire]:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(WITHIN_S)
        end.connect(str(path))
        yield Wire(end)


def request(path: str, *headers: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *headers,
    )
    return "\r\n".join((*lines, "", "")).encode()


def binary(payload: bytes, *, opcode: Opcode = Opcode.BINARY, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=mask)
