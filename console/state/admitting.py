"""The panels of an admission: who will see whom, before a device is admitted; and why one is refused."""

from typing import ClassVar

from schemas.call import CallView
from schemas.console import Admit, Refuse
from schemas.media import Side

from ..actions import key_of, means
from . import people
from .admission import Admission
from .panels import CLOSED, Choice, Ordered, Panel, PanelAnswer, PanelView
from .safe_text import safe
from .speaking import NoticePanel
from .wall import waiting_legs


class _OfADevice(Panel):
    """Base: about one waiting device."""

    def __init__(self, admission: Admission, now_s: float) -> None:
        super().__init__(admission.call, now_s)
        self.admission, self.leg = admission, admission.leg

    def matters(self, call: CallView) -> object:
        return call.state, self.leg in {leg.leg for leg in waiting_legs(call)}

    @property
    def names(self) -> str:
        callers = self.admission.callers
        return (
            ", ".join(f"{safe(c.name)} ({safe(c.relation)})" for c in callers) or "a caller who is not on the booking"
        )


class AdmitPanel(_OfADevice):
    """Says who will see whom, and which points of the check list are confirmed by it; the act's key again admits."""

    action, word = "admit-named", "ADMIT"

    def why_not(self) -> str:
        return self.admission.why_not()

    def view(self) -> PanelView:
        call, admission = self.call, self.admission
        prisoner = f"{safe(call.forename)} {safe(call.surname).upper()} {safe(call.prison_number)}"
        says = [f"{self.names} at {safe(self.leg)} and {prisoner} will then see and hear each other."]
        if admission.unticked:
            points = "; ".join(f"{point} {admission.words(point)}" for point in admission.unticked)
            says.append(f"You say by it that this is so as well: {points}.")
        how = f"{key_of(self.action)} again admits"
        return PanelView(f"ADMIT {self.who}", tuple(says), (), (), self.notice, "Keep waiting", how)

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if not means(key, self.action):
            return None
        return self.confirmed(Ordered("admit", Admit(self.leg), self.admission.checked), now_s)


class RefusePanel(_OfADevice):
    """A letter refuses, and is the reason."""

    action, word = "refuse", "REFUSE"
    REASONS: ClassVar = {
        "i": "identity not shown",
        "n": "not on the booking",
        "m": "more people than booked",
        "r": "restriction",
        "p": "place not fit",
        "d": "dress or conduct",
        "t": "technical fault",
    }

    def why_not(self) -> str:
        return "" if self.admission.waits else "this caller waits no longer"

    def view(self) -> PanelView:
        choices = tuple(Choice(key, words) for key, words in self.REASONS.items())
        title = f"REFUSE {self.names} at {safe(self.leg)} · {self.who}"
        says = ("They read a sentence, and the prisoner never sees or hears them.",)
        return PanelView(title, says, choices, (), self.notice, "Keep waiting", "a letter refuses")

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if key not in self.REASONS:
            self.notice = "One of the letters, or Esc."
            return None
        return self.confirmed(Ordered(self.action, Refuse(self.leg), self.REASONS[key]), now_s)


class CallerNoticePanel(NoticePanel):
    """A notice to who waits; the room is not told."""

    SAYS = "They read it on their screen; nothing is counted."
    TEMPLATES: ClassVar = {
        "1": "Please hold up your ID.",
        "2": "Please turn to the light.",
        "3": "Please tell us who else is with you.",
        "4": "Please wait, an officer is looking.",
        "5": "Only people on the booking can take part.",
    }

    def __init__(self, call: CallView, now_s: float) -> None:
        super().__init__(call, now_s)
        self.side = Side.FAMILY


class DetailsPanel(Panel):
    """All that is known of the people; its own key closes it as well."""

    action, word = "details", "PEOPLE"

    def __init__(self, call: CallView, now_s: float, day: str) -> None:
        super().__init__(call, now_s)
        self._day = day

    def matters(self, call: CallView) -> object:
        return None

    def view(self) -> PanelView:
        lines = tuple(words for words, _ in people.details(self.call, self._day))
        return PanelView(f"{self.word} {self.who}", lines, (), (), self.notice, "Back", "")

    def press(self, key: str, now_s: float) -> PanelAnswer:
        return CLOSED if means(key, self.action) else super().press(key, now_s)

    def letter(self, key: str, now_s: float) -> Ordered | None:
        return None
