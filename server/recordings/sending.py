"""Sends the records of a stretch, sealed as they are, to a laptop that decodes them for a governor's review.

The server has no decoder and keeps nothing opened: the parts' keys go along, over the same link, and are gone with it.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from schemas.call import CallState
from schemas.laptop import (
    EVIDENCE_RECORDS_BYTES,
    EVIDENCE_RECORDS_WINDOW,
    EvidenceRecords,
    EvidenceWanted,
)
from schemas.media import Box

from ..establishment import Establishment, LaptopEnd
from ..rules.call import Call
from .keys import EvidenceKey
from .reading import Stretch, find_stretch, frames_of

log = structlog.get_logger()


@dataclass(frozen=True)
class Request:
    """`from_ms`, `to_ms`: of the stretch, from `pressed_at_ms` (UTC) on. `had_all`: of an ended call, nothing more will
    come."""

    request_id: str
    call: Call
    pressed_at_ms: int
    from_ms: int
    to_ms: int
    boxes: list[Box]
    had_all: bool


class Sending:
    """One task for each request; `taken` lets it go on."""

    def __init__(self, place: Establishment, root: Path, key: EvidenceKey) -> None:
        self._place, self._folder, self._key = place, root / place.code, key
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._windows: dict[str, asyncio.Semaphore] = {}

    def reader(self, call: Call) -> LaptopEnd | None:
        """The call's own laptop if it can read a stretch, else any; None when there is none."""
        own = self._place.laptops.get(call.laptop_id)
        able = [one for one in (own, *self._place.laptops.values()) if one and one.link.speaks(EvidenceRecords)]
        return next(iter(able), None)

    def begin(self, laptop: LaptopEnd, request: Request, on_failed: Callable[[str], None]) -> None:
        """`on_failed(words)` when the copy can't be read."""
        self._windows[request.request_id] = asyncio.Semaphore(EVIDENCE_RECORDS_WINDOW)
        task = asyncio.ensure_future(self._send(laptop, request, on_failed))
        self._tasks[request.request_id] = task
        task.add_done_callback(lambda _: self.stop(request.request_id))

    def taken(self, request_id: str) -> None:
        window = self._windows.get(request_id)
        if window is not None:
            window.release()

    def stop(self, request_id: str) -> None:
        self._windows.pop(request_id, None)
        task = self._tasks.pop(request_id, None)
        if task is not None:
            task.cancel()

    async def _send(self, laptop: LaptopEnd, request: Request, on_failed: Callable[[str], None]) -> None:
        request_id, call, pressed = request.request_id, request.call, request.pressed_at_ms
        first, last = request.from_ms, request.to_ms
        window = self._windows[request_id]
        try:
            found = await asyncio.to_thread(
                find_stretch, self._folder / call.call_id, self._key, pressed + first, pressed + last
            )
            over = self._place.calls.get(call.call_id, call).state == CallState.ENDED
            more = not (over and (found.complete or request.had_all or not call.admitted_at_ms))
            about = call.call_id, pressed, first, last, request.boxes
            laptop.link.send(EvidenceWanted(request_id, *about, found.keys, found.copied_ms, more))
            pieces = _pieces(found)
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                await window.acquire()
                laptop.link.send(EvidenceRecords(request_id, piece, False))
            laptop.link.send(EvidenceRecords(request_id, b"", True))
        except OSError as error:
            log.error("a copy can't be read", call=call.call_id, error=error.strerror)
            on_failed(f"The server's copy of the recording can't be read ({error.strerror}).")


def _pieces(stretch: Stretch) -> Iterator[bytes]:
    waiting = bytearray()
    for frame in frames_of(stretch.pieces):
        waiting += frame
        while len(waiting) >= EVIDENCE_RECORDS_BYTES:
            yield bytes(waiting[:EVIDENCE_RECORDS_BYTES])
            del waiting[:EVIDENCE_RECORDS_BYTES]
    if waiting:
        yield bytes(waiting)
