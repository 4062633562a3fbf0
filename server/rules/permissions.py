"""Who may do what. Everything that is not written here is denied."""

from typing import Final

from schemas.call import Role
from schemas.console import Act

EVERY_ACT: Final = (
    "admit",
    "refuse",
    "notice",
    "warn",
    "pause",
    "resume",
    "extend",
    "end",
    "one_side",
    "flag",
    "urgent_help",
    "watch",
)
VIEW: Final = "view"
"""To open the establishment's wall: names, pictures and levels."""
ANY_ESTABLISHMENT: Final = "any_establishment"
"""To open other establishments of the server than the one whose staff list one is on."""
HEALTH: Final = "health"
"""To see how laptops and links do; no name, picture or sound."""
REVIEW: Final = "review"
"""To list flagged incidents, to look at their recordings, and to decide on them."""

PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    Role.OFFICER: frozenset((VIEW, *EVERY_ACT)),
    Role.ORDERLY_OFFICER: frozenset((VIEW, *EVERY_ACT)),
    Role.GOVERNOR: frozenset((VIEW, REVIEW, "pause", "end", "one_side", "flag", "urgent_help")),
    Role.CLERK: frozenset(),
    Role.SUPPORT: frozenset((HEALTH, ANY_ESTABLISHMENT)),
    Role.ADMIN: frozenset((ANY_ESTABLISHMENT,)),
}

ACT_NAMES: Final = dict(zip((t.__name__ for t in Act.__args__), EVERY_ACT, strict=True))


def act_name(act: Act) -> str:
    """`Extend(…)` -> `extend`, as permissions and the audit call it."""
    return ACT_NAMES[type(act).__name__]


def may(role: Role, permission: str) -> bool:
    return permission in PERMISSIONS[role]
