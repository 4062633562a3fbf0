"""A second console link without a screen: counts what the server sends to a console, for the demo's report."""

import threading
import time
from collections import defaultdict

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from schemas.call import CallState, CallView
from schemas.console import Beat, CallChanged, ConsoleHello, ConsoleWelcome, Delta, Snapshot, to_console
from schemas.media import CallHealth
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, encode

BEAT_S = 2.0
"""A console that does not beat is given up by the server."""


class Observer:
    """Counts from `start_window` on; call ids as keys. Runs in a thread until `stop`."""

    def __init__(self, server: str, establishment: str, token: str) -> None:
        self.calls: dict[str, CallView] = {}
        self.health: dict[str, CallHealth] = {}
        self.ever_live: set[str] = set()
        self._server, self._hello = server, ConsoleHello(PROTOCOL_VERSION, establishment, token)
        self._levels: dict[str, int] = defaultdict(int)
        self._pictures: dict[tuple[str, str, int, int], int] = defaultdict(int)
        self._since: float | None = None
        self._took_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def start_window(self) -> None:
        self._levels.clear()
        self._pictures.clear()
        self._since = time.monotonic()

    def end_window(self) -> None:
        assert self._since is not None
        self._took_s = time.monotonic() - self._since
        self._since = None

    def levels_hz(self, calls: set[str]) -> list[float]:
        """Level messages a second of each call in the window, in rising order."""
        return sorted(self._levels[call] / self._took_s for call in calls)

    def pictures_fps(self, calls: set[str]) -> list[float]:
        """Pictures a second of each call, side and size in the window, in rising order."""
        return sorted(n / self._took_s for (call, *_), n in self._pictures.items() if call in calls)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(3)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(
                    f"{self._server}/console", compression=None, max_size=MAX_SERVER_FRAME_BYTES, open_timeout=3
                ) as link:
                    link.send(encode(self._hello))
                    beat_due = 0.0
                    while not self._stop.is_set():
                        if time.monotonic() >= beat_due:
                            beat_due = time.monotonic() + BEAT_S
                            link.send(encode(Beat("", False, 0)))
                        try:
                            self._take(to_console.decode(link.recv(timeout=0.5)))
                        except TimeoutError:
                            continue
            except (OSError, TimeoutError, ConnectionClosed, WebSocketException):
                self._stop.wait(0.25)

    def _take(self, message: object) -> None:
        match message:
            case Snapshot():
                for call in message.calls:
                    self._call(call)
                for health in message.health:
                    self.health[health.call_id] = health
            case CallChanged():
                self._call(message.call)
            case Delta():
                for health in message.health:
                    self.health[health.call_id] = health
                if self._since is not None:
                    for level in message.levels:
                        self._levels[level.call_id] += 1
                    for picture in message.pictures:
                        key = (picture.call_id, str(picture.side), picture.box_width, picture.box_height)
                        self._pictures[key] += 1
            case ConsoleWelcome() | _:
                pass

    def _call(self, call: CallView) -> None:
        self.calls[call.call_id] = call
        if call.state == CallState.LIVE:
            self.ever_live.add(call.call_id)
