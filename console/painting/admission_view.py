"""An admission as rows of cells: the device's picture, what is known of its people, the check list, who else waits."""

from console.actions import key_of
from console.state import admission_words as words
from console.state.admission import POINTS, Admission
from console.state.admission_layout import AdmissionParts
from console.state.attention import Severity
from console.state.focus_words import elsewhere
from console.state.people import Line
from console.state.safe_text import sides
from console.state.vigilance import Vigilance
from console.state.wall import Wall

from .bars import alarm_words, cut, place_words, wrap
from .detail import Detail
from .ink import Ink
from .strips import Piece, Row
from .tile import PictureView, picture_row


def header(wall: Wall, admission: Admission, vigil: tuple[Vigilance, float], now_s: float, width: int) -> list[Row]:
    """Two rows: the establishment and what else goes on, then whom this is about."""
    link = wall.link
    place, time = place_words(wall.welcome), link.clock(now_s)
    severity, others = elsewhere(wall, admission.call, now_s)
    alarm = alarm_words(wall, vigil, now_s)
    if alarm is not None:
        first: Piece = sides(f" {place}  {time}  {alarm[0]}", "", width), alarm[1]
    elif severity is Severity.URGENT:
        first = sides(f" {place}  {time}  {others}", "", width), Ink.URGENT
    else:
        room = f"WAITING ROOM {len(words.waiting(wall))}"
        first = sides(f" {place}  {time}  {room}", f"{others}   {link.words(now_s)} ", width), Ink.PLAIN
    ink = Ink.STRONG if admission.waits else Ink.ALERT
    return [[first], cut([(f" {words.title(wall, admission, now_s)} ", ink)], width)]


def picture_rows(
    parts: AdmissionParts, admission: Admission, view: PictureView, age: str, detail: Detail
) -> dict[int, Row]:
    """The frame and the picture in it, in their own width; `detail`: how it is painted."""
    area = parts.picture
    right = f" {age} " if age else ""
    if view.rows and not detail.shows_a_face(area):
        right = f" too coarse to know a face{right or ' '}"
    title = sides(f"─ {words.frame(admission)} ", f"{right}─", area.width, "─")
    made: dict[int, Row] = {area.y - 1: [(f"┌{title}┐", Ink.FAINT)]}
    for y in range(area.height):
        made[area.y + y] = [("│", Ink.EDGE), *picture_row(y, view, area), ("│", Ink.EDGE)]
    made[area.y + area.height] = [(f"└{'─' * area.width}┘", Ink.EDGE)]
    return made


def facts_rows(parts: AdmissionParts, lines: list[Line]) -> dict[int, Row]:
    """What is known of the people, in its own width; where rows are few, blank ones go first."""
    area = parts.facts
    made: dict[int, Row] = {area.y: [(sides("─ BOOKING ", "", area.width, "─"), Ink.FAINT)]}
    room = area.height - 1

    def broken(lines: list[Line]) -> list[Line]:
        return [(part, matters) for text, matters in lines for part in wrap(text, area.width - 2)]

    shown = broken(lines)
    if len(shown) > room:
        shown = broken([line for line in lines if line[0]])
    for y in range(room):
        text, matters = shown[y] if y < len(shown) else ("", False)
        made[area.y + 1 + y] = cut([(" ", Ink.PLAIN), (text, Ink.STRONG if matters else Ink.PLAIN)], area.width)
    return made


def check_rows(parts: AdmissionParts, admission: Admission) -> dict[int, Row]:
    """The check list, and what stands between it and the admission."""
    area, across = parts.checks, parts.checks_across
    left = f"─ CHECK LIST · {key_of('tick')} or a number ticks "
    made: dict[int, Row] = {area.y: [(sides(left, "", area.width, "─"), Ink.FAINT)]}
    cells, down = area.width // across, -(-len(POINTS) // across)
    for y in range(down):
        row: list[Piece] = []
        for column in range(across):
            at = column * down + y
            row += _point(admission, POINTS[at], cells, across > 1) if at < len(POINTS) else []
        made[area.y + 1 + y] = cut(row, area.width)
    for blank in range(area.y + 1 + down, area.y + area.height):
        made[blank] = cut([], area.width)
    ready = _ready(admission)
    if across > 1:
        # The last column has a place to spare.
        last = _point(admission, POINTS[down - 1], cells, True)
        made[area.y + down] = cut([*last, (" ", Ink.PLAIN), ready], area.width)
    elif down + 2 < area.height:
        made[area.y + down + 2] = cut([(" ", Ink.PLAIN), ready], area.width)
    return made


def _point(admission: Admission, point: int, cells: int, short: bool) -> list[Piece]:
    ticked = point in admission.ticked
    text = f" [{'x' if ticked else ' '}] {point} {admission.words(point, short)}"
    return cut([(text, Ink.PLAIN if ticked else Ink.STRONG)], cells)


def _ready(admission: Admission) -> Piece:
    key, why = key_of("admit-named"), admission.why_not()
    if why:
        return f"{key} is off: {why}", Ink.LOOK
    left = len(admission.unticked)
    return (f"All ticked: {key} admits" if not left else f"{left} not ticked: {key} asks for all at once"), Ink.PLAIN


def waiting_rows(parts: AdmissionParts, wall: Wall, admission: Admission, now_s: float) -> dict[int, Row]:
    """Who waits, in the order of booked time and waiting; the one on the screen is marked."""
    area = parts.waiting
    if not area.width:
        return {}
    made: dict[int, Row] = {area.y: [(sides("┬ WAITING ROOM ", "", area.width, "─"), Ink.FAINT)]}
    found = words.listed(wall, now_s)
    for y in range(area.height - 1):
        row: list[Piece] = [("│ ", Ink.FAINT)]
        if y < len(found):
            call, leg, text = found[y]
            here = call.call_id == admission.call.call_id and leg == admission.leg
            row.append((f"{'▶' if here else ' '} {text}", Ink.STRONG if here else Ink.PLAIN))
        made[area.y + 1 + y] = cut(row, area.width)
    return made
