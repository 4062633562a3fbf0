"""A laptop's signing key at a real server: registered with its token, another one refused, renewed by a new token."""

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from demo.chain import Chain
from demo.headless import running
from schemas.laptop import LaptopWelcome
from schemas.recording import fingerprint
from schemas.wire import CloseCode
from server.recordings.laptop_keys import read_list
from tests.server_rig import Laptop, Server, establishment, running_server, wait_until

FIRST, SECOND = b"1" * 32, b"2" * 32
NEW_TOKEN = "another-token-123456"


def registrations(server: Server) -> list[dict[str, Any]]:
    return [json.loads(row.detail) for row in server.audit("signing_key_registered")]


def listed(server: Server) -> set[tuple[str, bytes]]:
    return read_list(server.folder / "evidence" / "BWI.laptops")


def refused(server: Server, key: bytes, token: str = "laptop-token-123456") -> str:
    with Laptop(server, token, signing_key=key) as laptop, pytest.raises(ConnectionClosed) as closed:
        laptop.next(LaptopWelcome)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == CloseCode.NOT_RECOGNISED
    return closed.value.rcvd.reason


def test_a_key_is_registered_once_refused_when_changed_and_renewed_with_a_new_token(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        assert listed(server) == set()
        for _ in range(2):
            with Laptop(server, signing_key=FIRST) as laptop:
                laptop.next(LaptopWelcome)
        assert [(one["fingerprint"], one["before"]) for one in registrations(server)] == [(fingerprint(FIRST), [])]
        wait_until(lambda: listed(server) == {("BWI-01", FIRST)}, "the list has it")

        for _ in range(2):
            assert "another signing key" in refused(server, SECOND)
        assert "shows no signing key" in refused(server, b"")
        wait_until(lambda: len(server.audit("signing_key_refused")) == 2, "both are in the audit, once each")
        row = server.audit("signing_key_refused")[0]
        assert (row.who, row.accepted) == ("BWI-01", False) and fingerprint(SECOND) in row.detail

        server.restart()
        assert "another signing key" in refused(server, SECOND), "it is kept over a restart"

        server.stop()
        changed = establishment(laptops=[{"id": "BWI-01", "seat": 1, "room": "Visits 1", "token": NEW_TOKEN}])
        server.files[0].write_text(json.dumps(changed | {"bookings": []}))
        server.process = server._start(True)
        with Laptop(server, NEW_TOKEN, signing_key=SECOND) as laptop:
            laptop.next(LaptopWelcome)
        assert "another signing key" in refused(server, FIRST, NEW_TOKEN)
        newest = registrations(server)[-1]
        assert (newest["fingerprint"], newest["before"]) == (fingerprint(SECOND), [fingerprint(FIRST)])
        wait_until(lambda: listed(server) == {("BWI-01", FIRST), ("BWI-01", SECOND)}, "old recordings keep their key")
        assert server.verify()["intact"]


def test_an_agent_whose_key_was_replaced_says_so_and_carries_nothing() -> None:
    with running(Chain(1)) as run:
        laptop = run.chain.plan.laptops[0]
        assert run.terminal.wait_for(lambda t: t.shows("caller waiting for admission"), 20)
        run.chain.laptops[laptop.id].kill()
        (run.chain.data / laptop.id / "signing.key").unlink()
        again = run.chain.start_laptop(laptop.id, laptop.token)
        again.expected_to_run = False
        assert again.process.wait(20) == 1
        assert "has another signing key than it is registered with" in again.last_words()
