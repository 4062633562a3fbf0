"""The inks of each theme. The severities keep their colours in all of them; what changes is what surrounds them.

A theme paints no background of its own: it says for what terminal its text is meant.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum, auto

from rich.color import Color
from rich.style import Style


class Ink(IntEnum):
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


class Theme(StrEnum):
    """DARK and LIGHT are for terminals of such a background; MONOCHROME is what NO_COLOR gives."""

    DARK = "dark"
    LIGHT = "light"
    HIGH_CONTRAST = "high-contrast"
    MONOCHROME = "monochrome"


def _indexed(foreground: int | None = None, background: int | None = None, bold: bool | None = None) -> Style:
    return Style(
        color=None if foreground is None else Color.from_ansi(foreground),
        bgcolor=None if background is None else Color.from_ansi(background),
        bold=bold,
    )


_SEVERITIES = {
    Ink.URGENT: _indexed(231, 160, bold=True),
    Ink.ALERT: _indexed(16, 214),
    Ink.LOOK: _indexed(16, 75),
    Ink.PAUSED: _indexed(16, 183),
}

# On a screen with other text behind it a panel and a plain word both set the background, so nothing shines through.
INKS: Mapping[Theme, Mapping[Ink, Style]] = {
    Theme.DARK: {
        **_SEVERITIES,
        Ink.PLAIN: _indexed(250),
        Ink.STRONG: _indexed(255, bold=True),
        Ink.FAINT: _indexed(243),
        Ink.EDGE: _indexed(238),
        Ink.CHOSEN: _indexed(255, bold=True),
        Ink.LOUD: _indexed(150),
        Ink.KEY: _indexed(255, bold=True),
        Ink.PANEL: _indexed(252, 236),
        Ink.PANEL_STRONG: _indexed(231, 236, bold=True),
        Ink.HATCH: _indexed(240),
    },
    Theme.LIGHT: {
        **_SEVERITIES,
        Ink.PLAIN: _indexed(237),
        Ink.STRONG: _indexed(16, bold=True),
        Ink.FAINT: _indexed(242),
        Ink.EDGE: _indexed(249),
        Ink.CHOSEN: _indexed(16, bold=True),
        Ink.LOUD: _indexed(22),
        Ink.KEY: _indexed(16, bold=True),
        Ink.PANEL: _indexed(235, 254),
        Ink.PANEL_STRONG: _indexed(16, 254, bold=True),
        Ink.HATCH: _indexed(249),
    },
    Theme.HIGH_CONTRAST: {
        **_SEVERITIES,
        Ink.PLAIN: _indexed(231),
        Ink.STRONG: _indexed(231, bold=True),
        Ink.FAINT: _indexed(252),
        Ink.EDGE: _indexed(250),
        Ink.CHOSEN: _indexed(16, 231, bold=True),
        Ink.LOUD: _indexed(231),
        Ink.KEY: _indexed(226, bold=True),
        Ink.PANEL: _indexed(231, 16),
        Ink.PANEL_STRONG: _indexed(226, 16, bold=True),
        Ink.HATCH: _indexed(252),
    },
    Theme.MONOCHROME: {
        **{ink: Style.null() for ink in Ink},
        Ink.STRONG: Style(bold=True),
        Ink.CHOSEN: Style(bold=True),
        Ink.URGENT: Style(bold=True, reverse=True),
        Ink.ALERT: Style(reverse=True),
        Ink.LOOK: Style(underline=True),
        Ink.KEY: Style(bold=True),
        Ink.PANEL_STRONG: Style(bold=True),
    },
}

_worn = [Theme.DARK]


def wear(theme: Theme) -> None:
    """One console wears one theme; what is drawn from now on has it."""
    _worn[0] = theme


def worn() -> Theme:
    return _worn[0]


def next_theme() -> Theme:
    themes = list(Theme)
    return themes[(themes.index(worn()) + 1) % len(themes)]
