"""How long a program's event loop stands still, as the loop itself sees it."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

EACH_S = 0.005
VARIABLE = "SIGHTLINE_BENCH_STALLS"
"""Names the file that is written; not set, nothing is watched."""


def watched(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """On SIGUSR1 the longest pause (s) since the last one is written to the file, and forgotten."""
    if VARIABLE in os.environ:
        loop.call_soon(_Watch(loop, Path(os.environ[VARIABLE])).begin)
    return loop


class _Watch:
    def __init__(self, loop: asyncio.AbstractEventLoop, file: Path) -> None:
        self._loop, self._file = loop, file
        self._last_s = time.monotonic()
        self._longest_s = 0.0

    def begin(self) -> None:
        self._loop.add_signal_handler(signal.SIGUSR1, self._tell)
        self._last_s = time.monotonic()
        self._look()

    def _look(self) -> None:
        now_s = time.monotonic()
        self._longest_s = max(self._longest_s, now_s - self._last_s - EACH_S)
        self._last_s = now_s
        self._loop.call_later(EACH_S, self._look)

    def _tell(self) -> None:
        now_s = time.monotonic()
        aside = self._file.with_suffix(".new")
        aside.write_text(json.dumps(max(self._longest_s, now_s - self._last_s - EACH_S)))
        aside.replace(self._file)
        self._longest_s = 0.0
