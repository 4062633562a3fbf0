"""Remote support's screen: the laptops and how they do, and one laptop's details."""

import time

from textual import events
from textual.screen import Screen

from console.actions import BY_ID, Action, by_key
from console.desk import Desk
from console.painting import bars, health
from console.painting.ink import Colours, Ink
from console.state.layout import LEAST_COLUMNS, LEAST_ROWS
from console.state.permits import why_off
from console.widgets.canvas import Canvas

TICK_S = 0.25
MOVES = {"laptop-down": 1, "laptop-up": -1, "laptop-next": 1, "laptop-previous": -1}


class LaptopsScreen(Screen[None]):
    """Reads the desk's health board and draws; `letter` is S for the list and L for one laptop."""

    AUTO_FOCUS = ""

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__()
        self.desk, self._page = desk, Canvas(colours)

    @property
    def letter(self) -> str:
        return "L" if self.desk.health.opened else "S"

    def compose(self):
        yield self._page

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self._look)

    def on_resize(self, _event: events.Resize) -> None:
        self.draw()

    def _look(self) -> None:
        """Ages and clocks go on by themselves, and a link that falls silent is said to be lost."""
        self.desk.look(time.monotonic())
        self.draw()

    # -- keys

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        key = event.character if event.character and event.is_printable else event.key
        self.desk.touched(time.monotonic())
        board = self.desk.health
        if board.filter.typing and key not in ("ctrl+q", "ctrl+c"):
            board.filter.press(key)
            board.move(0)
            self.draw()
            return
        action = by_key(self.letter).get(key)
        if action is not None:
            self.perform(action)

    def perform(self, action: Action) -> None:
        """What a key, or the palette, asks for."""
        board, now_s = self.desk.health, time.monotonic()
        why = why_off(action, self.desk.wall, None)
        if why:
            self.desk.say(why, now_s)
        elif action.id == "quit":
            self.app.exit(0)
        elif action.id == "help":
            self.app.push_screen("help")
        elif action.id == "theme":
            self.app.change_theme()  # pyright: ignore[reportAttributeAccessIssue]
        elif action.id == "palette":
            self.app.action_command_palette()
        elif action.id == "laptop-sort":
            board.worst_first = not board.worst_first
        elif action.id == "filter":
            board.filter.begin()
        elif action.id == "filter-clear":
            board.filter.clear()
        elif action.id == "laptop-list":
            board.opened = False
        elif action.id == "laptop-open":
            self.desk.open_laptop()
        elif action.id in MOVES:
            before = board.chosen
            board.move(MOVES[action.id])
            if board.opened and board.chosen != before:
                self.desk.open_laptop()
        self.draw()

    def perform_id(self, action_id: str) -> None:
        self.perform(BY_ID[action_id])

    # -- drawing

    def draw(self) -> None:
        width, height = self.size
        if width < LEAST_COLUMNS or height < LEAST_ROWS:
            words = [f"Sightline needs {LEAST_COLUMNS}×{LEAST_ROWS}.", f"This is {width}×{height}.", "q quits."]
            rows = [bars.cut([(line, Ink.PLAIN)], width) for line in words]
        else:
            rows = self._rows(width, height)
        blank = bars.cut([], width)
        self._page.fit(self.size)
        self._page.put({y: rows[y] if y < len(rows) else blank for y in range(height)})

    def _rows(self, width: int, height: int) -> list[bars.Row]:
        desk, board, now_s = self.desk, self.desk.health, time.monotonic()
        link = desk.wall.link
        rows = health.header(desk.wall.welcome, link, board, now_s, width)
        room = height - len(rows) - 2
        one = board.laptops.get(board.chosen) if board.opened else None
        if one is not None:
            body = health.detail_rows(board, one, link.server_ms(now_s), width, room)
        else:
            body = health.laptop_rows(board, width, room)
        blank = bars.cut([], width)
        rows += body[:room] + [blank] * (room - len(body))
        notice = desk.notice(now_s) or (board.filter_words() if not board.opened else "")
        rows.append(bars.message_row(desk.acts, notice, now_s, link.lost, width))
        rows.append(bars.footer(width, None, self.letter))
        return rows
