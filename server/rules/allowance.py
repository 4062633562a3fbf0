"""A rate with some to spare after a silence (a token bucket)."""


class Allowance:
    """`per_s` on average, `at_once` more after a silence. Times in seconds, of any clock that only goes forward."""

    def __init__(self, per_s: float, at_once: float, now_s: float) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._left, self._counted_at_s = at_once, now_s

    def take(self, now_s: float) -> bool:
        """One of it; False when there is none."""
        left = self._left + (now_s - self._counted_at_s) * self._per_s
        if left > self._at_once:
            left = self._at_once
        self._counted_at_s = now_s
        taken = left >= 1
        self._left = left - 1 if taken else left
        return taken
