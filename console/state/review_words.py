"""What is said of an incident and of its stretch; all safe text."""

from schemas.incident import PICTURE_HELD_MS, EvidenceOutcome, IncidentSeverity, IncidentView, Viewed
from schemas.media import Side

from ..actions import key_of
from .ages import clock
from .attention import Severity
from .evidence import Evidence, Player
from .panels import CATEGORY_WORDS
from .review_list import SIGNED_OFF
from .safe_text import safe

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

_RANK = {
    IncidentSeverity.SEVERE: Severity.URGENT,
    IncidentSeverity.HIGH: Severity.ALERT,
    IncidentSeverity.MIDDLE: Severity.LOOK,
    IncidentSeverity.LOW: Severity.NONE,
}


def rank(incident: IncidentView) -> Severity:
    """The wall's severities: glyph and ink are the same everywhere."""
    return _RANK[incident.severity]


def severity_words(incident: IncidentView) -> str:
    glyph = rank(incident).glyph if incident.severity != IncidentSeverity.LOW else "·"
    return f"{glyph} {incident.severity}"


def category(incident: IncidentView) -> str:
    return CATEGORY_WORDS[incident.category]


def who(incident: IncidentView) -> str:
    return f"seat {incident.seat:02d} {safe(incident.surname).upper()} {safe(incident.prison_number)}"


def age(milliseconds: int) -> str:
    """`4 min`, `3 h`, `2 d`."""
    if milliseconds < HOUR_MS:
        return f"{max(0, milliseconds) // 60_000} min"
    return f"{milliseconds // HOUR_MS} h" if milliseconds < 2 * DAY_MS else f"{milliseconds // DAY_MS} d"


def due(incident: IncidentView, server_ms: int) -> str:
    if incident.state in SIGNED_OFF:
        return ""
    left = incident.due_at_ms - server_ms
    return f"in {age(left)}" if left > 0 else f"■ {age(-left)} over"


def tenths(utc_ms: int) -> str:
    """`14:20:38.4`."""
    return f"{clock(utc_ms)}.{utc_ms % 1000 // 100}"


def offset(at_ms: int) -> str:
    """`−1.6 s`, `+12.0 s`, `0.0 s`."""
    sign = "−" if at_ms < 0 else "+" if at_ms > 0 else ""
    return f"{sign}{abs(at_ms) / 1000:.1f} s"


def evidence_words(evidence: Evidence) -> tuple[Severity, str]:
    """How the stretch stands, in one sentence."""
    took = f"{(evidence.to_ms - evidence.from_ms) // 1000} s"
    match evidence.outcome:
        case None:
            read = max(0, evidence.loaded_ms - evidence.from_ms) // 1000
            return Severity.NONE, f"The laptop reads its recording: {read} s of {took}"
        case EvidenceOutcome.WHOLE:
            gaps = len(gap_words(evidence))
            said = f"{gaps} gap{'s' if gaps > 1 else ''}" if gaps else "no gaps"
            return Severity.NONE, f"All that is recorded of the {took} is here, {said}"
        case EvidenceOutcome.TO_COME:
            left = max(1, (evidence.to_ms - evidence.until_ms + 999) // 1000)
            then = f"{key_of('read-again')} reads them then"
            return Severity.LOOK, f"Not over yet: {left} s of it are still to come. {then}"
        case EvidenceOutcome.NOTHING:
            return Severity.ALERT, f"No recording: {safe(evidence.words)}"
        case EvidenceOutcome.FAILED:
            return Severity.ALERT, f"Not read: {safe(evidence.words)} {key_of('read-again')} reads it again"


def gap_words(evidence: Evidence) -> list[str]:
    """One line a gap: which side, where, why; one for both sides when they are nearly the same."""
    letter = {Side.FAMILY: "F", Side.ROOM: "R"}
    merged: list[tuple[str, int, int, str]] = []
    for gap in evidence.gaps:
        for index, (who, first, last, why) in enumerate(merged):
            near = max(abs(first - gap.from_ms), abs(last - gap.to_ms)) <= PICTURE_HELD_MS
            if letter[gap.side] not in who and near and why == gap.words:
                whole = min(first, gap.from_ms), max(last, gap.to_ms)
                merged[index] = (f"{who} {letter[gap.side]}", *whole, why)
                break
        else:
            merged.append((letter[gap.side], gap.from_ms, gap.to_ms, gap.words))
    return [f"{who} {offset(first)} to {offset(last)}: {safe(why)}" for who, first, last, why in merged]


def viewed_words(viewed: list[Viewed]) -> str:
    """Who has opened the incident before; empty when nobody has."""
    names = list(dict.fromkeys(safe(view.who) for view in viewed))
    return f"opened before by {', '.join(names)}" if names else ""


def played_words(player: Player) -> str:
    """How much of the stretch was on the screen."""
    count = player.evidence.count
    if player.evidence.outcome is not None and not count:
        return "no picture is recorded"
    if not count:
        return "no picture has come yet"
    unseen = player.unseen
    return f"all {count} pictures seen" if not unseen else f"{count - unseen} of {count} pictures seen"


def why_not_signed_off(incident: IncidentView, player: Player) -> str:
    """What is missing for a sign-off, in words; empty when it may be asked for. The server decides."""
    missing = [
        words
        for words, lacks in (
            (f"finding ({key_of('finding')})", not incident.finding),
            (f"decision ({key_of('decide')})", incident.decision is None),
        )
        if lacks
    ]
    outcome = player.evidence.outcome
    if outcome != EvidenceOutcome.NOTHING and (outcome != EvidenceOutcome.WHOLE or player.unseen):
        missing.append("playing")
    return f"needs {', '.join(missing)}" if missing else ""


def state_forbids(incident: IncidentView) -> str:
    """Why nothing can be decided any more."""
    if incident.state in SIGNED_OFF:
        return f"it was signed off by {safe(incident.signed_off_by)}"
    return ""
