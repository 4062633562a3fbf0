"""The laptops' list and one laptop's details, as rows of text in exactly the screen's width."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from console.actions import together
from console.state import health_words as words
from console.state.ages import clock, short
from console.state.attention import Severity
from console.state.health import Event, HealthBoard
from console.state.link import LinkState
from console.state.safe_text import fit, safe, sides
from schemas.console import ConsoleWelcome
from schemas.health import UNKNOWN, CallPhase, LaptopView

from .bars import Row, cut, place_words
from .ink import SEVERITY_INK, Ink

PROMISE = "no names, pictures or sound here"
EVENT_ROWS_LEAST = 3


@dataclass(frozen=True)
class Column:
    """`least`: the narrowest screen that shows it. Numbers stand at the right."""

    title: str
    cells: int
    least: int
    of: Callable[[LaptopView], str]
    right: bool = True


COLUMNS = (
    Column("LAPTOP", 10, 0, lambda one: safe(one.laptop_id), False),
    Column("SEAT", 4, 0, lambda one: f"{one.seat:02d}"),
    Column("STATE", 11, 0, words.state, False),
    Column("AGENT", 7, 100, words.version, False),
    Column("RTT", 4, 0, lambda one: words.whole(one.round_trip_ms)),
    Column("DROPS", 5, 160, lambda one: str(one.drops)),
    Column("LOSS", 4, 0, words.loss),
    Column("JIT", 3, 100, words.jitter),
    Column("FPS", 5, 110, words.frames),
    Column("CPU", 5, 100, lambda one: words.per_cent(one.cpu_per_mille)),
    Column("LATE", 4, 160, lambda one: words.whole(one.loop_lag_ms)),
    Column("DISK", 8, 100, lambda one: words.gib(one.disk_free_mib)),
    Column("REC", 8, 0, words.recording, False),
    Column("OFFSET", 8, 115, words.offset),
    Column("CARRYING", 24, 160, words.carrying, False),
)
"""What is left over is the last column's: which side failed."""


def header(welcome: ConsoleWelcome | None, link: LinkState, board: HealthBoard, now_s: float, width: int) -> list[Row]:
    """Two rows: whose console of which establishment; how many laptops are well, and the link."""
    who = f"{safe(welcome.staff_name)} ({welcome.role})" if welcome else ""
    place = place_words(welcome)
    time = link.clock(now_s)
    first: Row = [(sides(f" LAPTOPS  {place}  {time}", f"{who} ", width), Ink.PLAIN)]
    if link.lost:
        lost = f" ■ LINK LOST {int(link.silent_s(now_s))} s. What is shown is old."
        return [first, [(fit(lost, width), Ink.URGENT)]]
    if not link.usable:
        return [first, [(fit(f" {link.words(now_s)}", width), Ink.LOOK)]]
    counts = _counts(board) if board.known else "waiting for the laptops' health"
    return [first, [(sides(f" {counts} · {PROMISE}", f" {link.words(now_s)} ", width), Ink.PLAIN)]]


def laptop_rows(board: HealthBoard, width: int, rows: int) -> list[Row]:
    """The titles and a row a laptop, scrolled so that the chosen one is seen; then what has happened."""
    columns = [column for column in COLUMNS if column.least <= width]
    titles = "".join(_cell(column, column.title) for column in columns)
    made: list[Row] = [[(fit(f" {titles}WHICH SIDE FAILED", width), Ink.FAINT)]]
    laptops = board.rows()
    order = "gravest first" if board.worst_first else "by seat"
    room = max(1, min(len(laptops), rows - 2 - EVENT_ROWS_LEAST))
    at = next((n for n, one in enumerate(laptops) if one.laptop_id == board.chosen), 0)
    first = max(0, min(at - room // 2, len(laptops) - room))
    for one in laptops[first : first + room]:
        made.append(_laptop(one, columns, one.laptop_id == board.chosen, width))
    if not laptops:
        made.append([(fit(" No laptop belongs to this establishment." if board.known else "", width), Ink.FAINT)])
    more = f", {len(laptops) - room} more: {together('laptop-down', 'laptop-up')}" if len(laptops) > room else ""
    made.append(_rule(f" EVENTS (laptops {order}{more}) ", width))
    made += _events(board.events_of(), width, rows - len(made), with_laptop=True)
    return made


def detail_rows(board: HealthBoard, one: LaptopView, server_ms: int, width: int, rows: int) -> list[Row]:
    """One laptop: what it is in, its machine and line, its call's connections, what has happened to it."""
    wrong = words.verdict(one)
    grave = words.severity(one)
    made: list[Row] = [
        [
            (fit(f" {safe(one.laptop_id)} · seat {one.seat:02d} · {words.state(one)}", 44), Ink.STRONG),
            (fit(" no content shown", width - 44), Ink.FAINT),
        ]
    ]
    if wrong:
        since = f"{clock(one.cause_since_ms)}, {short((server_ms - one.cause_since_ms) / 1000)}"
        made.append([(sides(f" {grave.glyph} {grave.name} {wrong}", f"since {since} ", width), SEVERITY_INK[grave])])
    else:
        made.append([(fit(" Nothing has failed.", width), Ink.PLAIN)])
    made.append(_rule(" NOW ", width))
    made += [_line(name, value, width) for name, value in _facts(one, server_ms)]
    made.append(_rule(" CONNECTIONS OF THE CALL ", width))
    made += [_line(words.leg_name(leg), words.leg_words(leg), width) for leg in one.legs] or [_line("", "none", width)]
    made.append(_rule(" EVENTS OF THIS LAPTOP ", width))
    made += _events(board.events_of(one.laptop_id), width, rows - len(made), with_laptop=False)
    return made


def _facts(one: LaptopView, server_ms: int) -> list[tuple[str, str]]:
    up = short(one.up_s) if one.up_s != UNKNOWN else words.DASH
    changed = (
        f"{'online' if one.online else 'away'} since {clock(one.changed_at_ms)}" if one.changed_at_ms else "never seen"
    )
    heard = f"heard {short((server_ms - one.heard_at_ms) / 1000)} ago" if one.heard_at_ms else "has not told anything"
    until = f", until {clock(one.call_ends_at_ms)[:5]} or later" if one.call != CallPhase.NONE else ""
    recording = " · ".join(part for part in (words.recording(one), words.fault(one)) if part)
    return [
        ("Agent", f"version {words.version(one)}, up {up}, {heard}"),
        ("Line to the server", f"{changed} · {words.whole(one.round_trip_ms)} ms · {one.drops} drops"),
        ("Machine", f"CPU {words.per_cent(one.cpu_per_mille)} of a core · {words.whole(one.loop_lag_ms)} ms late"),
        ("Its own work", words.strain(one)),
        ("Disk", f"{words.gib(one.disk_free_mib)} free of {words.gib(one.disk_total_mib)}"),
        ("Clock", f"{words.offset(one)} to the server's"),
        ("Call", f"{words.phase(one)[2:]}{until}"),
        ("Carrying", words.carrying(one)),
        ("Recording", recording),
    ]


def _counts(board: HealthBoard) -> str:
    graves = Counter(words.severity(one) for one in board.laptops.values())
    said = [f"{graves[Severity.NONE]} OK"]
    said += [f"{s.glyph} {graves[s]} {s.name}" for s in (Severity.URGENT, Severity.ALERT, Severity.LOOK) if graves[s]]
    return f"Laptops {len(board.laptops)}: {', '.join(said)}"


def _laptop(one: LaptopView, columns: list[Column], chosen: bool, width: int) -> Row:
    grave, wrong = words.severity(one), words.verdict(one)
    left = ("▶" if chosen else " ") + "".join(_cell(column, column.of(one)) for column in columns)
    ink = Ink.CHOSEN if chosen else Ink.PLAIN
    return cut([(left, ink), (f"{grave.glyph} {wrong}" if wrong else "", SEVERITY_INK[grave])], width)


def _cell(column: Column, text: str) -> str:
    if column.right:
        return f"{fit(text, column.cells).strip():>{column.cells}} "
    return f"{fit(text, column.cells)} "


def _events(events: list[Event], width: int, rows: int, *, with_laptop: bool) -> list[Row]:
    made: list[Row] = []
    for event in events[: max(0, rows)]:
        one = event.laptop
        grave = words.severity(one)
        who = f"{fit(safe(one.laptop_id), 10)} " if with_laptop else ""
        said = words.verdict(one) or "well again"
        made.append([(fit(f" {clock(event.at_ms)} {grave.glyph} {who}{said}", width), Ink.PLAIN)])
    return made or (
        [[(fit(" Nothing has happened since this console was opened.", width), Ink.FAINT)]] if rows > 0 else []
    )


def _line(name: str, value: str, width: int) -> Row:
    return cut([(fit(f" {name}", 20), Ink.FAINT), (f" {value}", Ink.PLAIN)], width)


def _rule(title: str, width: int) -> Row:
    return [(sides(f"─{title}", "", width, "─"), Ink.FAINT)]
