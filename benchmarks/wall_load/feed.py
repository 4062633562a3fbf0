"""A server of 36 live calls for one console: levels at 10 Hz, a picture and the health of each call once a second."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from msgspec.structs import replace
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from laptop.media.picture_modes import small_picture
from schemas.call import CallerView, CallState, CallView, LegView, Role, SeatView
from schemas.console import Boxes, ConsoleHello, ConsoleWelcome, Delta, Snapshot, TimeProbe, TimeReply, from_console
from schemas.media import Box, CallHealth, LegHealth, Levels, Picture, PictureMode, RecordingState
from schemas.wire import PROTOCOL_VERSION, encode

CALLS = 36
TICKS_PER_S = 10
FRAMES = 24
"""Of each clip, one second apart, taken round and round."""
MEDIA = Path(__file__).parents[2] / "demo" / "media"
CLIPS = ("pair", "steady", "joins", "leaves")


def frames() -> list[list[np.ndarray]]:
    """(180, 320, 3) uint8 of natural clips, one a second."""
    made: list[list[np.ndarray]] = []
    for name in CLIPS:
        with av.open(str(MEDIA / f"{name}.webm")) as clip:
            taken = [
                frame.reformat(320, 180, "rgb24").to_ndarray()
                for number, frame in enumerate(clip.decode(video=0))
                if number % 25 == 0
            ]
        made.append(taken[:FRAMES])
    return made


class Feed:
    """Answers consoles one after the other; the same seed gives the same levels."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._clips = frames()
        self._made: dict[tuple[int, int, int, int, PictureMode], tuple[int, int, bytes]] = {}
        self._links: dict[ServerConnection, list[Box]] = {}
        self._calls: list[CallView] = []
        self._held_until_s = 0.0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        async with unix_serve(self._talk, str(self.path), compression=None):
            self._ready.set()
            await self._end.wait()

    async def _talk(self, link: ServerConnection) -> None:
        hello = from_console.decode(await link.recv())
        assert isinstance(hello, ConsoleHello)
        now_ms = time.time_ns() // 1_000_000
        may = ["view", "pause", "resume", "extend", "end", "flag", "admit"]
        await link.send(
            encode(ConsoleWelcome(PROTOCOL_VERSION, "s", "R. Hughes", Role.OFFICER, "BWI", "Berwyn", now_ms, may))
        )
        calls = self._calls = [_call(seat, now_ms) for seat in range(1, CALLS + 1)]
        await link.send(encode(Snapshot(1, 1, now_ms, _seats(), calls, [], [], [])))
        boxes = self._links[link] = []
        ticking = asyncio.ensure_future(self._tick(link, calls, boxes))
        try:
            async for frame in link:
                message = from_console.decode(frame)
                if isinstance(message, Boxes):
                    boxes[:] = [*message.boxes]
                elif isinstance(message, TimeProbe):
                    await link.send(encode(TimeReply(message.sent_ms, time.time_ns() // 1_000_000)))
        except ConnectionClosed:
            pass  # this console was killed: the next one comes
        finally:
            del self._links[link]
            ticking.cancel()

    def renew(self, surname: str, colour: tuple[int, int, int], hold_s: float) -> float:
        """Sends a snapshot in which all calls have another name and pictures of one colour; the next picture of a call
        comes after `hold_s`. Returns when it was on its way (CLOCK_MONOTONIC, s)."""
        return asyncio.run_coroutine_threadsafe(self._renew(surname, colour, hold_s), self._loop).result(10)

    async def _renew(self, surname: str, colour: tuple[int, int, int], hold_s: float) -> float:
        at_ms = time.monotonic_ns() // 1_000_000
        self._held_until_s = time.monotonic() + hold_s
        calls = [replace(call, surname=f"{surname}{call.seat}") for call in self._calls]
        said = [Levels(call.call_id, at_ms, -220, -190, -300, -270) for call in calls]
        now_ms, health = time.time_ns() // 1_000_000, [_health(call) for call in calls]
        frames = [
            encode(Snapshot(1, 1, now_ms, _seats(), calls, said, health, made))
            for boxes in self._links.values()
            for made in [[_plain(call, box, colour, at_ms) for call in calls for box in boxes]]
        ]
        sent_s = time.monotonic()
        for link, frame in zip(list(self._links), frames, strict=True):
            await link.send(frame)
        return sent_s

    async def _tick(self, link: ServerConnection, calls: list[CallView], boxes: list[Box]) -> None:
        rng, tick, due = np.random.default_rng(0), 1, time.monotonic()
        levels = rng.integers(-600, -60, (CALLS, 2))
        while True:
            due += 1 / TICKS_PER_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tick += 1
            levels = np.clip(levels + rng.normal(0, 60, levels.shape).astype(int), -600, -60)
            at_ms = time.monotonic_ns() // 1_000_000
            said = [
                Levels(call.call_id, at_ms, int(family), int(family) + 20, int(room), int(room) + 20)
                for call, (family, room) in zip(calls, levels, strict=True)
            ]
            held = time.monotonic() < self._held_until_s
            mine = range(0) if held else range(tick % TICKS_PER_S, CALLS, TICKS_PER_S)
            pictures = [self._picture(calls[n], n, tick // TICKS_PER_S, box, at_ms) for n in mine for box in boxes]
            health = [_health(calls[n]) for n in mine]
            await link.send(encode(Delta(tick, time.time_ns() // 1_000_000, said, health, pictures)))

    def _picture(self, call: CallView, number: int, second: int, box: Box, at_ms: int) -> Picture:
        clip = number % len(self._clips)
        at = (second + number * 5) % len(self._clips[clip])
        key = clip, at, box.width, box.height, box.mode
        if key not in self._made:
            frame = av.VideoFrame.from_ndarray(self._clips[clip][at], "rgb24")
            self._made[key] = small_picture(frame, box.width, box.height, box.mode)
        return Picture(call.call_id, box.side, at_ms, box.width, box.height, *self._made[key], box.mode)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)


def _plain(call: CallView, box: Box, colour: tuple[int, int, int], at_ms: int) -> Picture:
    frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), colour, np.uint8), "rgb24")
    made = small_picture(frame, box.width, box.height, box.mode)
    return Picture(call.call_id, box.side, at_ms, box.width, box.height, *made, box.mode)


def _seats() -> list[SeatView]:
    return [SeatView(n, f"BWI-{n:02d}", f"Visits {n}", True) for n in range(1, CALLS + 1)]


def _call(seat: int, now_ms: int) -> CallView:
    fields: dict[str, Any] = {
        "call_id": f"call-{seat}", "version": 3, "epoch": 1, "seat": seat, "state": CallState.LIVE,
        "prison_number": f"A{1000 + seat}BC", "forename": "Owen", "surname": f"HARRIS{seat}",
        "callers": [CallerView("Carol Harris", "mother", "adult", "family-1")],
        "legs": [LegView("room", True, True), LegView("family-1", True, True)],
        "starts_at_ms": now_ms - 600_000, "ends_at_ms": now_ms + 1_800_000 + seat * 7000,
        "latest_end_ms": now_ms + 2_400_000,
    }  # fmt: skip
    return CallView(**fields)


def _health(call: CallView) -> CallHealth:
    legs = [LegHealth(leg, True, 20, 1, 2.0, 30.0, 25.0, 500.0) for leg in ("room", "family-1")]
    return CallHealth(call.call_id, True, "", RecordingState.RECORDING, 400, 60_000, "", legs)


@contextmanager
def feeding(folder: Path) -> Iterator[Feed]:
    feed = Feed(folder / "feed.sock")
    thread = threading.Thread(target=feed.run, daemon=True)
    thread.start()
    feed._ready.wait(30)
    try:
        yield feed
    finally:
        feed.stop()
        thread.join(5)
