"""Pictures of a real call as consoles ask for them: in any mode, ten a second of the call that is looked at closely."""

import time
from collections.abc import Iterator

import av
import pytest
from websockets.sync.client import ClientConnection, connect

from demo.chain import Chain
from schemas.console import Boxes, ConsoleHello, Delta, to_console
from schemas.media import Box, Picture, PictureMode, Side
from schemas.wire import PROTOCOL_VERSION, encode

SECONDS = 4.0
WITHIN_S = 20.0


@pytest.fixture
def chain() -> Iterator[Chain]:
    chain = Chain(2, decode=False)
    try:
        chain.wait_until_listening()
        yield chain
    finally:
        chain.stop()


def console(chain: Chain) -> ClientConnection:
    link = connect(f"{chain.url}/console", max_size=None, compression=None)
    link.send(encode(ConsoleHello(PROTOCOL_VERSION, chain.plan.code, chain.plan.observer_token)))
    return link


def pictures(link: ClientConnection, seconds: float) -> list[tuple[float, Picture]]:
    """Those that come in so many seconds, each with when it came."""
    found: list[tuple[float, Picture]] = []
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            message = to_console.decode(link.recv(left))
        except TimeoutError:
            break
        if isinstance(message, Delta):
            found += [(time.monotonic(), picture) for picture in message.pictures]
    return found


def wait_for_all(link: ClientConnection, kinds: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    seen: set[tuple[str, Side, PictureMode]] = set()
    while len(seen) < kinds:
        assert time.monotonic() < deadline, f"only {seen}"
        seen |= {(one.call_id, one.side, one.mode) for _, one in pictures(link, 0.2)}


def test_ten_a_second_of_one_call_in_its_mode_and_one_of_the_others(chain: Chain) -> None:
    first, second = (chain.plan.call_at(seat) for seat in chain.plan.seats)
    tiles = [Box(Side.FAMILY, 32, 14, PictureMode.GREY)]
    close = [Box(Side.FAMILY, 96, 108, per_s=10), Box(Side.ROOM, 96, 54, PictureMode.PNG, 10)]
    with console(chain) as looking, console(chain) as apart:
        looking.send(encode(Boxes(tiles, first, close)))
        apart.send(encode(Boxes(tiles)))
        wait_for_all(looking, 4)
        wait_for_all(apart, 2)
        pictures(apart, 0.05)
        came = pictures(looking, SECONDS)
        elsewhere = pictures(apart, 0.5)

    by = {kind: [(at, one) for at, one in came if (one.call_id, one.mode) == kind] for kind in (
        (first, PictureMode.RGB), (first, PictureMode.PNG), (first, PictureMode.GREY), (second, PictureMode.GREY),
    )}  # fmt: skip
    assert len(by[first, PictureMode.RGB]) >= 9 * SECONDS and len(by[first, PictureMode.PNG]) >= 9 * SECONDS
    for call in (first, second):
        assert SECONDS - 2 <= len(by[call, PictureMode.GREY]) <= SECONDS + 2
    assert sum(map(len, by.values())) == len(came), "nothing else comes"
    assert {one.mode for _, one in elsewhere} <= {PictureMode.GREY}, "the close look is one console's alone"

    for _, one in by[first, PictureMode.GREY]:
        assert len(one.pixels) == one.width * one.height
    _, png = by[first, PictureMode.PNG][-1]
    frame = next(iter(av.CodecContext.create("png", "r").decode(av.Packet(png.pixels))))
    assert (frame.width, frame.height) == (png.width, png.height) == (96, 54)
    times = [one.at_ms for _, one in by[first, PictureMode.RGB]]
    assert times == sorted(set(times)), "each picture is of another frame, in their order"
