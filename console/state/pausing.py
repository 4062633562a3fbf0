"""The panels around a pause: why, asked after it, and how it is lifted."""

from typing import ClassVar

from schemas.call import CallState, CallView
from schemas.console import Pause, Resume, Warn

from ..actions import key_of
from .panels import CLOSED, PASSED, Choice, Ordered, Panel, PanelAnswer, PanelView


class PausedPanel(Panel):
    """Opened by the pause itself, which needs no reason first. A digit says why; any other key means what it always
    means. Without an answer the server writes "checking" after a minute."""

    action, word = "pause", "PAUSED"
    REASONS: ClassVar = {
        "1": "checking something",
        "2": "person out of view",
        "3": "dress or nudity",
        "4": "unauthorised person",
        "5": "filming",
        "6": "threat or distress",
    }

    def matters(self, call: CallView) -> object:
        return None

    def why_not(self) -> str:
        return "" if self.call.state in (CallState.LIVE, CallState.PAUSED) else "the call is not paused"

    def view(self) -> PanelView:
        ways_out = f"{key_of('resume')} resumes, {key_of('end')} ends"
        return PanelView(
            f"PAUSED {self.who}" if self.call.state == CallState.PAUSED else f"PAUSE {self.who}: not confirmed yet",
            (f"Nobody sees or hears the other. Recording goes on. The clock runs on. {ways_out}.",),
            tuple(Choice(key, words, words == self.call.paused_why) for key, words in self.REASONS.items()),
            (),
            self.notice,
            "Say it later",
            "a digit says why",
        )

    def press(self, key: str, now_s: float) -> PanelAnswer:
        if key in ("enter", "escape", "q"):
            return CLOSED
        if key not in self.REASONS:
            return PASSED
        return self.confirmed(Ordered(self.action, Pause(), self.REASONS[key]), now_s)


class ResumePanel(Panel):
    """One letter resumes."""

    action, word = "resume", "RESUME"

    def why_not(self) -> str:
        return "" if self.call.state == CallState.PAUSED else "the call is not paused"

    def view(self) -> PanelView:
        return PanelView(
            f"RESUME {self.who}",
            ("Both sides then see and hear each other again.",),
            (
                Choice("f", "false alarm: the time lost is given back"),
                Choice("c", "checked and fine"),
                Choice("w", "with a warning to both sides"),
            ),
            (),
            self.notice,
            "Stay paused",
            "a letter resumes",
        )

    def letter(self, key: str, now_s: float) -> Ordered | None:
        match key:
            case "f":
                order = Ordered(self.action, Resume(True), "false alarm")
            case "c":
                order = Ordered(self.action, Resume(False), "checked and fine")
            case "w":
                warning = Ordered("warn", Warn(None, ""), "resumed with a warning")
                order = Ordered(self.action, Resume(False), "with a warning", then=warning)
            case _:
                return None
        return self.confirmed(order, now_s)
