"""What a terminal says about itself, taken out of the stream of keys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

CURSOR = "\x1b[6n"
"""Asks where the cursor is; the answer is the acknowledgement of all that was written before."""
_NAME = "\x1b[>0q"
_COLOUR = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[m"
"""Does it keep a colour of 24 bits?"""
_KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Does it show Kitty's pictures?"""
_DEVICE = "\x1b[c"
"""All terminals answer this one, so that nothing more is waited for."""
_ANSWER = re.compile(
    r"\x1b\[(?P<row>\d+);(?P<column>\d+)R"
    r"|\x1b\[\?(?P<device>[\d;]*)c"
    r"|\x1bP>\|(?P<name>[^\x1b]*)\x1b\\"
    r"|\x1bP(?P<valid>[01])\$r(?P<sgr>[^\x1b]*)\x1b\\"
    r"|\x1b_G(?P<kitty>[^\x1b]*)\x1b\\"
)
_BEGUN = re.compile(r"\x1b(?:\[\??[\d;]*|[P_][^\x1b]*\x1b?)?\Z")
_F3 = range(2, 17)
"""Columns in which a cursor report of the first row would be F3 with modifiers."""


def about(environment: Mapping[str, str]) -> str:
    """The questions for a terminal of this environment; some would print what they do not understand."""
    term = environment.get("TERM", "")
    if environment.get("TERM_PROGRAM") == "Apple_Terminal" or term in ("linux", "dumb", ""):
        return ""
    if environment.get("TMUX") or term.startswith("tmux"):
        return _NAME + _DEVICE
    return _DEVICE if term.startswith("screen") else _NAME + _COLOUR + _KITTY + _DEVICE


@dataclass(frozen=True)
class CursorSeen:
    """The answer to CURSOR."""


@dataclass(frozen=True)
class Name:
    """`kitty(0.26.5)`, as the terminal calls itself."""

    text: str


@dataclass(frozen=True)
class TrueColour:
    """It kept a colour of 24 bits, or did not."""

    kept: bool


@dataclass(frozen=True)
class KittyPictures:
    """It shows Kitty's pictures, or says why not."""

    shown: bool


@dataclass(frozen=True)
class Device:
    """The last answer to ABOUT."""


Answer = CursorSeen | Name | TrueColour | KittyPictures | Device


class Answers:
    """Takes answers out of what comes in, whole or in pieces; the rest is keys."""

    def __init__(self) -> None:
        self.held = ""
        """What may be the beginning of one."""

    def feed(self, text: str) -> tuple[str, list[Answer]]:
        """(keys, answers). What may be the beginning of an answer is kept until it is whole, or until `give_up`."""
        if "\x1b" not in text and not self.held:
            return text, []
        text = self.held + text
        self.held = ""
        answers: list[Answer] = []

        def take(found: re.Match[str]) -> str:
            answer = _answer(found)
            if answer is None:
                return found[0]
            answers.append(answer)
            return ""

        keys = _ANSWER.sub(take, text)
        if begun := _BEGUN.search(keys):
            self.held = begun[0]
            keys = keys[: begun.start()]
        return keys, answers

    def give_up(self) -> str:
        """What was kept and is no answer after all."""
        held, self.held = self.held, ""
        return held


def _answer(found: re.Match[str]) -> Answer | None:
    if found["row"] is not None:
        is_key = int(found["row"]) == 1 and int(found["column"]) in _F3
        return None if is_key else CursorSeen()
    if found["device"] is not None:
        return Device()
    if found["name"] is not None:
        return Name(found["name"])
    if found["valid"] is not None:
        return TrueColour(re.search(r"48[:;]2[:;]+1[:;]2[:;]3(?!\d)", found["sgr"]) is not None)
    return KittyPictures(found["kitty"].endswith(";OK"))
