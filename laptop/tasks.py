"""Work that goes on beside whoever has begun it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks(set[asyncio.Task[Any]]):
    """Those that are not done: the event loop itself keeps none of them alive."""

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.add(task)
        task.add_done_callback(self.discard)


def in_loop(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    """From any thread; nothing once the loop has ended."""
    try:
        loop.call_soon_threadsafe(work)
    except RuntimeError:
        pass
