"""The establishment's own way to be called: a program that is started with each alarm, as JSON on its input."""

import asyncio
import json
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

HOOK_S = 10.0
"""How long the program may take; then it is killed."""


class Alarm:
    """`raise_` returns at once; what came of the program is logged. `hook` None: there is none."""

    def __init__(self, hook: Path | None) -> None:
        self._hook = str(hook.absolute()) if hook is not None else None
        self._running: set[asyncio.Task[None]] = set()

    def raise_(self, **event: Any) -> None:
        log.error("alarm", **event)
        if self._hook is not None:
            task = asyncio.ensure_future(self._run(self._hook, json.dumps(event).encode()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, hook: str, event: bytes) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                hook, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            log.error("alarm hook not started", hook=hook, error=error.strerror)
            return
        try:
            await asyncio.wait_for(process.communicate(event), HOOK_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.returncode:
            log.error("alarm hook failed", hook=hook, status=process.returncode)
