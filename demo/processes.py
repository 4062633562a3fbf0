"""The demo's child processes: they start together, and none outlives the demo, however it ends."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

PR_SET_PDEATHSIG = 1  # prctl(2)
STOP_S = 4.0
"""How long a part may take to stop by itself (a laptop finishes its recordings) before it is killed, seconds."""

# Here, not in the child: after a fork no library is loaded any more.
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def end_with_parent(parent: int) -> Callable[[], None]:
    """What a child runs before its program: a session of its own, and SIGTERM when the parent dies, even by kill -9."""

    def prepare() -> None:
        os.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def child_environment() -> dict[str, str]:
    """Ours, less what would slow Python's starts down."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def sightline(*arguments: object) -> list[str]:
    """The command line of one part."""
    return [sys.executable, "-m", "cli", *map(str, arguments)]


def free_port() -> int:
    """A port of loopback that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_s(pid: int) -> float:
    """User and system time of a process and its children so far, seconds."""
    one = psutil.Process(pid)
    times = [each.cpu_times() for each in (one, *one.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def wait_or_kill(process: subprocess.Popen[Any], within_s: float) -> None:
    """Returns when a process that was told to end has ended; after so long by kill -9."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Part:
    """One running program of the demo."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    expected_to_run: bool = True
    _cpu_s: float = field(default=0.0, repr=False)

    def cpu_s(self) -> float:
        """User and system time of it and its children so far, seconds; the last value known once it has gone."""
        try:
            self._cpu_s = cpu_s(self.process.pid)
        except psutil.NoSuchProcess:
            pass
        return self._cpu_s

    def kill(self) -> None:
        """kill -9; that it has ended is no crash then."""
        self.expected_to_run = False
        self.process.kill()
        self.process.wait()

    def last_words(self) -> str:
        """The last line that it wrote to its log, for the sentence that says why it stopped."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it wrote nothing"


class Parts:
    """All programs of a demo. `log_folder` gets one file for each."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._parts: list[Part] = []
        log_folder.mkdir(parents=True, exist_ok=True)

    def start(
        self, name: str, command: Sequence[str], *, stdin: int | None = subprocess.DEVNULL, stdout: int | None = None
    ) -> Part:
        """Starts a program; its standard error (and its output, unless `stdout` is given) go to its log, after what the
        one before it of this name wrote there."""
        log = self._log_folder / f"{name}.log"
        with log.open("ab" if any(part.name == name for part in self._parts) else "wb") as file:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=file if stdout is None else stdout,
                stderr=file,
                env=child_environment(),
                preexec_fn=end_with_parent(os.getpid()),
            )
        return self.take(Part(name, process, log))

    def take(self, part: Part) -> Part:
        self._parts.append(part)
        return part

    def crashed(self) -> Part | None:
        """The first part that has ended though it was to run on."""
        return next((p for p in self._parts if p.expected_to_run and p.process.poll() is not None), None)

    def stop(self) -> None:
        """Ends all, the newest first; returns when none of them runs any more."""
        for part in reversed(self._parts):
            part.expected_to_run = False
            if part.process.poll() is None:
                part.process.terminate()
        deadline = time.monotonic() + STOP_S
        for part in self._parts:
            wait_or_kill(part.process, max(0.0, deadline - time.monotonic()))
            for pipe in (part.process.stdin, part.process.stdout):
                _close(pipe)


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        try:
            pipe.close()
        except BrokenPipeError:
            pass
