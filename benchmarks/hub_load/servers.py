"""The servers that are measured, each started alone on a core of its own: ours whole, node `ws` twice, nats-server."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from demo.processes import child_environment, end_with_parent, free_port, sightline, wait_or_kill

from . import installation

START_S = 30.0
MINUTES = 120
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
"""The same one when the machine has a single core; the figures then say little."""


PRIORITY = -15
"""Of all measured servers and of the load generator alike."""
AUTOGROUP = Path("/proc/self/autogroup")


@dataclass(frozen=True)
class Running:
    """A server that listens. `speaks`: which of the load generator's ways it understands."""

    pid: int
    port: int
    speaks: str
    listening_after_s: float

    def cpu_s(self) -> float:
        """Time on a processor of all its threads so far, seconds; the kernel's work for it included."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def memory_bytes(self) -> int:
        """Resident."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


Start = Callable[[], "Iterator[Running]"]


def on_core(core: int) -> Callable[[], None]:
    """What a child runs before its program."""
    prepare = end_with_parent(os.getpid())

    def pinned() -> None:
        prepare()
        os.sched_setaffinity(0, {core})
        if os.getuid() == 0:  # what else runs on the machine is not what is measured
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
            if AUTOGROUP.exists():  # sessions share a core first, and only then their processes
                AUTOGROUP.write_text(str(PRIORITY))

    return pinned


@contextmanager
def ours(groups: int, laptops: int) -> Iterator[Running]:
    """`sightline server` with an establishment for each group and a call that is on for each laptop."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-hub-"))
    try:
        files = [_establishment_file(folder, group, laptops) for group in range(groups)]
        given: list[object] = [argument for file in files for argument in ("--establishment", file)]
        data = folder / "data"
        with _sightline(folder, data, given) as taken_in:
            yield taken_in
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def starts_s(laptops: int, count: int) -> list[float]:
    """From the command to a server that listens, on a database that it knows; the first start is not counted."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-hub-"))
    try:
        given: list[object] = ["--establishment", _establishment_file(folder, 0, laptops)]
        took: list[float] = []
        for _ in range(count + 1):
            with _sightline(folder, folder / "data", given) as running:
                took.append(running.listening_after_s)
            given = []
        return took[1:]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def node(mode: str) -> Iterator[Running]:
    """node `ws`, forwarding or coalescing. MissingError when it can't be had."""
    environment = os.environ | {"NODE_PATH": str(installation.node_modules())}
    program = str(installation.HERE / "fan_out.cjs")
    began = time.monotonic()
    process = subprocess.Popen(
        ["node", program, mode], stdout=subprocess.PIPE, env=environment, preexec_fn=on_core(SERVER_CORE)
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Running(process.pid, port, "plain", time.monotonic() - began)
    finally:
        _end(process)


@contextmanager
def nats() -> Iterator[Running]:
    """nats-server, spoken to over websockets like all others. MissingError when it can't be had."""
    program = installation.nats_server()
    folder = Path(tempfile.mkdtemp(prefix="sightline-nats-"))
    port, own = free_port(), free_port()
    settings = folder / "nats.conf"
    settings.write_text(
        f'listen: "127.0.0.1:{own}"\nwebsocket {{ listen: "127.0.0.1:{port}", no_tls: true, compression: false }}\n'
    )
    try:
        yield from _listening([program, "-c", str(settings)], port, "nats", folder / "nats.log", os.environ.copy())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _sightline(folder: Path, data: Path, given: list[object]) -> Iterator[Running]:
    port = free_port()
    command = sightline("server", "--data", data, "--port", port, *given)
    yield from _listening(command, port, "sightline", folder / "server.log", child_environment())


def _listening(command: list[str], port: int, speaks: str, log: Path, environment: dict[str, str]) -> Iterator[Running]:
    began = time.monotonic()
    with log.open("wb") as file:
        process = _start(command, file, environment)
        try:
            while time.monotonic() < began + START_S:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if process.poll() is not None:
                    break
                time.sleep(0.001)
            took = time.monotonic() - began
            if process.poll() is not None or took >= START_S:
                raise RuntimeError(f"{command[0]} does not listen: {log.read_text(errors='replace')[-500:]}")
            yield Running(process.pid, port, speaks, took)
        finally:
            _end(process)


def _start(command: list[str], log: IO[bytes], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, preexec_fn=on_core(SERVER_CORE)
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    wait_or_kill(process, 10)


def _establishment_file(folder: Path, group: int, laptops: int) -> Path:
    """The load generator knows these names and tokens."""
    code = "".join(chr(65 + group // part % 26) for part in (676, 26, 1))
    ids = [f"{code}-{n + 1}" for n in range(laptops)]
    starts = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    content = {
        "code": code,
        "name": f"Establishment {code}",
        "hall": "Visits hall",
        "laptops": [
            {"id": name, "seat": n + 1, "room": f"Visits {n + 1}", "token": f"laptop-token-{name}"}
            for n, name in enumerate(ids)
        ],
        "staff": [{"name": "R. Hughes", "role": "officer", "token": f"console-token-{code}"}],
        "bookings": [
            {
                "reference": name,
                "laptop": name,
                "starts_at": starts,
                "minutes": MINUTES,
                "prisoner": {"number": "A1234BC", "forename": "Owen", "surname": "Prosser"},
                "callers": [{"name": "Jane Prosser", "relation": "mother", "age_group": "adult"}],
                "room_token": f"room-token-{name}-secret",
                "family_token": f"family-token-{name}-secret",
            }
            for name in ids
        ],
    }
    file = folder / f"{code}.json"
    file.write_text(json.dumps(content))
    return file
