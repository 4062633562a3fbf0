"""What a decision on a command rests on, and what it can be."""

from dataclasses import dataclass

from schemas.call import Refusal
from schemas.console import Flag
from schemas.laptop import OrderAct
from schemas.media import Side, side_of

from .call import Call, Policy


@dataclass(frozen=True)
class Situation:
    """What a decision needs to know besides the call itself."""

    now_ms: int
    policy: Policy
    next_start_ms: int
    """Start of the room's next booking, 0 for none."""
    laptop_online: bool
    audit_writable: bool
    present: frozenset[str] = frozenset()
    """Who watches at a console of this establishment now."""
    readers: frozenset[str] = frozenset()
    """The call's legs that can be told something now."""
    room_for_recording: bool = True
    """The server's disk can take all of this call's recording."""
    day: str = ""
    """At the establishment, as `2026-05-12`: restrictions are dated by it."""


@dataclass(frozen=True)
class Ordered:
    """What the laptop has to do."""

    act: OrderAct
    leg: str = ""
    side: Side | None = None
    sound_off: bool = False
    picture_off: bool = False
    ends_at_ms: int = 0
    false_alarm: bool = False
    """A RESUME after which the lost time is given back."""


@dataclass(frozen=True)
class Told:
    """Words for the people on the call; `side` None: both; `leg`: that device only."""

    words: str
    side: Side | None = None
    leg: str = ""

    def reaches(self, leg: str) -> bool:
        if self.leg:
            return leg == self.leg
        return self.side is None or self.side == side_of(leg)


@dataclass(frozen=True)
class Accepted:
    call: Call
    words: str
    order: Ordered | None = None
    told: Told | None = None
    flag: Flag | None = None
    help: str = ""
    """What urgent help is asked for."""


@dataclass(frozen=True)
class Refused:
    refusal: Refusal
    words: str
