"""What one client has received: packets counted as they arrive, pictures and sound decoded in a thread of their own."""

import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from aiortc.codecs.vpx import VpxPayloadDescriptor
from av.error import FFmpegError

from demo.peers.clip import is_key_frame

ARRIVALS_KEPT = 2000
RUNS_KEPT = 50
RUN_GAP_S = 0.4
FRAMES_WAITING_MAX = 400
LEVEL_FRAMES = 50
"""So many Opus frames of 20 ms make the second that a level is taken over."""
FULL_SCALE = 32768.0
KEY_FRAME_ASKED_EVERY_S = 0.5


class Received:
    """Counts and arrival times (CLOCK_MONOTONIC, s) of one client's media, over all its connections; or of what came
    from one leg, which counts for `whole` too."""

    def __init__(self, whole: "Received | None" = None) -> None:
        self._whole = whole
        self.packets = {"audio": 0, "video": 0}
        self.last_of_kind_at: dict[str, float] = {}
        self.runs: deque[tuple[float, bool]] = deque(maxlen=RUNS_KEPT)
        """Each time that pictures came after none for RUN_GAP_S: (its first packet's arrival, it began a key frame)."""
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.arrivals: list[float] = []
        """Of the first packets of either kind."""
        self.frames_decoded = 0
        self.audio_frames = 0
        self.not_decoded = 0
        """Frames that were broken, came before a key frame, or found the decoder too far behind."""
        self._levels: deque[tuple[float, float]] = deque(maxlen=LEVEL_FRAMES)
        """(when decoded, mean square) of the newest Opus frames."""

    def packet(self, kind: str, payload: bytes = b"") -> None:
        now = time.monotonic()
        if self._whole is not None:
            self._whole.packet(kind, payload)
        self.packets[kind] += 1
        if kind == "video" and now - self.last_of_kind_at.get("video", 0.0) > RUN_GAP_S:
            self.runs.append((now, begins_key_frame(payload)))
        self.last_of_kind_at[kind] = now
        if self.first_at is None:
            self.first_at = now
        self.last_at = now
        if len(self.arrivals) < ARRIVALS_KEPT:
            self.arrivals.append(now)

    def decoded(self, pictures: int) -> None:
        self.frames_decoded += pictures
        if self._whole is not None:
            self._whole.decoded(pictures)

    def not_decodable(self) -> None:
        self.not_decoded += 1
        if self._whole is not None:
            self._whole.not_decodable()

    def sound(self, mean_square: float) -> None:
        if self._whole is not None:
            self._whole.sound(mean_square)
        self.audio_frames += 1
        self._levels.append((time.monotonic(), mean_square))

    def report(self) -> dict[str, Any]:
        """Levels are null when no sound was decoded in the last second."""
        since = time.monotonic() - 1
        squares = [square for at, square in list(self._levels) if at >= since]
        return {
            "packets": dict(self.packets),
            "last_of_kind_at": dict(self.last_of_kind_at),
            "runs": list(self.runs),
            "first_at": self.first_at,
            "last_at": self.last_at,
            "frames_decoded": self.frames_decoded,
            "audio_frames": self.audio_frames,
            "not_decoded": self.not_decoded,
            "rms_dbfs": _dbfs(sum(squares) / len(squares)) if squares else None,
            "loudest_dbfs": _dbfs(max(squares)) if squares else None,
            "arrivals": self.arrivals if self._whole is None else [],
        }


def begins_key_frame(payload: bytes) -> bool:
    """True for the first packet of a VP8 key frame (RFC 7741, section 4)."""
    try:
        descriptor, data = VpxPayloadDescriptor.parse(payload)
    except ValueError:
        return False
    return bool(descriptor.partition_start and descriptor.partition_id == 0 and data and is_key_frame(data))


def _dbfs(mean_square: float) -> float:
    return round(10 * math.log10(max(mean_square, 1e-12)), 1)


class Decoding:
    """One thread that decodes for all clients of the process: av lets go of the interpreter while it decodes.

    At most FRAMES_WAITING_MAX frames wait; what comes then is left out, and its decoder waits for a key frame.
    """

    def __init__(self) -> None:
        self._frames: queue.Queue[tuple[Decoder, bytes]] = queue.Queue(FRAMES_WAITING_MAX)
        threading.Thread(target=self._run, name="decoding", daemon=True).start()

    def put(self, decoder: "Decoder", frame: bytes) -> None:
        try:
            self._frames.put_nowait((decoder, frame))
        except queue.Full:
            decoder.lost()

    def _run(self) -> None:
        while True:
            decoder, frame = self._frames.get()
            decoder.decode(frame)


class Decoder:
    """One stream's decoder; `ask_for_key_frame` is called, from the decoding thread, when pictures can't go on."""

    def __init__(self, kind: str, received: Received, ask_for_key_frame: Callable[[], None]) -> None:
        self._received, self._ask_for_key_frame = received, ask_for_key_frame
        self._codec: Any = av.CodecContext.create("vp8" if kind == "video" else "opus", "r")
        self._codec.thread_count = 1
        self._video = kind == "video"
        self._needs_key_frame = self._video
        self._asked_at = 0.0

    def lost(self) -> None:
        self._received.not_decodable()
        self._needs_key_frame = self._video

    def decode(self, frame: bytes) -> None:
        if not frame:
            return
        if self._needs_key_frame:
            if not is_key_frame(frame):
                self._received.not_decodable()
                self._ask()
                return
            self._needs_key_frame = False
        try:
            decoded = self._codec.decode(av.Packet(frame))
        except FFmpegError:
            self.lost()
            if self._video:
                self._ask()
            return
        if self._video:
            self._received.decoded(len(decoded))
            return
        for sound in decoded:
            self._received.sound(mean_square(sound))

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked_at >= KEY_FRAME_ASKED_EVERY_S:
            self._asked_at = now
            self._ask_for_key_frame()


def mean_square(sound: av.AudioFrame) -> float:
    """Of all samples, with full scale as 1."""
    samples = sound.to_ndarray().reshape(-1).astype(np.float32)
    if sound.format.name.startswith("s16"):
        samples /= FULL_SCALE
    return float(np.dot(samples, samples) / max(1, len(samples)))
