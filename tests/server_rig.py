"""A real server process with scripted ends on real sockets, for the tests of the server."""

import http.client
import json
import os
import socket
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil
from websockets.sync.client import ClientConnection, connect, unix_connect

from demo.processes import child_environment, end_with_parent, free_port, sightline, wait_or_kill
from schemas.call import CallView
from schemas.console import CallChanged, Command, CommandAnswer, CommandDone, ConsoleHello, Snapshot, to_console
from schemas.laptop import LaptopHello, LeaseRequest, Order, OrderAct, OrderAnswer, to_laptop
from schemas.media import CallHealth, LegHealth, RecordingState
from schemas.peer import PeerHello, to_peer
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, encode

WITHIN_S = 10.0
OFFICER_TOKEN, GOVERNOR_TOKEN, CLERK_TOKEN = "officer-token-123456", "governor-token-12345", "clerk-token-12345678"


def establishment(**changes: Any) -> dict[str, Any]:
    """One laptop, one call that is on now and one in an hour; `changes` replace fields of the file."""
    now = time.time()

    def booking(reference: str, starts: float) -> dict[str, Any]:
        return {
            "reference": reference,
            "laptop": "BWI-01",
            "starts_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(starts)),
            "minutes": 30,
            "prisoner": {"number": "A1234BC", "forename": "Owen", "surname": "Prosser"},
            "callers": [{"name": "Jane Prosser", "relation": "mother", "age_group": "adult"}],
            "room_token": f"room-token-{reference}",
            "family_token": f"family-token-{reference}",
        }

    return {
        "code": "BWI",
        "name": "Berwyn",
        "hall": "Visits hall",
        "policy": {"extension_minutes_max": 15, "call_minutes_max": 60, "gap_minutes": 5},
        "laptops": [{"id": "BWI-01", "seat": 1, "room": "Visits 1", "token": "laptop-token-123456"}],
        "staff": [
            {"name": "R. Hughes", "role": "officer", "token": OFFICER_TOKEN, "unix_user": _account()},
            {"name": "S. Gill", "role": "governor", "token": GOVERNOR_TOKEN},
            {"name": "T. Bevan", "role": "bookings clerk", "token": CLERK_TOKEN},
        ],
        "bookings": [booking("BWI-1", now - 60), booking("BWI-2", now + 3600)],
    } | changes


def _account() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


class AuditRow(NamedTuple):
    who: str
    establishment: str
    accepted: bool
    detail: str


class Server:
    """`sightline server` on a folder of its own."""

    def __init__(self, folder: Path, *contents: dict[str, Any]) -> None:
        self.folder, self.files = folder, [folder.parent / f"{content['code']}.json" for content in contents]
        for file, content in zip(self.files, contents, strict=True):
            file.write_text(json.dumps(content))
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.log = folder.parent / "server.log"
        self.process = self._start(True)

    def _start(self, with_files: bool) -> subprocess.Popen[bytes]:
        arguments: list[object] = ["--data", self.folder, "--port", self.port]
        if with_files:
            arguments += [argument for file in self.files for argument in ("--establishment", file)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                sightline("server", *arguments),
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=child_environment(),
                preexec_fn=end_with_parent(os.getpid()),
            )
        wait_until(lambda: self._listens(process), "the server listens")
        return process

    def _listens(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def restart(self) -> None:
        """As after a power cut: killed, then started anew on what is on the disk."""
        self.process.kill()
        self.process.wait()
        self.process = self._start(False)

    def stop(self) -> None:
        self.process.terminate()
        wait_or_kill(self.process, 5)

    def process_memory(self) -> int:
        """Resident bytes."""
        return psutil.Process(self.process.pid).memory_info().rss

    def health(self) -> dict[str, Any]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        link.request("GET", "/health/BWI")
        try:
            return json.loads(link.getresponse().read())
        finally:
            link.close()

    def cpu_s(self) -> float:
        """User and system time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def audit(self, *actions: str) -> list[AuditRow]:
        """Its entries of these kinds, the oldest first."""
        marks = ", ".join("?" * len(actions))
        query = f"SELECT who, establishment, accepted, detail FROM audit WHERE action IN ({marks}) ORDER BY n"
        database = sqlite3.connect(f"file:{self.folder / 'sightline.db'}?mode=ro", uri=True)
        with closing(database):
            return [AuditRow(*row) for row in database.execute(query, actions)]

    def verify(self) -> dict[str, Any]:
        run = subprocess.run(
            sightline("audit", "--data", self.folder), capture_output=True, env=child_environment(), check=False
        )
        return json.loads(run.stdout)


@contextmanager
def running_server(folder: Path, content: dict[str, Any] | None = None, *others: dict[str, Any]) -> Iterator[Server]:
    server = Server(folder / "server", content or establishment(), *others)
    try:
        yield server
    finally:
        server.stop()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = WITHIN_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


class End:
    """One scripted end of a link; keeps everything that has come in."""

    def __init__(self, link: ClientConnection, codec: Any) -> None:
        self.link, self._codec = link, codec
        self.seen: list[Any] = []

    def send(self, message: Any) -> None:
        self.link.send(message if isinstance(message, (bytes, str)) else encode(message))

    def next(self, kind: Any, where: Callable[[Any], bool] = lambda _: True, seconds: float = WITHIN_S) -> Any:
        """The next message of this kind that fulfils `where`; others are kept in `seen`."""
        deadline = time.monotonic() + seconds
        while True:
            message = self._codec.decode(self.link.recv(timeout=max(0.001, deadline - time.monotonic())))
            self.seen.append(message)
            self.took(message)
            if isinstance(message, kind) and where(message):
                return message

    def took(self, message: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.link.close()


class Laptop(End):
    """An agent by hand: says what a laptop says, when the test wants it."""

    def __init__(self, server: Server, token: str = "laptop-token-123456", code: str = "BWI", **hello: Any) -> None:
        super().__init__(connect(f"{server.url}/laptop", compression=None), to_laptop)
        self.send(LaptopHello(PROTOCOL_VERSION, code, f"{code}-01", token, **({"software": "test"} | hello)))

    def lease(self, call_id: str, epoch: int, nonce: int = 1) -> None:
        self.send(LeaseRequest(call_id, epoch, nonce))

    def legs_connected(self, call_id: str) -> None:
        legs = [LegHealth(leg, True, 0, 0, 0.0, 0.0, 25.0, 650.0) for leg in ("room", "family-1")]
        self.send(CallHealth(call_id, False, "waiting", RecordingState.NOT_STARTED, 0, 0, "", legs))

    def confirm(self, act: OrderAct, done: bool = True, reason: str = "") -> Order:
        order = self.next(Order, lambda o: o.act == act)
        self.send(OrderAnswer(order.order_id, order.call_id, done, reason, 10, 50))
        return order


class Console(End):
    """A console by hand; keeps each call's newest form."""

    def __init__(self, server: Server, token: str = OFFICER_TOKEN, over: Path | None = None, code: str = "BWI") -> None:
        self.calls: dict[str, CallView] = {}
        options: dict[str, Any] = {"compression": None, "max_size": MAX_SERVER_FRAME_BYTES}
        if over is not None:
            link = unix_connect(str(over), uri="ws://localhost/console", **options)
        else:
            link = connect(f"{server.url}/console", **options)
        super().__init__(link, to_console)
        self.send(ConsoleHello(PROTOCOL_VERSION, code, "" if over else token))

    def took(self, message: Any) -> None:
        if isinstance(message, Snapshot):
            self.calls |= {call.call_id: call for call in message.calls}
        elif isinstance(message, CallChanged):
            self.calls[message.call.call_id] = message.call

    def call(self, call_id: str, where: Callable[[CallView], bool]) -> CallView:
        """The call once it is so."""
        if call_id not in self.calls or not where(self.calls[call_id]):
            self.next((CallChanged, Snapshot), lambda _: call_id in self.calls and where(self.calls[call_id]))
        return self.calls[call_id]

    def command(self, act: Any, call_id: str = "BWI-1", **fields: Any) -> Command:
        version = self.calls[call_id].version if call_id in self.calls else 1
        values: dict[str, Any] = {
            "command_id": uuid.uuid4().hex,
            "call_id": call_id,
            "version": version,
            "not_after_ms": int(time.time() * 1000) + 5000,
            "reason": "rules broken",
            "act": act,
        }
        return Command(**(values | fields))

    def give(self, act: Any, call_id: str = "BWI-1", **fields: Any) -> CommandAnswer:
        command = self.command(act, call_id, **fields)
        self.send(command)
        return self.answer(command)

    def answer(self, command: Command) -> CommandAnswer:
        return self.next(CommandAnswer, lambda a: a.command_id == command.command_id)

    def done(self, command_id: str) -> CommandDone:
        known = [m for m in self.seen if isinstance(m, CommandDone) and m.command_id == command_id]
        return known[0] if known else self.next(CommandDone, lambda d: d.command_id == command_id)


class Peer(End):
    def __init__(self, server: Server, token: str) -> None:
        super().__init__(connect(f"{server.url}/peer", compression=None), to_peer)
        self.send(PeerHello(PROTOCOL_VERSION, token))
