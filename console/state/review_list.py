"""The flagged incidents, in the order in which a governor should take them."""

from schemas.console import ReviewChanged, Reviews
from schemas.incident import IncidentSeverity, IncidentState, IncidentView

SIGNED_OFF = (IncidentState.CLOSED, IncidentState.DUPLICATE, IncidentState.NOT_REPORTABLE)
_SEVERITIES = list(IncidentSeverity)


class ReviewList:
    """`known` False: the server has not sent the list yet, so nothing is said of it."""

    def __init__(self) -> None:
        self.incidents: dict[str, IncidentView] = {}
        self.chosen = ""
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
        """Overdue first, then by severity, then the oldest."""
        waiting = [incident for incident in self.incidents.values() if incident.state not in SIGNED_OFF]
        return sorted(
            waiting,
            key=lambda i: (i.due_at_ms > server_ms, _SEVERITIES.index(i.severity), i.pressed_at_ms),
        )

    def signed_off(self) -> list[IncidentView]:
        """The newest first."""
        done = [incident for incident in self.incidents.values() if incident.state in SIGNED_OFF]
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
