"""What a server does with what it can't or won't understand: one clear close, a line in the log and in the audit."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from schemas.console import ConsoleHello, Snapshot, TimeProbe
from schemas.laptop import LaptopHello, LaptopWelcome, LeaseRequest
from schemas.media import Levels
from schemas.peer import Answer, Offer, PeerHello, PeerWelcome
from schemas.wire import PROTOCOL_VERSION, CloseCode, encode
from tests.server_rig import (
    OFFICER_TOKEN,
    Console,
    Laptop,
    Peer,
    Server,
    establishment,
    running_server,
    wait_until,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("wire")) as found:
        yield found


def closed_after(server: Server, path: str, *frames: bytes | str) -> tuple[int, str]:
    """Sends the frames; the close code and reason that come back."""
    with connect(f"{server.url}{path}", compression=None) as link:
        for frame in frames:
            try:
                link.send(frame)
            except ConnectionClosed:
                break
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                link.recv(timeout=8)
    assert closed.value.rcvd is not None, "it was closed without a word"
    return closed.value.rcvd.code, closed.value.rcvd.reason


def console_hello(protocol: int = PROTOCOL_VERSION, token: str = OFFICER_TOKEN, code: str = "BWI") -> bytes:
    return encode(ConsoleHello(protocol, code, token))


def laptop_hello(protocol: int = PROTOCOL_VERSION, token: str = "laptop-token-123456") -> bytes:
    return encode(LaptopHello(protocol, "BWI", "BWI-01", token, "test"))


CASES: dict[str, tuple[str, list[Any], int, str]] = {
    "old protocol": ("/laptop", [laptop_hello(0)], CloseCode.PROTOCOL_VERSION, "update"),
    "newer protocol": ("/console", [console_hello(99)], CloseCode.PROTOCOL_VERSION, "update"),
    "old protocol of a peer": ("/peer", [encode(PeerHello(0, "x"))], CloseCode.PROTOCOL_VERSION, "update"),
    "unknown tag": ("/console", [msgspec.msgpack.encode([250, 1])], CloseCode.NOT_UNDERSTOOD, "not understood"),
    "unknown tag later": (
        "/console",
        [console_hello(), msgspec.msgpack.encode([250, 1])],
        CloseCode.NOT_UNDERSTOOD,
        "not understood",
    ),
    "no msgpack": ("/laptop", [b"\xc1\xff\xff"], CloseCode.NOT_UNDERSTOOD, "not understood"),
    "text": ("/laptop", ["hello"], CloseCode.NOT_UNDERSTOOD, "text"),
    "deep nesting": ("/console", [b"\x91" * 5000], CloseCode.NOT_UNDERSTOOD, "not understood"),
    "not a hello": ("/console", [encode(TimeProbe(1))], CloseCode.NOT_UNDERSTOOD, "first message"),
    "a second hello": ("/console", [console_hello(), console_hello()], CloseCode.NOT_UNDERSTOOD, "not expected"),
    "10 MB": ("/laptop", [b"\0" * 10_000_000], 1009, ""),
    "10 MB after the hello": ("/console", [console_hello(), b"\0" * 10_000_000], 1009, ""),
    "65 KB of a console": ("/console", [console_hello(), b"\0" * 65 * 1024], 1009, ""),
    "a console that sends laptop messages": (
        "/console",
        [console_hello(), encode(LeaseRequest("BWI-1", 1, 1))],
        CloseCode.WRONG_KIND,
        "laptop",
    ),
    "a console's path with a laptop's hello": ("/console", [laptop_hello()], CloseCode.WRONG_KIND, "laptop"),
    "a peer that sends levels": (
        "/peer",
        [encode(PeerHello(PROTOCOL_VERSION, "family-token-BWI-1")), encode(Levels("BWI-1", 1, 0, 0, 0, 0))],
        CloseCode.WRONG_KIND,
        "laptop",
    ),
    "wrong token of a console": ("/console", [console_hello(token="guess")], CloseCode.NOT_RECOGNISED, "staff list"),
    "no token on TCP": ("/console", [console_hello(token="")], CloseCode.NOT_RECOGNISED, "staff list"),
    "another establishment": ("/console", [console_hello(code="HLI")], CloseCode.NOT_RECOGNISED, "HLI"),
    "wrong token of a laptop": ("/laptop", [laptop_hello(token="guess")], CloseCode.NOT_RECOGNISED, "token"),
    "wrong token of a peer": (
        "/peer",
        [encode(PeerHello(PROTOCOL_VERSION, "guess"))],
        CloseCode.NOT_RECOGNISED,
        "token",
    ),
    "too fast": ("/console", [console_hello(), *[encode(TimeProbe(1))] * 3000], CloseCode.TOO_FAST, "a second"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_understood_or_not_wanted_gets_one_clear_close(server: Server, name: str) -> None:
    path, frames, code, words = CASES[name]
    with Console(server) as others:
        before = others.next(Snapshot)
        found, reason = closed_after(server, path, *frames)
        assert (found, words in reason) == (code, True), reason
        wait_until(lambda: f"code={int(code)}" in server.log.read_text(), "it is in the log")
        with Console(server) as later:
            after = later.next(Snapshot)
        assert (after.calls, after.seats) == (before.calls, before.seats), "nothing has changed"


def test_no_hello_in_time_is_closed(server: Server) -> None:
    code, reason = closed_after(server, "/laptop")
    assert code == CloseCode.NOT_UNDERSTOOD and "hello" in reason


def test_refused_links_are_in_the_audit(server: Server) -> None:
    closed_after(server, "/laptop", laptop_hello(token="guess"))

    def written() -> bool:
        rows = [row.detail for row in server.audit("link_refused") if not row.accepted]
        return any("no laptop of this establishment" in detail for detail in rows)

    wait_until(written, "the refusal is in the audit")


def test_no_escape_sequence_of_others_reaches_the_terminal_that_shows_the_log(server: Server) -> None:
    evil = "EV\x1b]0;owned\x07IL\x9b2J\u202e"
    closed_after(server, "/laptop", encode(LaptopHello(PROTOCOL_VERSION, "BWI", evil, "guess", evil)))
    with Laptop(server, software=evil) as laptop:
        laptop.next(LaptopWelcome)
    log = server.log.read_text
    wait_until(lambda: log().count("EV") >= 2, "both are in the log")
    assert "laptop connected" in log()
    assert not {character for character in log() if not character.isprintable()} - {"\n"}


def test_a_laptop_that_is_connected_already_is_refused_and_the_first_one_stays(server: Server) -> None:
    first = Laptop(server)
    first.next(LaptopWelcome)
    code, reason = closed_after(server, "/laptop", laptop_hello())
    assert code == CloseCode.ALREADY_CONNECTED and "BWI-01" in reason
    first.lease("none", 1)
    assert first.next(object, lambda m: getattr(m, "call_id", "") == "none")
    first.close()


def test_a_laptop_whose_old_link_is_silent_may_come_back(server: Server) -> None:
    """The old link's process is stopped: its socket stays open and says nothing."""
    import signal
    import subprocess
    import sys

    from demo.processes import child_environment

    code = (
        "import sys, time; from tests.server_rig import *; from types import SimpleNamespace as S;"
        f"l = Laptop(S(url={server.url!r})); l.next(object); print('up', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=child_environment(), text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "up\n"
        other.send_signal(signal.SIGSTOP)

        def let_in() -> bool:
            try:
                Laptop(server).next(LaptopWelcome, seconds=1)
            except ConnectionClosed:
                return False
            return True

        wait_until(let_in, "the laptop is let in again", 6)
    finally:
        other.kill()
        other.communicate()


def test_health_and_paths_that_do_not_exist(server: Server) -> None:
    link = http.client.HTTPConnection("127.0.0.1", server.port)
    link.request("GET", "/health")
    assert list(json.loads(link.getresponse().read())["establishments"]) == ["BWI"]
    link.close()
    link.request("GET", "/nothing")
    answer = link.getresponse()
    assert answer.status == 404 and b"does not exist" in answer.read()


def test_an_offer_waits_for_the_laptop_and_its_answer_comes_back(tmp_path: Path) -> None:
    from schemas.laptop import LegAnswer, LegOffer

    with running_server(tmp_path) as own:
        peer = Peer(own, "family-token-BWI-1")
        peer.next(PeerWelcome)
        peer.send(Offer("o1", "v=0"))
        laptop = Laptop(own)
        offer = laptop.next(LegOffer)
        assert (offer.leg, offer.offer_id, offer.sdp) == ("family-1", "o1", "v=0")
        laptop.send(LegAnswer(offer.call_id, offer.leg, offer.offer_id, "v=1"))
        assert peer.next(Answer) == Answer("o1", "v=1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "bwi"}, "code"),
        ({"name": "Berwyn\x1b[2J"}, "control character U+001B"),
        ({"hall": "Hall \u202e1"}, "control character U+202E"),
        ({"name": "B" * 5000}, "5000 characters"),
        ({"policy": {"extension_minutes_max": "x"}}, "extension_minutes_max"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_an_establishments_file_that_is_wrong_is_refused_with_the_place(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    import subprocess

    from demo.processes import child_environment, sightline

    file = tmp_path / "establishment.json"
    file.write_text(json.dumps(establishment(**change)))
    run = subprocess.run(
        sightline("server", "--data", tmp_path / "data", "--port", 1, "--establishment", file),
        capture_output=True,
        text=True,
        env=child_environment(),
        check=False,
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr and words in run.stderr and len(run.stderr.strip().splitlines()) == 1
    assert "\x1b" not in run.stderr
