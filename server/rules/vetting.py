"""Who may be on a call: people on the approved list, without a restriction that forbids it."""

from schemas.call import CallerView, Vetting

from .call import Policy


def why_not(caller: CallerView, policy: Policy, day: str) -> str:
    """Why this person can't be on a call on this day (`2026-05-12`), in words; empty when they can."""
    if caller.vetting == Vetting.NOT_APPROVED:
        return f"{caller.name} is not an approved visitor"
    for restriction in caller.restrictions:
        if restriction.kind in policy.forbidding_restrictions and restriction.in_force(day):
            until = f" until {restriction.expires_on}" if restriction.expires_on else ""
            return f"{caller.name} can't be on a call: {restriction.words or restriction.kind}{until}"
    return ""
