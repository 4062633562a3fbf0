"""A terminal's screen as an SVG picture."""

import io
import re

from rich.color import Color, ColorParseError
from rich.console import Console
from rich.style import Style
from rich.text import Text

from demo.terminal import Terminal

NAMED = {"brown": "yellow"}  # pyte's names that are not rich's


def as_svg(terminal: Terminal) -> str:
    """Every cell with its colours, bold, underline and reverse; text of one style in one run."""
    console = Console(
        record=True,
        width=terminal.columns,
        height=terminal.rows,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for row in range(terminal.rows):
        line = Text(no_wrap=True, end="\n", overflow="crop")
        cells = terminal.screen.buffer[row]
        for column in range(terminal.columns):
            cell = cells[column]
            line.append(cell.data, _style(cell.fg, cell.bg, cell.bold, cell.underscore, cell.reverse))
        console.print(line)
    # A picture that is looked at offline asks nobody for a font.
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="Sightline"), flags=re.DOTALL)


def _style(fg: str, bg: str, bold: bool, underline: bool, reverse: bool) -> Style:
    return Style(color=_color(fg), bgcolor=_color(bg), bold=bold, underline=underline, reverse=reverse)


def _color(name: str) -> Color | None:
    if name == "default":
        return None
    if len(name) == 6 and all(c in "0123456789abcdefABCDEF" for c in name):
        return Color.parse(f"#{name}")
    try:
        return Color.parse(NAMED.get(name, name.replace("bright", "bright_")))
    except ColorParseError:
        return None
