"""The panel that turns sound or picture of one side off, or on again."""

from typing import ClassVar

from schemas.call import CallView
from schemas.console import OneSide
from schemas.media import Side

from .cut import off, off_words
from .panels import Choice, Ordered, Panel, PanelView


class OneSidePanel(Panel):
    """`f` or `r` chooses the side, then `s`, `p` or `b` turns off what is on, and on what is off; a digit before it
    gives another reason than checking."""

    action, word = "one-side", "ONE SIDE"
    REASONS: ClassVar = {
        "1": "checking something",
        "2": "dress or nudity",
        "3": "unauthorised person",
        "4": "filming",
        "5": "abuse or threat",
        "6": "noise",
    }

    def __init__(self, call: CallView, now_s: float) -> None:
        super().__init__(call, now_s)
        self.side: Side | None = None
        self.reason = "1"

    def matters(self, call: CallView) -> object:
        return call.state, [off(call, side) for side in Side]

    def view(self) -> PanelView:
        reasons = tuple(Choice(key, words, key == self.reason) for key, words in self.REASONS.items())
        if self.side is None:
            now = off_words(self.call) or "all is on"
            sides = (Choice("f", "the family’s"), Choice("r", "the room’s"))
            return PanelView(
                f"ONE SIDE {self.who} · {now}", (), sides, reasons, self.notice, "Leave it", "first the side"
            )
        sound, picture = off(self.call, self.side)
        whats = (
            Choice("s", f"sound {'on again' if sound else 'off'}"),
            Choice("p", f"picture {'on again' if picture else 'off'}"),
            Choice("b", f"both {'on again' if sound and picture else 'off'}"),
        )
        title = f"ONE SIDE {self.who} · {self.side.upper()}"
        return PanelView(title, ("That side reads it.",), whats, reasons, self.notice, "Leave it", "s, p or b does it")

    def letter(self, key: str, now_s: float) -> Ordered | None:
        if key in self.REASONS:
            self.reason = key
            return None
        if self.side is None:
            self.side = {"f": Side.FAMILY, "r": Side.ROOM}.get(key)
            return None
        sound, picture = off(self.call, self.side)
        match key:
            case "s":
                sound = not sound
            case "p":
                picture = not picture
            case "b":
                sound = picture = not (sound and picture)
            case _:
                return None
        return self.confirmed(
            Ordered(self.action, OneSide(self.side, sound, picture), self.REASONS[self.reason]), now_s
        )
