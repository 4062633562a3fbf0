"""The list of flagged incidents: a duty governor's first screen."""

import time

from console.actions import Action, by_key, key_of, slip
from console.painting import bars
from console.painting.ink import Colours, Ink
from console.painting.review_list import list_rows
from console.painting.strips import Row
from console.pressing import ALWAYS
from console.review_desk import ReviewDesk
from console.screens.page import Page
from console.state.layout import too_small
from console.widgets.canvas import Canvas

TICK_S = 0.5
BOTTOM_ROWS = 2


class ReviewPage(Page):
    """What the list and the review share: one page of rows, a panel over its lower part, message row and footer."""

    def __init__(self, desk: ReviewDesk, colours: Colours) -> None:
        super().__init__(Canvas(colours))
        self.desk = desk

    def on_screen_resume(self) -> None:
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def rows(self, now_s: float, width: int, height: int) -> dict[int, Row]:
        """All rows but the two at the bottom."""
        raise NotImplementedError

    def message(self, now_s: float) -> tuple[str, Ink]:
        """What the row above the footer says."""
        notice = self.desk.notice(now_s)
        if notice:
            return notice, Ink.STRONG
        words, well = self.desk.sent_words(now_s)
        return words, Ink.PLAIN if well else Ink.ALERT

    def draw(self) -> None:
        """Draws everything; rows that are as before cost nothing."""
        width, height = self.size
        if not self.is_current or not width:
            return
        now_s = time.monotonic()
        self.canvas.fit(self.size)
        if too_small(width, height):
            self.say_too_small(f"{key_of('leave')} quits.")
            return
        made = self.rows(now_s, width, height)
        words, ink = self.message(now_s)
        made[height - 2] = bars.cut([(" ", Ink.PLAIN), (words, ink)], width)
        panel = self.desk.panel.view() if self.desk.panel is not None else None
        made[height - 1] = bars.footer(width, panel, self.letter)
        if panel is not None:
            over = bars.panel_rows(panel, width)[: height - BOTTOM_ROWS]
            made |= {height - BOTTOM_ROWS - len(over) + y: row for y, row in enumerate(over)}
        self.canvas.put(made)

    def take_key(self, key: str) -> None:
        now_s = time.monotonic()
        filtering = self.letter == "Q" and self.desk.list.filter.typing
        if filtering and key not in ALWAYS:
            self.desk.list.filter.press(key)
        elif self.desk.panel is not None and key not in ALWAYS:
            self.desk.press_in_panel(key, now_s)
        elif (action := by_key(self.letter).get(key)) is not None:
            self.perform(action)
        elif (meant := slip(key, self.letter)) is not None:
            self.desk.say(f"{meant.name} is Shift+{meant.shown_key}", now_s)

    def after_key(self) -> None:
        self.draw()

    def why_off(self, action: Action) -> str:
        """For the help."""
        return self.desk.why_off(action)

    def act(self, action: Action, now_s: float) -> None:
        match action.id:
            case "go-wall":
                self.app.go_wall()
            case "go-reviews" | "back":
                self.app.go_reviews()
            case _:
                self.desk.act(action, now_s)


class ReviewsScreen(ReviewPage):
    letter = "Q"

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.draw)

    def message(self, now_s: float) -> tuple[str, Ink]:
        words = self.desk.list.filter_words()
        return (words, Ink.STRONG) if words and not self.desk.notice(now_s) else super().message(now_s)

    def act(self, action: Action, now_s: float) -> None:
        match action.id:
            case "filter":
                self.desk.list.filter.begin()
            case "filter-clear":
                self.desk.list.filter.clear()
            case "review-sort":
                self.desk.say(f"Sorted: {self.desk.list.sort()}", now_s)
            case _:
                super().act(action, now_s)

    def rows(self, now_s: float, width: int, height: int) -> dict[int, Row]:
        made = list_rows(self.desk.list, self.desk.wall, now_s, width, height - BOTTOM_ROWS)
        return dict(enumerate(made))
