"""The panels of a review: a reason to open, a finding, a decision, a question, the sign-off.

A panel's `press` gives what is to be sent, CLOSED, or None while it waits for more. Enter keeps words only.
"""

from dataclasses import dataclass

from schemas.incident import Decision, IncidentView, Measure
from schemas.review import AskUpdate, Decide, ReviewAct, SignOff, WriteFinding

from ..actions import key_of, means
from .ages import clock
from .panels import CLOSED, Choice, PanelView
from .safe_text import safe
from .typed_line import typed

FINDING_LONGEST, QUESTION_LONGEST = 1000, 300
REASONS = {
    "1": "review of this incident",
    "2": "request from police or court",
    "3": "complaint",
    "4": "other",
}
DECISIONS = {
    "s": Decision.SUBSTANTIATED,
    "n": Decision.NOT_SUBSTANTIATED,
    "f": Decision.NO_FINDING,
    "d": Decision.DUPLICATE,
    "r": Decision.NOT_REPORTABLE,
}
MEASURES = {str(number): measure for number, measure in enumerate(Measure, 1)}


@dataclass(frozen=True)
class Opening:
    """Open this incident, for this reason."""

    reference: str
    reason: str


ReviewAnswer = ReviewAct | Opening | str | None


class ReviewPanel:
    """Base. `incident` is the newest form of the one that it was opened for."""

    def __init__(self, incident: IncidentView) -> None:
        self.incident, self.notice = incident, ""

    def view(self) -> PanelView:
        raise NotImplementedError

    def press(self, key: str) -> ReviewAnswer:
        """`key`: a printable character, or Textual's name of another key."""
        if key in ("enter", "escape", "q"):
            return CLOSED
        return self.letter(key)

    def letter(self, key: str) -> ReviewAnswer:
        raise NotImplementedError


class OpenPanel(ReviewPanel):
    """One digit opens it: the reason goes into the audit."""

    def view(self) -> PanelView:
        return PanelView(
            f"OPEN {self.incident.reference}",
            ("Opening is logged: who, when and why. Why do you open it?",),
            tuple(Choice(key, words) for key, words in REASONS.items()),
            (),
            self.notice,
            "Leave it closed",
            "a digit opens it",
        )

    def letter(self, key: str) -> ReviewAnswer:
        return Opening(self.incident.reference, REASONS[key]) if key in REASONS else None


class _WordsPanel(ReviewPanel):
    """One line of words; Enter keeps them."""

    title = label = keeps = ""
    longest = 0

    def __init__(self, incident: IncidentView, words: str) -> None:
        super().__init__(incident)
        self.words = words

    def view(self) -> PanelView:
        # The end of long words is what is being written.
        room = 400
        shown = safe(self.words[-room:])
        begun = "…" if len(self.words) > room else ""
        sentence = f"{self.label}: {begun}{shown}▏"
        return PanelView(f"{self.title} {self.incident.reference}", (sentence,), (), (), self.notice, "", self.keeps)

    def press(self, key: str) -> ReviewAnswer:
        if key == "escape":
            return CLOSED
        if key == "enter":
            if not self.words.strip():
                self.notice = "Not sent: it has no words yet."
                return None
            return self.act(self.words.strip())
        self.words = typed(self.words, key, self.longest)
        return None

    def act(self, words: str) -> ReviewAct:
        raise NotImplementedError


class FindingPanel(_WordsPanel):
    title, label, longest = "FINDING", "What you have seen", FINDING_LONGEST
    keeps = "Enter keeps the finding · Esc: as it was"

    def act(self, words: str) -> ReviewAct:
        return WriteFinding(words)


class UpdatePanel(_WordsPanel):
    title, label, longest = "NEEDS UPDATING", "Question to the officer", QUESTION_LONGEST
    keeps = "Enter sends it back with the question · Esc: nothing"

    def act(self, words: str) -> ReviewAct:
        return AskUpdate(words)


class DecidePanel(ReviewPanel):
    """A decision, any measures, then its key again."""

    def __init__(self, incident: IncidentView) -> None:
        super().__init__(incident)
        self.decision = incident.decision
        self.measures = set(incident.measures)

    def view(self) -> PanelView:
        return PanelView(
            f"DECIDE {self.incident.reference}",
            (),
            tuple(Choice(key, str(decision), decision == self.decision) for key, decision in DECISIONS.items()),
            tuple(Choice(key, str(measure), measure in self.measures) for key, measure in MEASURES.items()),
            self.notice,
            "No decision",
            f"{key_of('decide')} again decides",
        )

    def letter(self, key: str) -> ReviewAnswer:
        if key in DECISIONS:
            self.decision, self.notice = DECISIONS[key], ""
        elif key in MEASURES:
            self.measures ^= {MEASURES[key]}
        elif means(key, "decide"):
            if self.decision is not None:
                return Decide(self.decision, [measure for measure in Measure if measure in self.measures])
            self.notice = "Not sent: first choose the decision (one letter)."
        return None


class SignOffPanel(ReviewPanel):
    """Says what is signed; its key again signs it off."""

    def __init__(self, incident: IncidentView, from_ms: int, to_ms: int) -> None:
        super().__init__(incident)
        first, last = (clock(incident.pressed_at_ms + at_ms) for at_ms in (from_ms, to_ms))
        self._seen = f"I have seen the recording from {first} to {last}."

    def view(self) -> PanelView:
        incident = self.incident
        return PanelView(
            f"SIGN OFF {incident.reference}",
            (
                f"{self._seen} Decision: {incident.decision or 'none'}.",
                f"Finding: {safe(incident.finding)}",
                "This closes the incident and is final.",
            ),
            (),
            (),
            self.notice,
            "Keep it open",
            f"{key_of('sign-off')} again signs off",
        )

    def letter(self, key: str) -> ReviewAnswer:
        return SignOff() if means(key, "sign-off") else None
