"""What a real server does with connections that don't behave, on real sockets: each gets one clear end, in time."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from schemas import limits
from schemas.console import ConsoleHello, ConsoleWelcome, Snapshot, TimeProbe, TimeReply, to_console
from schemas.laptop import LaptopHello
from schemas.peer import PeerHello
from schemas.wire import PROTOCOL_VERSION, CloseCode, encode
from tests.hostile import Wire, binary, request, tcp, unix
from tests.server_rig import GOVERNOR_TOKEN, OFFICER_TOKEN, Console, Server, running_server, wait_until

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(190)
"""How a TLS handshake begins."""
HELLO = encode(ConsoleHello(PROTOCOL_VERSION, "BWI", OFFICER_TOKEN))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("bounds")) as found:
        yield found
        assert "Traceback" not in found.log.read_text() and found.process.poll() is None


def refused(server: Server) -> str:
    """Who and why, of all refusals in the audit."""
    return "\n".join(f"{row.who} {row.detail}" for row in server.audit("link_refused", "links_refused"))


def status(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def console(wire: Wire) -> None:
    """Becomes an accepted console."""
    wire.upgrade("/console")
    wire.send(binary(HELLO))
    opcode, payload = next(wire.frames())
    assert opcode == Opcode.BINARY and isinstance(to_console.decode(payload), ConsoleWelcome)


def test_a_connection_has_so_long_from_the_accept_to_its_hello(server: Server) -> None:
    """All at once: half-open ones, slow handshakes, slow hellos, and a hello that never becomes whole."""
    with ExitStack() as stack:
        silent, half, dripping, late, cut = (stack.enter_context(tcp(server.port)) for _ in range(5))
        on_this_machine = stack.enter_context(unix(server.folder / "console.sock"))
        half.send(request("/console")[:60])
        cut.upgrade("/console")
        cut.send(binary(HELLO)[:-3])
        slow = request("/laptop")
        for n in range(8):  # 0.5 s apart: the deadline does not move with each byte
            dripping.send(slow[n : n + 1])
            time.sleep(0.5)
        late.upgrade("/laptop")  # its 5 s for a hello would last until the 9th second
        ended: dict[str, float] = {}
        answers = {"silent": silent, "half": half, "dripping": dripping, "unix": on_this_machine}
        for name, wire in answers.items():
            code, words = status(wire.rest())
            assert (code, "request" in words) == (408, True), name
            ended[name] = time.monotonic() - wire.opened_at
        for name, wire in {"late": late, "cut": cut}.items():
            code, reason = wire.close_code()
            assert (code, reason) == (CloseCode.NOT_UNDERSTOOD, "no hello within 5 s"), name
            ended[name] = time.monotonic() - wire.opened_at
        assert all(limits.OPEN_S - 0.5 < seconds < limits.OPEN_S + 3 for seconds in ended.values()), ended
    wait_until(lambda: "408" in refused(server), "it is in the audit")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (CLIENT_HELLO, 400),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
        (b"POST /console HTTP/1.1\r\n\r\n", 400),
        (request("/console", *(f"X-{n}: {'x' * 4000}" for n in range(30))), 431),
        (request("/console", f"X: {'x' * 10_000}"), 431),
        (request("/" + "x" * 10_000), 414),
        (request("/nothing"), 404),
        (b"GET /console HTTP/1.1\r\nHost: x\r\n\r\n", 426),
    ],
    ids=["TLS", "SSH", "POST", "120 KB of headers", "a long header", "a long path", "no such path", "no upgrade"],
)
def test_what_is_no_websocket_request_gets_a_status_and_a_sentence(server: Server, said: bytes, expected: int) -> None:
    with tcp(server.port) as wire:
        wire.send(said)
        code, words = status(wire.rest())
        assert code == expected and len(words.strip().splitlines()[0]) > 10


def test_a_request_that_is_broken_is_ended_at_once(server: Server) -> None:
    with tcp(server.port) as wire:
        wire.send(b"GET /console HTTP/1.1\r\nno header\r\n\r\n")
        assert wire.rest() == b""
        assert time.monotonic() - wire.opened_at < limits.OPEN_S - 1


def test_compression_is_never_negotiated(server: Server) -> None:
    for path in ("/laptop", "/console", "/peer"):
        with tcp(server.port) as wire:
            head = wire.upgrade(path, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
            assert b" 101 " in head and b"extensions" not in head.lower()
    with tcp(server.port) as wire:
        console(wire)
        wire.send(bytes([0b11000010]) + binary(HELLO)[1:])  # RSV1: a compressed frame
        assert wire.close_code()[0] == 1002


def test_a_message_in_fragments_is_one_message(server: Server) -> None:
    with tcp(server.port) as wire:
        wire.upgrade("/console")
        for n, byte in enumerate(HELLO):
            last = n == len(HELLO) - 1
            wire.send(binary(bytes([byte]), opcode=Opcode.CONT if n else Opcode.BINARY, fin=last))
            wire.send(binary(b"", opcode=Opcode.PING))  # control frames may come between
        messages = (to_console.decode(payload) for opcode, payload in wire.frames() if opcode == Opcode.BINARY)
        assert isinstance(next(messages), ConsoleWelcome)


FLOODS = {
    "pings": (binary(b"x" * 125, opcode=Opcode.PING), CloseCode.TOO_FAST),
    "pongs": (binary(b"", opcode=Opcode.PONG), CloseCode.TOO_FAST),
    "empty fragments": (binary(b"", opcode=Opcode.CONT, fin=False), CloseCode.TOO_FAST),
    "messages": (binary(encode(TimeProbe(1))), CloseCode.TOO_FAST),
    "texts": (binary(b"hello", opcode=Opcode.TEXT), CloseCode.NOT_UNDERSTOOD),
    "texts that are none": (binary(b"\xff\xfe", opcode=Opcode.TEXT), 1007),
    "frames without a mask": (binary(encode(TimeProbe(1)), mask=False), 1002),
    "frames of no kind": (b"\x8f\x80abcd", 1002),
    "frames that say they are huge": (b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_an_accepted_console_is_cut_off(server: Server, name: str) -> None:
    frame, code = FLOODS[name]
    before = server.process_memory()
    with Console(server) as others, tcp(server.port) as wire:
        console(wire)
        if name == "empty fragments":
            wire.send(binary(b"", fin=False))
        for _ in range(400):  # 10 MB of pings, and nobody reads the pongs meanwhile
            if not wire.send(frame * 200):
                break
        # It may have been too fast before it was not understood, and a reset may have overtaken the close.
        assert wire.close_code()[0] in (code, CloseCode.TOO_FAST, 0)
        others.send(TimeProbe(5))
        assert others.next(TimeReply).sent_ms == 5
    wait_until(lambda: f"{int(code)}" in refused(server) or "4007" in refused(server), "it is in the audit")
    assert server.process_memory() - before < 20e6


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_a_stranger_is_cut_off(server: Server, name: str) -> None:
    frame, _ = FLOODS[name]
    with tcp(server.port) as wire:
        wire.upgrade("/peer")
        for _ in range(40):
            if not wire.send(frame * 50):
                break
        assert wire.close_code()[0] in (*CloseCode, 1002, 1007, 1009, 0)


def test_a_stranger_may_send_so_much_and_no_more(server: Server) -> None:
    with tcp(server.port) as wire:
        wire.upgrade("/laptop")
        whole = binary(b"x" * 200_000)
        for start in range(0, 100_000, 1000):
            if not wire.send(whole[start : start + 1000]):
                break
        code, reason = wire.close_code()
        assert code in (1009, 0) and ("48 KiB" in reason or code == 0)
    wait_until(lambda: "before an accepted hello" in refused(server), "it is in the audit")


def test_what_is_sent_right_behind_the_request_is_bounded_too(server: Server) -> None:
    """Such frames come before there is an answer to the request."""
    for flood in (binary(b"", opcode=Opcode.PING) * 5000, binary(b"", opcode=Opcode.CLOSE), b"\xff" * 1000):
        with tcp(server.port) as wire:
            wire.send(request("/console") + flood)
            wire.rest()
            assert time.monotonic() - wire.opened_at < limits.OPEN_S + 3
    with tcp(server.port) as wire:  # a hello may come there
        wire.send(request("/console") + binary(HELLO))
        while b"R. Hughes" not in wire.got:
            assert wire.read()


def test_a_person_opens_so_many_consoles_and_no_more(server: Server) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(Console(server, GOVERNOR_TOKEN)) for _ in range(limits.SAME_AT_ONCE)]
        for one in opened:
            one.next(Snapshot)
        one_more = stack.enter_context(Console(server, GOVERNOR_TOKEN))
        with pytest.raises(ConnectionClosed) as closed:
            one_more.next(Snapshot)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == CloseCode.TOO_MANY
        assert "S. Gill" in closed.value.rcvd.reason
        opened[0].send(TimeProbe(1))
        assert opened[0].next(TimeReply)

    def let_in_again() -> bool:
        with Console(server, GOVERNOR_TOKEN) as again:
            try:
                return bool(again.next(Snapshot))
            except ConnectionClosed:
                return False

    wait_until(let_in_again, "there is a place again")


def test_a_crowd_at_the_door_delays_itself_and_nobody_else(server: Server) -> None:
    """1,300 half-open connections of one address take its places for strangers, and no other address's."""
    with ExitStack() as stack:
        crowd: list[Wire] = []
        while len(crowd) < 1300:
            crowd += [stack.enter_context(tcp(server.port, "127.0.0.77")) for _ in range(50)]
            assert (
                server.health()["establishment"] == "BWI"
            )  # so these have been accepted: the queue before that is short
        with Console(server) as other:
            assert other.next(Snapshot)

        def told_why() -> bool:
            with tcp(server.port, "127.0.0.77") as one_more:  # cut off while many others are being told
                one_more.send(b"GET")
                answer = one_more.rest()
            return bool(answer) and status(answer)[0] == 429 and b"127.0.0.77" in answer

        wait_until(told_why, "one more is told why it may not wait")
        with unix(server.folder / "console.sock") as mine:  # another door, the same queue, another address
            mine.upgrade("/console")
            mine.send(binary(encode(ConsoleHello(PROTOCOL_VERSION, "BWI"))))
            assert next(mine.frames())[0] == Opcode.BINARY
    wait_until(lambda: "429" in refused(server), "it is in the audit")


def test_guesses_of_tokens_are_in_the_audit_without_filling_it(tmp_path: Path) -> None:
    guesses = {
        "/laptop": lambda: encode(LaptopHello(PROTOCOL_VERSION, "BWI", "BWI-01", os.urandom(8).hex(), "x")),
        "/peer": lambda: encode(PeerHello(PROTOCOL_VERSION, os.urandom(8).hex())),
    }
    with running_server(tmp_path) as server:
        for n in range(300):
            path = ("/laptop", "/peer")[n % 2]
            with tcp(server.port) as wire:
                wire.upgrade(path)
                wire.send(binary(guesses[path]()))
                assert wire.close_code()[0] == CloseCode.NOT_RECOGNISED
        server.stop()
        lines = refused(server).splitlines()
        summed = sum(int(line.split(" with 4003")[0].split()[-1]) for line in lines if line.startswith("several"))
        assert len(lines) < 200 and len(lines) - sum(line.startswith("several") for line in lines) + summed == 300
        assert server.log.read_text().count("link refused") < 200
        assert server.verify()["intact"]
