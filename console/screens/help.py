"""Help for the screen below it, from the table of actions, with why a key is off now."""

import time

from textual import events
from textual.screen import Screen

from console.actions import of_screen
from console.desk import Desk
from console.painting.bars import cut
from console.painting.ink import Colours, Ink
from console.screens.reviews import ReviewPage
from console.state.permits import why_off
from console.widgets.canvas import Canvas

STEPS = {"j": 1, "down": 1, "k": -1, "up": -1}
PAGES = {"pagedown": 1, "pageup": -1}
TITLES = {
    "W": "THE WALL",
    "F": "ONE CALL",
    "S": "THE LAPTOPS",
    "L": "ONE LAPTOP",
    "Q": "THE REVIEWS",
    "R": "ONE REVIEW",
}
OF_REVIEWS = (
    "Capitals decide, small letters do not. Opening an incident is logged, with its reason, and so is what was played.",
    "F family, R room, in dBFS   ━ seen   f the flag   A W P R + X what staff did   ▲ the place",
)
OF_LAPTOPS = (
    "■ URGENT, ▲ ALERT, ◆ LOOK: how grave it is   ● in call   ◌ room open   ║ paused   ▼ ending   ○ idle",
    "RTT: ms to the server and back   LOSS %, JIT ms: of the worst connection   FPS: room/family   REC: newest record",
    "No name, number, picture, sound or word of a call is ever sent to this console. Opening a laptop is logged.",
)


class HelpScreen(Screen[None]):
    """Any of `?`, Escape and `q` goes back; j and k, arrows and pages move where it is longer than the screen."""

    AUTO_FOCUS = ""

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__()
        self._desk, self.canvas = desk, Canvas(colours)
        self._top = 0

    def compose(self):
        yield self.canvas

    def on_screen_resume(self) -> None:
        self._top = 0
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key in ("ctrl+q", "ctrl+c"):
            self.app.exit(0)
        elif event.character in ("?", "q") or event.key == "escape":
            self.app.pop_screen()
        elif event.key in STEPS or event.key in PAGES:
            self._top += STEPS.get(event.key, 0) + PAGES.get(event.key, 0) * (self.size.height - 2)
            self._draw()

    def _draw(self) -> None:
        width, height = self.size
        first, *rows = self._rows()
        self._top = max(0, min(self._top, len(rows) - (height - 1)))
        if len(rows) > height - 1:
            first = [*first, ("   j, k: further", Ink.FAINT)]
        shown = [first, *rows[self._top :]]
        self.canvas.fit(self.size)
        self.canvas.put({y: cut(shown[y] if y < len(shown) else [], width) for y in range(height)})

    def _rows(self) -> list[list[tuple[str, Ink]]]:
        now_s = time.monotonic()
        below = self.app.screen_stack[-2]
        letter = below.letter  # pyright: ignore[reportAttributeAccessIssue]
        desk = self._desk
        call = desk.call(now_s)
        rows: list[list[tuple[str, Ink]]] = [
            [(f" KEYS OF {TITLES[letter]}", Ink.STRONG), ("   ?, q or Esc: back", Ink.FAINT)],
            [],
        ]
        if letter in "WF":
            words = "choose the call at this seat; the second digit within a second"
            rows.append([("  01–99       ", Ink.KEY), (words, Ink.PLAIN)])
        for action in of_screen(letter):
            keys = (
                " ".join(key.replace("question_mark", "?").replace(" ", "space") for key in action.keys)
                or "^P, by its words"
            )
            row: list[tuple[str, Ink]] = [(f"  {keys:<20}", Ink.KEY), (f"{action.name:<20}", Ink.STRONG)]
            row.append((f"{action.help}  ", Ink.PLAIN))
            why = below.why_off(action) if isinstance(below, ReviewPage) else why_off(action, desk.wall, call)
            rows.append([*row, (why, Ink.LOOK)] if why else row)
        if letter not in "WF":
            words = OF_REVIEWS if letter in "QR" else OF_LAPTOPS
            return rows + [[]] + [[(f"  {line}", Ink.PLAIN)] for line in words]
        rows += [
            [],
            [("  Capitals act on a call, small letters do not. Enter and Space never act on a live call.", Ink.PLAIN)],
            [("  ■ URGENT: act now   ▲ ALERT: look within a minute   ◆ LOOK: when the hands are free", Ink.PLAIN)],
            [("  ● LIVE   ◌ WAITING   ║ PAUSED   ▼ ENDING   ○ EMPTY      F family, R room, in dBFS", Ink.PLAIN)],
        ]
        return rows
