"""What an agent tells of its own work."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Strain:
    """How the agent's own work goes. All but `frames_waiting` since the call began, `late_s` since it was asked last:
    the latest that the event loop came round to the call."""

    late_s: float = 0.0
    frames_waiting: int = 0
    frames_dropped: int = 0
    errors_contained: int = 0
