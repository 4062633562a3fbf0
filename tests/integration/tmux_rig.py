"""A console in a real tmux, on a server and a socket of its own: keys go in as a person's do, the screen comes out."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .debian import install

WITHIN_S = 10.0


class Tmux:
    """One window of `columns` × `rows`, without a status line."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._base = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        self._size = ["-x", str(columns), "-y", str(rows)]
        self._environment = {k: v for k, v in os.environ.items() if k != "TMUX"} | {"TERM": "xterm-256color"}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], capture_output=True, text=True, env=self._environment, timeout=WITHIN_S
        )
        assert done.returncode == 0, f"tmux {words}: {done.stderr}"
        return done.stdout

    def start(self, command: Sequence[str], errors: Path) -> None:
        line = f"exec {shlex.join(command)} 2>{shlex.quote(str(errors))}"
        self.run("new-session", "-d", *self._size, line, ";", "set", "-g", "status", "off")

    def ended(self) -> bool:
        """The program has ended, and its window with it."""
        done = subprocess.run([*self._base, "has-session"], capture_output=True, env=self._environment)
        return done.returncode != 0

    def press(self, *keys: str) -> None:
        """tmux's names of keys, or characters."""
        for key in keys:
            self.run("send-keys", *(("-l", key) if len(key) == 1 else (key,)))

    def text(self) -> list[str]:
        return self.run("capture-pane", "-p").splitlines()

    def see(self, words: str) -> None:
        self._until(words, True)

    def gone(self, words: str) -> None:
        self._until(words, False)

    def _until(self, words: str, shown: bool) -> None:
        deadline = time.monotonic() + WITHIN_S
        while True:
            lines = self.text()
            if any(words in line for line in lines) == shown:
                return
            assert time.monotonic() < deadline, "\n".join([f"{'not' if shown else 'still'} shown: {words}", *lines])
            time.sleep(0.03)


@contextmanager
def tmux(folder: Path, command: Sequence[str], columns: int = 120, rows: int = 40) -> Iterator[Tmux]:
    install("tmux")
    one = Tmux(folder, columns, rows)
    one.start(command, folder / "tmux.err")
    try:
        yield one
    finally:
        subprocess.run([*one._base, "kill-server"], capture_output=True, env=one._environment)
        assert (folder / "tmux.err").read_text() == ""
