"""Finds what the benchmark of the hub needs, or installs it: Debian's packages and the npm registry, nothing else."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache"
"""Git ignores it."""
WS, BUFFERUTIL = "ws@8", "bufferutil@4"
"""`bufferutil` is what ws itself recommends for speed."""


class MissingError(Exception):
    """It is not there and could not be installed; says why."""


def load_generator() -> Path:
    """The compiled load generator."""
    source, program = HERE / "load.c", CACHE / "load"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        debian("gcc", "gcc", "libc6-dev")
        CACHE.mkdir(exist_ok=True)
        subprocess.run(["gcc", "-O2", "-Wall", "-o", program, source], check=True)
    return program


def node_modules() -> Path:
    """The folder that NODE_PATH has to name."""
    debian("node", "nodejs")
    modules = CACHE / "node_modules"
    if not (modules / "ws").exists():
        debian("npm", "npm")
        CACHE.mkdir(exist_ok=True)
        _run("npm", "install", "--prefix", str(CACHE), "--no-audit", "--no-fund", "--silent", WS, BUFFERUTIL)
    return modules


def nats_server() -> str:
    """The program's path."""
    debian("nats-server", "nats-server")
    found = shutil.which("nats-server")
    assert found is not None
    return found


def debian(program: str, *packages: str) -> None:
    """Debian's packages where the program is missing. MissingError."""
    if shutil.which(program):
        return
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise MissingError(f"{program} is missing; install it with: sudo apt-get install {' '.join(packages)}")
    _run("apt-get", "update", "-qq")
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise MissingError(f"{' '.join(command)} failed ({said[-1][:200] if said else 'it said nothing'})")
