"""How long an admitted family device may be away before it has to be admitted again."""

from collections.abc import Set


class Absences:
    """Times are seconds on CLOCK_BOOTTIME."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._since: dict[str, float] = {}

    def over(self, away: Set[str], now: float) -> list[str]:
        """Of those who are away now, the ones whose grace is over."""
        self._since = {name: self._since.get(name, now) for name in away}
        return sorted(name for name, since in self._since.items() if now - since >= self._grace_s)
