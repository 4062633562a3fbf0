"""Whether the other end of a link lives.

A timer a link, not a task, and those of many links at the same instants: a server with an establishment's links is
woken for them a few times a second and not a hundred times.
"""

import asyncio
import itertools
import math
import time

from .link import Link

MEASURED_S = 10.0
"""A link that is never quiet is pinged so often all the same, for its round trip."""
PHASES = 4
"""Links are looked at in so many groups, each at an instant of its own."""

_next_phase = itertools.cycle(range(PHASES))


class Pulse:
    """Pings a link when nothing has come for `every_s` (and each 10 s); aborts it after `silent_s`. `cancel` ends it.

    Without `pings` it only looks: a console says something by itself.
    """

    def __init__(self, link: Link, every_s: float, silent_s: float, *, pings: bool = True) -> None:
        self._link, self._every_s, self._silent_s, self._pings = link, every_s, silent_s, pings
        self._offset_s = next(_next_phase) / PHASES * every_s
        self._pinged_at = 0.0
        self._pinging: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_soon(self._look)

    def cancel(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        quiet_s = self._link.quiet_s
        if quiet_s > self._silent_s:
            self._link.abort(f"silent for {self._silent_s:g} s")
            return
        now = time.monotonic()
        if self._pings and (quiet_s >= self._every_s or now - self._pinged_at >= MEASURED_S):
            self._pinged_at = now
            self._pinging = asyncio.ensure_future(self._link.ping())
        past = math.floor((self._loop.time() - self._offset_s) / self._every_s)
        self._timer = self._loop.call_at((past + 1) * self._every_s + self._offset_s, self._look)
