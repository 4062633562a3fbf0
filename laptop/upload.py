"""Sends recordings to the server as they grow, over the agent's link, never in the way of orders, leases and levels.

What the server has is asked for anew on each link, so a cut costs nothing. The call that is on goes first, what older
ones have left goes one after the other. A part is deleted when the server has said that it has all of it, checked.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.laptop import (
    RECORDING_CHUNK_BYTES,
    RECORDING_WINDOW_BYTES,
    RecordingChunk,
    RecordingKept,
    RecordingOffer,
    RecordingRefused,
)
from schemas.wire import encode

from .link import BUSY_LOOK_S, ServerLink
from .media.part_file import finish_interrupted, parts
from .media.recording import Recording
from .tasks import Tasks

log = structlog.get_logger()

CHUNK_EACH_S = 0.04
"""The server takes 200 frames a second from a laptop, and live ones come first."""
ANSWER_S = 10.0
"""A server that says nothing of a part for so long is asked again."""
AGAIN_S = 5.0
"""After a refusal that may pass: the server's disk is full, its audit can't be written."""


@dataclass(eq=False)
class _Part:
    """`recording`: it is still written. `kept`: what the server has, -1 before it has said so."""

    path: Path
    recording: Recording | None = None
    kept: int = -1
    sent: int = 0
    whole: bool = False
    refused: RecordingRefused | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def call_id(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def bytes(self) -> int:
        """So much may be sent: what is durable."""
        written = self.recording.part if self.recording is not None else None
        return written.durable_bytes if written is not None else self.path.stat().st_size


class Upload:
    """`prepare` before the first call; `grown` for a recording that is on; the rest is what the link says."""

    def __init__(self, recordings: Path, link: ServerLink, signer: Ed25519PrivateKey) -> None:
        self._recordings, self._link, self._signer = recordings, link, signer
        self._parts: dict[tuple[str, str], _Part] = {}
        self._tasks = Tasks()
        self._one_old = asyncio.Lock()

    async def prepare(self) -> None:
        """What an agent before this one has left: its newest part is signed as it is, all of it is to be sent."""
        for folder in sorted(path for path in self._recordings.glob("*") if path.is_dir()):
            for path in parts(folder):
                await self._finish(path)

    def grown(self, recording: Recording) -> None:
        """More of it is durable, or it is finished."""
        written = recording.part
        if written is None:
            return
        key = recording.call_id, written.name
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = _Part(written.path, recording)
            self._tasks.start(self._send(part))
        if recording.over and part.recording is not None:
            part.recording = None
            if not written.ended:
                self._tasks.start(self._finish(part.path))
        part.changed.set()

    def welcomed(self) -> None:
        """A new link: each part is offered anew."""
        for task in self._tasks:
            task.cancel()
        for part in self._parts.values():
            part.kept, part.sent, part.refused = -1, 0, None
            self._tasks.start(self._send(part))

    def kept(self, message: RecordingKept) -> None:
        part = self._parts.get((message.call_id, message.part))
        if part is not None:
            part.kept, part.whole = message.bytes, message.whole
            part.changed.set()

    def refused(self, message: RecordingRefused) -> None:
        part = self._parts.get((message.call_id, message.part))
        if part is not None:
            log.warning("recording refused", call=message.call_id, part=message.part, why=message.words)
            part.refused = message
            part.changed.set()

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish(self, path: Path) -> None:
        try:
            if not await asyncio.to_thread(finish_interrupted, path, self._signer):
                return
        except OSError as error:  # the next start tries again
            log.error("a recording could not be finished", file=path.name, error=error.strerror)
        key = path.parent.name, path.stem
        self._parts.setdefault(key, _Part(path)).changed.set()

    async def _send(self, part: _Part) -> None:
        try:
            if part.recording is not None:
                await self._send_until_whole(part)
                return
            async with self._one_old:
                await self._send_until_whole(part)
        except OSError as error:
            log.error("a recording can't be read", call=part.call_id, part=part.name, error=error.strerror)

    async def _send_until_whole(self, part: _Part) -> None:
        while not part.whole:
            part.kept, part.refused = -1, None
            self._link.send(RecordingOffer(part.call_id, part.name))
            await self._go_on(part)
            if part.refused is not None:
                if not part.refused.again:
                    return
                await asyncio.sleep(AGAIN_S)
        self._parts.pop((part.call_id, part.name), None)
        await asyncio.to_thread(self._delete, part)

    async def _go_on(self, part: _Part) -> None:
        """Until all is there, it was refused, or the server has said nothing for long."""
        if not await self._changed(part):
            return
        part.sent = max(0, part.kept)
        with part.path.open("rb") as file:
            while not part.whole and part.refused is None:
                if part.sent < part.kept:
                    part.sent = part.kept
                free = min(part.bytes, part.kept + RECORDING_WINDOW_BYTES) - part.sent
                if free <= 0:
                    nothing_new = part.recording is None or part.sent > part.kept
                    if not await self._changed(part) and nothing_new:
                        return
                elif self._link.busy:
                    await asyncio.sleep(BUSY_LOOK_S)
                else:
                    data = os.pread(file.fileno(), min(free, RECORDING_CHUNK_BYTES), part.sent)
                    self._link.send_frame(encode(RecordingChunk(part.call_id, part.name, part.sent, data)))
                    part.sent += len(data)
                    await asyncio.sleep(CHUNK_EACH_S)

    async def _changed(self, part: _Part) -> bool:
        """False when nothing has in all this time."""
        part.changed.clear()
        try:
            async with asyncio.timeout(ANSWER_S):
                await part.changed.wait()
        except TimeoutError:
            return False
        return True

    def _delete(self, part: _Part) -> None:
        try:
            part.path.unlink(missing_ok=True)
            log.info("recording handed over", call=part.call_id, part=part.name, bytes=part.kept)
            part.path.parent.rmdir()
        except OSError:  # other parts are there, or it can't be deleted now: the next start offers it again
            pass
