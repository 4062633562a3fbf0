"""No text from outside can leave its cells."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.state.safe_text import cell_width, fit, safe, sides


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("HARRIS", "HARRIS"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x9b2Jc1", "c1"),
        ("a\x1bcb", "ab"),
        ("one\r\ntwo\tthree\x85four", "one two three four"),
        ("nul\x00bel\x07", "nul�bel�"),
        ("abc\u202edef\u2066ghi\u200f", "abcdefghi"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("e\u0301", "é"),
        ("z" + "\u0301" * 50, "ź"),
        ("line\u2028separator", "line separator"),
        ("\ud800lone", "�lone"),
        ("עברית", "עברית"),
        ("中文", "中文"),
        ("", ""),
    ],
)
def test_safe(raw: str, expected: str) -> None:
    assert safe(raw) == expected


@given(st.text(max_size=200))
def test_nothing_dangerous_is_left(raw: str) -> None:
    made = safe(raw)
    assert safe(made) == made
    for character in made:
        assert character == "�" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me")


@given(st.text(max_size=60), st.integers(0, 40))
def test_fit_takes_exactly_its_cells(raw: str, cells: int) -> None:
    assert cell_width(fit(safe(raw), cells)) == cells


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 60))
def test_sides_take_exactly_their_cells(left: str, right: str, cells: int) -> None:
    assert cell_width(sides(safe(left), safe(right), cells)) == cells


def test_wide_characters_count_twice_and_are_never_halved() -> None:
    assert cell_width("中文") == 4
    assert fit("中文字", 4) == "中… "
    assert fit("HARRIS", 4) == "HAR…"


def test_five_thousand_characters_end_at_the_screen_s_size() -> None:
    assert len(safe("x" * 5000)) <= 2000


def test_each_wide_character_takes_two_cells() -> None:
    """Those that are assigned: no other comes through `safe`."""
    wide = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.east_asian_width(c) in "WF"]
    assigned = [c for c in wide if unicodedata.category(c) != "Cn"]
    assert len(assigned) > 100_000 and all(cell_width(f"a{c}") == 3 for c in assigned)
    assert cell_width("▁▄█ −22 ● LIVE ║ PAUSED … ┌─┐") == 29
