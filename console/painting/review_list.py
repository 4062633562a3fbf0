"""The list of flagged incidents as rows of cells."""

from console.state.ages import clock, date
from console.state.review_list import ReviewList
from console.state.review_words import age, category, due, rank, severity_words, who
from console.state.safe_text import cell_width, fit, safe, sides
from console.state.vigilance import Vigilance
from console.state.wall import Wall
from schemas.incident import IncidentSeverity, IncidentView

from .bars import alarm_words, cut, place_words, wrap
from .ink import SEVERITY_INK, Ink
from .strips import Piece

Row = list[Piece]
DETAIL_ROWS = 7
_COLUMNS = (
    # heading, cells, the least width of a screen that has it
    ("SEVERITY", 10, 0),
    ("INCIDENT", 18, 0),
    ("CALL", 18, 100),
    ("CATEGORY", 22, 0),
    ("FLAGGED BY", 13, 130),
    ("AGE", 7, 0),
    ("STATE", 16, 0),
    ("DUE", 13, 100),
)


def review_header(wall: Wall, title: str, now_s: float, width: int) -> Row:
    """Place, person, what the screen is, the clock, and the link, in one row."""
    link, welcome = wall.link, wall.welcome
    place = place_words(welcome)
    person = f"{safe(welcome.staff_name)} ({welcome.role})" if welcome else ""
    server_ms = link.server_ms(now_s)
    time = link.clock(now_s)
    words = link.words(now_s)
    alarm = alarm_words(wall, (Vigilance.QUIET, 0.0), now_s)
    if alarm is not None:
        return [(sides(f" {place}  {title}", f" {alarm[0]} ", width), alarm[1])]
    day = f"{date(server_ms)}  " if server_ms and width >= 160 else ""
    right = f"  {person}   {day}" if width >= 110 else "  "
    end = f"   {words} "
    left = fit(f" {place}  ", cell_width(place) + 3)
    room = width - cell_width(left) - cell_width(right) - cell_width(time) - cell_width(end)
    return [
        (left, Ink.PLAIN),
        (fit(title, room), Ink.STRONG),
        (right, Ink.PLAIN),
        (time, Ink.STRONG),
        (end, Ink.PLAIN),
    ]


def list_rows(reviews: ReviewList, wall: Wall, now_s: float, width: int, height: int) -> list[Row]:
    """`height` rows: the incidents that wait, those that are signed off, and more words on the chosen one."""
    server_ms = wall.link.server_ms(now_s)
    waiting, done = reviews.open_ones(server_ms), reviews.signed_off()
    chosen = reviews.choose(server_ms)
    overdue = sum(incident.due_at_ms <= server_ms for incident in waiting)
    title = f"REVIEWS  open {len(waiting)}, overdue {overdue}" if reviews.known else "REVIEWS"
    rows = [review_header(wall, title, now_s, width), _headings(width)]
    if not waiting:
        rows.append([(fit(f"   {_nothing(reviews)}", width), Ink.FAINT)])
    table = [_line(n, one, one is chosen, server_ms, width) for n, one in enumerate(waiting, 1)]
    if done:
        table.append([(sides(f"─ SIGNED OFF {len(done)} ", "", width, "─"), Ink.FAINT)])
        table += [_line(0, one, one is chosen, server_ms, width) for one in done]
    room = height - len(rows) - DETAIL_ROWS
    at = next((y for y, row in enumerate(table) if row[0][0].startswith("▶")), 0)
    first = max(0, min(at - room // 2, len(table) - room))
    rows += table[first : first + room]
    rows += [[(" " * width, Ink.PLAIN)] for _ in range(height - DETAIL_ROWS - len(rows))]
    return [*rows, *_detail(chosen, width)]


def _nothing(reviews: ReviewList) -> str:
    if reviews.refused:
        return reviews.refused
    return "No incident waits for a review. Officers flag with f." if reviews.known else "Asking the server …"


def _headings(width: int) -> Row:
    text = "  # " + "".join(fit(name, cells) for name, cells, least in _COLUMNS if width >= least)
    return [(fit(text + ("NOTE" if width >= 160 else ""), width), Ink.FAINT)]


def _line(number: int, incident: IncidentView, chosen: bool, server_ms: int, width: int) -> Row:
    values = {
        "SEVERITY": severity_words(incident),
        "INCIDENT": safe(incident.reference),
        "CALL": f"{incident.seat:02d} {safe(incident.surname).upper()}",
        "CATEGORY": category(incident),
        "FLAGGED BY": safe(incident.flagged_by),
        "AGE": age(server_ms - incident.pressed_at_ms),
        "STATE": str(incident.state),
        "DUE": due(incident, server_ms),
    }
    ink = Ink.STRONG if chosen else Ink.PLAIN if number else Ink.FAINT
    row: Row = [(f"{'▶' if chosen else ' '}{number or '·':>2} ", ink)]
    for name, cells, least in _COLUMNS:
        if width < least:
            continue
        value = fit(values[name], cells - 1)
        overdue = name == "DUE" and value.startswith("■")
        if number and (overdue or (name == "SEVERITY" and incident.severity != IncidentSeverity.LOW)):
            said = value.rstrip() if overdue else fit(values[name], cells - 2)
            mark = Ink.URGENT if overdue else SEVERITY_INK[rank(incident)]
            row += [(said, mark), (" " * (cells - cell_width(said)), ink)]
        else:
            row.append((f"{value} ", ink))
    if width >= 160:
        row.append((f" {safe(incident.note)}", ink if chosen else Ink.FAINT))
    return cut(row, width)


def _detail(incident: IncidentView | None, width: int) -> list[Row]:
    """DETAIL_ROWS rows about the chosen one."""
    if incident is None:
        return [[(" " * width, Ink.PLAIN)] for _ in range(DETAIL_ROWS)]
    flagged = f"{safe(incident.flagged_by)}, {date(incident.pressed_at_ms)} {clock(incident.pressed_at_ms)}"
    note = f"“{safe(incident.note)}”" if incident.note else "no note"
    decision = str(incident.decision or "not decided")
    if incident.measures:
        decision += f" · {', '.join(incident.measures)}"
    if incident.signed_off_by:
        decision += f" · signed off by {safe(incident.signed_off_by)} {clock(incident.signed_off_at_ms)}"
    finding = wrap(safe(incident.finding) or "not written", width - 13)
    rows: list[Row] = [[(sides(f"─ {safe(incident.reference)} · {who(incident)} ", "", width, "─"), Ink.FAINT)]]
    fields = [("Category", f"{category(incident)}, {incident.severity}"), ("Flagged by", flagged), ("Note", note)]
    if incident.question:
        fields.append(("Question", safe(incident.question)))
    fields += [("Finding", finding[0] + (" …" if len(finding) > 1 else "")), ("Decision", decision)]
    rows += [cut([(f" {name:<12}", Ink.FAINT), (value, Ink.PLAIN)], width) for name, value in fields]
    return [*rows, *([(" " * width, Ink.PLAIN)] for _ in range(DETAIL_ROWS - len(rows)))][:DETAIL_ROWS]
