"""Colours and attributes by meaning, for three kinds of terminal. Severity is never told by colour alone."""

from enum import StrEnum
from functools import lru_cache

from rich.color import Color
from rich.style import Style

from .themes import INKS, Ink, Theme, worn

__all__ = ["SEVERITY_INK", "Colours", "Ink", "look", "rich_style"]

NO_COLOUR = -1
INDEXED = 0x1000000
"""A cell's colour is 0xRRGGBB, or INDEXED + the number of one of the 256 colours, or NO_COLOUR: the terminal's own."""
BOLD, UNDERLINE, REVERSE = 1, 2, 4


class Colours(StrEnum):
    """TRUE: 24 bit; INDEXED: 256, where pictures are grey because its colour cube makes false skin; NONE: NO_COLOR."""

    TRUE = "true"
    INDEXED = "256"
    NONE = "none"


def look(ink: Ink, colours: Colours) -> tuple[int, int, int]:
    """Ink, paper and attributes (BOLD, UNDERLINE, REVERSE) of a cell."""
    return _look(ink, Theme.MONOCHROME if colours is Colours.NONE else worn())


@lru_cache
def _look(ink: Ink, theme: Theme) -> tuple[int, int, int]:
    one = INKS[theme][ink]
    attributes = BOLD * bool(one.bold) | UNDERLINE * bool(one.underline) | REVERSE * bool(one.reverse)
    return _colour(one.color), _colour(one.bgcolor), attributes


def _colour(colour: Color | None) -> int:
    if colour is None or colour.is_default:
        return NO_COLOUR
    if colour.triplet is not None:
        return colour.triplet.red << 16 | colour.triplet.green << 8 | colour.triplet.blue
    return INDEXED + (colour.number or 0)


@lru_cache(4096)
def rich_style(ink: int, paper: int, attributes: int) -> Style:
    """The way back, for what Textual draws itself."""
    return Style(
        color=_rich_colour(ink),
        bgcolor=_rich_colour(paper),
        bold=bool(attributes & BOLD) or None,
        underline=bool(attributes & UNDERLINE) or None,
        reverse=bool(attributes & REVERSE) or None,
    )


def _rich_colour(value: int) -> Color | None:
    if value == NO_COLOUR:
        return None
    if value >= INDEXED:
        return Color.from_ansi(value - INDEXED)
    return Color.from_rgb(value >> 16, value >> 8 & 255, value & 255)


SEVERITY_INK = (Ink.URGENT, Ink.ALERT, Ink.LOOK, Ink.PLAIN)
"""By Severity."""
