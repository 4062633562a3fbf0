"""One call as rows of cells: its pictures, levels of the last minute, people, and who told whom."""

from collections.abc import Mapping

from console.actions import key_of
from console.state.ages import clock
from console.state.attention import Severity
from console.state.focus_layout import FocusParts
from console.state.focus_words import elsewhere, following, frame, gravest, people_lines, state_lines, title
from console.state.level_history import Step
from console.state.people import Line
from console.state.safe_text import cell_width, fit, safe, sides
from console.state.timeline import Happening
from console.state.vigilance import Vigilance
from console.state.wall import Wall
from schemas.call import CallView
from schemas.media import Side

from .bars import alarm_words, cut, place_words, wrap
from .detail import Detail
from .ink import SEVERITY_INK, Ink
from .meters import bar, number
from .strips import Part, Piece, Row
from .tile import PictureView, picture_row

LEFT_CELLS, RIGHT_CELLS = 17, 11
"""Of a row of levels: the side and its level before the bars, the peak after them."""
TITLED_FROM_ROWS = 4
"""A timeline of fewer rows has no title: it has the newest things instead."""
NAMES = {Side.FAMILY: "FAMILY", Side.ROOM: "ROOM"}


def header(wall: Wall, call: CallView | None, vigil: tuple[Vigilance, float], now_s: float, width: int) -> list[Row]:
    """Two rows: the establishment and the other calls, then this one. What makes the screen untrue comes first."""
    link, welcome = wall.link, wall.welcome
    place = place_words(welcome)
    who = f"{safe(welcome.staff_name)} (you)" if welcome else ""
    time = link.clock(now_s)
    severity, others = elsewhere(wall, call, now_s)
    alarm = alarm_words(wall, vigil, now_s)
    if alarm is not None:
        first: list[Piece] = [(fit(f" {place}  {time}  {alarm[0]}", width), alarm[1])]
    elif severity is Severity.URGENT:
        first = [(fit(f" {place}  {time}  {others} ({key_of('attend')})", width), Ink.URGENT)]
    else:
        first = [(sides(f" {place}  {time}  {who}", f"{others}   {link.words(now_s)} ", width), Ink.PLAIN)]
    if call is None:
        return [first, cut([(f" No call here. {key_of('focus-back')} goes back to the wall.", Ink.FAINT)], width)]
    grave, words = gravest(wall, call, now_s)
    second: list[Piece] = [(f" {title(wall, call, now_s)} ", Ink.STRONG)]
    if words:
        second.append((f" {words} ", SEVERITY_INK[grave]))
    return [first, cut(second, width)]


def picture_rows(
    parts: FocusParts, call: CallView | None, views: dict[Side, tuple[PictureView, str]], detail: Detail
) -> dict[int, Row]:
    """Frames and pictures, whole rows; `views`: each picture, and its age in words; `detail`: how they are painted."""
    if not parts.pictures:
        return {}
    area = next(iter(parts.pictures.values()))
    made: dict[int, Row] = {}
    for y in range(area.y - 1, area.y + area.height + 1):
        row: list[Part] = []
        for side, place in parts.pictures.items():
            view, age = views[side]
            if y == area.y - 1:
                words = frame(call, side) if call is not None else NAMES[side]
                right = f" {age} " if age else ""
                if view.rows and not detail.shows_a_face(place):
                    right = f" too coarse to know a face{right or ' '}"
                row.append((f"┌{sides(f'─ {words} ', f'{right}─', place.width, '─')}┐", Ink.FAINT))
            elif y == area.y + area.height:
                row.append((f"└{'─' * place.width}┘", Ink.EDGE))
            else:
                row += [("│", Ink.EDGE), *picture_row(y - place.y, view, place), ("│", Ink.EDGE)]
        made[y] = row
    return made


def level_rows(
    parts: FocusParts,
    levels: Mapping[Side, tuple[int | None, list[Step | None]]],
    step_s: float,
    width: int,
) -> dict[int, Row]:
    """One row a side with its level, its bars (the newest at the right) and its peak; then the time axis."""
    made: dict[int, Row] = {}
    cells = bar_cells(width)
    for at, (side, (now, steps)) in enumerate(levels.items()):
        level = f"{number(now)} dBFS" if now is not None else "     off "
        peak = max((step.peak for step in steps if step is not None), default=None)
        said = f"  peak {number(peak).strip()}" if peak is not None else ""
        bars = "".join(bar(step.rms) if step is not None else "·" for step in steps)
        row = [(f" {NAMES[side]:<6} {level} ", Ink.PLAIN), (bars.rjust(cells), Ink.LOUD), (said, Ink.PLAIN)]
        made[parts.levels_y + at] = cut(row, width)
    if parts.axis:
        made[parts.levels_y + len(levels)] = cut(
            [(" " * LEFT_CELLS, Ink.FAINT), (_axis(cells, step_s), Ink.FAINT)], width
        )
    return made


def bar_cells(width: int) -> int:
    return width - LEFT_CELLS - RIGHT_CELLS


def _axis(cells: int, step_s: float) -> str:
    """`−60 s        −30 s        now`, each above its bar."""
    axis = [" "] * cells
    for seconds in (60, 30, 0):
        mark = f"−{seconds} s" if seconds else "now"
        end = cells - int(seconds / step_s)
        start = end - len(mark) if not seconds else end
        if start >= 0 and start + len(mark) <= cells:
            axis[start : start + len(mark)] = mark
    return "".join(axis)


def list_rows(
    parts: FocusParts, wall: Wall, call: CallView, happened: list[Happening], since_ms: int, scrolled: int, now_s: float
) -> tuple[dict[int, Row], dict[int, Row]]:
    """The people's rows and the timeline's; each in its own width, to be put at its own column."""
    state = state_lines(wall, call, now_s)
    # What is wrong is not what falls off where there is little room.
    first = [line for line in state if line[1]]
    lines = first + people_lines(wall, call, now_s) + [line for line in state if not line[1]]
    return _people(parts, lines), _timeline(parts, happened, since_ms, scrolled)


def _people(parts: FocusParts, lines: list[Line]) -> dict[int, Row]:
    area = parts.people
    if not area.height:
        return {}
    made: dict[int, Row] = {area.y: [(sides("─ PEOPLE ", "", area.width, "─"), Ink.FAINT)]}
    y = area.y + 1
    for text, matters in lines:
        for part in wrap(text, area.width - 2):
            if y < area.y + area.height:
                made[y] = cut([(" ", Ink.PLAIN), (part, Ink.STRONG if matters else Ink.PLAIN)], area.width)
            y += 1
    for empty in range(min(y, area.y + area.height), area.y + area.height):
        made[empty] = cut([], area.width)
    return made


def _timeline(parts: FocusParts, happened: list[Happening], since_ms: int, scrolled: int) -> dict[int, Row]:
    area = parts.timeline
    if not area.height:
        return {}
    since = f" seen here since {clock(since_ms)} " if since_ms else ""
    titled = int(area.height >= TITLED_FROM_ROWS)
    first = max(0, min(scrolled, len(happened) - (area.height - titled)))
    above = f" · {first} newer above" if first else " newest first"
    made: dict[int, Row] = {}
    if titled:
        made[area.y] = [(sides(f"┬ TIMELINE{above} ", f"{since}─", area.width, "─"), Ink.FAINT)]
    for at in range(area.height - titled):
        index = first + at
        row: list[Piece] = [("│ " if area.x else " ", Ink.FAINT)]
        if index < len(happened):
            one = happened[index]
            told = f" {one.told} " if one.told else ""
            room = area.width - cell_width(row[0][0]) - 9 - cell_width(one.key) - 1
            words = sides(one.words, told, room) if cell_width(told) < room - 12 else fit(one.words, room)
            ink = Ink.ALERT if one.bad else Ink.PLAIN
            row += [(f"{clock(one.at_ms)} ", Ink.FAINT), (f"{one.key} ", Ink.KEY), (words, ink)]
        made[area.y + titled + at] = cut(row, area.width)
    return made


def next_row(wall: Wall, call: CallView | None, width: int) -> Row:
    words = following(wall, call) if call is not None else ""
    return cut([(f" {words}", Ink.FAINT)], width)
