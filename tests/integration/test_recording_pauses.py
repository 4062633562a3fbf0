"""What is recorded of a real call while staff have stopped it, or one side of it: all of it, without a gap."""

import asyncio
from itertools import pairwise
from pathlib import Path

from schemas.laptop import OrderAct
from schemas.media import CallHealth, Side
from tests.legs_rig import eventually, one_call
from tests.sealed import opened, played

STOPPED_S = 2.5
GAP_MS = 500
"""A picture each 40 ms is sent; a busy machine may be late with some."""


async def test_a_pause_and_a_side_that_is_off_are_recorded_and_play(tmp_path: Path) -> None:
    async with one_call(tmp_path, devices=1) as rig:
        peers = rig.start(*rig.legs)
        await rig.connected(*rig.legs)
        rig.admit("family-1")
        await rig.until(peers, lambda r: all(leg["packets"]["video"] > 50 for leg in r.values()), "media flow")
        for stop, go_on in (
            ((OrderAct.PAUSE, {}), (OrderAct.RESUME, {})),
            (
                (OrderAct.ONE_SIDE, {"side": Side.FAMILY, "sound_off": True, "picture_off": True}),
                (OrderAct.ONE_SIDE, {"side": Side.FAMILY}),
            ),
        ):
            rig.order(stop[0], **stop[1])
            await asyncio.sleep(0.5)
            before = (await rig.report(peers))["room"]["packets"]
            await asyncio.sleep(STOPPED_S)
            assert (await rig.report(peers))["room"]["packets"] == before, "the far side got nothing of it"
            rig.order(go_on[0], **go_on[1])
            more = before["video"] + 50
            await rig.until(peers, lambda r, more=more: r["room"]["packets"]["video"] > more, "it flows again")
        assert rig.of_kind(CallHealth)[-1].carrying
        rig.order(OrderAct.END)
        await eventually(rig.closed.is_set, "the call is closed")

    (part,) = opened(tmp_path / "recordings" / "BWI-1")
    assert (part.broken, part.end, part.signed) == ("", "ended", True)
    assert set(part.streams) == {"room", "family-1"}
    for source, stream in part.streams.items():
        pictures, sounds, times = played(stream)
        assert pictures == len(stream.blocks["video"]) and sounds >= len(stream.blocks["audio"]), source
        assert times == sorted(times) and times[-1] - times[0] > 2 * STOPPED_S
        for kind, blocks in stream.blocks.items():
            apart = [after.at_ms - before.at_ms for before, after in pairwise(blocks)]
            assert max(apart) < GAP_MS, (source, kind, max(apart))
