"""Refused connections and links go to the log and into the audit; a flood of them fills neither."""

import time
from collections import Counter
from collections.abc import Callable

import structlog

from ..rules.allowance import Allowance

log = structlog.get_logger()

EACH_PER_S, EACH_AT_ONCE = 1, 100
"""So many have a line and an entry of their own, others are counted together: 90,000 entries in a day of flood."""
SUM_S = 10.0


class Refusals:
    """Call it with who was refused and why, the code first: `4003 the token belongs to nobody`.

    `record(action, detail, who=…, role=…, accepted=…)` makes an entry that nothing waits for.
    """

    def __init__(self, record: Callable[..., None]) -> None:
        self._record = record
        self._each = Allowance(EACH_PER_S, EACH_AT_ONCE, time.monotonic())
        self._more: Counter[str] = Counter()
        self._summed_at = time.monotonic()

    def __call__(self, who: str, why: str) -> None:
        code, _, reason = why.partition(" ")
        if self._each.take(time.monotonic()):
            log.warning("link refused", who=who, code=int(code), reason=reason)
            self._record("link_refused", why, who=who, role="unknown", accepted=False)
        else:
            self._more[code] += 1

    def sum_up(self, at_once: bool = False) -> None:
        """To be called each second or so."""
        now = time.monotonic()
        if not self._more or (now - self._summed_at < SUM_S and not at_once):
            return
        self._summed_at = now
        words = ", ".join(f"{count} with {code}" for code, count in sorted(self._more.items()))
        self._more.clear()
        log.warning("links refused", more=words)
        detail = f"{words}, besides those with an entry of their own"
        self._record("links_refused", detail, who="several", role="unknown", accepted=False)
