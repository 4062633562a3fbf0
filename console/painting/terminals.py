"""Which terminals draw the characters of mosaics themselves, whatever their font has."""

from .mosaic import QUADRANTS, SEXTANTS, Mosaic

_FINEST = {
    "kitty": SEXTANTS,
    "WezTerm": SEXTANTS,
    "ghostty": SEXTANTS,
    "foot": SEXTANTS,
    "VTE": SEXTANTS,
    "Konsole": QUADRANTS,
}
"""By the beginning of what a terminal answers to XTVERSION. With another one, xterm or PuTTY for example, it depends on
a font that nobody can ask about."""


def finest(name: str) -> Mosaic | None:
    """`name`: as the terminal calls itself, `kitty(0.26.5)`. None: nobody knows."""
    return next((mosaic for start, mosaic in _FINEST.items() if name.lower().startswith(start.lower())), None)
