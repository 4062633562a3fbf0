"""The panels of help, handover and shelving: nothing in the call changes by them."""

from typing import ClassVar

from schemas.attention import SHELVE_MINUTES, Shelve, WatcherView
from schemas.call import CallState, CallView, Role
from schemas.console import UrgentHelp, Watch

from ..actions import key_of
from .attention import Entry
from .panels import Choice, Ordered, Panel, PanelView
from .safe_text import safe


class HelpPanel(Panel):
    """One letter rings at every console; with help asked for, one letter says that it is over."""

    action, word = "urgent-help", "URGENT HELP"
    KINDS: ClassVar = {"s": "self-harm", "v": "violence", "m": "medical", "o": "other"}
    OVER: ClassVar = {"f": "false alarm", "d": "dealt with"}

    def __init__(self, call: CallView, now_s: float) -> None:
        super().__init__(call, now_s)
        self._over = bool(call.help)

    def matters(self, call: CallView) -> object:
        return bool(call.help)

    def view(self) -> PanelView:
        choices = tuple(Choice(key, words) for key, words in (self.OVER if self._over else self.KINDS).items())
        if self._over:
            says = f"{safe(self.call.help).capitalize()}, asked by {safe(self.call.help_by)}."
            return PanelView(f"HELP IS OVER? {self.who}", (says,), choices, (), self.notice, "It goes on", "a letter")
        says = "Rings at every console and calls the orderly officer. Nothing in the call changes."
        return PanelView(
            f"URGENT HELP {self.who}", (says,), choices, (), self.notice, "No help", "a letter asks for it"
        )

    def letter(self, key: str, now_s: float) -> Ordered | None:
        words = (self.OVER if self._over else self.KINDS).get(key)
        if words is None:
            return None
        return self.confirmed(Ordered(self.action, UrgentHelp(words, over=self._over), words), now_s)


class YieldPanel(Panel):
    """A digit offers the watch to a colleague who is at a console."""

    action, word = "yield", "YOU HAVE"

    def __init__(self, call: CallView, now_s: float, watchers: list[WatcherView], mine: str) -> None:
        super().__init__(call, now_s)
        officers = (Role.OFFICER, Role.ORDERLY_OFFICER)
        names = sorted({w.name for w in watchers if w.counts and w.role in officers and w.name != mine})
        self._names = {str(n): name for n, name in enumerate(names[:9], 1)}

    def matters(self, call: CallView) -> object:
        return call.watch

    def view(self) -> PanelView:
        says = f"You keep the watch until it is taken with {key_of('have')}."
        if not self._names:
            says = "No colleague is at a console here."
        choices = tuple(Choice(key, safe(name)) for key, name in self._names.items())
        return PanelView(
            f"OFFER THE WATCH {self.who}", (says,), choices, (), self.notice, "Keep it", "a digit offers it"
        )

    def letter(self, key: str, now_s: float) -> Ordered | None:
        name = self._names.get(key)
        if name is None:
            return None
        return self.confirmed(Ordered(self.action, Watch(False, name), "handover"), now_s)


class ShelvePanel(Panel):
    """A letter puts this cause of this call aside for five minutes, or for the time chosen with a digit before."""

    action, word = "shelve", "SHELVE"
    REASONS: ClassVar = {"k": "known and harmless", "f": "signal is wrong", "w": "waiting for somebody"}

    def __init__(self, call: CallView, now_s: float, entry: Entry) -> None:
        super().__init__(call, now_s)
        self.entry, self.minutes = entry, SHELVE_MINUTES[1]

    def matters(self, call: CallView) -> object:
        return None

    def why_not(self) -> str:
        return "the call has ended" if self.call.state == CallState.ENDED else ""

    def view(self) -> PanelView:
        times = tuple(Choice(str(n), f"{m} min", m == self.minutes) for n, m in enumerate(SHELVE_MINUTES, 1))
        reasons = tuple(Choice(key, words) for key, words in self.REASONS.items())
        says = "It comes back as new. The others see that it is shelved, and by whom."
        title = f"SHELVE {self.who} · {self.entry.words}"
        return PanelView(title, (says,), times, reasons, self.notice, "Leave it", "a letter shelves it")

    def letter(self, key: str, now_s: float) -> Shelve | None:
        if key.isdecimal() and 0 < int(key) <= len(SHELVE_MINUTES):
            self.minutes = SHELVE_MINUTES[int(key) - 1]
        if key not in self.REASONS or self.why_not():
            return None
        entry = self.entry
        return Shelve(entry.call_id, entry.cause, entry.occurrence, self.minutes, self.REASONS[key])
