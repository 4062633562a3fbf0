"""The flagged incidents, in the order in which a governor should take them, or in another that is chosen."""

from enum import StrEnum

from schemas.incident import IncidentSeverity, IncidentState, IncidentView
from schemas.review import ReviewChanged, Reviews

from .filtering import Filter
from .panels import CATEGORY_WORDS

SIGNED_OFF = (IncidentState.CLOSED, IncidentState.DUPLICATE, IncidentState.NOT_REPORTABLE)


class Order(StrEnum):
    """Of the incidents that wait."""

    DUE = "overdue, gravest, oldest"
    NEWEST = "newest first"
    SEAT = "by seat"


_SEVERITIES = list(IncidentSeverity)


class ReviewList:
    """`known` False: the server has not sent the list yet, so nothing is said of it."""

    def __init__(self) -> None:
        self.incidents: dict[str, IncidentView] = {}
        self.chosen = ""
        self.filter = Filter()
        self.order = Order.DUE
        self.known = False
        self.refused = ""
        """Why the server does not give the list, in words."""

    def take(self, message: Reviews | ReviewChanged) -> None:
        match message:
            case Reviews(incidents):
                self.incidents = {incident.reference: incident for incident in incidents}
                self.known, self.refused = True, ""
            case ReviewChanged(incident):
                before = self.incidents.get(incident.reference)
                if before is None or before.version <= incident.version:
                    self.incidents[incident.reference] = incident

    def open_ones(self, server_ms: int) -> list[IncidentView]:
        """Those that the filter keeps; as `order` says: overdue first, then by severity, then the oldest."""
        waiting = [one for one in self.incidents.values() if one.state not in SIGNED_OFF and self._kept(one)]
        match self.order:
            case Order.DUE:
                return sorted(
                    waiting,
                    key=lambda i: (i.due_at_ms > server_ms, _SEVERITIES.index(i.severity), i.pressed_at_ms),
                )
            case Order.NEWEST:
                return sorted(waiting, key=lambda i: -i.pressed_at_ms)
            case Order.SEAT:
                return sorted(waiting, key=lambda i: (i.seat, i.pressed_at_ms))

    def sort(self) -> Order:
        """The next order."""
        orders = list(Order)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        return self.order

    def filter_words(self) -> str:
        kept = sum(self._kept(one) for one in self.incidents.values())
        return self.filter.words(kept, len(self.incidents))

    def _kept(self, one: IncidentView) -> bool:
        number = f"{one.seat:02d}"
        words = (one.reference, one.surname, one.prison_number, one.severity, one.state, one.flagged_by, one.note)
        return self.filter.keeps(number, CATEGORY_WORDS[one.category], *map(str, words))

    def signed_off(self) -> list[IncidentView]:
        """The newest first."""
        done = [one for one in self.incidents.values() if one.state in SIGNED_OFF and self._kept(one)]
        return sorted(done, key=lambda incident: -incident.signed_off_at_ms)

    def choose(self, server_ms: int, step: int = 0) -> IncidentView | None:
        """The chosen incident, or the one `step` rows away from it, which is chosen from then on."""
        rows = [*self.open_ones(server_ms), *self.signed_off()]
        if not rows:
            return None
        references = [incident.reference for incident in rows]
        at = references.index(self.chosen) if self.chosen in references else 0
        incident = rows[max(0, min(len(rows) - 1, at + step))]
        self.chosen = incident.reference
        return incident
