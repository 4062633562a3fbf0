"""What is known of a call's people and of the prisoner: vetting, restrictions, an authority to monitor. Safe text.

A date is told as `3 May 2026`; a restriction or an authority counts on its days only, by the server's clock.
"""

from datetime import UTC, date, datetime

from schemas.call import CallerView, CallView, RestrictionView, Vetting

from .safe_text import safe

Line = tuple[str, bool]
"""Safe text, and whether it matters more than the lines around it."""


def day_of(server_ms: int) -> str:
    """`2026-05-12`, in the console's time zone."""
    return datetime.fromtimestamp(server_ms / 1000, UTC).astimezone().date().isoformat()


def plain_day(day: str) -> str:
    """`3 May 2026`; what is no date is said as it came."""
    try:
        one = date.fromisoformat(day)
    except ValueError:
        return safe(day)
    return f"{one.day} {one:%b %Y}"


def vetting(one: CallerView) -> Line:
    match one.vetting:
        case Vetting.APPROVED:
            return "✓ vetted" + (f" {plain_day(one.vetted_on)}" if one.vetted_on else ""), False
        case Vetting.NOT_APPROVED:
            return "× NOT AN APPROVED VISITOR", True
        case Vetting.NOT_TOLD:
            return "vetting not told", True


def person(one: CallerView) -> str:
    """`Carol Harris · mother · adult`; what is not known is said so."""
    return f"{safe(one.name)} · {safe(one.relation)} · {safe(one.age_group) or 'age not known'}"


def in_force(one: CallerView, day: str) -> list[RestrictionView]:
    return [restriction for restriction in one.restrictions if restriction.in_force(day)]


def restriction(one: RestrictionView) -> str:
    """`PREINF Previous information until 2 Aug 2026`."""
    until = f"until {plain_day(one.expires_on)}" if one.expires_on else "without an end"
    return f"{safe(one.kind)} {safe(one.words)} {until}"


def restrictions_of_all(call: CallView, day: str) -> Line:
    """Of everybody on the booking."""
    if any(in_force(one, day) for one in call.callers):
        count = sum(len(in_force(one, day)) for one in call.callers)
        return f"Restrictions: {count} in force", True
    told = all(one.vetting is not Vetting.NOT_TOLD for one in call.callers)
    return ("Restrictions: none in force on these contacts" if told else "Restrictions: not told"), not told


def monitored(call: CallView, day: str) -> bool:
    """Under an authority to monitor that is in force."""
    return call.authority is not None and call.authority.in_force(day)


def authority(call: CallView, day: str) -> Line:
    number = safe(call.prison_number)
    one = call.authority
    if one is None:
        return f"Monitoring: no authority in force for {number}", False
    reference = safe(one.reference)
    if one.in_force(day):
        return f"MONITORED: {reference}, {safe(one.kind)}, review by {plain_day(one.review_on)}", True
    if day < one.starts_on:
        return f"Monitoring: {reference} begins on {plain_day(one.starts_on)}", False
    return f"Monitoring: {reference} LAPSED on {plain_day(one.review_on)}, so it is none", True


def details(call: CallView, day: str) -> list[Line]:
    """All of it, person by person, and the prisoner's authority with what it allows."""
    lines: list[Line] = []
    for number, one in enumerate(call.callers, 1):
        words, matters = vetting(one)
        lines.append((f"{number} {person(one)} · {words}", matters))
        for each in one.restrictions:
            when = "" if each.in_force(day) else ", NOT in force today"
            comment = f": {safe(each.comment)}" if each.comment else ""
            since = f"from {plain_day(each.starts_on)}"
            lines.append((f"· {restriction(each)}, {since}{when}{comment}", each.in_force(day)))
        if not one.restrictions:
            lines.append(
                ("· no restriction" if one.vetting is not Vetting.NOT_TOLD else "· restrictions not told", False)
            )
    words, matters = authority(call, day)
    allows = f": {safe(call.authority.action)}" if call.authority is not None else ""
    return [*lines, (f"{words}{allows}", matters)]
