"""Debian's Janus with its video room, recording what it relays, in a folder of its own; installed when it is absent."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.processes import cpu_s, free_port, wait_or_kill

INSTALL = ("apt-get", "install", "-y", "--no-install-recommends", "janus")
INSTALL_S = 120
START_S = 15.0

_GENERAL = """general: {{
    debug_level = 3
    log_to_stdout = false
    log_to_file = "{folder}/janus.log"
    configs_folder = "{folder}"
    plugins_folder = "{libraries}/plugins"
    transports_folder = "{libraries}/transports"
    protected_folders = []
}}
nat: {{
    ice_tcp = false
}}
plugins: {{
    disable = "{other_plugins}"
}}
transports: {{
    disable = "{other_transports}"
}}
"""
_WEBSOCKETS = """general: {{
    json = "plain"
    ws = true
    ws_port = {port}
    ws_ip = "127.0.0.1"
    wss = false
}}
"""


class JanusAbsent(Exception):
    """It can't be run here; says why."""


@dataclass(frozen=True)
class Janus:
    """`url` of its websocket."""

    url: str
    version: str
    folder: Path
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    @property
    def recordings(self) -> Path:
        return self.folder / "recordings"


@contextmanager
def serving() -> Iterator[Janus]:
    """JanusAbsent when it is not there and can't be installed, or does not start."""
    program = shutil.which("janus") or _installed()
    libraries = Path(_libraries())
    with tempfile.TemporaryDirectory(prefix="sightline-janus-") as name:
        folder = Path(name)
        (folder / "recordings").mkdir()
        port = free_port()
        general = _GENERAL.format(
            folder=folder,
            libraries=libraries,
            other_plugins=_others(libraries / "plugins", "libjanus_videoroom"),
            other_transports=_others(libraries / "transports", "libjanus_websockets"),
        )
        (folder / "janus.jcfg").write_text(general)
        (folder / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))
        (folder / "janus.plugin.videoroom.jcfg").write_text("general: {\n}\n")
        command = [program, "-C", str(folder / "janus.jcfg"), "-F", str(folder)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_until_listening(process, port)
            yield Janus(f"ws://127.0.0.1:{port}", _version(), folder, process)
        finally:
            process.terminate()
            wait_or_kill(process, 5)


def _installed() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise JanusAbsent(f"Janus is not installed; run as root: {' '.join(INSTALL)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(INSTALL, check=True, capture_output=True, timeout=INSTALL_S, env=environment)
    except (subprocess.SubprocessError, OSError) as error:
        raise JanusAbsent("Janus could not be installed with apt-get") from error
    program = shutil.which("janus")
    if program is None:
        raise JanusAbsent("the package janus holds no program janus")
    return program


def _libraries() -> str:
    listed = subprocess.run(["dpkg", "-L", "janus"], capture_output=True, text=True, check=False).stdout.split()
    found = next((path for path in listed if path.endswith("/plugins/libjanus_videoroom.so")), None)
    if found is None:
        raise JanusAbsent("Janus' video room was not found: it is not Debian's package")
    return found.removesuffix("/plugins/libjanus_videoroom.so")


def _others(folder: Path, but: str) -> str:
    return ",".join(sorted(file.name for file in folder.glob("*.so") if not file.name.startswith(but)))


def _version() -> str:
    shown = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "janus"], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise JanusAbsent(f"Janus ended at once with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise JanusAbsent("Janus does not listen")
