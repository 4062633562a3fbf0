"""The list of flagged incidents: a duty governor's first screen."""

import time

from textual import events
from textual.screen import Screen

from console.actions import BY_ID, Action, by_key, slip
from console.painting import bars
from console.painting.ink import Colours, Ink
from console.painting.review_list import list_rows
from console.painting.strips import Row
from console.review_desk import ReviewDesk
from console.state.layout import LEAST_COLUMNS, LEAST_ROWS
from console.widgets.canvas import Canvas

TICK_S = 0.5
BOTTOM_ROWS = 2


class ReviewPage(Screen[None]):
    """What the list and the review share: one page of rows, a panel over its lower part, message row and footer."""

    AUTO_FOCUS = ""
    letter = ""

    def __init__(self, desk: ReviewDesk, colours: Colours) -> None:
        super().__init__()
        self.desk = desk
        self.canvas = Canvas(colours)

    def compose(self):
        yield self.canvas

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
        if width < LEAST_COLUMNS or height < LEAST_ROWS:
            words = [f"Sightline needs {LEAST_COLUMNS}×{LEAST_ROWS}.", f"This is {width}×{height}.", "ctrl+q quits."]
            self.canvas.put(
                {y: bars.cut([(words[y] if y < len(words) else "", Ink.PLAIN)], width) for y in range(height)}
            )
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

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        key = event.character if event.character and event.is_printable else event.key
        now_s = time.monotonic()
        filtering = self.letter == "Q" and self.desk.list.filter.typing
        if filtering and key not in ("ctrl+q", "ctrl+c"):
            self.desk.list.filter.press(key)
        elif self.desk.panel is not None and key not in ("ctrl+q", "ctrl+c"):
            self.desk.press_in_panel(key, now_s)
        elif (action := by_key(self.letter).get(key)) is not None:
            self.perform(action)
        elif (meant := slip(key, self.letter)) is not None:
            self.desk.say(f"{meant.name} is Shift+{meant.shown_key}", now_s)
        self.after_key()

    def after_key(self) -> None:
        self.draw()

    def why_off(self, action: Action) -> str:
        """For the help."""
        return self.desk.why_off(action)

    def perform(self, action: Action) -> None:
        """What a key, or the palette, asks for."""
        match action.id:
            case "quit" | "leave":
                self.app.exit(0)
            case "help":
                self.app.push_screen("help")
            case "theme":
                self.app.change_theme()  # pyright: ignore[reportAttributeAccessIssue]
            case "palette":
                self.app.action_command_palette()
            case "go-wall":
                self.app.go_wall()  # pyright: ignore[reportAttributeAccessIssue]
            case "go-reviews" | "back":
                self.app.go_reviews()  # pyright: ignore[reportAttributeAccessIssue]
            case _:
                self.desk.act(action, time.monotonic())

    def perform_id(self, action_id: str) -> None:
        self.perform(BY_ID[action_id])
        self.after_key()


class ReviewsScreen(ReviewPage):
    letter = "Q"

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.draw)

    def message(self, now_s: float) -> tuple[str, Ink]:
        words = self.desk.list.filter_words()
        return (words, Ink.STRONG) if words and not self.desk.notice(now_s) else super().message(now_s)

    def perform(self, action: Action) -> None:
        match action.id:
            case "filter":
                self.desk.list.filter.begin()
            case "filter-clear":
                self.desk.list.filter.clear()
            case "review-sort":
                self.desk.say(f"Sorted: {self.desk.list.sort()}", time.monotonic())
            case _:
                super().perform(action)

    def rows(self, now_s: float, width: int, height: int) -> dict[int, Row]:
        made = list_rows(self.desk.list, self.desk.wall, now_s, width, height - BOTTOM_ROWS)
        return dict(enumerate(made))
