"""The agent's side of its watchdog: starts it, tells it each second that the event loop comes round, and reads what it
noted of agents before this one."""

import asyncio
import errno
import os
import subprocess
import sys
from pathlib import Path

import structlog

from .rules.carrying import LEASE_S

log = structlog.get_logger()

BEAT_S = 1.0
HUNG_S = LEASE_S + 1.0
"""An agent that hangs longer than a lease would also hold what the lease's end has to stop."""
NOTES = "hung.log"


class Watchdog:
    """`start` in the event loop that is to be watched. When the watchdog itself is lost, a new one is started."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / NOTES
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        """OSError when no process can be started, or none could end this one."""
        if os.getpid() == 1:  # pid_namespaces(7): what is in its own namespace can't kill it
            raise OSError(errno.EPERM, "nobody in a container can end its first process: start it by an init")
        program = Path(__file__).with_name("watchdog.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), str(os.getpid()), str(HUNG_S), str(self._notes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            close_fds=True,
            cwd="/",
        )
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._beat()

    def close(self) -> None:
        """The agent ends as it should."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(1)

    def _beat(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), b".")
        except BlockingIOError:
            pass  # it has enough to read
        except OSError:
            log.error("the watchdog was lost, another is started")
            self._process.stdin.close()
            self._process.poll()
            self._timer = self._loop.call_later(BEAT_S, self._again)
            return
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def _again(self) -> None:
        if self._closed:
            return
        try:
            self.start()
        except OSError as error:
            log.error("no watchdog", reason=error.strerror)
            self._timer = self._loop.call_later(BEAT_S, self._again)


def hung_before(folder: Path) -> tuple[int, int]:
    """How often an agent with this folder was killed because it hung, and when last: UTC ms, 0 for never."""
    try:
        lines = (folder / NOTES).read_bytes().split()
        return len(lines), int(lines[-1]) * 1000 if lines else 0
    except (OSError, ValueError):
        return 0, 0
