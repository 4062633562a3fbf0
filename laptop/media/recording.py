"""Records both sides of a call to this machine's disk: the encoded packets as they came, one Matroska file a side.

One thread writes. Each second it makes everything that it has durable, with a line in `durable.log` even when nothing
came, so that the age of the newest record says whether the disk takes anything. fsync's answer is the only proof.
"""

import io
import os
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from schemas.health import RecordingFault
from schemas.media import Side

DURABLE_LOG = "durable.log"
QUEUE_MAX = 4000
"""Packets that may wait: about 20 s of a call. A full queue fails the recording; nothing is left out silently."""
EACH_S = 1.0
BATCH_S = 0.1
"""What has come is written so often: waking for each packet costs more than writing it."""
BYTES_PER_S = 2 * 1_000_000 // 8
"""Disk that a call may need each second: two sides of 1 Mbit/s."""
SPARE_BYTES = 2 * 1024**3
MATROSKA = {"cluster_time_limit": "1000", "flush_packets": "1", "live": "1"}
MILLISECOND = Fraction(1, 1000)
CLOCK_RATE = {"audio": 48_000, "video": 90_000}
DEFAULT_SIZE = (640, 360)


class RecordingError(Exception):
    """The recording can't be made, in words for an officer and as a code for support."""

    def __init__(self, words: str, fault: RecordingFault = RecordingFault.NOT_WRITABLE) -> None:
        super().__init__(words)
        self.fault = fault


@dataclass(slots=True)
class Piece:
    """One encoded frame. `timestamp` in RTP clock units, growing; `came_at` CLOCK_MONOTONIC s; `size` of a picture;
    `source` the leg that it came from, `room` or `family-1` to `family-4`."""

    side: Side
    kind: str
    data: bytes
    timestamp: int
    came_at: float
    key: bool
    size: tuple[int, int]
    source: str = ""


def call_folder(folder: Path, call_id: str) -> Path:
    """Where a call is recorded; RecordingError for an identity that would lead elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", call_id):
        raise RecordingError(f"the call's identity {call_id!r} is no name for a folder")
    return folder / call_id


class Recording:
    """`start`, `add` for each frame, `finish`. `on_durable(begun_at)` and `on_failed(words)` are called in its thread;
    `begun_at` (CLOCK_BOOTTIME, s): everything that was added before then is on the disk. `server_ms(at)`: the server's
    time at `at` (CLOCK_BOOTTIME, s), UTC ms, 0 while it is not known; it dates what is recorded."""

    def __init__(
        self,
        folder: Path,
        call_id: str,
        on_durable: Callable[[float], None],
        on_failed: Callable[[str], None],
        server_ms: Callable[[float], int] = lambda at: 0,
    ) -> None:
        self.folder = call_folder(folder, call_id)
        self.recorded_ms = 0
        self.fault = RecordingFault.NONE
        self._on_durable, self._on_failed, self._server_ms = on_durable, on_failed, server_ms
        self._queue: queue.Queue[Piece] = queue.Queue(QUEUE_MAX)
        self._files: dict[str, _SideFile] = {}
        """Source -> its file."""
        self._log: io.BufferedWriter | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._finishing = threading.Event()
        self._failed = False

    def start(self, planned_s: float) -> None:
        """Returns when the first record is durable; RecordingError when there is no room or nothing can be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
            needed = round(1.5 * planned_s * BYTES_PER_S) + SPARE_BYTES
            if free < needed:
                words = f"the disk has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed"
                raise RecordingError(words, RecordingFault.NO_ROOM)
            self._log = (self.folder / DURABLE_LOG).open("ab")
            self._make_durable()
        except OSError as error:
            raise RecordingError(f"the disk can't be written ({error.strerror})") from error
        self._thread.start()

    def add(self, piece: Piece) -> None:
        """Never waits. When the disk is too slow, the recording has failed."""
        if self._failed:
            return
        try:
            self._queue.put_nowait(piece)
        except queue.Full:
            self._fail("the disk is too slow", RecordingFault.TOO_SLOW)

    def finish(self, wait_s: float = 3.0) -> None:
        """Ends the files. Returns when all of it is durable, or after `wait_s`."""
        self._finishing.set()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        due = time.monotonic() + EACH_S
        try:
            finished = False
            while not finished:
                finished = self._finishing.wait(BATCH_S)
                while (piece := self._next()) is not None:
                    self._write(piece)
                if time.monotonic() >= due:
                    due = time.monotonic() + EACH_S
                    self._make_durable()
            for file in self._files.values():
                file.close()
            self._make_durable()
        except (OSError, av.error.FFmpegError, ValueError) as error:
            self._fail(f"the disk can't be written ({getattr(error, 'strerror', None) or error})")

    def _next(self) -> Piece | None:
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def _write(self, piece: Piece) -> None:
        file = self._files.get(piece.source or piece.side)
        if file is None:
            file = self._files[piece.source or piece.side] = _SideFile(self._path(piece.side), piece.size)
        file.write(piece)
        self.recorded_ms = max(self.recorded_ms, file.written_ms)

    def _path(self, side: Side) -> Path:
        """A new file each time: for another device of the side, and for an agent that started anew."""
        number = 1
        while (path := self.folder / (f"{side}.mkv" if number == 1 else f"{side}-{number}.mkv")).exists():
            number += 1
        return path

    def _make_durable(self) -> None:
        begun_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        since_boot_s = begun_at - time.monotonic()
        assert self._log is not None
        for file in self._files.values():
            file.make_durable()
        said = [f"server={self._server_ms(begun_at)}"]
        said += [f"{side}={file.bytes}" for side, file in self._files.items()]
        for file in self._files.values():
            said += file.dates(lambda came_at: self._server_ms(came_at + since_boot_s))
        self._log.write(f"{time.time():.3f} {self.recorded_ms} {' '.join(said)}\n".encode())
        self._log.flush()
        os.fsync(self._log.fileno())
        if not self._failed:
            self._on_durable(begun_at)

    def _fail(self, words: str, fault: RecordingFault = RecordingFault.NOT_WRITABLE) -> None:
        if not self._failed:
            self._failed = True
            self.fault = fault
            self._on_failed(words)


class _SideFile:
    """One side's sound and picture. Its times start at 0 with the first frame, whichever kind it is."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.bytes = 0
        self.written_ms = 0
        self._name = path.name
        self._file = path.open("xb")
        self._container: Any = av.open(_Counted(self, self._file), "w", format="matroska", options=MATROSKA)
        width, height = size if size[0] else DEFAULT_SIZE
        self._video = self._container.add_mux_stream("vp8", width=width, height=height, time_base=MILLISECOND)
        self._audio = self._container.add_stream("libopus", rate=48_000)  # its encoder only supplies the codec's header
        self._audio.layout = "stereo"
        self._began: float | None = None
        self._origin: dict[str, float] = {}
        """Kind -> seconds to add to its RTP time."""
        self._last: dict[str, int] = {}
        self._newest: dict[str, tuple[int, float]] = {}
        """Kind -> (time in the file, ms; when it came) of the newest frame that has no date yet."""
        self._has_key = False

    def write(self, piece: Piece) -> None:
        if piece.kind == "video" and not self._has_key:
            if not piece.key:
                return  # nothing can be shown before a key frame
            self._has_key = True
        if self._began is None:
            self._began = piece.came_at
        seconds = piece.timestamp / CLOCK_RATE[piece.kind]
        if piece.kind not in self._origin:
            self._origin[piece.kind] = max(0.0, piece.came_at - self._began) - seconds
        at = self._origin[piece.kind] + seconds
        if abs(at - (piece.came_at - self._began)) > 1.0:  # the source's clock has jumped: go by arrival
            at = piece.came_at - self._began
            self._origin[piece.kind] = at - seconds
        at_ms = max(round(at * 1000), self._last.get(piece.kind, -1) + 1)  # the muxer wants growing times
        self._last[piece.kind] = at_ms
        self._newest[piece.kind] = at_ms, piece.came_at
        packet = av.Packet(piece.data)
        packet.stream = self._video if piece.kind == "video" else self._audio
        packet.time_base, packet.pts, packet.dts = MILLISECOND, at_ms, at_ms
        packet.is_keyframe = piece.key
        self._container.mux_one(packet)
        self.written_ms = max(self.written_ms, at_ms)

    def dates(self, server_ms: Callable[[float], int]) -> list[str]:
        """`family.mkv:video=12340@1795530000123`: this time in the file came at this time of the server.

        The file's own times are the sender's clock, which drifts and jumps; these say when a frame was really there.
        """
        newest, self._newest = self._newest, {}
        dated = ((kind, at_ms, server_ms(came_at)) for kind, (at_ms, came_at) in newest.items())
        return [f"{self._name}:{kind}={at_ms}@{utc_ms}" for kind, at_ms, utc_ms in dated if utc_ms]

    def make_durable(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._container.close()
        self.make_durable()


class _Counted:
    """What the muxer writes to; it can't seek, so it never goes back to change what is durable."""

    def __init__(self, side_file: _SideFile, file: io.BufferedWriter) -> None:
        self._side_file, self._file = side_file, file

    def write(self, data: bytes) -> int:
        self._side_file.bytes += len(data)
        return self._file.write(data)
