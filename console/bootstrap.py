"""Wires a console: checks the terminal, chooses its colours, runs the application."""

import asyncio
import os
import sys

from console import config
from console.settings import Settings
from console.state.safe_text import safe


def run(settings: Settings) -> int:
    """0 after `q`, Ctrl-Q, Ctrl-C or SIGTERM. SystemExit with one sentence when there is no terminal, or the server
    does not want this console."""
    if settings.socket is None and not settings.server:
        raise SystemExit("console: name the server, with --socket FILE or --server ws://HOST:PORT.")
    if settings.speak:
        from console.speak.run import run as speak

        return speak(settings)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SystemExit("console: this needs a terminal for keys and screen; start it without redirecting either.")
    theme = _prepare(settings)
    from console.app import Console
    from console.painting.ink import Colours
    from console.painting.themes import Theme, wear

    wear(Theme(theme))
    if "NO_COLOR" in os.environ:
        colours = Colours.NONE
    elif os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        colours = Colours.TRUE
    else:
        colours = Colours.INDEXED
    app = Console(settings, colours)
    result = app.run(loop=_loop())
    if app.refusal:
        raise SystemExit(f"console: the server refuses this console: {safe(app.refusal)}.")
    return result if result is not None else app.return_code or 0


def _prepare(settings: Settings) -> str:
    """Takes the person's own keys into the table of actions; returns the name of the theme.

    SystemExit with one sentence when the settings can't be used: wrong keys are worse than none.
    """
    from console import actions, keymap
    from console.painting.themes import Theme

    try:
        own = config.read(settings.config)
        actions.take(keymap.remapped(actions.ACTIONS, own.keys))
    except (config.ConfigError, keymap.KeymapError) as error:
        raise SystemExit(f"console: your settings are not used, so it does not start: {error}.") from error
    named = settings.theme or own.theme
    if named and named not in list(Theme):
        raise SystemExit(f"console: there is no theme {named}; there are {', '.join(Theme)}.")
    last = config.remembered().get("theme", "")
    return named or (last if last in list(Theme) else Theme.DARK)


def _loop() -> asyncio.AbstractEventLoop:
    """uvloop where it installs: an eighth less of the processor."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
