"""A process that is steered by JSON lines: commands on stdin, events on stdout."""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

LINE_BYTES_MAX = 1 << 20


def say(event: str, **fields: Any) -> None:
    """One line on stdout, at once; `at`: CLOCK_MONOTONIC, s."""
    sys.stdout.write(json.dumps({"event": event, **fields, "at": time.monotonic()}) + "\n")
    sys.stdout.flush()


def read_commands(line: Callable[[bytes], None], end: Callable[[], None]) -> None:
    """From now on calls, on the running loop, `line` with each line that comes, and `end` when stdin has ended."""
    threading.Thread(target=_read, args=(asyncio.get_running_loop(), line, end), daemon=True).start()


def _read(loop: asyncio.AbstractEventLoop, line: Callable[[bytes], None], end: Callable[[], None]) -> None:
    """In a thread, since stdin may be a file; by os.read, since a thread inside sys.stdin would hold the exit."""
    waiting = b""
    try:
        while chunk := os.read(0, 65536):
            *lines, waiting = (waiting + chunk).split(b"\n")
            if len(waiting) > LINE_BYTES_MAX:
                waiting = b""
            for whole in lines:
                if whole.strip():
                    loop.call_soon_threadsafe(line, whole)
    except OSError:
        pass
    try:
        loop.call_soon_threadsafe(end)
    except RuntimeError:
        pass  # the loop has ended before stdin has
