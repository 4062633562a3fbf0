"""Debian's kitty on a display of its own: keys go in, and what comes out is looked at pixel by pixel."""

import os
import shlex
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo.processes import end_with_parent

from .debian import install_all

WITHIN_S = 20.0
SCREEN = 2000, 1400
_SIZE = "import fcntl,sys,termios; sys.stdout.buffer.write(fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))"


class Kitty:
    """One window of `columns` × `rows` cells in the corner of the screen."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._folder, self._socket = folder, f"unix:{folder / 'kitty.sock'}"
        reading, writing = os.pipe()
        screen = ("-screen", "0", f"{SCREEN[0]}x{SCREEN[1]}x24", "-fbdir", str(folder))
        command = ["Xvfb", "-displayfd", str(writing), *screen, "-nolisten", "tcp"]
        with (folder / "xvfb.log").open("wb") as log:
            self._screen = subprocess.Popen(
                command, pass_fds=[writing], stderr=log, preexec_fn=end_with_parent(os.getpid())
            )
        os.close(writing)
        with os.fdopen(reading) as told:
            self._display = f":{told.readline().strip()}"
        self._kitty: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], errors: Path) -> None:
        size = self._folder / "size"
        measure = f"{shlex.join([command[0], '-c', _SIZE])} >{shlex.quote(str(size))}"
        line = f"{measure}; exec {shlex.join(command)} 2>{shlex.quote(str(errors))}"
        options = {
            "allow_remote_control": "yes", "remember_window_size": "no", "initial_window_width": f"{self.columns}c",
            "initial_window_height": f"{self.rows}c", "window_padding_width": "0", "placement_strategy": "top-left",
            "font_size": "9", "cursor_blink_interval": "0", "update_check_interval": "0", "enable_audio_bell": "no",
            "confirm_os_window_close": "0", "background": "#000000",
        }  # fmt: skip
        set_to = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        environment = os.environ | {"DISPLAY": self._display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        for name in ("WAYLAND_DISPLAY", "TMUX", "NO_COLOR"):
            environment.pop(name, None)
        with (self._folder / "kitty.log").open("wb") as log:
            self._kitty = subprocess.Popen(
                ["kitty", "--config", "NONE", *set_to, "--listen-on", self._socket, "sh", "-c", line],
                stdout=log, stderr=log, env=environment, preexec_fn=end_with_parent(os.getpid()),
            )  # fmt: skip
        self.until(lambda: size.exists() and size.stat().st_size == 8, "kitty has started")
        rows, columns, width, height = struct.unpack("HHHH", size.read_bytes())
        assert (columns, rows) == (self.columns, self.rows), (columns, rows)
        self.cell = width // columns, height // rows

    def press(self, keys: str) -> None:
        self._ask("send-text", "--stdin", text=keys)

    def text(self) -> list[str]:
        return self._ask("get-text").splitlines()

    def see(self, words: str) -> None:
        self.until(lambda: any(words in line for line in self.text()), words)

    def find(self, words: str) -> tuple[int, int]:
        """Column and row of the first of them."""
        return next((line.index(words), row) for row, line in enumerate(self.text()) if words in line)

    def pixels(self) -> NDArray[np.uint8]:
        """(height, width, 3) of the window, as the screen shows it. X's own format (XWDFile.h), which Xvfb writes."""
        data = (self._folder / "Xvfb_screen0").read_bytes()
        head = struct.unpack("!25I", data[:100])
        size, width, height, line, colours = head[0], head[4], head[5], head[12], head[19]
        rows = np.frombuffer(data, np.uint8, height * line, size + colours * 12).reshape(height, line)
        whole = rows[:, : width * 4].reshape(height, width, 4)[..., 2::-1]
        return whole[: self.rows * self.cell[1], : self.columns * self.cell[0]]

    def cells(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        """The pixels of these cells."""
        across, down = self.cell
        return self.pixels()[y * down : (y + height) * down, x * across : (x + width) * across]

    def until(self, condition: Callable[[], object], what: str, seconds: float = WITHIN_S) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            log = self._folder / "kitty.log"
            assert self._kitty is not None and self._kitty.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "\n".join([f"not seen: {what}", *self.text()])
            time.sleep(0.05)

    def _ask(self, *words: str, text: str | None = None) -> str:
        command = ["kitty", "@", "--to", self._socket, *words]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=WITHIN_S)
        assert done.returncode == 0, f"kitty {words}: {done.stderr}"
        return done.stdout

    def ended(self) -> None:
        """The program has ended, and its window with it."""
        assert self._kitty is not None
        self._kitty.wait(WITHIN_S)

    def stop(self) -> None:
        for process in (self._kitty, self._screen):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def kitty(folder: Path, command: Sequence[str], columns: int = 200, rows: int = 60) -> Iterator[Kitty]:
    install_all({"kitty": "kitty", "Xvfb": "xvfb", "fc-list": "fontconfig"}, "fonts-dejavu-core", "libgl1-mesa-dri")
    one = Kitty(folder, columns, rows)
    try:
        one.start(command, folder / "console.err")
        yield one
    finally:
        one.stop()
    assert (folder / "console.err").read_text() == ""
