"""Records a call to this machine's disk: the encoded packets as they came, a stream for each source, sealed.

One thread writes, a record each 0.8 s, a gap record when nothing came: so the age of the newest record says whether the
disk takes anything.
"""

import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from schemas.health import RecordingFault
from schemas.recording import RECORD_EACH_S, STREAMS_MAX, Chunk

from ..boottime import boottime
from .part_file import PartFile, Sealing
from .stream import Piece, SenderReport, Stream

QUEUE_MAX = 4000
"""Frames that may wait: about 20 s of a call. A full queue fails the recording; nothing is left out silently."""
BYTES_PER_S = 2 * 1_000_000 // 8
"""Disk that a call may need each second: two sides of 1 Mbit/s."""
SPARE_BYTES = 2 * 1024**3


class RecordingError(Exception):
    """The recording can't be made, in words for an officer and as a code for support."""

    def __init__(self, words: str, fault: RecordingFault = RecordingFault.NOT_WRITABLE) -> None:
        super().__init__(words)
        self.fault = fault


def call_folder(folder: Path, call_id: str) -> Path:
    """Where a call is recorded; RecordingError for an identity that would lead elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", call_id):
        raise RecordingError(f"the call's identity {call_id!r} is no name for a folder")
    return folder / call_id


class Recording:
    """`start`, `add` for each frame, `report` for each sender report, `finish`.

    `on_durable(begun_at)` and `on_failed(words)` are called in its thread; `begun_at` (CLOCK_BOOTTIME, s): everything
    that was added before then is on the disk. `server_ms(at)`: the server's time at `at` (CLOCK_BOOTTIME, s), UTC ms, 0
    while it is not known; it dates what is recorded.
    """

    def __init__(
        self,
        folder: Path,
        call_id: str,
        sealing: Sealing,
        on_durable: Callable[[float], None],
        on_failed: Callable[[str], None],
        server_ms: Callable[[float], int] = lambda at: 0,
    ) -> None:
        self.call_id, self.folder = call_id, call_folder(folder, call_id)
        self.recorded_ms = 0
        self.fault = RecordingFault.NONE
        self.part: PartFile | None = None
        """What is written; None before the start."""
        self._sealing = sealing
        self._on_durable, self._on_failed, self._server_ms = on_durable, on_failed, server_ms
        self._waiting: deque[Piece | SenderReport] = deque()
        self._streams: dict[str, Stream] = {}
        self._began = 0.0
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._finishing = threading.Event()
        self._failed = False

    def start(self, planned_s: float) -> None:
        """Returns when the first record is durable; RecordingError when there is no room or nothing can be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            free = shutil.disk_usage(self.folder).free
            needed = round(1.5 * planned_s * BYTES_PER_S) + SPARE_BYTES
            if free < needed:
                words = f"the disk has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed"
                raise RecordingError(words, RecordingFault.NO_ROOM)
            self.part = PartFile(self.folder, self.call_id, self._sealing)
            self._began = time.monotonic()
            self._record(self.part)
        except OSError as error:
            raise RecordingError(f"the disk can't be written ({error.strerror})") from error
        except ValueError as error:
            raise RecordingError(str(error)) from error
        self._thread.start()

    def add(self, piece: Piece) -> None:
        """Never waits. When the disk is too slow, the recording has failed."""
        if self._failed:
            return
        if len(self._waiting) >= QUEUE_MAX:
            self._fail("the disk is too slow", RecordingFault.TOO_SLOW)
            return
        self._waiting.append(piece)

    def report(self, report: SenderReport) -> None:
        """Never waits."""
        if not self._failed and len(self._waiting) < QUEUE_MAX:
            self._waiting.append(report)

    @property
    def over(self) -> bool:
        """It was started and nothing more is written."""
        return self.part is not None and self._thread.ident is not None and not self._thread.is_alive()

    def finish(self, wait_s: float = 3.0) -> None:
        """Ends the file. Returns when all of it is durable, or after `wait_s`."""
        self._finishing.set()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        part = self.part
        assert part is not None
        due = time.monotonic() + RECORD_EACH_S
        try:
            finished = False
            while not finished and not self._failed:
                finished = self._finishing.wait(max(0.0, due - time.monotonic()))
                due = max(due + RECORD_EACH_S, time.monotonic())
                self._record(part)
            if not self._failed:
                part.end(self._at_ms(boottime()))
        except OSError as error:
            self._fail(f"the disk can't be written ({error.strerror or error})")
        finally:
            part.close()

    def _record(self, part: PartFile) -> None:
        begun_at = boottime()
        since_boot_s = begun_at - time.monotonic()
        for _ in range(len(self._waiting)):
            self._sort_in(self._waiting.popleft())
        keys = sum(1 << stream.number for stream in self._streams.values() if stream.has_key)
        taken = (s.take(lambda came_at: self._server_ms(came_at + since_boot_s)) for s in self._streams.values())
        chunks: list[Chunk] = [chunk for chunk in taken if chunk is not None]
        part.write(chunks, keys, self._at_ms(begun_at))
        self.recorded_ms = max((stream.written_ms for stream in self._streams.values()), default=0)
        if not self._failed:
            self._on_durable(begun_at)

    def _sort_in(self, what: Piece | SenderReport) -> None:
        stream = self._streams.get(what.source)
        if isinstance(what, SenderReport):
            if stream is not None:
                stream.report(what)
            return
        if stream is None:
            if len(self._streams) == STREAMS_MAX:
                raise OSError(f"more than {STREAMS_MAX} sources")
            stream = self._streams[what.source] = Stream(what.source, len(self._streams), self._began)
        stream.add(what)

    def _at_ms(self, at: float) -> int:
        """This machine's own time until the server's is known."""
        return self._server_ms(at) or round(time.time() * 1000)

    def _fail(self, words: str, fault: RecordingFault = RecordingFault.NOT_WRITABLE) -> None:
        if not self._failed:
            self._failed = True
            self.fault = fault
            self._on_failed(words)
