"""What was measured of one call: levels of both sides, its health, and the newest pictures."""

import struct
from collections import deque
from dataclasses import dataclass, field

from schemas.media import SILENCE, Box, CallHealth, Levels, Picture, PictureMode, RecordingState, Side

from .level_history import LevelHistory

BARS = 7
RECORD_LATE_MS = 3000
"""Without a newer durable record for so long, the media stop."""
LEVEL_HELD_S = 0.7
"""A level is measured ten times a second; after so long without one there is none."""


@dataclass
class SideLevel:
    """One side's bars, the loudest RMS of each of the last seven seconds, and the current one; tenths of a dBFS."""

    now: int = SILENCE
    bars: deque[int] = field(default_factory=lambda: deque([SILENCE] * BARS, BARS))

    def add(self, level: int, seconds_on: int) -> None:
        if seconds_on:
            self.bars.extend([SILENCE] * min(seconds_on, BARS))
        self.now = level
        if level > self.bars[-1]:
            self.bars[-1] = level


BoxKey = tuple[Side, int, int, PictureMode]
"""Side, width and height of the box, mode."""
_BYTES_A_PIXEL = {PictureMode.RGB: 3, PictureMode.GREY: 1}
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def box_key(box: Box) -> BoxKey:
    return box.side, box.width, box.height, box.mode


@dataclass(frozen=True)
class Shown:
    """A picture, and when the laptop took it in the console's monotonic time, s."""

    picture: Picture
    taken_s: float


@dataclass
class CallMedia:
    """Times are the console's monotonic clock, s."""

    levels: dict[Side, SideLevel] = field(default_factory=lambda: {side: SideLevel() for side in Side})
    history: dict[Side, LevelHistory] = field(default_factory=lambda: {side: LevelHistory() for side in Side})
    levels_s: float = -1e9
    health: CallHealth | None = None
    fault_since_s: float | None = None
    """Since when it is not recorded as it should be."""
    uncopied_since_s: float | None = None
    """Since when the server's copy of the recording is behind."""
    stopped_since_s: float | None = None
    """Since when nothing is carried."""
    health_s: float = -1e9
    pictures: dict[BoxKey, Shown] = field(default_factory=dict[BoxKey, Shown])
    """By the box that each was made for."""
    _second: int = -1
    _lead_ms: float | None = None
    """Least difference seen between the console's clock and the laptop's: what is later than it has been under way."""
    _newest_ms: int = -1

    def take_levels(self, levels: Levels, now_s: float) -> None:
        second = levels.at_ms // 1000
        on = second - self._second if 0 <= self._second <= second else BARS
        self._second = second
        self.levels[Side.FAMILY].add(levels.family_rms, on)
        self.levels[Side.ROOM].add(levels.room_rms, on)
        self.history[Side.FAMILY].take(levels.at_ms, levels.family_rms, levels.family_peak)
        self.history[Side.ROOM].take(levels.at_ms, levels.room_rms, levels.room_peak)
        self.levels_s = self._taken_s(levels.at_ms, now_s)

    def take_health(self, health: CallHealth, now_s: float) -> bool:
        """False when only figures have changed, which are drawn anew each second."""
        before, self.health, self.health_s = self.health, health, now_s
        fault = _late(health) or health.recording == RecordingState.FAILED
        self.fault_since_s = (self.fault_since_s if self.fault_since_s is not None else now_s) if fault else None
        if health.carrying:
            self.stopped_since_s = None
        elif self.stopped_since_s is None:
            self.stopped_since_s = now_s
        return before is None or _said(before) != _said(health)

    def take_picture(self, picture: Picture, now_s: float) -> bool:
        """False for a picture whose bytes are not its size: it is not shown."""
        if not _is_whole(picture):
            return False
        key = picture.side, picture.box_width, picture.box_height, picture.mode
        self.pictures[key] = Shown(picture, self._taken_s(picture.at_ms, now_s))
        return True

    def keep_boxes(self, wanted: frozenset[BoxKey]) -> None:
        """Forgets pictures of sizes that are no longer asked for, but never the last one of a side."""
        for side in Side:
            of_side = [key for key in self.pictures if key[0] == side]
            if any(key in wanted for key in of_side):
                for key in of_side:
                    if key not in wanted:
                        del self.pictures[key]

    def picture(self, side: Side, box_width: int, box_height: int, mode: PictureMode = PictureMode.RGB) -> Shown | None:
        """The picture for this box, else the newest of the side in this mode that is no larger than it."""
        exact = self.pictures.get((side, box_width, box_height, mode))
        if exact is not None:
            return exact
        fitting = [
            shown
            for (of_side, _, _, of_mode), shown in self.pictures.items()
            if (of_side, of_mode) == (side, mode)
            and shown.picture.width <= box_width
            and shown.picture.height <= box_height
        ]
        return max(fitting, key=lambda shown: (shown.picture.width, shown.taken_s), default=None)

    def level(self, side: Side, now_s: float) -> int | None:
        """The side's current level, tenths of a dBFS; None when nothing has been measured lately."""
        return self.levels[side].now if self.heard(now_s) else None

    def heard(self, now_s: float) -> bool:
        """Levels have been measured lately."""
        return now_s - self.levels_s < LEVEL_HELD_S

    def _taken_s(self, at_ms: int, now_s: float) -> float:
        difference = now_s * 1000 - at_ms
        if self._lead_ms is None or difference < self._lead_ms or at_ms < self._newest_ms - 10_000:
            self._lead_ms = difference  # the last: the laptop has started anew, and its clock with it
            self._newest_ms = at_ms
        self._newest_ms = max(self._newest_ms, at_ms)
        return now_s - (difference - self._lead_ms) / 1000


def _is_whole(picture: Picture) -> bool:
    """Whether the bytes are a picture of its size."""
    size = picture.width, picture.height
    if picture.mode == PictureMode.PNG:  # it goes to the terminal as it is: a small one that says so is what it may be
        return picture.pixels[:24] == _PNG_HEAD + struct.pack("!II", *size)
    return len(picture.pixels) == size[0] * size[1] * _BYTES_A_PIXEL[picture.mode]


def _late(health: CallHealth) -> bool:
    return health.recording == RecordingState.RECORDING and health.recording_age_ms > RECORD_LATE_MS


def _said(health: CallHealth) -> tuple[object, ...]:
    """What is told in words of it."""
    connected = [leg.connected for leg in health.legs]
    return health.carrying, health.why_not, health.recording, health.recording_words, _late(health), connected
