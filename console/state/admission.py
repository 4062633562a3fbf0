"""One waiting device and the check list that an officer goes through before it is admitted."""

from schemas.call import CallerView, CallView

from ..actions import key_of
from . import people
from .safe_text import safe
from .wall import waiting_legs

FACE, COMPANY, COUNT, NOTICE, PLACE, VIEW, RESTRICTIONS = POINTS = range(1, 8)


class Admission:
    """Holds one device of one call, never another. Ticks are for what was looked at: they go when the device does, or
    when what is known of its people changes."""

    def __init__(self, call: CallView, leg: str, day: str) -> None:
        """`day` is the server's, as `2026-05-12`."""
        self.call, self.leg, self.day = call, leg, day
        self.ticked: set[int] = set()
        self._gone = self._read = False
        """`_gone`: the server knows the call no more. `_read`: the details of the people were on the screen."""
        self._tick_known()

    def update(self, call: CallView) -> None:
        """Takes the call's newer form in."""
        before, self.call = (self.callers, self.waits), call
        if (self.callers, self.waits) != before:
            self.ticked.clear()
            self._read = False
            self._tick_known()

    def gone(self) -> None:
        """The call is no more."""
        self._gone = True
        self.ticked.clear()

    @property
    def callers(self) -> list[CallerView]:
        """Who sits at this device by the booking; everybody where it does not say."""
        return [one for one in self.call.callers if one.leg == self.leg] or self.call.callers

    def holds(self, call: CallView, leg: str) -> bool:
        return self.call.call_id == call.call_id and self.leg == leg

    @property
    def waits(self) -> bool:
        return not self._gone and self.leg in {leg.leg for leg in waiting_legs(self.call)}

    @property
    def to_read(self) -> int:
        """Restrictions in force, and an authority to monitor, that have to be read first."""
        found = sum(len(people.in_force(one, self.day)) for one in self.callers)
        return 0 if self._read else found + people.monitored(self.call, self.day)

    @property
    def unticked(self) -> list[int]:
        return [point for point in POINTS if point not in self.ticked]

    def tick(self, point: int) -> str:
        """Ticks a point, or takes its tick away; says why not."""
        if point == RESTRICTIONS and self.to_read:
            return f"{RESTRICTIONS} is off: {self.to_read} to read first ({key_of('details')})"
        if point in POINTS:
            self.ticked ^= {point}
        return ""

    def tick_next(self) -> str:
        """The first point that is not ticked."""
        return self.tick(self.unticked[0]) if self.unticked else ""

    def read(self) -> None:
        """The details were opened: what they say is read."""
        self._read = True
        self._tick_known()

    def _tick_known(self) -> None:
        if not self.to_read and all(one.vetting for one in self.callers):
            self.ticked.add(RESTRICTIONS)

    def why_not(self) -> str:
        """Why this device can't be admitted now; empty when it can."""
        if not self.waits:
            return "this caller waits no longer"
        for one in self.callers:
            words, _ = people.vetting(one)
            if one.vetting == people.Vetting.NOT_APPROVED:
                return f"{safe(one.name)}: {words.lower()}"
        if self.to_read:
            return f"point {RESTRICTIONS}: {self.to_read} to read first ({key_of('details')})"
        return ""

    def words(self, point: int, short: bool = False) -> str:
        """What an officer has to have seen."""
        return (_SHORT if short else _LONG)[point].format(count=len(self.callers), read=self._to_read_words())

    def _to_read_words(self) -> str:
        if self.to_read:
            return f"{self.to_read} to read ({key_of('details')})"
        if not all(one.vetting for one in self.callers):
            return "not told"
        return "read" if self._read else "none in force"

    @property
    def checked(self) -> str:
        """For the audit: which points were ticked one by one, and which at once."""
        each, at_once = (" ".join(map(str, points)) for points in (sorted(self.ticked), self.unticked))
        said = [f"ticked {each}"] if each else []
        return ", ".join([*said, *([f"confirmed at once {at_once}"] if at_once else [])])


_LONG = {
    FACE: "The face is the person on the booking",
    COMPANY: "Everyone in the picture is on the booking",
    COUNT: "The count is right: {count} booked at this device",
    NOTICE: "Each has been told that the call is recorded",
    PLACE: "The place is fit: not driving, not a public place",
    VIEW: "Nothing in view that the rules forbid",
    RESTRICTIONS: "Restrictions and monitoring: {read}",
}
_SHORT = {
    FACE: "the face is the one booked",
    COMPANY: "all in view are booked",
    COUNT: "the count: {count} booked here",
    NOTICE: "told that it is recorded",
    PLACE: "a fit place, not driving",
    VIEW: "nothing forbidden in view",
    RESTRICTIONS: "restrictions: {read}",
}
