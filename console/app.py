"""The Textual application: the wall's screen, the help's, the palette, and the link's life."""

import asyncio
import signal
import time
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding

from console.desk import Desk
from console.link import Link, Refused
from console.painting.ink import Colours
from console.screens.help import HelpScreen
from console.screens.laptops import LaptopsScreen
from console.screens.wall import WallScreen
from console.settings import Settings
from console.terminal import OutputDriver
from schemas.console import ConsoleWelcome

CLOSED_WITHIN_S = 0.5
"""How long the end waits for the server to take the goodbye."""


def _palette() -> type[Any]:
    from console.palette import Actions  # Textual's palette is only loaded when it is opened

    return Actions


class Console(App[int]):
    """`refusal` holds the server's no, in one sentence, after the run."""

    CSS_PATH = "styles/wall.tcss"
    TITLE = "Sightline"
    COMMANDS: ClassVar = {_palette}
    BINDINGS: ClassVar = [Binding("ctrl+q,ctrl+c", "exit_now", show=False, priority=True)]
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, settings: Settings, colours: Colours) -> None:
        super().__init__(driver_class=OutputDriver, ansi_color=True)
        self.refusal = ""
        now_s = time.monotonic()
        self.desk = Desk(now_s, lambda message: self.link.send(message))
        self.link = Link(settings, self._receive, self.desk.gone, self._beat, self._cells)
        self.wall_screen = WallScreen(self.desk, colours)
        self.laptops_screen = LaptopsScreen(self.desk, colours)
        self._colours = colours
        self._linked: asyncio.Task[None] | None = None

    def on_load(self) -> None:
        # The link is made while Textual starts the terminal.
        self._linked = asyncio.create_task(self._keep_linked())

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.add_signal_handler(number, self.exit, 0)
        self.install_screen(HelpScreen(self.desk, self._colours), "help")
        await self.push_screen(self.wall_screen)
        self._show_first()  # the welcome may have come already

    async def on_unmount(self) -> None:
        if self._linked is not None:
            self._linked.cancel()
            await asyncio.wait([self._linked], timeout=CLOSED_WITHIN_S)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.desk.touched(time.monotonic())
        await super().on_event(event)

    def action_exit_now(self) -> None:
        self.exit(0)

    def _cells(self) -> tuple[int, int]:
        return self.size.width, self.size.height

    def _beat(self) -> Any:
        return self.desk.beat(time.monotonic())

    def _receive(self, message: Any, now_s: float) -> None:
        changed = self.desk.receive(message, now_s)
        if isinstance(message, ConsoleWelcome):
            self._show_first()
        if self.laptops_screen.is_mounted:
            self.laptops_screen.draw()
        elif self.wall_screen.is_mounted:
            self.wall_screen.show(changed)
            self.wall_screen.show_acts()

    def _show_first(self) -> None:
        """The laptops in the wall's place, for a role that may not see it."""
        welcome = self.desk.wall.welcome
        may_look = welcome is None or "view" in welcome.permissions
        if not may_look and self.wall_screen.is_attached and self.screen is self.wall_screen:
            self.switch_screen(self.laptops_screen)

    async def _keep_linked(self) -> None:
        try:
            await self.link.run()
        except Refused as refused:
            self.refusal = str(refused)
            self.exit(1)
