"""Is somebody at this console? After ten minutes without a key it asks; unanswered for a minute, it no longer counts.

The server has the same limits (server/rules/supervision.py) and decides; this only says it beforehand.
"""

from enum import Enum, auto

from schemas.call import Role

PROMPT_S = 600.0
ANSWER_S = 60.0
TOLD_BEFORE_S = 240.0
WATCHING = (Role.OFFICER, Role.ORDERLY_OFFICER)


class Vigilance(Enum):
    QUIET = auto()
    COMING = auto()
    """The next prompt is less than four minutes away."""
    ASKED = auto()
    MISSED = auto()


def vigilance(role: Role | None, unused_s: float) -> tuple[Vigilance, float]:
    """How it stands, and the seconds until that changes (0: it does not by itself). Only who watches is asked."""
    if role not in WATCHING:
        return Vigilance.QUIET, 0.0
    if unused_s < PROMPT_S - TOLD_BEFORE_S:
        return Vigilance.QUIET, PROMPT_S - TOLD_BEFORE_S - unused_s
    if unused_s < PROMPT_S:
        return Vigilance.COMING, PROMPT_S - unused_s
    if unused_s < PROMPT_S + ANSWER_S:
        return Vigilance.ASKED, PROMPT_S + ANSWER_S - unused_s
    return Vigilance.MISSED, 0.0


def unsupervised_words(pauses_in_s: float, ends_in_s: float) -> str:
    """What the header says while nobody watches."""
    if pauses_in_s > 0:
        return f"■ NOT SUPERVISED: calls pause in {pauses_in_s:.0f} s, end in {ends_in_s:.0f} s"
    if ends_in_s > 0:
        return f"■ NOT SUPERVISED: calls are paused, and end in {ends_in_s:.0f} s"
    return "■ NOT SUPERVISED: calls have ended"
