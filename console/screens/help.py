"""Help for the screen below it, from the table of actions, with why a key is off now."""

import time

from textual import events

from console.actions import Action, by_key, key_of, means, of_screen, shown_as, together
from console.desk import Desk
from console.painting.bars import cut, wrap
from console.painting.ink import Colours, Ink
from console.painting.strips import Piece
from console.screens.page import Page
from console.screens.reviews import ReviewPage
from console.state.permits import why_off
from console.state.safe_text import cell_width, fit
from console.widgets.canvas import Canvas

STEPS = {"help-down": 1, "help-up": -1}
PAGES = {"help-page-down": 1, "help-page-up": -1}
ENDS = {"help-first": 0, "help-last": 10**6}
WHEEL = 3
KEY_CELLS, NAME_CELLS = 18, 22
Row = list[Piece]
TITLES = {
    "W": "THE WALL",
    "F": "ONE CALL",
    "A": "AN ADMISSION",
    "S": "THE LAPTOPS",
    "L": "ONE LAPTOP",
    "Q": "THE REVIEWS",
    "R": "ONE REVIEW",
}
OF_CALLS = (
    "Capitals act on a call, small letters do not. Enter and Space never act on a live call.",
    "■ URGENT: act now   ▲ ALERT: look within a minute   ◆ LOOK: when the hands are free",
    "● LIVE   ◌ WAITING   ║ PAUSED   ▼ ENDING   ○ EMPTY",
    "F family, R room, in dBFS",
)
OF_REVIEWS = (
    "Capitals decide, small letters do not. Opening an incident is logged, with its reason, and so is what was played.",
    "F family, R room, in dBFS   ━ seen   the keys of flag and acts: what staff did   ▲ the place",
)
OF_LAPTOPS = (
    "■ URGENT, ▲ ALERT, ◆ LOOK: how grave it is   ● in call   ◌ room open   ║ paused   ▼ ending   ○ idle",
    "RTT: ms to the server and back   LOSS %, JIT ms: of the worst connection   FPS: room/family   REC: newest record",
    "No name, number, picture, sound or word of a call is ever sent to this console. Opening a laptop is logged.",
)


class HelpScreen(Page):
    """What is longer than the screen is scrolled by keys and by the wheel."""

    letter = "H"

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__(Canvas(colours))
        self._desk = desk
        self._top = 0

    def on_screen_resume(self) -> None:
        self._top = 0
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        self._scroll(WHEEL)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self._scroll(-WHEEL)

    def take_key(self, key: str) -> None:
        action = by_key(self.letter).get(key)
        if action is not None:
            self.perform(action)
        elif means(key, "help"):
            self.app.pop_screen()

    def act(self, action: Action, now_s: float) -> None:
        if action.id == "help-back":
            self.app.pop_screen()
        elif action.id in ENDS:
            self._top = ENDS[action.id]
        else:
            self._top += STEPS.get(action.id, 0) + PAGES.get(action.id, 0) * (self.size.height - 2)

    def after_key(self) -> None:
        if self.is_current:
            self.draw()

    def _scroll(self, rows: int) -> None:
        self._top += rows
        self.draw()

    def draw(self) -> None:
        width, height = self.size
        rows, room = self._rows(width), height - 1
        self._top = max(0, min(self._top, len(rows) - room))
        self.canvas.fit(self.size)
        lines = [self._first(len(rows), room), *rows[self._top : self._top + room]]
        self.canvas.put({y: cut(lines[y] if y < len(lines) else [], width) for y in range(height)})

    def _first(self, count: int, room: int) -> Row:
        """What this is, the ways back and further, and which of the rows are on the screen."""
        first: Row = [(f" KEYS OF {TITLES[self._below.letter]}", Ink.STRONG), ("   ", Ink.PLAIN)]
        back = " ".join(dict.fromkeys([*(shown_as(key) for key in _keys("help-back")), key_of("help")]))
        first += [(back, Ink.KEY), (" back", Ink.FAINT)]
        if count > room:
            first += [("   ", Ink.PLAIN), (together("help-down", "help-up"), Ink.KEY)]
            first += [(f" {key_of('help-page-down')}", Ink.KEY), (" wheel: further", Ink.FAINT)]
            first.append((f"   rows {self._top + 1}–{self._top + room} of {count}", Ink.FAINT))
        return first

    @property
    def _below(self) -> Page:
        below = self.app.screen_stack[-2]
        assert isinstance(below, Page)
        return below

    def _rows(self, width: int) -> list[Row]:
        below = self._below
        letter, desk = below.letter, self._desk
        call = desk.call(time.monotonic())
        rows: list[Row] = [[]]
        if letter in "WF":
            rows += _entry("01–99", "Seat", "choose the call at this seat; the second digit within a second", "", width)
        for action in of_screen(letter):
            keys = " ".join(map(shown_as, action.keys)) or f"{key_of('palette')} by its words"
            if isinstance(below, ReviewPage):
                why = below.why_off(action)
            else:
                why = why_off(action, desk.wall, call, desk.admission)
            rows += _entry(keys, action.name, action.help, why, width)
        marks = OF_CALLS if letter in "WFA" else OF_REVIEWS if letter in "QR" else OF_LAPTOPS
        return rows + [[]] + [[(f"  {part}", Ink.PLAIN)] for line in marks for part in wrap(line, width - 3)]


def _keys(action_id: str) -> tuple[str, ...]:
    return next(action.keys for action in of_screen("H") if action.id == action_id)


def _entry(keys: str, name: str, words: str, why: str, width: int) -> list[Row]:
    """One action: its words in a column of their own, and under them why it is off."""
    indent = 2 + KEY_CELLS + NAME_CELLS
    said = [(line, Ink.PLAIN) for line in wrap(words, width - indent - 1)]
    room = width - indent - 1 - cell_width(said[-1][0])
    rows: list[Row] = [[(" " * indent, Ink.PLAIN), piece] for piece in said]
    rows[0][0] = (f"  {fit(keys, KEY_CELLS)}", Ink.KEY)
    rows[0].insert(1, (fit(name, NAME_CELLS), Ink.STRONG))
    if why and cell_width(why) + 2 <= room:
        rows[-1] += [("  ", Ink.PLAIN), (why, Ink.LOOK)]
    elif why:
        rows += [[(" " * indent, Ink.PLAIN), (line, Ink.LOOK)] for line in wrap(why, width - indent - 1)]
    return rows
