"""Does the level that a sender claims of its sound (RFC 6464) fit the sound that was decoded?

Levels that are shown come from decoded sound alone: the claim is the client's word. One that contradicts its sound says
that something other than a browser sends it, or that it is meant to deceive.
"""

import math

WINDOW_S = 1.0
FLOOR_DBFS = -120.0
CONTRADICTS_DB = 12.0
"""Opus and the sender's own measuring stay within a few dB of each other over a second of speech."""
QUIET_DBFS = -55.0
"""Where both are quieter nothing is compared: comfort noise and rounding differ."""
TO_SAY, TO_TAKE_BACK = 3, 5
"""Seconds in a row."""
SINE_DBOV = 3.01
"""dBov counts from the loudest square wave: a full-scale sine is -3.01 dBov (RFC 6464, 3) and 0 dBFS (AES17)."""


class ClaimedLevel:
    """`add` each packet of one source. `louder_db`: by so much the sound of the newest second is louder than its claim
    (negative: quieter), once that has been so for TO_SAY seconds; 0 while they agree."""

    def __init__(self) -> None:
        self.louder_db = 0
        self._began: float | None = None
        self._claimed = self._decoded = 0.0
        self._packets = self._contradicted = self._agreed = 0

    def add(self, at: float, claimed_dbov: int, mean_square: float) -> None:
        """`claimed_dbov`: 0 (loudest) to 127 below; `mean_square` of the decoded packet, a full-scale sine being 0.5;
        `at`: CLOCK_MONOTONIC, s, growing."""
        if self._began is None:
            self._began = at
        if at - self._began >= WINDOW_S and self._packets:
            self._judge(at)
        # 127 is the RFC's silence.
        self._claimed += 10 ** (-claimed_dbov / 10) if claimed_dbov < 127 else 0.0
        self._decoded += mean_square
        self._packets += 1

    def _judge(self, at: float) -> None:
        claimed = _dbfs(self._claimed / self._packets)
        decoded = _dbfs(self._decoded / self._packets)
        self._began, self._claimed, self._decoded, self._packets = at, 0.0, 0.0, 0
        # What is quiet may be as quiet as it likes.
        louder = max(decoded, QUIET_DBFS) - max(claimed, QUIET_DBFS)
        if abs(louder) > CONTRADICTS_DB:
            self._contradicted, self._agreed = self._contradicted + 1, 0
            if self._contradicted >= TO_SAY:
                self.louder_db = round(louder)
        else:
            self._contradicted, self._agreed = 0, self._agreed + 1
            if self._agreed >= TO_TAKE_BACK:
                self.louder_db = 0


def _dbfs(mean_square: float) -> float:
    """With a full-scale sine, whose mean square is 0.5, as 0."""
    return 10 * math.log10(mean_square) + SINE_DBOV if mean_square > 10 ** (FLOOR_DBFS / 10) else FLOOR_DBFS
