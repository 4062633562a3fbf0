"""Words from outside made safe for a terminal: nothing in them moves the cursor, or hides or reorders what is near.

Every name, reason and sentence that comes over the link passes through here before it is drawn.
"""

import re
import unicodedata
from functools import lru_cache

# CSI, then the string sequences (OSC, DCS, SOS, PM, APC) with their ends, then two-character escapes.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_LONGEST = 2000
"""Characters that are looked at: a screen has no place for more."""


@lru_cache(4096)
def safe(text: str) -> str:
    """`text` on one line, without controls, escape sequences, bidirectional and zero-width characters.

    What can't be drawn as a cell of its own becomes `�` (controls) or falls away (marks that would join or reorder).
    """
    text = unicodedata.normalize("NFC", _SEQUENCE.sub("", text[:_LONGEST]))
    return " ".join("".join(_kept(character) for character in text).split())


def _kept(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    if character in "\t\n\r\x0b\x0c\x85":
        return " "
    match unicodedata.category(character):
        case "Zs" | "Zl" | "Zp":
            return " "
        case "Cc" | "Cs" | "Co" | "Cn":
            return "�"
        case "Cf" | "Mn" | "Me":
            return ""
        case _:
            # Hangul fillers and the braille blank are letters that show nothing.
            return "" if character in "\u115f\u1160\u3164\uffa0\u2800" else character


_PERHAPS_WIDE = re.compile("[\u1100-\u1200\u2300-\u2400\u25fd-\u2800\u2b00-\U0010ffff]")
"""Lines, blocks, signs and the letters of most languages are outside of it, so that few texts are looked at closely."""


def cell_width(text: str) -> int:
    """How many cells `text` takes; `text` is safe, so each character has one or two."""
    return _wide(text) if _PERHAPS_WIDE.search(text) else len(text)


@lru_cache(8192)
def _wide(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def fit(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells: filled with spaces, or cut with `…`."""
    width = cell_width(text)
    if width <= cells:
        return text + " " * (cells - width)
    if cells <= 0:
        return ""
    kept, room = "", cells - 1
    for character in text:
        room -= cell_width(character)
        if room < 0:
            break
        kept += character
    return kept + "…" + " " * (cells - 1 - cell_width(kept))


def sides(left: str, right: str, cells: int, fill: str = " ") -> str:
    """`left` and `right` at the two ends of `cells` cells; `left` is cut when both don't fit."""
    right = fit(right, min(cells, cell_width(right)))
    room = cells - cell_width(right)
    left = fit(left, min(room, cell_width(left)))
    return left + fill * (room - cell_width(left)) + right
