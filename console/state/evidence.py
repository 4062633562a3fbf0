"""A recorded stretch as far as it has come, and the place in it that is on the screen; offsets from the flag's key."""

from bisect import bisect_right
from dataclasses import dataclass, field

from schemas.incident import LEVEL_EACH_MS, PICTURE_EACH_MS, PICTURE_HELD_MS, EvidenceOutcome, EvidencePicture, Gap
from schemas.media import Side
from schemas.review import ReviewEvidence, ReviewEvidenceDone

SKIP_MS = 5000
SHOWN_MAX = 100


@dataclass
class Evidence:
    """Nothing in here is made up: where nothing is recorded, there is no picture, and `missing` says why."""

    from_ms: int
    to_ms: int
    outcome: EvidenceOutcome | None = None
    words: str = ""
    until_ms: int = 0
    gaps: list[Gap] = field(default_factory=list[Gap])
    pictures: dict[Side, list[EvidencePicture]] = field(default_factory=lambda: {side: [] for side in Side})
    _levels: dict[Side, tuple[int, list[int | None]]] = field(default_factory=dict[Side, tuple[int, list[int | None]]])

    def take(self, piece: ReviewEvidence) -> None:
        for picture in piece.pictures:
            if len(picture.pixels) == picture.width * picture.height * 3:
                self.pictures[picture.side].append(picture)
        for levels in piece.levels:
            self._levels[levels.side] = levels.from_ms, levels.rms

    def done(self, message: ReviewEvidenceDone) -> None:
        self.outcome, self.words, self.until_ms = message.outcome, message.words, message.until_ms
        self.gaps = message.gaps

    @property
    def loaded_ms(self) -> int:
        """How far it can be played: both sides come in step."""
        if self.outcome in (EvidenceOutcome.WHOLE, EvidenceOutcome.TO_COME):
            return min(self.to_ms, self.until_ms)
        return max((of_side[-1].at_ms for of_side in self.pictures.values() if of_side), default=self.from_ms)

    @property
    def count(self) -> int:
        return sum(map(len, self.pictures.values()))

    def picture(self, side: Side, at_ms: int) -> EvidencePicture | None:
        """What was seen at this moment; None in a gap."""
        of_side = self.pictures[side]
        index = bisect_right(of_side, at_ms, key=lambda picture: picture.at_ms) - 1
        if index < 0 or at_ms - of_side[index].at_ms > PICTURE_HELD_MS + PICTURE_EACH_MS:
            return None
        return of_side[index]

    def missing(self, side: Side, at_ms: int) -> str:
        """Why there is no picture at this moment."""
        if self.outcome is None:
            return "the recording is being read"
        for gap in self.gaps:
            if gap.side == side and gap.from_ms - PICTURE_EACH_MS <= at_ms <= gap.to_ms + PICTURE_EACH_MS:
                return gap.words
        return self.words if self.outcome in (EvidenceOutcome.FAILED, EvidenceOutcome.NOTHING) else "nothing recorded"

    def level(self, side: Side, from_ms: int, to_ms: int) -> int | None:
        """The loudest RMS in this time, tenths of a dBFS; None where no sound is recorded or none has come yet."""
        if side not in self._levels:
            return None
        begin_ms, rms = self._levels[side]
        first = max(0, (from_ms - begin_ms) // LEVEL_EACH_MS)
        last = max(first + 1, (to_ms - begin_ms) // LEVEL_EACH_MS)
        return max((level for level in rms[first:last] if level is not None), default=None)


@dataclass
class Player:
    """The place in the stretch. Every picture that it comes to is noted as seen, and none that it jumps over."""

    evidence: Evidence
    at_ms: int
    playing: bool = False
    speed: int = 1
    seen: set[tuple[Side, int]] = field(default_factory=set[tuple[Side, int]])
    _looked_s: float = 0.0
    _untold: set[tuple[Side, int]] = field(default_factory=set[tuple[Side, int]])

    def look(self, now_s: float) -> bool:
        """Time has passed; True when the place is another."""
        passed_ms = round((now_s - self._looked_s) * 1000) * self.speed
        self._looked_s = now_s
        if not self.playing or passed_ms <= 0:
            return False
        end_ms = self.evidence.loaded_ms
        self.at_ms = min(self.at_ms + passed_ms, max(end_ms, self.at_ms), self._next_but_one_ms() - 1)
        if self.at_ms >= end_ms and self.evidence.outcome is not None:
            self.playing = False
        return True

    def _next_but_one_ms(self) -> int:
        """Playing stays before it: no picture is passed over, however late the player is looked at."""
        until_ms = self.evidence.to_ms + 1
        for of_side in self.evidence.pictures.values():
            index = bisect_right(of_side, self.at_ms, key=lambda picture: picture.at_ms) + 1
            if index < len(of_side):
                until_ms = min(until_ms, of_side[index].at_ms)
        return until_ms

    def play_or_stop(self, now_s: float) -> None:
        self._looked_s = now_s
        self.playing = not self.playing
        if self.playing and self.at_ms >= self.evidence.loaded_ms and self.evidence.outcome is not None:
            self.at_ms = self.evidence.from_ms

    def step(self, pictures: int) -> None:
        """To a neighbouring picture; stops."""
        self.playing = False
        grid = self.evidence.from_ms + (self.at_ms - self.evidence.from_ms) // PICTURE_EACH_MS * PICTURE_EACH_MS
        if pictures < 0 and grid < self.at_ms:
            grid += PICTURE_EACH_MS
        self.at_ms = self._within(grid + pictures * PICTURE_EACH_MS)

    def go(self, at_ms: int) -> None:
        """Anywhere; what lies between is not shown."""
        self.at_ms = self._within(at_ms)

    def note_shown(self) -> None:
        """The pictures of this place are on the screen now."""
        for side in Side:
            picture = self.evidence.picture(side, self.at_ms)
            if picture is not None and (side, picture.at_ms) not in self.seen:
                self.seen.add((side, picture.at_ms))
                self._untold.add((side, picture.at_ms))

    @property
    def unseen(self) -> int:
        """How many pictures have come and were not on the screen yet."""
        pictures = self.evidence.pictures.values()
        return sum((one.side, one.at_ms) not in self.seen for of_side in pictures for one in of_side)

    def take_shown(self) -> dict[Side, list[int]]:
        """When the pictures were taken that have been shown since the last call, some of them when there are many."""
        told = sorted(self._untold)[:SHOWN_MAX]
        self._untold -= set(told)
        return {side: [at for of_side, at in told if of_side == side] for side in Side}

    def _within(self, at_ms: int) -> int:
        return max(self.evidence.from_ms, min(at_ms, self.evidence.loaded_ms))
