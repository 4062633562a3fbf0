"""The application under Pilot, against a server on a real socket: screens, palette, boxes, and what a key costs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.command import CommandPalette

from console.app import Console
from console.painting.grid import PICTURE, POINT
from console.painting.ink import Colours, Ink, look
from console.painting.themes import wear, worn
from console.screens.help import HelpScreen
from console.settings import Settings
from schemas.call import CallState
from schemas.console import Boxes, Command, Pause, SnapshotRequest
from schemas.media import Side

from .test_console_server import Server, call_view, levels, seat_view, serving, until


@asynccontextmanager
async def running(
    path: Path, *calls: Any, size: tuple[int, int] = (200, 60)
) -> AsyncIterator[tuple[Server, Console, Any]]:
    with serving(path, seats=[seat_view(c.seat) for c in calls], calls=list(calls)) as server:
        app = Console(Settings("BWI", server.path, None), Colours.TRUE)
        async with app.run_test(size=size) as pilot:
            await until(lambda: app.desk.wall.seats and app.wall_screen.is_mounted)
            await pilot.pause()
            yield server, app, pilot
        # In a thread: the console's end of the connection closes in this loop.
        await asyncio.to_thread(server.stop)


def screen_text(app: Console) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_help_opens_over_the_wall_says_why_and_goes_back(tmp_path: Path) -> None:
    async with running(tmp_path, call_view(1)) as (_, app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.pause()
        text = screen_text(app)
        for action_words in ("Admit", "More time", "End", "Flag", "F3 is off: no caller waits here"):
            assert action_words in text
        await pilot.press("escape")
        assert app.screen is app.wall_screen and " 01 HARRIS" in screen_text(app)


async def test_the_palette_finds_an_act_by_its_words_and_does_what_its_key_does(tmp_path: Path) -> None:
    async with running(tmp_path, call_view(1)) as (server, app, pilot):
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"says why afterwards")
        await pilot.pause(0.2)
        await pilot.press("enter", "enter")
        await until(lambda: server.got(Command))
        assert server.got(Command)[0].act == Pause()


async def test_other_sizes_are_asked_for_when_a_tile_is_turned_or_the_window_changes(tmp_path: Path) -> None:
    async with running(tmp_path, call_view(1), call_view(2)) as (server, _, pilot):
        await until(lambda: any(b.boxes for b in server.got(Boxes)))
        before = {(b.side, b.width, b.height) for b in server.got(Boxes)[-1].boxes}
        assert {side for side, _, _ in before} == {Side.FAMILY, Side.ROOM}
        await pilot.press("s")
        await until(lambda: len(server.got(Boxes)[-1].boxes) == 4)
        await pilot.press("g", "g")
        await until(lambda: len(server.got(Boxes)[-1].boxes) == 2)
        await pilot.resize_terminal(120, 40)
        await until(lambda: {(b.side, b.width, b.height) for b in server.got(Boxes)[-1].boxes} != before)
        assert all(b.width <= 120 for b in server.got(Boxes)[-1].boxes)


async def test_a_gap_asks_for_a_snapshot(tmp_path: Path) -> None:
    async with running(tmp_path, call_view(1)) as (server, _, _):
        server._tick += 5
        await until(lambda: server.got(SnapshotRequest))


async def test_a_turned_tile_says_which_side_it_shows(tmp_path: Path) -> None:
    async with running(tmp_path, call_view(1)) as (_, app, pilot):
        assert "FAMILY admitted" in screen_text(app)
        await pilot.press("s")
        await until(lambda: "ROOM connected" in screen_text(app))


@pytest.mark.parametrize("key", ["space", "tab", "z", "f12"])
async def test_keys_without_a_meaning_do_nothing(tmp_path: Path, key: str) -> None:
    async with running(tmp_path, call_view(1)) as (server, app, pilot):
        await pilot.press(key)
        assert app.desk.panel is None and not server.got(Command) and app.screen is app.wall_screen


async def test_seats_that_come_and_go_change_the_grid(tmp_path: Path) -> None:
    async with running(tmp_path, call_view(1)) as (server, app, pilot):
        server.seats.append(seat_view(2))
        server._tick += 5  # a gap: the console asks for the snapshot that has the new seat
        await until(lambda: " 02 Visits 2" in screen_text(app))
        server.seats.pop(0)
        server.calls = [call_view(2, "NOLAN", CallState.PAUSED)]
        server._tick += 5
        await until(lambda: " 02 NOLAN" in screen_text(app) and " 01 HARRIS" not in screen_text(app))
        assert app.desk.seat == 2
        await pilot.press("P")
        assert "nothing flows" in app.desk.notice(0) or not server.got(Command)


async def test_a_level_touches_only_its_row(tmp_path: Path) -> None:
    """The meters are drawn ten times a second: nothing else of the tile may be drawn with them."""
    call = call_view(1)
    async with running(tmp_path, call) as (server, app, pilot):
        server.show(levels(call, -300))
        tile = app.wall_screen._tiles[1]
        await until(lambda: "−30" in screen_text(app))
        await pilot.pause()
        painter = app.wall_screen.canvas.painter
        before = painter.wanted.glyphs.copy()
        app.desk.receive(server.delta(levels(call, -200)), app.desk.wall.link.heard_s or 0)
        app.wall_screen._draw_meters({1}, app.desk.wall.link.heard_s or 0)
        ys, xs = np.nonzero(painter.wanted.glyphs != before)
        assert set(ys) == {tile.area.y + tile.parts.meters_y} and set(ys * painter.size[0] + xs) <= {*tile.meter_cells}
        assert "−20" in "".join(map(chr, painter.wanted.glyphs[ys[0]] & POINT)), "and that is drawn"


async def test_another_theme_is_worn_by_every_cell(tmp_path: Path) -> None:
    """Rows that stand already are passed over, but not when the same words get other inks."""
    before = worn()
    try:
        async with running(tmp_path, call_view(1), call_view(2, laptop_online=False)) as (_, app, pilot):
            await until(lambda: "LAPTOP LOST" in screen_text(app))
            used = {look(ink, Colours.TRUE)[0] for ink in Ink}
            app.change_theme()
            await pilot.pause()
            await until(lambda: not app.pen.busy)
            seen = app.wall_screen.canvas.painter.seen
            own = {look(ink, Colours.TRUE)[0] for ink in Ink}
            text = (seen.kinds != PICTURE) & (seen.glyphs != ord(" "))
            assert not set(seen.inks[text].tolist()) & (used - own)
    finally:
        wear(before)


async def test_a_panel_opens_and_closes_without_laying_the_screen_out_anew(tmp_path: Path) -> None:
    """A layout sends the whole screen, pictures and all: a quarter of a megabyte between a key and what it shows."""
    async with running(tmp_path, call_view(1), call_view(2)) as (_, app, pilot):
        laid_out: list[Any] = []
        app.wall_screen.screen_layout_refresh_signal.subscribe(app.wall_screen, laid_out.append)
        await pilot.press("X")
        await until(lambda: "END seat 01 HARRIS" in screen_text(app))
        await pilot.press("enter")
        await until(lambda: "END seat 01 HARRIS" not in screen_text(app))
        assert "└" in screen_text(app).splitlines()[-3], "what was covered is there again"
        assert not laid_out
        await pilot.resize_terminal(190, 60)
        await until(lambda: laid_out)
