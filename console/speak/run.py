"""Runs the console line by line: the link, the lines out, the lines in.

Without a terminal on the standard input it only tells, for a log; then it never counts as somebody who watches.
"""

import asyncio
import signal
import sys
import threading
import time
from typing import Any, TextIO

from console.desk import Desk
from console.link import Link, Refused
from console.settings import Settings
from console.state.safe_text import safe
from console.state.vigilance import Vigilance
from schemas.call import Role
from schemas.console import Beat, ConsoleWelcome, Snapshot

from .commands import obey
from .teller import Teller
from .words import plural

TICK_S = 0.1
NOBODY_MS = 2**40
"""How long nobody has used a console at which nobody can type."""
OFFICERS = (Role.OFFICER, Role.ORDERLY_OFFICER, Role.GOVERNOR)


class Speaker:
    """Prints to `out`; `typing` says whether somebody can answer."""

    def __init__(self, settings: Settings, out: TextIO, typing: bool) -> None:
        self._out, self._typing = out, typing
        self._desk = Desk(time.monotonic(), self._send)
        # No picture is seen here, so no call is looked at from here.
        self._desk.show_pictures(False)
        self._link = Link(settings, self._receive, self._desk.gone, self._beat, lambda: (0, 0))
        self._teller = Teller()
        self._joined = False
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Until `quit`, the end of what is typed, or a signal. Refused when the server says no for good."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.add_signal_handler(number, self._done.set)
        if self._typing:
            threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        linked = asyncio.create_task(self._link.run())
        leaving = asyncio.create_task(self._done.wait())
        try:
            while not (linked.done() or leaving.done()):
                self._tell()
                await asyncio.wait((linked, leaving), timeout=TICK_S)
            if linked.done():
                linked.result()
        finally:
            for task in (linked, leaving):
                task.cancel()
            await asyncio.wait((linked, leaving), timeout=0.5)

    def _send(self, message: Any) -> bool:
        if isinstance(message, Beat):
            message = self._beat()
        return self._link.send(message)

    def _beat(self) -> Beat:
        beat = self._desk.beat(time.monotonic())
        return beat if self._typing else Beat("", False, NOBODY_MS)

    def _receive(self, message: Any, now_s: float) -> None:
        self._desk.receive(message, now_s)
        if isinstance(message, ConsoleWelcome) and not self._joined:
            may = "" if message.role in OFFICERS else " This role has no calls to hear of."
            self._print(f"{safe(message.establishment_name)}. You are {safe(message.staff_name)}, {message.role}.{may}")
        if isinstance(message, Snapshot) and not self._joined:
            self._joined = True
            self._print(f"{plural(len(self._desk.wall.calls), 'call')}. Type help for the commands.")
        if self._joined:
            self._tell()

    def _tell(self) -> None:
        now_s = time.monotonic()
        self._desk.look(now_s)
        if not self._joined:
            return
        vigil = self._desk.vigilance(now_s)[0] if self._typing else Vigilance.QUIET
        for line in self._teller.look(self._desk.wall, self._desk.acts, vigil, now_s):
            self._print(line)

    def _print(self, line: str) -> None:
        print(f"{self._desk.wall.link.clock(time.monotonic())} {line}", file=self._out, flush=True)

    # -- what is typed

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(self._obey, line)
        loop.call_soon_threadsafe(self._done.set)

    def _obey(self, line: str) -> None:
        now_s = time.monotonic()
        answer = obey(self._desk, line, now_s)
        for said in answer.lines:
            self._print(said)
        self._tell()
        if answer.leave:
            self._done.set()


def run(settings: Settings) -> int:
    """0 when it was left. SystemExit with one sentence when the server does not want this console."""
    speaker = Speaker(settings, sys.stdout, sys.stdin.isatty())
    try:
        asyncio.run(speaker.run())
    except Refused as refused:
        raise SystemExit(f"console: the server refuses this console: {safe(str(refused))}.") from refused
    except BrokenPipeError:
        return 0  # whoever listened has gone
    return 0
