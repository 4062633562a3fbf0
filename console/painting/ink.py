"""Colours and attributes by meaning, for three kinds of terminal. Severity is never told by colour alone."""

from enum import StrEnum

from rich.color import ColorSystem
from rich.style import Style

from .themes import INKS, Ink, Theme, worn

__all__ = ["SEVERITY_INK", "Colours", "Ink", "style"]


class Colours(StrEnum):
    """TRUE: 24 bit; INDEXED: 256, where pictures are grey because its colour cube makes false skin; NONE: NO_COLOR."""

    TRUE = "true"
    INDEXED = "256"
    NONE = "none"

    @property
    def system(self) -> ColorSystem:
        return ColorSystem.TRUECOLOR if self is Colours.TRUE else ColorSystem.EIGHT_BIT


def style(ink: Ink, colours: Colours) -> Style:
    return INKS[Theme.MONOCHROME if colours is Colours.NONE else worn()][ink]


SEVERITY_INK = (Ink.URGENT, Ink.ALERT, Ink.LOOK, Ink.PLAIN)
"""By Severity."""
