"""The one thread that writes recordings: it takes what has come, makes it durable together, and says what is kept.

Its queue is bounded by the laptops: each sends only so much beyond what it was told is kept.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from .durable import make_names_durable
from .part import SUFFIX, IncomingPart, Named, RefusedPartError

log = structlog.get_logger()

BATCH_S = 0.2
"""What comes within this time is made durable with one fsync for each part."""
FORGOTTEN_S = 600.0
"""A part that nothing comes for is read anew when it is offered again."""
WAITING_MAX = 4096
"""Pieces; with 64 KiB each more than all laptops of an establishment may have under way."""


@dataclass(frozen=True)
class Kept:
    """How it stands with a part. `refused`: nothing of it is taken now; `again`: it may be offered later.

    `state` is the part itself, to be read only.
    """

    named: Named
    bytes: int = 0
    newest_ms: int = 0
    whole: bool = False
    state: IncomingPart | None = None
    refused: str = ""
    again: bool = False


def part_path(root: Path, named: Named) -> Path:
    return root / named.establishment / named.call_id / f"{named.part}{SUFFIX}"


class Keeper:
    """`offered` and `came` from the event loop, where `on_kept` is called too, once for each part in each batch."""

    def __init__(self, root: Path, loop: asyncio.AbstractEventLoop, signs: Callable[[Named, bytes], bool]) -> None:
        """`signs(named, key)`: the laptop may sign this part with this key; called in its thread."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_names_durable(root.parent)
        self.on_kept: Callable[[Kept], None] = lambda kept: None
        self._loop, self._signs = loop, signs
        self._queue: queue.Queue[tuple[Named, int, bytes] | None] = queue.Queue(WAITING_MAX)
        self._parts: dict[Named, tuple[IncomingPart, float]] = {}
        """What is being taken, and when something last came."""
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def offered(self, named: Named) -> None:
        """`named` must be names for files: see `receiving`."""
        self._put(named, 0, b"")

    def came(self, named: Named, offset: int, data: bytes) -> None:
        self._put(named, offset, data)

    def close(self) -> None:
        """What has come is made durable."""
        self._queue.put(None)
        self._thread.join(5)

    def _put(self, named: Named, offset: int, data: bytes) -> None:
        try:
            self._queue.put_nowait((named, offset, data))
        except queue.Full:
            self.on_kept(Kept(named, refused="the server's disk is too slow", again=True))

    def _run(self) -> None:
        going_on = True
        while going_on:
            first = self._queue.get()
            if first is None:
                return
            time.sleep(BATCH_S)
            batch: dict[Named, list[tuple[int, bytes]]] = {first[0]: [first[1:]]}
            while not self._queue.empty():
                came = self._queue.get()
                if came is None:
                    going_on = False
                    break
                batch.setdefault(came[0], []).append(came[1:])
            self._tell([self._keep(named, pieces) for named, pieces in batch.items()])
            self._forget_old()

    def _keep(self, named: Named, pieces: list[tuple[int, bytes]]) -> Kept:
        try:
            part = self._part(named)
            for offset, data in pieces:
                part.take(offset, data)
            part.make_durable()
        except RefusedPartError as error:
            self._parts.pop(named, None)
            return Kept(named, refused=str(error), again=error.again)
        except OSError as error:
            self._parts.pop(named, None)
            return Kept(named, refused=f"the server's disk can't be written ({error.strerror})", again=True)
        except Exception as error:
            log.exception("a part could not be kept", call=named.call_id, part=named.part)
            self._parts.pop(named, None)
            return Kept(named, refused=f"an error of the server: {error}"[:200], again=True)
        if part.whole:
            del self._parts[named]
        return Kept(named, part.bytes, part.newest_ms, part.whole, part)

    def _part(self, named: Named) -> IncomingPart:
        known = self._parts.get(named)
        part = known[0] if known is not None else IncomingPart(part_path(self.root, named), named, self._signs)
        self._parts[named] = part, time.monotonic()
        return part

    def _forget_old(self) -> None:
        before = time.monotonic() - FORGOTTEN_S
        self._parts = {named: (part, at) for named, (part, at) in self._parts.items() if at >= before}

    def _tell(self, results: list[Kept]) -> None:
        def tell() -> None:
            for kept in results:
                self.on_kept(kept)

        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the loop has ended
            pass
