"""Turns the load generator on a server, and takes the server's processor time and memory meanwhile."""

import json
import subprocess
from dataclasses import dataclass

from .installation import load_generator
from .servers import LOAD_CORE, Running, on_core

LAG_MAX_MS = 10.0
"""A run whose generator sent later than this is the generator's figure and not the server's."""


@dataclass(frozen=True)
class Load:
    groups: int = 1
    laptops: int = 36
    consoles: int = 10
    stalled: int = 0
    seconds: float = 10.0
    warm: float = 2.0


@dataclass(frozen=True)
class Run:
    """What consoles received, and what it cost the server. CPU in cores; memory in bytes before any connection, with
    all of them, and at the end."""

    sent: int
    seen: int
    missing: int
    broken: int
    p99_ms: float
    lag_p99_ms: float
    cpu_cores: float
    memory_bytes: tuple[int, int, int]

    @property
    def valid(self) -> bool:
        return self.lag_p99_ms <= LAG_MAX_MS

    def holds(self, p99_ms: float) -> bool:
        return self.valid and not self.missing and not self.broken and self.p99_ms <= p99_ms


def turn_on(server: Running, load: Load) -> Run:
    """RuntimeError with the generator's words when it could not connect or was refused."""
    before = server.memory_bytes()
    options = [f"{name}={value}" for name, value in vars(load).items()]
    generator = subprocess.Popen(
        [str(load_generator()), f"speaks={server.speaks}", f"port={server.port}", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=on_core(LOAD_CORE),
    )
    assert generator.stdout is not None and generator.stderr is not None
    try:
        if generator.stdout.readline() != "READY\n":
            raise RuntimeError(f"the load generator stopped: {generator.stderr.read()[-300:]}")
        connected = server.memory_bytes()
        generator.stdout.readline()  # START
        cpu = server.cpu_s()
        generator.stdout.readline()  # END
        cpu = server.cpu_s() - cpu
        after = server.memory_bytes()
        found = json.loads(generator.stdout.readline())
        generator.wait(10)
    finally:
        generator.kill()
        generator.wait()
    return Run(
        sent=found["sent"],
        seen=found["seen"],
        missing=found["missing"],
        broken=found["broken"],
        p99_ms=max(found["p99_ms"], found["picture_p99_ms"]),
        lag_p99_ms=found["lag_p99_ms"],
        cpu_cores=cpu / load.seconds,
        memory_bytes=(before, connected, after),
    )
