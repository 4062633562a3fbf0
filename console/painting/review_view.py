"""One incident's screen as rows of cells: pictures, levels, what happened, and the review's fields."""

from bisect import bisect_right

import numpy as np

from console.actions import key_of
from console.review_desk import Review
from console.state.ages import clock, date
from console.state.evidence import Evidence, Player
from console.state.layout import Area
from console.state.review_layout import ReviewParts
from console.state.review_words import (
    category,
    due,
    evidence_words,
    gap_words,
    offset,
    played_words,
    rank,
    severity_words,
    state_forbids,
    tenths,
    who,
    why_not_signed_off,
)
from console.state.safe_text import cell_width, fit, safe, sides
from console.state.wall import Wall
from schemas.incident import EvidencePicture, Happened
from schemas.media import SILENCE, Side

from .bars import cut, wrap
from .halfblocks import PictureRow, rows
from .ink import SEVERITY_INK, Colours, Ink
from .meters import bar, number
from .review_list import review_header
from .strips import Piece
from .tile import PictureView, picture_row

Row = list[Piece | PictureRow]
ACTION_OF = {
    **{act: act for act in ("flag", "warn", "notice", "pause", "resume", "refuse", "extend", "end")},
    "admit": "admit-named",
    "one_side": "one-side",
}
"""The action whose key stands for an act of the server's story."""
OLD_MS = 500
"""A recorded picture that is older than this at its place says so."""


class ReviewPainter:
    """Keeps the cells of the two pictures that are on the screen, so that each is made once."""

    def __init__(self, colours: Colours) -> None:
        self._colours = colours
        self._kept: dict[Side, tuple[EvidencePicture, int, int, tuple[PictureRow, ...]]] = {}

    def show_as(self, colours: Colours) -> None:
        """From now on; what was drawn otherwise is forgotten."""
        self._colours = colours
        self._kept.clear()

    def screen(self, review: Review, wall: Wall, parts: ReviewParts, now_s: float, width: int) -> dict[int, Row]:
        """All rows but the two at the bottom, by their number."""
        made: dict[int, Row] = {}
        opened = f"   opened {clock(review.opened_at_ms)}, logged" if width >= 100 else ""
        title = f"REVIEW {safe(review.incident.reference)}{opened}"
        made[0] = list(review_header(wall, title, now_s, width))
        made[1] = list(_about(review, wall.link.server_ms(now_s), width))
        made |= self._pictures(review, parts, width)
        for y, row in enumerate(_levels(review, width)):
            made[parts.levels_y + y] = list(row)
        left = width // 2
        rule = sides("─ WHAT HAPPENED ", "┬", left + 1, "─") + sides("─ REVIEW ", "", width - left - 1, "─")
        made[parts.text.y - 1] = [(rule, Ink.FAINT)]
        happened = _happened(review, left, parts.text.height)
        fields = _fields(review, width - left - 1, parts.text.height)
        for y in range(parts.text.height):
            made[parts.text.y + y] = [*happened[y], ("│", Ink.FAINT), *fields[y]]
        return made

    def _pictures(self, review: Review, parts: ReviewParts, width: int) -> dict[int, Row]:
        made: dict[int, Row] = {}
        top, high = parts.family.y, parts.family.height
        views = {Side.FAMILY: parts.family, Side.ROOM: parts.room}
        beside = _side_column(review, parts.side)
        for y in range(-1, high + 1):
            row: Row = []
            for side, area in views.items():
                if y == -1:
                    title = _frame_title(review.player, review.incident.pressed_at_ms, side, area.width)
                    row += [("┌", Ink.EDGE), (title, Ink.PLAIN), ("┐", Ink.EDGE)]
                elif y == high:
                    row.append(("└" + "─" * area.width + "┘", Ink.EDGE))
                else:
                    view = self._view(review.evidence, review.player.at_ms, side, area)
                    row += [("│", Ink.EDGE), *picture_row(y, view, area), ("│", Ink.EDGE)]
            if parts.side.width:
                row += beside[y + 1]
            else:
                row.append((" " * (width - 2 * (parts.family.width + 2)), Ink.PLAIN))
            made[top + y] = row
        return made

    def _view(self, evidence: Evidence, at_ms: int, side: Side, area: Area) -> PictureView:
        picture = evidence.picture(side, at_ms)
        if picture is None:
            return PictureView(instead=safe(evidence.missing(side, at_ms)), hatched=True)
        late_ms = at_ms - picture.at_ms
        label = f" {late_ms / 1000:.1f} s OLD " if late_ms > OLD_MS else ""
        return PictureView(self._cells(picture, area), label, Ink.ALERT)

    def _cells(self, picture: EvidencePicture, area: Area) -> tuple[PictureRow, ...]:
        kept = self._kept.get(picture.side)
        if kept is not None and kept[0] is picture and kept[1:3] == (area.width, area.height):
            return kept[3]
        width, height, pixels = _fitted(picture, area.width, area.height * 2)
        made = tuple(rows(pixels, width, height, self._colours))
        self._kept[picture.side] = picture, area.width, area.height, made
        return made


def _fitted(picture: EvidencePicture, width: int, height: int) -> tuple[int, int, bytes]:
    """As it came; smaller when the window has become smaller since."""
    scale = min(1.0, width / picture.width, height / picture.height)
    if scale == 1.0:
        return picture.width, picture.height, picture.pixels
    to_width, to_height = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    whole = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)
    small = whole.take(np.arange(to_height) * picture.height // to_height, 0)
    small = small.take(np.arange(to_width) * picture.width // to_width, 1)
    return to_width, to_height, np.ascontiguousarray(small).tobytes()


def _about(review: Review, server_ms: int, width: int) -> list[Piece]:
    incident = review.incident
    when = f"{date(incident.pressed_at_ms)[4:10]} {clock(incident.pressed_at_ms)}"
    due_words = due(incident, server_ms)
    said = f" {category(incident)} · {who(incident)} · {when} · {incident.state}"
    if due_words:
        said += f" · due {due_words}" if due_words.startswith("in") else f" · {due_words}"
    mark = f" {severity_words(incident)} "
    return cut([(" ", Ink.PLAIN), (mark, SEVERITY_INK[rank(incident)]), (said, Ink.PLAIN)], width)


def _frame_title(player: Player, pressed_at_ms: int, side: Side, width: int) -> str:
    left = f" {side.upper()} {tenths(pressed_at_ms + player.at_ms)} "
    how = f"▶ {player.speed}x" if player.playing else "‖"
    right = f" {offset(player.at_ms)}  {how} " if side == Side.FAMILY or width >= 40 else f" {offset(player.at_ms)} "
    return sides(left, right, width, "─")


def _levels(review: Review, width: int) -> list[list[Piece]]:
    """Both sides' curves over the whole stretch, and a row with what was done, what was seen, and the place."""
    evidence, player = review.evidence, review.player
    cells = width - 8
    span = evidence.to_ms - evidence.from_ms

    def cell(at_ms: int) -> int:
        return max(0, min(cells - 1, (at_ms - evidence.from_ms) * cells // span))

    at = cell(player.at_ms)
    made: list[list[Piece]] = []
    for side, letter in ((Side.FAMILY, "F"), (Side.ROOM, "R")):
        curve = ""
        for index in range(cells):
            begin = evidence.from_ms + index * span // cells
            level = evidence.level(side, begin, evidence.from_ms + (index + 1) * span // cells)
            curve += "·" if level is None else bar(level)
        now = evidence.level(side, player.at_ms - 100, player.at_ms)
        said = " off" if now is None or now == SILENCE else number(now)
        made.append(
            [
                (f"{letter} ", Ink.PLAIN),
                (curve[:at], Ink.LOUD),
                (curve[at], Ink.CHOSEN),
                (curve[at + 1 :], Ink.FAINT),
                (f" {said} ", Ink.STRONG),
            ]
        )
    return [*made, _marks(review, cells, cell, at)]


def _marks(review: Review, cells: int, cell, at: int) -> list[Piece]:
    evidence, pressed = review.evidence, review.incident.pressed_at_ms
    base = ["─"] * cells
    for side, taken_ms in review.player.seen:
        if side == Side.FAMILY or not evidence.pictures[Side.FAMILY]:
            base[cell(taken_ms)] = "━"
    first, last = clock(pressed + evidence.from_ms), clock(pressed + evidence.to_ms)
    marks: dict[int, str] = {}
    for one in review.happened:
        moment = one.at_ms - pressed
        if one.action in ACTION_OF and evidence.from_ms <= moment <= evidence.to_ms:
            marks[cell(moment)] = key_of(ACTION_OF[one.action])[:1]
    marks[cell(0)] = key_of("flag")[:1]
    # A time stands at each end, where nothing was done.
    times = {0: first, cells - len(last): last}
    taken = marks.keys() | {at}
    ends = {
        start + cells_in: letter
        for start, text in times.items()
        if not taken & set(range(start, start + len(text)))
        for cells_in, letter in enumerate(text)
    }
    row: list[Piece] = [("  ", Ink.PLAIN)]
    for index in range(cells):
        if index == at:
            row.append(("▲", Ink.STRONG))
        elif index in marks:
            row.append((marks[index], Ink.KEY))
        elif index in ends:
            row.append((ends[index], Ink.FAINT))
        else:
            row.append((base[index], Ink.LOUD if base[index] == "━" else Ink.FAINT))
    return [*row, ("      ", Ink.PLAIN)]


def _side_column(review: Review, area: Area) -> list[list[Piece]]:
    """Evidence, who has opened it before, and who flagged it, in `area.height` rows."""
    incident, evidence = review.incident, review.evidence
    severity, words = evidence_words(evidence)
    lines: list[Piece] = [(" EVIDENCE", Ink.FAINT)]

    def add(text: str, ink: Ink) -> None:
        lines.extend((f" {part}", ink) for part in wrap(text, max(1, area.width - 2)))

    add(words, Ink.STRONG if severity < 3 else Ink.PLAIN)
    for gap in gap_words(evidence)[:4]:
        add(gap, Ink.FAINT)
    lines += [("", Ink.PLAIN), (" OPENED BEFORE", Ink.FAINT)]
    for view in review.viewed[-3:]:
        add(f"{safe(view.who)} {date(view.at_ms)[4:10]} {clock(view.at_ms)}", Ink.PLAIN)
    if not review.viewed:
        add("by nobody", Ink.PLAIN)
    lines += [("", Ink.PLAIN), (" FLAGGED BY", Ink.FAINT)]
    add(f"{safe(incident.flagged_by)} {clock(incident.pressed_at_ms)}", Ink.PLAIN)
    if incident.note:
        add(f"“{safe(incident.note)}”", Ink.PLAIN)
    filled = [[(fit(text, area.width), ink)] for text, ink in lines[: area.height]]
    return [*filled, *([(" " * area.width, Ink.PLAIN)] for _ in range(area.height - len(filled)))]


def _happened(review: Review, width: int, height: int) -> list[list[Piece]]:
    """The lines around the place in the stretch; the newest one that has happened by then is strong."""
    at_ms = review.incident.pressed_at_ms + review.player.at_ms
    lines = review.happened
    current = bisect_right(lines, at_ms, key=lambda one: one.at_ms) - 1
    first = max(0, min(current - height // 2, len(lines) - height))
    made = [_line(one, first + y == current, width) for y, one in enumerate(lines[first : first + height])]
    return [*made, *([(" " * width, Ink.PLAIN)] for _ in range(height - len(made)))]


def _line(one: Happened, current: bool, width: int) -> list[Piece]:
    letter = key_of(ACTION_OF[one.action])[:1] if one.action in ACTION_OF else " "
    words = f"{letter} {safe(one.words)}" if one.accepted else f"{letter} {safe(one.words)} (not done)"
    text = sides(f" {clock(one.at_ms)} {words}", f" {safe(one.who)} ", width)
    return [(text, Ink.STRONG if current else Ink.PLAIN if letter != " " else Ink.FAINT)]


def _fields(review: Review, width: int, height: int) -> list[list[Piece]]:
    """The review's fields, the most important ones where there is little room."""
    incident, player = review.incident, review.player
    room = max(1, width - 13)
    finding = wrap(safe(incident.finding), room) if incident.finding else ["not written"]
    signed = f"signed off by {safe(incident.signed_off_by)} {clock(incident.signed_off_at_ms)}"
    final = state_forbids(incident)
    missing = why_not_signed_off(incident, player)
    lines: list[tuple[str, str, str, Ink]] = []
    if height >= 8:
        lines.append(("Category", category(incident), "", Ink.PLAIN))
        lines.append(("State", str(incident.state), "", Ink.PLAIN))
    if incident.question and height >= 6:
        lines.append(("Question", safe(incident.question), f"{key_of('update')} asks", Ink.PLAIN))
    most = max(1, height - len(lines) - (5 if incident.question else 4))
    shown = finding[:most]
    if len(finding) > most:
        shown[-1] = fit(f"{shown[-1]} …", room)
    how = "" if incident.finding or final else f"{key_of('finding')} writes"
    lines.append(("Finding", shown[0], how, _ink(bool(incident.finding))))
    lines += [("", part, "", Ink.PLAIN) for part in shown[1:]]
    decision = str(incident.decision or "not decided")
    how = "" if final else f"{key_of('decide')} decides"
    lines.append(("Decision", decision, how, _ink(incident.decision is not None)))
    if height >= 6 or incident.measures:
        lines.append(("Measures", ", ".join(incident.measures) or "none", "", _ink(bool(incident.measures))))
    how = "" if player.playing else f"{key_of('play')} plays"
    lines.append(("Played", played_words(player), how, Ink.PLAIN))
    ready, how = not final and not missing, f"{key_of('sign-off')} signs off"
    lines.append(("Sign-off", signed if final else missing or "ready", how if ready else "", _ink(ready)))
    made: list[list[Piece]] = []
    for name, value, hint, ink in lines[:height]:
        key = hint if cell_width(value) + cell_width(hint) + 14 <= width else ""
        text = sides(value, f" {key} " if key else "", width - 12)
        split = width - 12 - cell_width(key) - 2 if key else width - 12
        made.append([(f" {name:<11}", Ink.FAINT), (text[:split], ink), (text[split:], Ink.FAINT)])
    return [*(cut(row, width) for row in made), *([(" " * width, Ink.PLAIN)] for _ in range(height - len(made)))]


def _ink(known: bool) -> Ink:
    return Ink.STRONG if known else Ink.FAINT
