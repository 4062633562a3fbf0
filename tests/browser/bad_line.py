"""A bad line for UDP between two ends, in a thread: so much delay and seeded loss, each way."""

import asyncio
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

SCRIPT = (Path(__file__).parent / "bad_line.js").read_text()
Address = tuple[str, int]


class BadLine:
    """`near_port` stands for the far end at the near one, `far_port` the other way round: each is told the other's as
    the only candidate. Whoever spoke last on a port is the end there, so new connections need nothing.

    `loss`: share of packets that never arrive. `delay_s`: how much later the others do, in the same order. Each way has
    a random row of its own, from `seed`.
    """

    def __init__(self, *, loss: float, delay_s: float, seed: int) -> None:
        self.count: Counter[str] = Counter()
        """`near` and `far`: packets from that end; `near lost` and `far lost`: of those, the lost ones."""
        self._loss, self._delay_s = loss, delay_s
        self._loop = asyncio.new_event_loop()
        self._near, self._far = _End("near", self, seed), _End("far", self, seed + 1)
        self._near.other, self._far.other = self._far, self._near
        for end in (self._near, self._far):
            make = self._loop.create_datagram_endpoint(lambda end=end: end, local_addr=("127.0.0.1", 0))
            self._loop.run_until_complete(make)
        self.near_port, self.far_port = self._near.port, self._far.port
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def carry(self, end: "_End", data: bytes) -> None:
        self.count[end.name] += 1
        if end.random.random() < self._loss:
            self.count[f"{end.name} lost"] += 1
        else:
            self._loop.call_later(self._delay_s, end.other.send, data)

    def script(self) -> str:
        """For a page at the near end: all its connections go this way."""
        return SCRIPT.replace("NEAR_PORT", str(self.near_port)).replace("FAR_PORT", str(self.far_port))

    def forget_ends(self) -> None:
        """For another pair: what the ends before still send is not taken for theirs."""
        for end in (self._near, self._far):
            end.forget()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        for end in (self._near, self._far):
            end.transport.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def __enter__(self) -> "BadLine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _End(asyncio.DatagramProtocol):
    def __init__(self, name: str, line: BadLine, seed: int) -> None:
        self.name, self._line, self.random = name, line, random.Random(seed)
        self.other: _End
        self._address: Address | None = None
        self._forgotten: set[Address] = set()
        self.transport: asyncio.DatagramTransport

    @property
    def port(self) -> int:
        return self.transport.get_extra_info("sockname")[1]

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if addr in self._forgotten:
            return
        self._address = addr
        self._line.carry(self, data)

    def forget(self) -> None:
        if self._address is not None:
            self._forgotten.add(self._address)
        self._address = None

    def send(self, data: bytes) -> None:
        if self._address is not None and not self.transport.is_closing():
            self.transport.sendto(data, self._address)
