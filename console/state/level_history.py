"""How loud a side was over the last minute and a half, in half seconds."""

from collections import deque
from dataclasses import dataclass, field

STEP_MS = 500
STEPS = 180


@dataclass(frozen=True)
class Step:
    """The loudest RMS and the highest peak of half a second, tenths of a dBFS."""

    rms: int
    peak: int


@dataclass
class LevelHistory:
    """`at_ms` is the laptop's clock. Half seconds in which nothing was measured are None, not silence."""

    _steps: deque[Step | None] = field(default_factory=lambda: deque[Step | None](maxlen=STEPS))
    _newest: int = -1

    def take(self, at_ms: int, rms: int, peak: int) -> None:
        at = at_ms // STEP_MS
        if at < self._newest:  # the laptop has started anew, and its clock with it
            self._newest = at - 1
        if self._newest < 0:
            self._newest = at - 1
        if at > self._newest:
            self._steps.extend([None] * min(STEPS, at - self._newest))
            self._newest = at
        before = self._steps[-1]
        if before is None:
            self._steps[-1] = Step(rms, peak)
        elif rms > before.rms or peak > before.peak:
            self._steps[-1] = Step(max(rms, before.rms), max(peak, before.peak))

    def last(self, count: int, silent_s: float = 0.0, each: int = 1) -> list[Step | None]:
        """The newest `count` stretches of `each` half seconds, oldest first, `silent_s` after the last level."""
        missing = int(max(0.0, silent_s) * 1000 // STEP_MS)
        steps = [*self._steps, *([None] * min(STEPS, missing))]
        # Stretches begin where the laptop's clock does, or bars would change as they move.
        steps += [None] * (-(self._newest + missing + 1) % each)
        steps = [None] * max(0, count * each - len(steps)) + steps[-count * each :]
        made: list[Step | None] = []
        for start in range(0, len(steps), each):
            known = [step for step in steps[start : start + each] if step is not None]
            made.append(Step(max(s.rms for s in known), max(s.peak for s in known)) if known else None)
        return made
