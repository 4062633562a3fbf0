"""Frames that Hypothesis makes and mangles, against a real server on real sockets, from strangers and accepted links.

The server never crashes, logs no traceback, ends each link with one of its close codes, and changes no call.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from websockets.frames import Opcode

from schemas.call import CallView
from schemas.console import ConsoleHello, Snapshot
from schemas.laptop import LaptopHello
from schemas.peer import PeerHello
from schemas.wire import PROTOCOL_VERSION, CloseCode, encode
from tests.hostile import WITHIN_S, binary, request, tcp
from tests.server_rig import OFFICER_TOKEN, Console, Server, establishment, running_server
from tests.wire_frames import SEED, mangled, valid
from tests.wire_samples import UNIONS

HELLOS = {
    "laptop": encode(LaptopHello(PROTOCOL_VERSION, "BWI", "BWI-02", "laptop-token-without-calls", "mangled")),
    "console": encode(ConsoleHello(PROTOCOL_VERSION, "BWI", OFFICER_TOKEN)),
    "peer": encode(PeerHello(PROTOCOL_VERSION, "family-token-BWI-2")),
}
ENDS = {*map(int, CloseCode), 1000, 1002, 1007, 1009}
DONE = b"all of it has been read"
EXAMPLES = settings(
    max_examples=120,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """BWI-02 is a laptop without calls: it may be connected without that anything changes."""
    laptops = [
        {"id": "BWI-01", "seat": 1, "room": "Visits 1", "token": "laptop-token-123456"},
        {"id": "BWI-02", "seat": 2, "room": "Visits 2", "token": "laptop-token-without-calls"},
    ]
    with running_server(tmp_path_factory.mktemp("mangled"), establishment(laptops=laptops)) as found:
        before = calls(found)
        pid = found.process.pid
        yield found
        assert (found.process.poll(), found.process.pid) == (None, pid)
        assert calls(found) == before
        for word in ("Traceback", "Exception", "a tick failed", "never retrieved"):
            assert word not in found.log.read_text()
        found.stop()
        assert found.verify()["intact"]


def calls(server: Server) -> list[CallView]:
    with Console(server) as console:
        return console.next(Snapshot).calls


def said(server: Server, path: str, chunks: list[bytes]) -> tuple[int, str] | None:
    """Sends it all as it is; the close that comes back, or None when all was read and the link goes on."""
    with tcp(server.port) as wire:
        wire.upgrade(path)
        for chunk in chunks:
            if not wire.send(chunk):
                break
        wire.send(binary(DONE, opcode=Opcode.PING))
        try:
            for opcode, payload in wire.frames():
                if opcode == Opcode.CLOSE:
                    return (int.from_bytes(payload[:2]) if payload else 1000), payload[2:].decode()
                if (opcode, payload) == (Opcode.PONG, DONE):
                    return None
        except TimeoutError:
            pytest.fail(f"nothing came within {WITHIN_S:g} s")
    return 0, "cut off"


@st.composite
def conversations(draw: st.DrawFn) -> tuple[str, bool, list[bytes]]:
    """(link, whether its hello is good, payloads behind it). No accepted link names a call that goes on."""
    link = draw(st.sampled_from(sorted(HELLOS)))
    accepted = draw(st.booleans())
    own = valid({f"from_{link}"})
    any_frame = st.one_of(own, mangled(own), mangled(valid(UNIONS.keys())), st.binary(max_size=300))
    payloads = draw(st.lists(any_frame, min_size=1, max_size=6))
    if accepted:
        payloads = [payload.replace(b"BWI-1", b"BWI-8").replace(b"BWI-2", b"BWI-8") for payload in payloads]
    return link, accepted, payloads


@seed(SEED)
@EXAMPLES
@given(conversations(), st.data())
def test_mangled_messages(server: Server, conversation: tuple[str, bool, list[bytes]], data: st.DataObject) -> None:
    note(f"SIGHTLINE_SEED={SEED}")
    link, accepted, payloads = conversation
    frames = [binary(payload) for payload in ([HELLOS[link]] if accepted else []) + payloads]
    if data.draw(st.booleans()):  # in pieces that have nothing to do with frames
        stream = b"".join(frames)
        cut = data.draw(st.integers(0, len(stream)))
        frames = [stream[:cut], stream[cut:]]
    close = said(server, f"/{link}", frames)
    assert close is None or (close[0] in ENDS and (close[1] or close[0] == 1000)), close


@st.composite
def raw(draw: st.DrawFn) -> bytes:
    """Websocket frames with any head, in any order, fragments and control frames among them."""
    payload = draw(st.one_of(st.binary(max_size=130), valid({"from_console"})))
    way = draw(st.integers(0, 3))
    if way == 0:
        return bytes(draw(st.lists(st.integers(0, 255), max_size=40)))
    frame = bytearray(binary(payload[:125], mask=draw(st.booleans())))
    frame[0] = draw(st.sampled_from(list(Opcode))) | 128 * draw(st.booleans())
    if way == 1:
        frame[draw(st.integers(0, 1))] = draw(st.integers(0, 255))
    return bytes(frame)


@seed(SEED)
@EXAMPLES
@given(st.sampled_from(sorted(HELLOS)), st.booleans(), st.lists(raw(), min_size=1, max_size=6))
def test_mangled_websocket_frames(server: Server, link: str, accepted: bool, frames: list[bytes]) -> None:
    """A frame that says it is longer than what follows would be waited for: the link's end closes it then."""
    note(f"SIGHTLINE_SEED={SEED}")
    with tcp(server.port) as wire:
        wire.upgrade(f"/{link}")
        for frame in ([binary(HELLOS[link])] if accepted else []) + frames:
            if not wire.send(frame):
                break
        wire.socket.shutdown(1)
        for opcode, payload in wire.frames():
            if opcode == Opcode.CLOSE and payload and not wire_said_close(frames):
                assert int.from_bytes(payload[:2]) in ENDS


def wire_said_close(frames: list[bytes]) -> bool:
    """A close that we sent is echoed, with whatever code it had."""
    return any(frame and frame[0] & 15 == Opcode.CLOSE for frame in frames) or any(len(f) > 40 for f in frames)


@seed(SEED)
@EXAMPLES
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda noise: request("/console")[:-40] + noise)))
def test_mangled_requests(server: Server, said: bytes) -> None:
    note(f"SIGHTLINE_SEED={SEED}")
    with tcp(server.port) as wire:
        wire.send(said)
        wire.socket.shutdown(1)
        answer = wire.rest()
        assert not answer or answer.startswith(b"HTTP/1.1 ")


def test_the_server_still_serves(server: Server) -> None:
    assert server.health()["audit_writable"]
