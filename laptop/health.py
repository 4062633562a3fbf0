"""How the agent and its machine do, told to the server each second once it has asked, whether or not a call is on."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from schemas.health import AgentHealth, RecordingFault, WhyNot
from schemas.wire import Message

from .guarded import hung_before
from .rules.strain import Strain

LOOK_S = 0.5
"""How often the event loop is asked to come round, by a call ten times a second besides; what it is late is its lag."""
MIB = 1024 * 1024


class HealthTeller:
    """`state()` gives why nothing is carried and what the recording's fault is, `strain()` how the call's work goes,
    `left_out()` how many messages the link has left out so far; `send` never waits."""

    def __init__(
        self,
        folder: Path,
        state: Callable[[], tuple[WhyNot, RecordingFault]],
        strain: Callable[[], Strain],
        left_out: Callable[[], int],
        send: Callable[[Message], None],
    ) -> None:
        self._folder, self._state, self._strain, self._left_out, self._send = folder, state, strain, left_out, send
        self._hung, self._hung_at_ms = hung_before(folder)
        self._told_left_out = self._told_dropped = 0
        self._started = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def start(self, every_ms: int) -> None:
        """A new wish replaces the one before."""
        self.stop()
        self._task = asyncio.ensure_future(self._tell(every_ms / 1000))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _tell(self, every_s: float) -> None:
        while True:
            began, cpu_s, lag_s = time.monotonic(), time.process_time(), 0.0
            while (left_s := began + every_s - time.monotonic()) > 0:
                asked, wait_s = time.monotonic(), min(LOOK_S, left_s)
                await asyncio.sleep(wait_s)
                lag_s = max(lag_s, time.monotonic() - asked - wait_s)
            # In a thread: a disk that hangs must not make the media wait.
            total, free = await asyncio.to_thread(self._disk)
            strain, (why_not, fault) = self._strain(), self._state()
            busy = (time.process_time() - cpu_s) / (time.monotonic() - began)
            self._send(
                AgentHealth(
                    utc_ms=time.time_ns() // 1_000_000,
                    up_s=round(time.monotonic() - self._started),
                    cpu_per_mille=round(busy * 1000),
                    loop_lag_ms=round(max(lag_s, strain.late_s) * 1000),
                    disk_free_mib=free,
                    disk_total_mib=total,
                    why_not=why_not,
                    recording_fault=fault,
                    frames_waiting=strain.frames_waiting,
                    frames_dropped=max(0, strain.frames_dropped - self._told_dropped),
                    messages_left_out=self._left_out() - self._told_left_out,
                    errors_contained=strain.errors_contained,
                    hung=self._hung,
                    hung_at_ms=self._hung_at_ms,
                )
            )
            self._told_dropped, self._told_left_out = strain.frames_dropped, self._left_out()

    def _disk(self) -> tuple[int, int]:
        """Total and free, MiB; 0 and 0 when the disk does not answer."""
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return 0, 0
        return usage.total // MIB, usage.free // MIB
