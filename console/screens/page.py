"""What the screens that take keys share: one canvas, how a key comes to mean an action, and what each of them can."""

import time
from typing import TYPE_CHECKING

from textual import events
from textual.screen import Screen

from console.actions import BY_ID, Action
from console.desk import Desk
from console.painting import bars
from console.painting.ink import Ink
from console.pressing import press
from console.state.layout import LEAST_COLUMNS, LEAST_ROWS
from console.widgets.canvas import Canvas

if TYPE_CHECKING:
    from console.app import Console

NO_KEYS = {
    *(f"{side}_{name}" for side in ("left", "right") for name in ("shift", "control", "alt", "super", "hyper", "meta")),
    *("caps_lock", "num_lock", "scroll_lock", "iso_level3_shift", "iso_level5_shift"),
}
"""Terminals with Kitty's keyboard protocol tell of these too; pressed alone they mean nothing, and close no panel."""


class Page(Screen[None]):
    """`letter` is the screen's in the table of actions."""

    if TYPE_CHECKING:
        app: Console  # pyright: ignore[reportIncompatibleMethodOverride]

    AUTO_FOCUS = ""
    letter = ""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self.canvas = canvas

    def compose(self):
        yield self.canvas

    def on_screen_suspend(self) -> None:
        self.canvas.leave()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key in NO_KEYS:
            return
        top = self.app.screen
        if top is not self and isinstance(top, Page):
            top.on_key(event)  # typed after the key that has opened or closed a screen
            return
        self.take_key(event.character if event.character and event.is_printable else event.key)
        self.after_key()

    def perform_id(self, action_id: str) -> None:
        self.perform(BY_ID[action_id])
        self.after_key()

    def perform(self, action: Action) -> None:
        """What a key, or the palette, asks for."""
        match action.id:
            case "quit" | "leave":
                self.app.exit(0)
            case "help":
                self.app.push_screen("help")
            case "theme":
                self.app.change_theme()
            case "palette":
                self.app.action_command_palette()
            case _:
                self.act(action, time.monotonic())

    def take_key(self, key: str) -> None:
        """`key`: a printable character, or Textual's name of another key."""
        raise NotImplementedError

    def act(self, action: Action, now_s: float) -> None:
        """What is not the same on every screen."""
        raise NotImplementedError

    def after_key(self) -> None:
        raise NotImplementedError

    def say_too_small(self, way_out: str) -> None:
        width, height = self.size
        words = [f"Sightline needs {LEAST_COLUMNS}×{LEAST_ROWS}.", f"This is {width}×{height}.", way_out]
        words += [""] * (height - len(words))
        self.canvas.put({y: bars.cut([(words[y], Ink.PLAIN)], width) for y in range(height)})


class DeskPage(Page):
    """A screen with an officer's calls: the desk's panel lies over its lower rows."""

    def __init__(self, desk: Desk, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.desk = desk
        self._footer: bars.Row = []
        self._footer_width = 0
        """Of the footer without a panel, which is kept: its keys do not change."""

    def take_key(self, key: str) -> None:
        action = press(self.desk, key, time.monotonic(), self.letter)
        if action is not None:
            self.perform(action)

    def act(self, action: Action, now_s: float) -> None:
        match action.id:
            case "pictures":
                self.app.change_pictures()
            case "copy":
                self.app.copy_reference()
            case "here":
                pass  # any key says it; this one says nothing else
            case _:
                self.desk.act(action, now_s)
                if action.id == "admit" and self.desk.admission is not None:
                    self.app.go_admission()

    def draw_panel(self) -> None:
        """The open panel, and the footer that goes with it."""
        width, height = self.size
        view = self.desk.panel.view() if self.desk.panel is not None else None
        if view is not None or self._footer_width != width:
            self._footer, self._footer_width = bars.footer(width, view, self.letter), width if view is None else 0
        self.canvas.painter.put({height - 1: self._footer})
        rows = bars.panel_rows(view, width) if view is not None else []
        top = height - 2 - min(len(rows), height - 3)
        self.canvas.painter.cover({top + y: row for y, row in enumerate(rows) if top + y < height - 2})
