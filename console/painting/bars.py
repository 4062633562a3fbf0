"""The rows around the tiles: header, attention strip, message row, footer, panel."""

from collections import Counter

from console.actions import Danger, key_of, of_screen, together
from console.state.acts import SHOWN, Acts, act_words
from console.state.ages import date, since
from console.state.alarms import Figures
from console.state.attention import Entry, Severity
from console.state.panels import Choice, PanelView
from console.state.safe_text import cell_width, fit, safe, sides
from console.state.tile_words import recording_words
from console.state.unseen import limits_s, unseen_s
from console.state.vigilance import Vigilance, unsupervised_words
from console.state.wall import OPEN, Wall
from schemas.call import CallState
from schemas.console import ConsoleWelcome

from .ink import SEVERITY_INK, Ink
from .strips import Piece

Row = list[Piece]
IN_HELP = (
    *("attend", "unseen", "ok-seen", "shelve"),  # the strip has them
    *("palette", "go-wall", "side-all", "side", "have", "yield", "quit"),
    *("older", "newer", "speed-1", "speed-2", "step-back", "step-on", "mark-before", "mark-after"),
    *("skip-back", "skip-on", "read-again", "notice", "one-side", "extend", "call-before", "call-next"),
    *("focus", "focus-side", "warn", "flag", "resume", "admit", "finding", "update", "play", "decide", "sign-off"),
    *("caller-before", "caller-next", "admission-back", "tick"),
)
"""Left to the help where the footer has no room, one after another."""


def moving(screen: str) -> tuple[tuple[str, str], ...]:
    """How one moves on the screen of this letter, for the footer: keys, and words for them."""
    match screen:
        case "F":
            return (("01", " seat  "),)
        case "A":
            return (("1–7", " tick  "),)
        case "W":
            return (("01", " seat  "), (together("move-left", "move-down", "move-up", "move-right"), " move  "))
        case "S":
            return ((together("laptop-down", "laptop-up"), " move  "),)
        case "L":
            return ((together("laptop-previous", "laptop-next"), " other laptop  "),)
        case "Q":
            return ((together("next", "before"), " move  "),)
        case _:
            return ()


def header(
    wall: Wall,
    vigil: tuple[Vigilance, float],
    now_s: float,
    width: int,
    rows: int,
    figures: Figures | None = None,
    pictures: str = "",
) -> list[Row]:
    """`rows` is 2, or 1 on a low screen; what makes the wall untrue (a lost link, nobody watching) takes the last of
    them whole. `pictures`: how they are painted, and why so."""
    link, welcome = wall.link, wall.welcome
    place = place_words(welcome)
    who = f"{safe(welcome.staff_name)} ({welcome.role})" if welcome else ""
    server_ms = link.server_ms(now_s)
    time = link.clock(now_s)
    alarm = alarm_words(wall, vigil, now_s)
    question = _question(vigil)
    if rows == 1:
        on = f"{figures.words}  " if figures is not None and figures.words else ""
        text = f" {place}  {time}  {on}{_counts(wall, now_s)}" + (f"  {pictures}" if pictures else "")
        words, ink = alarm or question or (f"{link.words(now_s)}", Ink.PLAIN)
        return [[(sides(text, f" {words} ", width), ink)]]
    on_watch = _on_watch(wall)
    right, ink = question or (on_watch or (date(server_ms) if server_ms else ""), Ink.PLAIN)
    room = width - 10 - cell_width(who) - 3
    right = fit(right, min(cell_width(right), room // 2))
    first: Row = cut([(sides(f" SIGHTLINE  {place}", "", room - cell_width(right) - 2), Ink.PLAIN), (right, ink)], room)
    first += [(f"{time}  ", Ink.STRONG), (fit(f"{who}", cell_width(who) + 3), Ink.PLAIN)]
    if alarm is not None:
        return [first, [(fit(f" {alarm[0]}", width), alarm[1])]]
    recorded, live = _recorded(wall, now_s)
    recording = f" Recording {'●' if recorded == live else '■'} {recorded} of {live} "
    on_link = f"{link.words(now_s)} "
    more = _figures(wall, figures, now_s)
    left = "  ".join(filter(None, (f" {_counts(wall, now_s)}", pictures, more)))
    room = width - cell_width(recording) - cell_width(on_link) - 2
    ink = Ink.PLAIN if recorded == live else Ink.URGENT
    return [first, [(fit(left, room), Ink.PLAIN), (recording, ink), ("  ", Ink.PLAIN), (on_link, Ink.PLAIN)]]


def place_words(welcome: ConsoleWelcome | None) -> str:
    """Whose console this is."""
    return f"{safe(welcome.establishment)} {safe(welcome.establishment_name)}" if welcome else "SIGHTLINE"


def alarm_words(wall: Wall, vigil: tuple[Vigilance, float], now_s: float) -> Piece | None:
    """What has to be said before anything else, the worst first."""
    link = wall.link
    if not link.usable:
        return link.words(now_s), Ink.URGENT if link.lost else Ink.LOOK
    missed = vigil[0] is Vigilance.MISSED
    press = f" · press {key_of('here')}: you no longer count as watching" if missed else ""
    if wall.unsupervised is not None:
        server_ms = link.server_ms(now_s)
        due = wall.unsupervised
        words = unsupervised_words((due.pauses_at_ms - server_ms) / 1000, (due.ends_at_ms - server_ms) / 1000)
        return words + press, Ink.URGENT
    return (f"■ NOT COUNTED{press}", Ink.URGENT) if missed else None


def _question(vigil: tuple[Vigilance, float]) -> Piece | None:
    how, left_s = vigil
    if how is Vigilance.ASKED:
        return f"◆ PROMPT: are you watching? {key_of('here')}  {since(left_s)}", Ink.LOOK
    return (f"Next prompt {since(left_s)}", Ink.PLAIN) if how is Vigilance.COMING else None


def strip(
    entries: list[Entry], width: int, rows: int, known: bool, figures: Figures | None = None, lit: bool = True
) -> list[Row]:
    """The first row is a rule with the count, each other has one entry, or two on a wide screen.

    `known` False: the server has not said anything yet, so nothing is said to be well either. `lit`: what is new is
    reversed in this second, and not in the next one.
    """
    across = 2 if width >= 160 else 1
    places = (rows - 1) * across
    shown = entries[:places]
    count = f" ATTENTION {len(shown)} of {len(entries)} " if entries else " ATTENTION "
    ways = (("attend", "next"), ("unseen", "longest unseen"), ("ok-seen", "OK, seen"), ("shelve", "shelve"))
    keys = "".join(f"· {key_of(action)} {words} " for action, words in ways) if width >= 100 else ""
    flooded = f" {figures.held_back} LOOK held back " if figures is not None and figures.held_back else ""
    lines: list[Row] = [[(sides(f"─{count}{keys}", f"{flooded}─" if flooded else "", width, "─"), Ink.FAINT)]]
    cells = width // across
    for at in range(rows - 1):
        line: Row = []
        for column in range(across):
            index = at * across + column
            room = cells if column < across - 1 else width - cells * (across - 1)
            if index < len(shown):
                line += _entry(index + 1, shown[index], room, lit)
            elif index == 0 and known:
                line.append((fit(" Nothing needs you.", room), Ink.FAINT))
            else:
                line.append((" " * room, Ink.PLAIN))
        lines.append(line)
    return lines


def message_row(acts: Acts, notice: str, now_s: float, link_lost: bool, width: int) -> Row:
    """What was just said to the officer, then the last acts, the newest first."""
    pieces: Row = [(" ", Ink.PLAIN)]
    if notice:
        pieces += [(notice, Ink.STRONG), (" · ", Ink.FAINT)]
    for index, act in enumerate(list(acts)[:SHOWN]):
        if index:
            pieces.append((" · ", Ink.FAINT))
        bad = act.stage in ("refused", "void", "overtaken")
        pieces.append((act_words(act, now_s, link_lost), Ink.ALERT if bad else Ink.STRONG if act.open else Ink.PLAIN))
    return cut(pieces, width)


def footer(width: int, panel: PanelView | None, screen: str = "W") -> Row:
    """The screen's keys, from the table of actions; a panel's own while one is open."""
    if panel is not None:
        keep = f"Enter, Esc: {panel.keep.lower()}" if panel.keep else ""
        said = "".join(f"  {words}" for words in (panel.confirm, keep) if words)
        return cut([(" ", Ink.PLAIN), ("In the panel", Ink.KEY), (said, Ink.PLAIN)], width)
    places: Row = [
        (keys, ink) for words in moving(screen) for keys, ink in zip(words, (Ink.KEY, Ink.FAINT), strict=True)
    ]
    pieces: Row = [*places, *_keys(screen, ())]
    left_out = 0
    while sum(cell_width(text) for text, _ in pieces) >= width and left_out < len(IN_HELP):
        pieces = _keys(screen, IN_HELP[:left_out])
        left_out += 1
    return cut([(" ", Ink.PLAIN), *pieces], width)


def _keys(screen: str, without: tuple[str, ...]) -> Row:
    """Keys and their words, acts apart from the rest."""
    keys: Row = []
    acting, said = False, ""
    for action in of_screen(screen):
        if not action.footer or action.id in without:
            continue
        if (action.danger >= Danger.ACTS) != acting:
            keys.append(("│ ", Ink.FAINT))
        acting = action.danger >= Danger.ACTS
        if action.footer == said:  # two keys of one kind: `, . step`
            keys[-1] = (" ", Ink.FAINT)
        said = action.footer
        keys += [(action.shown_key, Ink.KEY), (f" {action.footer}  ", Ink.FAINT)]
    return keys


def panel_rows(view: PanelView, width: int) -> list[Row]:
    """The panel in a double frame, as high as its words need."""
    inner = width - 4
    rows: list[Row] = [_framed("╔", "═", "╗", view.title, width)]
    for sentence in view.sentences:
        rows += [_panel_line([(part, Ink.PANEL)], inner) for part in wrap(sentence, inner)]
    for choices in (view.choices, view.more_choices):
        rows += [_panel_line(line, inner) for line in _flow(choices, inner)]
    if view.notice:
        rows += [_panel_line([(part, Ink.PANEL_STRONG)], inner) for part in wrap(view.notice, inner)]
    keep = f"[ {view.keep} ]◄ Enter" if view.keep else ""
    last: Row = [(keep, Ink.PANEL_STRONG), ("      " if keep else "", Ink.PANEL), (view.confirm, Ink.PANEL)]
    rows.append(_panel_line(last, inner))
    rows.append(_framed("╚", "═", "╝", "", width))
    return rows


def cut(pieces: Row, width: int) -> Row:
    """The pieces in exactly `width` cells."""
    made: Row = []
    room = width
    for text, ink in pieces:
        if cell_width(text) > room:
            text = fit(text, room)
        if text:
            made.append((text, ink))
        room -= cell_width(text)
    return [*made, (" " * room, Ink.PLAIN)] if room else made


def _framed(left: str, rule: str, right: str, title: str, width: int) -> Row:
    return [(sides(f"{left} {title} " if title else left, right, width, rule), Ink.PANEL_STRONG)]


def _panel_line(pieces: Row, inner: int) -> Row:
    filled = [(text, Ink.PANEL if ink is Ink.PLAIN else ink) for text, ink in cut(pieces, inner)]
    return [("║ ", Ink.PANEL_STRONG), *filled, (" ║", Ink.PANEL_STRONG)]


def wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_width(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(fit(word, width) if cell_width(word) > width else word)
    return lines


def _flow(choices: tuple[Choice, ...], width: int) -> list[Row]:
    """Choices in columns of equal width, so that the letters stand under each other."""
    if not choices:
        return []
    texts = [f"{'►' if c.chosen else ' '}{c.key} {c.words}" for c in choices]
    cells = min(width, max(map(cell_width, texts)) + 2)
    across = max(1, width // cells)
    rows: list[Row] = []
    for start in range(0, len(choices), across):
        row: Row = []
        for choice, text in zip(choices[start : start + across], texts[start : start + across], strict=True):
            row.append((fit(text, cells), Ink.PANEL_STRONG if choice.chosen else Ink.PANEL))
        rows.append(row)
    return rows


def _entry(number: int, entry: Entry, cells: int, lit: bool) -> Row:
    who = f"seat {entry.seat:02d} {entry.surname}"
    mark = f" {entry.severity.glyph} {entry.severity.name:<6} "
    rest = cells - 3 - cell_width(mark)
    words = entry.words + (" (gone)" if entry.gone else "") + (f" ×{entry.times}" if entry.times > 1 else "")
    seen = f"  seen: {entry.seen_by}" if entry.seen_by else "  new" if entry.new else ""
    text = sides(f" {fit(who, min(22, rest // 3))} {words}", f"{seen} {entry.age} ", rest)
    ink = SEVERITY_INK[entry.severity]
    if entry.new and entry.severity <= Severity.ALERT:
        # It changes once a second until somebody says that they have seen it.
        return [(f" {number:<2}", Ink.FAINT), (mark, ink), (text, ink if lit else Ink.STRONG)]
    return [(f" {number:<2}", Ink.FAINT), (mark, ink), (text, Ink.PLAIN if not entry.seen_by else Ink.FAINT)]


def _counts(wall: Wall, now_s: float) -> str:
    calls = [call for call in wall.calls.values() if call.state in OPEN]
    states = Counter(call.state for call in calls)
    words = {
        CallState.LIVE: "live",
        CallState.PAUSED: "paused",
        CallState.WAITING: "waiting",
        CallState.ENDING: "ending",
    }
    said = [f"{states[state]} {word}" for state, word in words.items() if states[state]]
    return f"Calls {len(calls)}: {', '.join(said)}" if said else "No calls now"


def _figures(wall: Wall, figures: Figures | None, now_s: float) -> str:
    """What the numbers of the wall say besides its calls; empty while there is nothing to say."""
    calls = list(wall.calls.values())
    unseen = sum((unseen_s(wall, call, now_s) or 0) >= limits_s(wall, call, now_s)[0] for call in calls)
    shelved = sum(m.shelved_until_ms > wall.link.server_ms(now_s) for marks in wall.marks.values() for m in marks)
    said = [f"Unseen too long: {unseen}"] if unseen else []
    said += [f"Shelved {shelved}"] if shelved else []
    if figures is not None and figures.alarms:
        said.append(f"{'■ FLOOD' if figures.flood else 'Alarms'} {figures.alarms} in 10 min")
    return "  ".join(said)


def _on_watch(wall: Wall) -> str:
    """`On watch: R. Hughes (you) 01 02 · J. Patel 03`; empty when nobody has taken a watch."""
    seats: dict[str, list[int]] = {}
    for call in wall.calls.values():
        if call.watch and call.state in OPEN:
            seats.setdefault(call.watch, []).append(call.seat)
    said = [
        f"{safe(name)}{' (you)' if name == wall.my_name else ''} {' '.join(f'{seat:02d}' for seat in sorted(of))}"
        for name, of in sorted(seats.items(), key=lambda one: (one[0] != wall.my_name, one[0]))
    ]
    return f"On watch: {' · '.join(said)}" if said else ""


def _recorded(wall: Wall, now_s: float) -> tuple[int, int]:
    live = [call for call in wall.calls.values() if call.state == CallState.LIVE]
    return sum(recording_words(wall, call, now_s)[1] for call in live), len(live)
