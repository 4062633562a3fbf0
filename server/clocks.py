"""What the server does again and again by itself: ticks, the clock's rules, a look at the audit and at memory."""

import asyncio
import time
from collections.abc import Mapping

import structlog

from .establishment import Establishment
from .estate import Estate
from .garbage import Garbage
from .journal import Journal
from .links.fanout import TICK_S
from .links.refusals import Refusals
from .recordings.receiving import Receiving
from .rules.call import OPEN
from .store.writer import StoreError
from .supervising import Supervising

log = structlog.get_logger()

SLICES = 10
"""Establishments take their turns spread over a tick: their frames don't all go out at once."""
AUDIT_LOOKED_AT_S = 1.0
MEMORY_LOOKED_AT_S = 1.0


async def keep_time(
    places: tuple[Establishment, ...], supervising: Mapping[str, Supervising], receiving: Mapping[str, Receiving]
) -> None:
    """20 ticks a second for consoles, the clock's rules each fifth of them; an error in one place stays there."""
    loop = asyncio.get_running_loop()
    slices = min(SLICES, len(places))
    due, turn = loop.time(), 0
    while True:
        turn += 1
        tick, slice_ = divmod(turn, slices)
        for place in places[slice_::slices]:
            try:
                place.fanout.tick()
                if tick % 5 == 0:
                    place.look_at_the_clock()
                    supervising[place.code].look()
                    receiving[place.code].look()
                    place.looking.look()
            except Exception:
                log.exception("a tick failed", establishment=place.code)
        due = max(due + TICK_S / slices, loop.time() - TICK_S)  # never a burst of ticks after a pause
        await asyncio.sleep(max(0.0, due - loop.time()))


async def look_after_the_audit(estate: Estate, journal: Journal, refused: Refusals) -> None:
    """Finds out whether an audit that could not be written can be written again, then takes the journal in.

    Apart from the clock: a disk that hangs must not stop the consoles' ticks.
    """
    while True:
        await asyncio.sleep(AUDIT_LOOKED_AT_S)
        try:
            refused.sum_up()
            if not estate.writer.writable:
                await estate.write(estate.entry("audit_writable_again", ""))
            await journal.take_in()
        except (StoreError, OSError) as error:
            log.error("audit not writable", error=str(error)[:200])
        except Exception:
            log.exception("a look at the audit failed")


async def look_after_memory(estate: Estate) -> None:
    garbage = Garbage(lambda: any(call.state in OPEN for place in estate.places for call in place.calls.values()))
    while True:
        await asyncio.sleep(MEMORY_LOOKED_AT_S)
        garbage.look(time.monotonic())
