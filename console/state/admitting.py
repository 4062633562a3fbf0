"""The panel of the waiting room: one caller's device is admitted, or refused with a reason."""

from typing import ClassVar

from schemas.call import CallView
from schemas.console import Admit, Refuse

from .panels import Choice, Ordered, Panel, PanelView
from .safe_text import safe
from .wall import waiting_legs


class AdmitPanel(Panel):
    """Says who will see whom. `A` admits; `X`, then a letter, refuses; digits choose among several devices."""

    action, word = "admit", "ADMIT"
    REASONS: ClassVar = {
        "i": "identity not shown",
        "n": "not on the booking",
        "m": "more people than booked",
        "r": "restriction",
        "p": "place not fit",
        "d": "dress or conduct",
        "t": "technical fault",
    }

    def __init__(self, call: CallView, leg: str, now_s: float) -> None:
        super().__init__(call, now_s)
        self.leg = leg
        self.refusing = False

    def matters(self, call: CallView) -> object:
        return call.state, self.leg in {leg.leg for leg in waiting_legs(call)}

    def why_not(self) -> str:
        if self.leg in {leg.leg for leg in waiting_legs(self.call)}:
            return ""
        return "this caller waits no longer"

    def view(self) -> PanelView:
        call = self.call
        here = [c for c in call.callers if c.leg == self.leg] or call.callers
        names = ", ".join(f"{safe(c.name)} ({safe(c.relation)})" for c in here) or "a caller who is not on the booking"
        if self.refusing:
            choices = tuple(Choice(key, words) for key, words in self.REASONS.items())
            title = f"REFUSE {names} at {safe(self.leg)} · {self.who}"
            says = ("They read a sentence, and the prisoner never sees or hears them.",)
            return PanelView(title, says, choices, (), self.notice, "Keep waiting", "a letter refuses")
        prisoner = f"{safe(call.forename)} {safe(call.surname).upper()} {safe(call.prison_number)}"
        legs = [leg.leg for leg in waiting_legs(call)]
        others = tuple(Choice(str(n), safe(leg), leg == self.leg) for n, leg in enumerate(legs, 1))
        return PanelView(
            f"ADMIT {self.who}",
            (f"{names} at {safe(self.leg)} and {prisoner} will then see and hear each other.",),
            others if len(others) > 1 else (),
            (),
            self.notice,
            "Keep waiting",
            "A admits   X refuses, with a reason",
        )

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if self.refusing:
            if key not in self.REASONS:
                self.notice = "One of the letters, or Esc."
                return None
            return self.confirmed(Ordered("refuse", Refuse(self.leg), self.REASONS[key]), now_s)
        legs = [leg.leg for leg in waiting_legs(self.call)]
        if key.isdecimal() and 0 < int(key) <= len(legs):
            self.leg, self.notice = legs[int(key) - 1], ""
        elif key == "X":
            self.refusing, self.notice = True, ""
        elif key == "A":
            return self.confirmed(Ordered(self.action, Admit(self.leg)), now_s)
        return None
