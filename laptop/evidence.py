"""A stretch of a recording for a governor: decoded by a program of its own, sent in small parts, and never in the way.

The server sends the stretch's records, sealed, and their keys, which are in memory only. One stretch at a time; others
may wait for their turn. A part goes out when the server has passed one on before, and while the link has nothing else
to send: leases, levels and live pictures come first.
"""

import asyncio
import sys
from dataclasses import dataclass, field

import structlog

from schemas.incident import EvidenceOutcome
from schemas.laptop import EVIDENCE_WINDOW, EvidenceDone, EvidenceRecords, EvidenceTaken, EvidenceWanted
from schemas.wire import MAX_FRAME_BYTES, Link, encode

from .link import BUSY_LOOK_S, ServerLink

log = structlog.get_logger()

REQUESTS_MAX = 3
PART_EACH_S = 0.01
"""Parts are no closer than this: the server takes 200 frames a second from a laptop, and live ones come first."""
RECORDS_WAITING_MAX = 8
"""Pieces; the server has fewer under way."""


@dataclass
class _Request:
    """`allowed`: parts that may go out now. `records`: what the server has sent and the reader has not taken."""

    allowed: asyncio.Semaphore
    records: asyncio.Queue[EvidenceRecords] = field(default_factory=lambda: asyncio.Queue(RECORDS_WAITING_MAX))
    task: asyncio.Task[None] | None = None


class Evidence:
    """What the server asks: `wanted`, then `records`, `more` and `stop` for it."""

    def __init__(self, link: ServerLink) -> None:
        self._link = link
        self._requests: dict[str, _Request] = {}
        self._one = asyncio.Lock()

    def wanted(self, message: EvidenceWanted) -> None:
        if len(self._requests) >= REQUESTS_MAX:
            self._end(message.request_id, "The laptop reads other stretches just now.")
            return
        request = _Request(asyncio.Semaphore(EVIDENCE_WINDOW))
        self._requests[message.request_id] = request
        request.task = asyncio.ensure_future(self._in_turn(message, request))
        request.task.add_done_callback(lambda _: self._requests.pop(message.request_id, None))

    def records(self, message: EvidenceRecords) -> None:
        request = self._requests.get(message.request_id)
        if request is None:
            return
        try:
            request.records.put_nowait(message)
        except asyncio.QueueFull:
            self._end(message.request_id, "The server sent more than the laptop can take.")
            self.stop(message.request_id)

    def more(self, request_id: str) -> None:
        request = self._requests.get(request_id)
        if request is not None:
            request.allowed.release()

    def stop(self, request_id: str) -> None:
        """Its governor has gone."""
        request = self._requests.get(request_id)
        if request is not None and request.task is not None:
            request.task.cancel()

    def forget(self) -> None:
        """The link is another: nobody waits for anything any more."""
        for request_id in self._requests:
            self.stop(request_id)

    async def close(self) -> None:
        self.forget()
        tasks = [request.task for request in self._requests.values() if request.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def _in_turn(self, message: EvidenceWanted, request: _Request) -> None:
        """One reader at a time, and one that ends is waited for."""
        async with self._one:
            await self._read(message, request)

    async def _read(self, message: EvidenceWanted, request: _Request) -> None:
        try:
            reader = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "laptop.media.evidence_reader",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            self._end(message.request_id, f"The recording could not be read ({error.strerror}).")
            return
        log.info("reading a stretch", call=message.call_id, request=message.request_id, pid=reader.pid)
        assert reader.stdout is not None and reader.stdin is not None
        feeding = asyncio.ensure_future(self._feed(encode(message), request, reader.stdin))
        try:
            while (frame := await _next_frame(reader.stdout)) is not None:
                if not await self._pass_on(frame, request.allowed):
                    return
            if await reader.wait() != 0:
                self._end(message.request_id, "The recording could not be read.")
        finally:
            feeding.cancel()
            if reader.returncode is None:
                reader.kill()
            await reader.wait()

    async def _feed(self, wanted: bytes, request: _Request, reader: asyncio.StreamWriter) -> None:
        """What is wanted, then the records as the server sends them."""
        try:
            reader.write(len(wanted).to_bytes(4) + wanted)
            last = False
            while not last:
                await reader.drain()
                records = await request.records.get()
                reader.write(records.data)
                last = records.last
                if not last:
                    self._link.send(EvidenceTaken(records.request_id))
            await reader.drain()
            reader.close()
        except ConnectionError:  # the reader has ended, and its status says how
            pass

    async def _pass_on(self, frame: bytes, allowed: asyncio.Semaphore) -> bool:
        """In its turn; False when there is no link to send it over."""
        await allowed.acquire()
        while self._link.busy:  # noqa: ASYNC110
            await asyncio.sleep(BUSY_LOOK_S)
        await asyncio.sleep(PART_EACH_S)
        return self._link.send_frame(frame)

    def _end(self, request_id: str, words: str) -> None:
        self._link.send_frame(encode(EvidenceDone(request_id, EvidenceOutcome.FAILED, words, 0, [])))


async def _next_frame(output: asyncio.StreamReader) -> bytes | None:
    """What the reader has said; None at its end."""
    try:
        size = int.from_bytes(await output.readexactly(4))
        return await output.readexactly(min(size, MAX_FRAME_BYTES[Link.LAPTOP]))
    except asyncio.IncompleteReadError:
        return None
