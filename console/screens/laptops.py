"""Remote support's screen: the laptops and how they do, and one laptop's details."""

import time

from textual import events

from console.actions import Action, by_key, key_of
from console.desk import Desk
from console.painting import bars, health
from console.painting.ink import Colours
from console.pressing import ALWAYS
from console.screens.page import Page
from console.state.layout import too_small
from console.state.permits import why_off
from console.widgets.canvas import Canvas

TICK_S = 0.25
MOVES = {"laptop-down": 1, "laptop-up": -1, "laptop-next": 1, "laptop-previous": -1}


class LaptopsScreen(Page):
    """Reads the desk's health board and draws; `letter` is S for the list and L for one laptop."""

    def __init__(self, desk: Desk, colours: Colours) -> None:
        super().__init__(Canvas(colours))
        self.desk = desk

    @property
    def letter(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "L" if self.desk.health.opened else "S"

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self._look)

    def on_resize(self, _event: events.Resize) -> None:
        self.draw()

    def _look(self) -> None:
        """Ages and clocks go on by themselves, and a link that falls silent is said to be lost."""
        self.desk.look(time.monotonic())
        self.draw()

    # -- keys

    def take_key(self, key: str) -> None:
        board = self.desk.health
        if board.filter.typing and key not in ALWAYS:
            board.filter.press(key)
            board.move(0)
        elif (action := by_key(self.letter).get(key)) is not None:
            self.perform(action)

    def act(self, action: Action, now_s: float) -> None:
        board = self.desk.health
        why = why_off(action, self.desk.wall, None)
        if why:
            self.desk.say(why, now_s)
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

    def after_key(self) -> None:
        self.draw()

    # -- drawing

    def draw(self) -> None:
        width, height = self.size
        self.canvas.fit(self.size)
        if too_small(width, height):
            self.say_too_small(f"{key_of('quit')} quits.")
        else:
            self.canvas.put(dict(enumerate(self._rows(width, height))))

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
