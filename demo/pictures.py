"""`python -m demo.pictures docs`: pictures of the console's screens with the demo's calls on them.

Each is an SVG that Debian's rsvg-convert turns into a PNG.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from demo.chain import Chain
from demo.establishment import second_device_at
from demo.headless import running
from demo.officer import F3
from demo.picture import as_svg
from demo.terminal import Terminal

SCREENS = (
    # name, columns, rows, the keys that lead there, what it shows then, the keys back
    ("wall", 200, 60, "", "01 ", ""),
    ("focus", 120, 40, "\r", "─ FAMILY ·", "q"),
    ("one-side", 120, 40, "\rs", "─ FAMILY ·", "q"),
    ("end", 120, 40, "X", "END seat", "\r"),
    ("by-need", 120, 40, "t", " #  NAME", "t"),
    ("list", 80, 24, "", " #  NAME", ""),
    ("keys", 120, 40, "?", "KEYS OF THE WALL", "q"),
)
CALLS, SETTLED_S = 6, 2.0


def make(folder: Path) -> None:
    chain = Chain(CALLS, second_device_at=second_device_at(CALLS))
    with running(chain) as run:
        run.terminal.resize(120, 40)
        shows(run.terminal, "admission", "seat 06", 60)  # the caller whose booking has something to read
        run.terminal.press("06")
        run.terminal.press(F3)
        shows(run.terminal, "admission", "CHECK LIST")
        run.terminal.press("12")
        run.terminal.wait_for(lambda _: False, SETTLED_S)
        save(run.terminal, folder / "admission.png")
        run.terminal.press("q")
        run.admit_all()
        for name, columns, rows, there, shown, back in SCREENS:
            run.terminal.resize(columns, rows)
            press(run.terminal, there)
            shows(run.terminal, name, shown)
            run.terminal.wait_for(lambda _: False, SETTLED_S)
            save(run.terminal, folder / f"{name}.png")
            press(run.terminal, back)


def shows(terminal: Terminal, name: str, words: str, seconds: float = 10) -> None:
    assert terminal.wait_for(lambda t: t.shows(words), seconds), f"{name} was not shown"


def press(terminal: Terminal, keys: str) -> None:
    for key in keys:
        terminal.press(key)


def save(terminal: Terminal, file: Path) -> None:
    convert = shutil.which("rsvg-convert")
    assert convert, "rsvg-convert is missing; run once: apt-get install -y librsvg2-bin"
    subprocess.run([convert, "-w", str(terminal.columns * 10), "-o", file], input=as_svg(terminal).encode(), check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
