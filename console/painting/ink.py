"""Colours and attributes by meaning, for three kinds of terminal. Severity is never told by colour alone."""

from enum import Enum, StrEnum, auto

from rich.color import Color, ColorSystem
from rich.style import Style


class Colours(StrEnum):
    """TRUE: 24 bit; INDEXED: 256, where pictures are grey because its colour cube makes false skin; NONE: NO_COLOR."""

    TRUE = "true"
    INDEXED = "256"
    NONE = "none"

    @property
    def system(self) -> ColorSystem:
        return ColorSystem.TRUECOLOR if self is Colours.TRUE else ColorSystem.EIGHT_BIT


class Ink(Enum):
    """What a piece of text means."""

    PLAIN = auto()
    STRONG = auto()
    FAINT = auto()
    EDGE = auto()
    CHOSEN = auto()
    URGENT = auto()
    ALERT = auto()
    LOOK = auto()
    PAUSED = auto()
    LOUD = auto()
    KEY = auto()
    PANEL = auto()
    PANEL_STRONG = auto()
    HATCH = auto()


def _indexed(foreground: int | None = None, background: int | None = None, bold: bool | None = None) -> Style:
    return Style(
        color=None if foreground is None else Color.from_ansi(foreground),
        bgcolor=None if background is None else Color.from_ansi(background),
        bold=bold,
    )


# On a screen with other text behind it a panel and a plain word both set the background, so nothing shines through.
_COLOURED = {
    Ink.PLAIN: _indexed(250),
    Ink.STRONG: _indexed(255, bold=True),
    Ink.FAINT: _indexed(243),
    Ink.EDGE: _indexed(238),
    Ink.CHOSEN: _indexed(255, bold=True),
    Ink.URGENT: _indexed(231, 160, bold=True),
    Ink.ALERT: _indexed(16, 214),
    Ink.LOOK: _indexed(16, 75),
    Ink.PAUSED: _indexed(16, 183),
    Ink.LOUD: _indexed(150),
    Ink.KEY: _indexed(255, bold=True),
    Ink.PANEL: _indexed(252, 236),
    Ink.PANEL_STRONG: _indexed(231, 236, bold=True),
    Ink.HATCH: _indexed(240),
}
_PLAIN = {
    **{ink: Style.null() for ink in Ink},
    Ink.STRONG: Style(bold=True),
    Ink.CHOSEN: Style(bold=True),
    Ink.URGENT: Style(bold=True, reverse=True),
    Ink.ALERT: Style(reverse=True),
    Ink.LOOK: Style(underline=True),
    Ink.KEY: Style(bold=True),
    Ink.PANEL_STRONG: Style(bold=True),
}


def style(ink: Ink, colours: Colours) -> Style:
    return (_PLAIN if colours is Colours.NONE else _COLOURED)[ink]


SEVERITY_INK = (Ink.URGENT, Ink.ALERT, Ink.LOOK, Ink.PLAIN)
"""By Severity."""
