"""When is a call looked at? In focus, or selected for 5 s, at a console that beats and is used.

A tile among twelve is not a look: ranking and figures rest on this, while the rule that stops unsupervised calls rests
on supervision.py. Times are seconds on a clock that only runs on.
"""

from dataclasses import dataclass

SELECTED_S = 5.0


@dataclass(frozen=True)
class Gaze:
    """What one console has in front of it: since when it is selected, and since when that counts as a look."""

    call_id: str = ""
    focused: bool = False
    since_s: float = 0.0
    looks_since_s: float | None = None


@dataclass(frozen=True)
class Looked:
    """A look that is over."""

    call_id: str
    focused: bool
    seconds: float


def gaze(before: Gaze, call_id: str, focused: bool, now_s: float) -> tuple[Gaze, Looked | None]:
    """How it is now, and the look that has ended by it. `call_id` empty: nothing is selected, or nobody is there."""
    ended = None
    if call_id != before.call_id:
        ended = over(before, now_s)
        before = Gaze(call_id, focused, now_s)
    if not call_id:
        return before, ended
    looks = before.looks_since_s
    if looks is None and (focused or now_s - before.since_s >= SELECTED_S):
        looks = before.since_s if not focused else now_s
    return Gaze(call_id, focused, before.since_s, looks), ended


def over(before: Gaze, now_s: float) -> Looked | None:
    """The look that ends now; None when there was none."""
    if before.looks_since_s is None:
        return None
    return Looked(before.call_id, before.focused, now_s - before.looks_since_s)
