"""The Textual application: its screens and the ways between them, the palette, and the link's life."""

import asyncio
import signal
import time
from typing import Any, ClassVar

from rich.color import ColorSystem
from textual import events
from textual.app import App
from textual.binding import Binding

from console import config
from console.desk import Desk
from console.link import Link, Refused
from console.painting.answers import Answer, KittyPictures, Name, TrueColour
from console.painting.ink import Colours
from console.painting.profile import Profile, Profiles
from console.painting.terminals import finest
from console.painting.themes import next_theme, wear
from console.pen import Pen
from console.review_desk import ReviewDesk
from console.screens.admission import AdmissionScreen
from console.screens.focus import FocusScreen
from console.screens.help import HelpScreen
from console.screens.laptops import LaptopsScreen
from console.screens.review import ReviewScreen
from console.screens.reviews import ReviewPage, ReviewsScreen
from console.screens.wall import WallScreen
from console.settings import Settings
from console.state.safe_text import safe
from console.terminal import OutputDriver
from schemas.attention import NoticeReached
from schemas.call import Role
from schemas.console import CommandAnswer, CommandDone, ConsoleWelcome
from schemas.review import ReviewOpened

LOOK_AT_PICTURES_S = 0.5
CLOSED_WITHIN_S = 0.5
"""How long the end waits for the server to take the goodbye."""


def _palette() -> type[Any]:
    from console.palette import Actions  # Textual's palette is only loaded when it is opened

    return Actions


QUICK_TURN_S, SETTLED_S = 1.0, 0.2


class Console(App[int]):
    """`refusal` holds the server's no, in one sentence, after the run."""

    CSS_PATH = "styles/wall.tcss"
    TITLE = "Sightline"
    COMMANDS: ClassVar = {_palette}
    BINDINGS: ClassVar = [Binding("ctrl+q,ctrl+c", "exit_now", show=False, priority=True)]
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, settings: Settings, colours: Colours) -> None:
        super().__init__(driver_class=OutputDriver, ansi_color=True)
        if colours is not Colours.NONE:
            # What Textual repaints must have the colours that the painter has; it goes by the environment alone.
            self.console._color_system = ColorSystem.TRUECOLOR if colours is Colours.TRUE else ColorSystem.EIGHT_BIT
        self.refusal = ""
        self.pen = Pen(self)
        now_s = time.monotonic()
        self.desk = Desk(now_s, lambda message: self.link.send(message))
        self.link = Link(settings, self._receive, self.desk.gone, self._beat, self._cells)
        self.wall_screen = WallScreen(self.desk, colours)
        self.focus_screen = FocusScreen(self.desk, colours)
        self.admission_screen = AdmissionScreen(self.desk, colours)
        self.laptops_screen = LaptopsScreen(self.desk, colours)
        self.review_desk = ReviewDesk(self.desk.wall, lambda message: self.link.send(message))
        self.reviews_screen = ReviewsScreen(self.review_desk, colours)
        self.review_screen = ReviewScreen(self.review_desk, colours)
        self.review_desk.boxes = lambda: self.review_screen.boxes(*self._cells())
        self._colours = colours
        last = config.remembered().get("pictures", "")
        self.profiles = Profiles(colours, Profile(last) if last in list(Profile) else None)
        self._began = self._sized = False
        self._turned_s = -1e9
        self._linked: asyncio.Task[None] | None = None

    def on_load(self) -> None:
        # The link is made while Textual starts the terminal.
        self._linked = asyncio.create_task(self._keep_linked())

    def terminal_says(self, answer: Answer, now_s: float) -> None:
        """What the terminal has answered, and when (s, monotonic)."""
        self.pen.take(answer, now_s)
        if isinstance(answer, TrueColour) and answer.kept and self.profiles.terminal is Colours.INDEXED:
            self.console._color_system = ColorSystem.TRUECOLOR
            self.profiles.terminal = Colours.TRUE
            self._show_pictures_anew()
        elif isinstance(answer, Name) and (mosaic := finest(answer.text)) is not None:
            self.profiles.mosaic = mosaic
            self._show_pictures_anew()
        elif isinstance(answer, KittyPictures) and answer.shown and not self.profiles.kitty:
            self.profiles.kitty = True
            self._show_pictures_anew()

    def change_pictures(self) -> None:
        """The next way to paint pictures, from now on and the next time."""
        self.profiles.choose_next()
        config.remember(pictures=self.profiles.chosen or "")
        self._show_pictures_anew()
        self.desk.say(self.profiles.words, time.monotonic())

    def _look_at_pictures(self) -> None:
        """Whether the line still takes them as they are painted."""
        canvas, now_s = self.pen.canvas(), time.monotonic()
        if canvas is not None and self.profiles.look(canvas.waiting_s(now_s), now_s):
            self._show_pictures_anew()

    def _show_pictures_anew(self) -> None:
        for screen in (self.wall_screen, self.focus_screen, self.admission_screen, self.review_screen):
            screen.show_pictures_as(self.profiles)

    async def on_mount(self) -> None:
        self.pen.begin()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.add_signal_handler(number, self.exit, 0)
        for name, screen in (
            ("help", HelpScreen(self.desk, self._colours)),
            ("focus", self.focus_screen),
            ("admission", self.admission_screen),
            ("reviews", self.reviews_screen),
            ("review", self.review_screen),
        ):
            self.install_screen(screen, name)
        await self.push_screen(self.wall_screen)
        self._show_pictures_anew()
        self.set_interval(LOOK_AT_PICTURES_S, self._look_at_pictures)
        self._show_first()  # the welcome may have come already

    def on_resize(self) -> None:
        self._sized = True
        self._show_first()

    async def on_unmount(self) -> None:
        self.pen.end()
        if self._linked is not None:
            self._linked.cancel()
            await asyncio.wait([self._linked], timeout=CLOSED_WITHIN_S)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.desk.touched(time.monotonic())
        await super().on_event(event)

    def action_exit_now(self) -> None:
        self.exit(0)

    def change_theme(self) -> None:
        """The next theme, from now on and the next time."""
        theme = next_theme()
        wear(theme)
        config.remember(theme=theme)
        self._show_pictures_anew()
        for screen in self.screen_stack:
            draw = getattr(screen, "place_all", None) or getattr(screen, "draw", None)
            if draw is not None:
                draw()  # what has places draws all of them anew

    def _cells(self) -> tuple[int, int]:
        return self.size.width, self.size.height

    def _beat(self) -> Any:
        return self.desk.beat(time.monotonic())

    def _receive(self, message: Any, now_s: float) -> None:
        changed = self.desk.receive(message, now_s)
        about_reviews = self.review_desk.receive(message, now_s)
        if isinstance(message, ConsoleWelcome):
            self._show_first()
        if self.laptops_screen.is_mounted:
            self.laptops_screen.draw()
        elif self.wall_screen.is_mounted:
            self.wall_screen.show(changed)
            shown = self.screen if isinstance(self.screen, FocusScreen | AdmissionScreen) else self.wall_screen
            if shown is not self.wall_screen:
                shown.show(changed)
            if isinstance(message, CommandAnswer | CommandDone | NoticeReached):
                shown.show_acts()
        if about_reviews:
            self._show_reviews(message)

    # -- screens: the wall lies under all others

    def _show_first(self) -> None:
        """The laptops in the wall's place, for a role that may not see it; for a governor the reviews over it.

        Not before the size is known: a screen that is pushed then would keep another.
        """
        welcome = self.desk.wall.welcome
        if welcome is None or not self.wall_screen.is_attached or self.screen is not self.wall_screen:
            return
        if "view" not in welcome.permissions:
            self.switch_screen(self.laptops_screen)
        elif self._sized and not self._began:
            self._began = True
            if welcome.role == Role.GOVERNOR and self.review_desk.permitted:
                self.go_reviews()

    def go_wall(self) -> None:
        self._back_to_the_wall()
        self.desk.show_pictures(True)
        self.wall_screen.want_pictures()

    def _note_turn(self) -> None:
        """Screens that follow each other faster than Textual lays them out could leave a row of the last one behind."""
        now_s = time.monotonic()
        if now_s - self._turned_s < QUICK_TURN_S:
            self.set_timer(SETTLED_S, lambda: self.screen.refresh())
        self._turned_s = now_s

    def go_focus(self) -> None:
        """The chosen call over the whole screen; opening it is a look that the server counts."""
        self._note_turn()
        self.desk.focused = True
        self.focus_screen.begin()
        self.push_screen("focus")

    def go_admission(self) -> None:
        """The device that waits over the whole screen; looking at it is a look as any other."""
        self._note_turn()
        self.desk.focused = True
        self.push_screen("admission")

    def leave_admission(self) -> None:
        """Back to where it was opened from."""
        self._note_turn()
        self.desk.admission = self.desk.panel = None
        self.pop_screen()
        if self.screen is self.wall_screen:
            self.desk.focused = False
            self.wall_screen.place_all()

    def leave_focus(self) -> None:
        self._note_turn()
        self.desk.focused = False
        self._back_to_the_wall()
        self.wall_screen.place_all()

    def copy_reference(self) -> None:
        """The chosen call's number into the clipboard of whoever sits at the terminal (OSC 52)."""
        now_s = time.monotonic()
        call = self.desk.call(now_s)
        if call is None:
            self.desk.say("No call is chosen, so nothing is copied", now_s)
            return
        self.copy_to_clipboard(call.call_id)
        self.desk.say(f"Copied, if your terminal allows it: {safe(call.call_id)}", now_s)

    def go_reviews(self) -> None:
        """The list; an open review is closed by it."""
        self._back_to_the_wall()
        self.desk.show_pictures(False)
        self.push_screen("reviews")

    def _back_to_the_wall(self) -> None:
        self.review_desk.close()
        self.desk.admission = None
        while self.screen is not self.wall_screen:
            self.pop_screen()

    def _show_reviews(self, message: Any) -> None:
        if isinstance(message, ReviewOpened) and self.screen is self.reviews_screen:
            self.push_screen("review")
        elif isinstance(self.screen, ReviewPage):
            self.screen.draw()

    async def _keep_linked(self) -> None:
        try:
            await self.link.run()
        except Refused as refused:
            self.refusal = str(refused)
            self.exit(1)
