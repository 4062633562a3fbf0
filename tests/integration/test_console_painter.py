"""Every cell that the terminal shows is the one that the grid says: with panels, toasts, other screens and resizes."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from console.app import Console
from console.painting.ink import Colours
from console.settings import Settings
from schemas.console import Boxes
from schemas.media import Box, Picture
from tests.screen_rig import ScreenDriver, canvas_of, on_screen, wrong_cells

from .test_console_server import Server, call_view, health, levels, mono_ms, seat_view, serving, until

NAMES = ("HARRIS", "中文名字", "O'NEILL", "ŻÓŁĆ", "ÅSTRÖM")


def noise(call: Any, box: Box, rng: random.Random) -> Picture:
    """Some pixels differ from those of the picture before, most do not."""
    pixels = bytearray(bytes([40 + 3 * call.seat, 90, 120]) * box.width * box.height)
    for _ in range(40):
        at = rng.randrange(box.width * box.height) * 3
        pixels[at : at + 3] = rng.randbytes(3)
    return Picture(call.call_id, box.side, mono_ms(), box.width, box.height, box.width, box.height, bytes(pixels))


async def feed(server: Server, calls: list[Any], seed: int) -> None:
    """Levels, pictures and health as laptops send them, until it is cancelled."""
    rng = random.Random(seed)
    while True:
        boxes = server.got(Boxes)[-1].boxes if server.got(Boxes) else []
        shown: list[Any] = [levels(call, rng.randrange(-600, 0), rng.randrange(-600, 0)) for call in calls]
        shown += [noise(call, box, rng) for call in rng.sample(calls, len(calls) // 3 + 1) for box in boxes]
        shown.append(health(rng.choice(calls)))
        server.show(*shown)
        await asyncio.sleep(0.05)


async def settled(app: Console, driver: ScreenDriver) -> list[Any]:
    """The cells that are wrong when nothing is left to paint."""
    canvas = canvas_of(app)
    await until(lambda: canvas.painter.size == (driver.screen.columns, driver.screen.lines))
    await until(lambda: not app.pen.busy)
    mine = canvas.region
    others = [
        region.intersection(clip)
        for widget, (region, clip) in app.screen._compositor.visible_widgets.items()
        if widget not in (canvas, app.screen)
    ]
    assert mine.size == canvas.painter.size
    seen = canvas.painter.seen
    left_out = canvas.painter.changed(canvas._hidden(mine))
    wrong = wrong_cells(driver.screen, seen, lambda x, y: any(other.contains(x, y) for other in others))
    strips = app.screen._compositor.render_strips()
    for other in others:
        for y in other.line_range:
            shown = "".join(driver.screen.buffer[y][x].data for x in other.column_range)
            if shown != (drawn := strips[y].crop(other.x, other.right).text):
                wrong.append(("over the canvas", y, shown, drawn))
    # The time goes on meanwhile: what is wanted may be a tick ahead of what has been painted.
    return wrong + ([] if left_out.mean() < 0.02 else [("not painted", int(left_out.sum()))])


@pytest.mark.parametrize("colours", list(Colours))
async def test_the_terminal_shows_what_the_grid_says(tmp_path: Path, colours: Colours) -> None:
    calls = [call_view(n, NAMES[n % len(NAMES)]) for n in range(1, 13)]
    with serving(tmp_path, seats=[seat_view(n) for n in range(1, 13)], calls=calls) as server:
        app = Console(Settings("BWI", server.path, None), colours)
        async with on_screen(app, 200, 60) as driver:
            await until(lambda: server.got(Boxes) and server.got(Boxes)[-1].boxes)
            feeding = asyncio.create_task(feed(server, calls, seed=1))

            async def look(what: str) -> None:
                await asyncio.sleep(0.3)
                wrong = await settled(app, driver)
                assert not wrong, f"{what}: {len(wrong)} cells, first {wrong[:3]}"

            await look("at first")
            driver.press("X", "X")
            await look("a panel")
            app.notify("ALERT seat 07: a toast\n" * 6, timeout=1.5)
            await until(lambda: any("a toast" in line for line in driver.screen.display))
            await look("a toast over a panel")
            driver.press("escape")
            await look("a toast over the tiles")
            await until(lambda: not any("a toast" in line for line in driver.screen.display))
            await look("panel and toast gone")
            driver.press("ctrl+p")
            await until(lambda: app.screen is not app.wall_screen)
            await asyncio.sleep(0.3)
            driver.press("escape")
            await until(lambda: app.screen is app.wall_screen)
            await look("the palette gone")
            driver.press("question_mark", "?")
            await look("help")
            driver.press("q", "q")
            await look("help gone")
            for key in "jlhgkss":
                driver.press(key, key)
                await asyncio.sleep(0.02)
            await look("another seat, turned round")
            for size in ((120, 40), (200, 60), (80, 24), (50, 15), (137, 43)):
                driver.resize(*size)
                if size == (80, 24):
                    for _ in range(9):
                        driver.press("j", "j")  # the list scrolls
                await look(f"{size[0]}x{size[1]}")
            driver.process_message(_focus(False))
            await look("the window is not in focus")
            driver.process_message(_focus(True))
            await look("and again")
            feeding.cancel()
        await asyncio.to_thread(server.stop)


def _focus(on: bool) -> Any:
    from textual import events

    return events.AppFocus() if on else events.AppBlur()


async def test_nothing_is_painted_while_another_screen_is_on_top(tmp_path: Path) -> None:
    call = call_view(1)
    with serving(tmp_path, seats=[seat_view(1)], calls=[call]) as server:
        app = Console(Settings("BWI", server.path, None), Colours.TRUE)
        async with on_screen(app, 120, 40) as driver:
            await until(lambda: server.got(Boxes) and server.got(Boxes)[-1].boxes)
            driver.press("question_mark", "?")
            await until(lambda: app.screen is not app.wall_screen)
            await asyncio.sleep(0.2)
            seen = app.wall_screen.canvas.painter.seen.glyphs.copy()
            before = len(driver.written)
            for level in range(-50, -10):
                server.show(levels(call, level * 10))
                await asyncio.sleep(0.01)
            assert (app.wall_screen.canvas.painter.seen.glyphs == seen).all()
            assert not any("−" in text for text in driver.written[before:])
        await asyncio.to_thread(server.stop)
