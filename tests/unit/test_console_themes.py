"""Each theme can be read, and tells severities apart without colour where it has none."""

import pytest
from rich.style import Style

from console.painting.themes import INKS, Ink, Theme, next_theme, wear, worn

GROUND = {Theme.DARK: (0, 0, 0), Theme.LIGHT: (255, 255, 255), Theme.HIGH_CONTRAST: (0, 0, 0)}
DECORATION = {Ink.EDGE, Ink.HATCH}
"""Lines and hatching: nothing is read from them."""


def luminance(rgb: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 for c in rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style: Style, ground: tuple[int, int, int]) -> float:
    assert style.color is not None
    ink = luminance(tuple(style.color.get_truecolor()))
    paper = luminance(tuple(style.bgcolor.get_truecolor()) if style.bgcolor else ground)
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


@pytest.mark.parametrize("theme", [t for t in Theme if t is not Theme.MONOCHROME])
def test_every_word_can_be_read(theme: Theme) -> None:
    """4.5 is WCAG's AA for text, 7 its AAA."""
    least = 7.0 if theme is Theme.HIGH_CONTRAST else 4.5
    for ink in set(Ink) - DECORATION - {Ink.URGENT}:
        assert contrast(INKS[theme][ink], GROUND[theme]) >= least, ink
    assert contrast(INKS[theme][Ink.URGENT], GROUND[theme]) >= 4.5


def test_every_theme_has_every_ink_and_the_severities_differ() -> None:
    for theme in Theme:
        inks = INKS[theme]
        assert set(inks) == set(Ink)
        assert len({str(inks[ink]) for ink in (Ink.PLAIN, Ink.URGENT, Ink.ALERT, Ink.LOOK)}) == 4
    mono = INKS[Theme.MONOCHROME]
    assert all(style.color is None and style.bgcolor is None for style in mono.values())


def test_the_next_theme_comes_round() -> None:
    before, seen = worn(), []
    for _ in Theme:
        wear(next_theme())
        seen.append(worn())
    assert set(seen) == set(Theme) and worn() is before
