"""`sightline demo`: with a terminal the wall with live calls on it, without one a measured run and its report."""

import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

ATTRIBUTION = (Path(__file__).parent / "media" / "ATTRIBUTION").read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Settings:
    """`seconds`: how long a headless run watches its live calls. `data` None: a temporary folder."""

    calls: int = 6
    headless: bool = False
    seconds: float = 20
    report: Path | None = None
    picture: Path | None = None
    data: Path | None = None
    port: int = 0


def run(settings: Settings) -> int:
    """Runs until the console is left (or the headless run is over); stops every part however it ends."""
    if not 1 <= settings.calls <= 36:
        raise SystemExit(f"demo: {settings.calls} calls were asked for; give --calls from 1 to 36.")
    if settings.headless and settings.seconds < 5:
        raise SystemExit(f"demo: {settings.seconds:g} seconds are too short to measure; give --seconds 5 or more.")
    for file in (settings.report, settings.picture):
        if file is not None and not file.absolute().parent.is_dir():
            raise SystemExit(f"demo: {file} can't be written, {file.absolute().parent} is no folder; choose another.")
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    started = time.monotonic()
    try:
        if settings.headless:
            from demo.headless import run_headless

            return run_headless(settings, ATTRIBUTION)
        from demo.interactive import run_interactive

        return run_interactive(settings, ATTRIBUTION, started)
    except KeyboardInterrupt:
        print("demo: stopped.", file=sys.stderr)
        return 130


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
