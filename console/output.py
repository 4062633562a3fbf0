"""Writes to the terminal from a thread of its own, so that a terminal that does not read delays nothing else."""

import os
import select
import termios
import threading
from collections import deque
from collections.abc import Callable

CHUNK = 4096
MOST = 512 * 1024
"""Bytes that may wait; with more the terminal has stopped reading, and all of it is old."""
LEAVE_S = 0.3
FULL_S = 0.05
"""How often a terminal that takes nothing is looked at."""


class Output:
    """`write` never waits. When more than MOST waits it is all dropped; `on_lost` is called (in the thread) as soon as
    the terminal reads again, for a painting of everything.
    """

    def __init__(self, descriptor: int, on_lost: Callable[[], None] = lambda: None) -> None:
        self._descriptor, self._on_lost = _own(descriptor), on_lost
        self._may_try = self._descriptor != descriptor
        """A write takes what the terminal takes at once, and does not wait."""
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lost = self._ending = self._broken = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)

    @property
    def backlog(self) -> int:
        """Bytes that the terminal's device has not taken yet."""
        return self._size

    def start(self) -> None:
        self._thread.start()

    def write(self, data: bytes) -> None:
        with self._changed:
            if self._lost and not self._ending:
                return
            if self._may_try and not (self._size or self._lost):
                data = data[self._try(data) :]
            if not data:
                return
            self._waiting.append(data)
            self._size += len(data)
            if self._size > MOST:
                self._drop()
                self._lost = True
            self._changed.notify()

    def _try(self, data: bytes) -> int:
        """Bytes written at once: mostly all, and then no thread has to be woken for them."""
        try:
            return os.write(self._descriptor, data)
        except OSError:
            return 0  # full, or gone: the thread finds out

    def stop(self, farewell: bytes = b"") -> None:
        """Ends within LEAVE_S. To a terminal that has not taken all by then `farewell` goes instead of the rest: what
        gives it its own screen back."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(LEAVE_S)
        if self._thread.is_alive() and farewell:
            with self._changed:
                self._drop()
                self._lost = True  # what is being written ends as well
            try:
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
            except termios.error:
                return
            self._thread.join(LEAVE_S / 3)
            # In a thread too: where the descriptor is not our own, it may still not take anything.
            last = threading.Thread(target=self._say, args=(farewell,), daemon=True)
            last.start()
            last.join(LEAVE_S / 3)

    def _say(self, farewell: bytes) -> None:
        try:
            os.write(self._descriptor, farewell)
        except OSError:
            pass

    def _drop(self) -> None:
        self._waiting.clear()
        self._size = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._ending or self._broken:
                        return
                    self._changed.wait()
                data = b"".join(self._waiting)
                self._waiting.clear()
            if not self._write_all(data):
                self._broken = True
            with self._changed:
                lost, self._lost = self._lost, False
            if lost and not self._ending:
                self._on_lost()

    def _write_all(self, data: bytes) -> bool:
        """False when the terminal has gone; what was dropped meanwhile is not written."""
        view = memoryview(data)
        while view and not self._lost:
            try:
                written = os.write(self._descriptor, view[:CHUNK])
            except InterruptedError:
                continue
            except BlockingIOError:
                select.select([], [self._descriptor], [], FULL_S)
                continue
            except OSError:
                return False
            view = view[written:]
            with self._changed:
                self._size = max(0, self._size - written)
        return True


def _own(descriptor: int) -> int:
    """The same terminal, opened anew for writing without waiting: a write that waits could not be ended, and the shell
    shares what is set on the descriptor itself. The descriptor as it is where the terminal has no name."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return descriptor
