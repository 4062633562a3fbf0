"""The panels that say something to the people on a call: a notice, or a warning, which counts."""

from typing import ClassVar

from schemas.call import CallView
from schemas.console import Notice, Warn
from schemas.media import Side

from ..actions import key_of, means
from .panels import CLOSED, Choice, Ordered, Panel, PanelAnswer, PanelView
from .safe_text import safe
from .typed_line import typed

OWN_LONGEST = 120


class _WordsPanel(Panel):
    """A digit sends its words to both sides, or to the one chosen before with `f` or `r`. `6` takes own words: Enter
    ends them, the act's capital sends them."""

    SAYS = ""
    SENDS: ClassVar[type[Notice | Warn]]
    TEMPLATES: ClassVar[dict[str, str]] = {}
    OWN = "6"

    def __init__(self, call: CallView, now_s: float) -> None:
        super().__init__(call, now_s)
        self.side: Side | None = None
        self.own: str | None = None
        self.written = False

    def matters(self, call: CallView) -> object:
        return None

    def view(self) -> PanelView:
        whom = {None: "both sides", Side.FAMILY: "the family", Side.ROOM: "the room"}[self.side]
        title = f"{self.word} {self.who} to {whom}{self._counted()}"
        if self.own is not None:
            words = f"Words: {safe(self.own)}" + ("" if self.written else "▏")
            how = f"{key_of(self.action)} sends it" if self.written else "Enter ends the words"
            return PanelView(title, (words,), (), (), self.notice, "", f"{how} · Esc: nothing")
        sides = (("f", "family only", Side.FAMILY), ("r", "room only", Side.ROOM), ("b", "both", None))
        return PanelView(
            title,
            (self.SAYS,),
            (*(Choice(k, w) for k, w in self.TEMPLATES.items()), Choice(self.OWN, "own words …")),
            tuple(Choice(key, words, side == self.side) for key, words, side in sides),
            self.notice,
            "Say nothing",
            "a digit sends it",
        )

    def press(self, key: str, now_s: float) -> PanelAnswer:
        if self.own is None:
            return super().press(key, now_s)
        if key == "escape":
            return CLOSED
        if self.written:
            return self._order(self.own.strip(), "own words", now_s) if means(key, self.action) else None
        if key == "enter":
            self.written = bool(self.own.strip())
            self.notice = "" if self.written else "It has no words yet."
        else:
            self.own = typed(self.own, key, OWN_LONGEST)
        return None

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if key in self.TEMPLATES:
            return self._order(self.TEMPLATES[key], f"template {key}", now_s)
        if key == self.OWN:
            self.own = ""
        elif key in ("f", "r", "b"):
            self.side = {"f": Side.FAMILY, "r": Side.ROOM, "b": None}[key]
        return None

    def _order(self, words: str, reason: str, now_s: float) -> Ordered | None:
        return self.confirmed(Ordered(self.action, self.SENDS(self.side, words), reason), now_s)

    def _counted(self) -> str:
        return ""


class NoticePanel(_WordsPanel):
    action, word, SENDS = "notice", "NOTICE", Notice
    SAYS = "They read it on their screens; nothing is counted."
    TEMPLATES: ClassVar = {
        "1": "Please hold the device level.",
        "2": "Please turn to the light.",
        "3": "Please speak one at a time.",
        "4": "Please wait, an officer is coming.",
        "5": "Please say goodbye soon.",
    }


class WarnPanel(_WordsPanel):
    action, word, SENDS = "warn", "WARN", Warn
    SAYS = "They read it; the picture goes on. After two warnings the next step is pause or end."
    TEMPLATES: ClassVar = {
        "1": "no filming or screenshots, please.",
        "2": "only people on the booking may be seen.",
        "3": "please stay in view.",
        "4": "please dress properly.",
        "5": "please mind your language.",
    }

    def _counted(self) -> str:
        return f" · warning {self.call.warnings + 1}"
