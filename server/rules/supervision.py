"""Does anybody watch? And what follows when nobody does: an alarm, then a pause, then the end of what is live.

A call is supervised while an officer's or orderly officer's console, beating and used, has its establishment open.
Times are seconds on a clock that only runs on.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from schemas.call import Role

WATCHING = (Role.OFFICER, Role.ORDERLY_OFFICER)
BEAT_LOST_S = 6.0
"""A console beats every 2 s."""
UNUSED_S = 660.0
"""Ten minutes without a key, then a minute to answer the question whether anybody is there."""
ALARM_S, PAUSE_S, END_S = 10.0, 30.0, 120.0


class Step(IntEnum):
    """What is due, one after the other; WATCHED: somebody watches (again)."""

    WATCHED = 0
    ALARM = 1
    PAUSE = 2
    END = 3


DUE_S = {Step.ALARM: ALARM_S, Step.PAUSE: PAUSE_S, Step.END: END_S}


@dataclass(frozen=True)
class Supervision:
    """`unwatched_since`: None while somebody watches. `step`: how far it has gone."""

    unwatched_since: float | None
    step: Step = Step.WATCHED

    def unwatched_s(self, now: float) -> float:
        return 0.0 if self.unwatched_since is None else now - self.unwatched_since


def is_used(beat_age_s: float, unused_s: float) -> bool:
    """True for a console that somebody sits at, whoever it is."""
    return beat_age_s <= BEAT_LOST_S and unused_s < UNUSED_S


def counts(role: Role, beat_age_s: float, unused_s: float) -> bool:
    """True for a console that somebody watches at."""
    return role in WATCHING and is_used(beat_age_s, unused_s)


def look(before: Supervision, watched: bool, live: bool, now: float) -> tuple[Supervision, list[Step]]:
    """How it stands now, and the steps that are to be taken. `live`: there is a call that carries or could.

    Without a live call nothing is due, but the time runs on: an admission by a console that is gone at once does not
    buy its call another half minute.
    """
    if watched:
        return Supervision(None), [Step.WATCHED] if before.step != Step.WATCHED else []
    after = before if before.unwatched_since is not None else Supervision(now)
    if not live:
        return after, []
    steps = [step for step, due_s in DUE_S.items() if step > after.step and after.unwatched_s(now) >= due_s]
    # An end that is due makes the pause before it superfluous.
    if Step.END in steps:
        steps = [step for step in steps if step != Step.PAUSE]
    return replace(after, step=max(steps, default=after.step)), steps
