"""One source's stream in a recording: RTP times become times of the stream, frames become Matroska."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.matroska import TRACKS, Block, clusters, header
from schemas.recording import Chunk, Date

from .rtp import CLOCK_RATE

DEFAULT_SIZE = (640, 360)
JUMP_S = 1.0
"""A source whose own clock is so far from when its frames come is dated anew."""


@dataclass(slots=True)
class Piece:
    """One encoded frame. `source`: the leg's name; `timestamp` in RTP clock units, growing; `came_at` CLOCK_MONOTONIC,
    s; `size` of a picture."""

    source: str
    kind: str
    data: bytes
    timestamp: int
    came_at: float
    key: bool
    size: tuple[int, int]


@dataclass(slots=True)
class SenderReport:
    """RTCP: at this RTP time of this kind it was `ntp_ms` by the sender's own clock."""

    source: str
    kind: str
    timestamp: int
    ntp_ms: float


@dataclass(slots=True)
class _Track:
    """One kind of a stream. `origin_s`: to add to its RTP time; `report`: the newest, (RTP time s, sender's ms)."""

    origin_s: float
    origins: int = 0
    last_ms: int = -1
    newest: tuple[int, float, float] | None = None
    """(time in the stream ms, RTP time s, when it came) of the newest frame without a date."""
    report: tuple[float, float] | None = None


class Stream:
    """`add` frames and reports; `take` what has come since. `began`: CLOCK_MONOTONIC at time 0 of all streams, s."""

    def __init__(self, source: str, number: int, began: float) -> None:
        self.source, self.number = source, number
        self.written_ms = 0
        self.has_key = False
        """There is a key frame in what `take` will give."""
        self._began = began
        self._tracks: dict[str, _Track] = {}
        self._blocks: list[Block] = []
        self._dates: list[tuple[str, _Track, tuple[int, float, float], int]] = []
        self._has_begun = self._has_picture = False
        self._size = DEFAULT_SIZE

    def add(self, piece: Piece) -> None:
        if piece.kind == "video" and not self._has_picture:
            if not piece.key:
                return  # nothing can be shown before a key frame
            self._has_picture, self._size = True, piece.size if piece.size[0] else DEFAULT_SIZE
        came_s = max(0.0, piece.came_at - self._began)
        seconds = piece.timestamp / CLOCK_RATE[piece.kind]
        track = self._tracks.get(piece.kind)
        new = track is None
        if track is None:
            track = self._tracks[piece.kind] = _Track(came_s - seconds)
        elif abs(track.origin_s + seconds - came_s) > JUMP_S:  # the source's clock has jumped: go by arrival
            self._date(piece.kind, track)
            track.origin_s, track.origins, track.report, new = came_s - seconds, track.origins + 1, None, True
        at_ms = max(round((track.origin_s + seconds) * 1000), track.last_ms + 1, 0)  # players want growing times
        track.last_ms, track.newest = at_ms, (at_ms, seconds, piece.came_at)
        if new:
            self._date(piece.kind, track)
        self._blocks.append(Block(TRACKS[piece.kind], at_ms, piece.key, piece.data))
        self.has_key |= piece.key and piece.kind == "video"
        self.written_ms = max(self.written_ms, at_ms)

    def report(self, report: SenderReport) -> None:
        track = self._tracks.get(report.kind)
        if track is not None:
            track.report = report.timestamp / CLOCK_RATE[report.kind], report.ntp_ms

    def take(self, server_ms: Callable[[float], int]) -> Chunk | None:
        """What has come since the last time; None when nothing has. `server_ms(at)`: the server's time, UTC ms, at a
        moment of CLOCK_MONOTONIC."""
        if not self._blocks:
            return None
        for kind, track in self._tracks.items():
            self._date(kind, track)
        dates = [
            Date(kind, at_ms, server_ms(came_at), _ntp_ms(track, seconds), origins)
            for kind, track, (at_ms, seconds, came_at), origins in self._dates
        ]
        data = clusters(self._blocks)
        if not self._has_begun:
            self._has_begun, data = True, header(*self._size) + data
        self._blocks, self._dates, self.has_key = [], [], False
        return Chunk(self.source, self.number, data, dates)

    def _date(self, kind: str, track: _Track) -> None:
        if track.newest is not None:
            self._dates.append((kind, track, track.newest, track.origins))
            track.newest = None


def _ntp_ms(track: _Track, seconds: float) -> int:
    """The sender's time of a frame by the newest report; 0 while there is none."""
    if track.report is None:
        return 0
    reported_s, ntp_ms = track.report
    return round(ntp_ms + (seconds - reported_s) * 1000)
