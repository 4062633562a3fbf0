"""What officers have said about a call's alarms: seen, or shelved for some minutes."""

from schemas.attention import SHELVABLE, SHELVE_MINUTES, SHELVED_AGAIN, SHELVED_AT_ONCE, Acknowledge, Mark, Shelve

from .call import MINUTE_MS, OPEN, Call

MARKS_OF_CALL_MAX = 40


def acknowledged(marks: list[Mark], act: Acknowledge, who: str, now_ms: int) -> list[Mark]:
    """With this one; who saw it first keeps it. Of what has no number of its own (0) the newest counts."""
    known = next((mark for mark in marks if _same(mark, act)), None)
    if known is not None and act.since_ms and not known.shelved_until_ms:
        return marks
    return _with(marks, Mark(act.cause, act.since_ms, who, now_ms))


def shelved(marks: list[Mark], act: Shelve, who: str, now_ms: int) -> list[Mark]:
    """Shelving says that it was seen, too."""
    until_ms = now_ms + act.minutes * MINUTE_MS
    return _with(marks, Mark(act.cause, act.since_ms, who, now_ms, until_ms, act.why.strip()))


def why_not_shelved(call: Call | None, act: Shelve, who: str, all_marks: list[Mark], times: int, now_ms: int) -> str:
    """In words; empty when it may be. `all_marks` of the establishment; `times` that this was shelved in this call."""
    if call is None or call.state not in OPEN:
        return "The call is over."
    if act.cause not in SHELVABLE:
        return "This can't be shelved: it stays until its cause is gone."
    if act.minutes not in SHELVE_MINUTES:
        return "Shelve it for 2, 5 or 10 minutes."
    if not act.why.strip():
        return "A reason is needed; choose one."
    if now_ms + act.minutes * MINUTE_MS > call.ends_at_ms:
        return "Not beyond the call's end; choose less time."
    if sum(mark.by == who and mark.shelved_until_ms > now_ms for mark in all_marks) >= SHELVED_AT_ONCE:
        return f"You have shelved {SHELVED_AT_ONCE} already."
    if times >= SHELVED_AGAIN:
        return f"It was shelved {SHELVED_AGAIN} times in this call; now it stays."
    return ""


def _with(marks: list[Mark], newest: Mark) -> list[Mark]:
    """In place of the one before about the same occurrence."""
    return [*(mark for mark in marks if not _same(mark, newest)), newest][-MARKS_OF_CALL_MAX:]


def _same(mark: Mark, about: Mark | Acknowledge) -> bool:
    return (mark.cause, mark.since_ms) == (about.cause, about.since_ms)
