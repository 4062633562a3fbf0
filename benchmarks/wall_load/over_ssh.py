"""A real sshd on loopback, and a slow line to it: what a program draws comes through OpenSSH at both ends."""

import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.hub_load.installation import MissingError, debian
from demo.processes import end_with_parent, free_port

PRIVSEP = Path("/run/sshd")
"""Debian's sshd wants this folder; its service makes it."""
PIECE_S = 0.002
WITHIN_S = 10.0
KERNEL_BUFFER = 32 * 1024
"""Of the slow line's own sockets; sshd's and ssh's are as they always are."""
_POLICY = Path("/usr/sbin/policy-rc.d")
_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
ForceCommand {command}
"""


class SlowLine:
    """Passes one connection on to `port`: `rate` bytes/s towards the client, half a round trip each way."""

    def __init__(self, port: int, rate: int, round_trip_s: float) -> None:
        self._to, self._rate, self._half_s = port, rate, round_trip_s / 2
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._sockets: list[socket.socket] = [self._door]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            client, _ = self._door.accept()
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)
            server.connect(("127.0.0.1", self._to))
        except OSError:  # it was closed before anybody came
            return
        self._sockets += [client, server]
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink, rate in ((server, client, self._rate), (client, server, None)):
            threading.Thread(target=self._pass, args=(source, sink, rate), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, rate: int | None) -> None:
        flying: deque[tuple[float, bytes]] = deque()
        came = threading.Condition()

        def deliver() -> None:
            while True:
                with came:
                    while not flying:
                        came.wait()
                    at_s, piece = flying.popleft()
                time.sleep(max(0.0, at_s - time.monotonic()))
                try:
                    sink.sendall(piece)
                except OSError:
                    return
                if not piece:
                    with suppress(OSError):
                        sink.shutdown(socket.SHUT_WR)
                    return

        threading.Thread(target=deliver, daemon=True).start()
        free_s = time.monotonic()
        while True:
            try:
                piece = source.recv(1460)
            except OSError:
                piece = b""
            now_s = time.monotonic()
            if rate is not None:
                free_s = max(now_s, free_s) + len(piece) / rate  # when its last byte is on the line
                time.sleep(max(0.0, free_s - now_s - PIECE_S))
            with came:
                flying.append(((free_s if rate is not None else now_s) + self._half_s, piece))
                came.notify()
            if not piece:
                return

    def close(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.close()


@contextmanager
def through_sshd(
    folder: Path, command: Sequence[str], environment: Mapping[str, str], rate: int, round_trip_s: float
) -> Iterator[list[str]]:
    """Yields the ssh command that runs `command` on a terminal of its own behind a slow line. MissingError."""
    sshd = _sshd()
    folder.mkdir()
    port = free_port()
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    script, config = folder / "run.sh", folder / "sshd_config"
    pairs = [f"{name}={value}" for name, value in environment.items()]
    script.write_text(f"cd {shlex.quote(os.getcwd())}\nexec {shlex.join(['env', *pairs, *command])}\n")
    config.write_text(_CONFIG.format(port=port, folder=folder, command=f"/bin/sh {script}"))
    own = not PRIVSEP.exists()
    PRIVSEP.mkdir(mode=0o755, exist_ok=True)
    log = folder / "sshd.log"
    process = subprocess.Popen(
        [sshd, "-D", "-f", config, "-E", log], stdin=subprocess.DEVNULL, preexec_fn=end_with_parent(os.getpid())
    )
    line: SlowLine | None = None
    try:
        _wait_until_listening(process, port, log)
        line = SlowLine(port, rate, round_trip_s)
        settings = {
            "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "IdentitiesOnly": "yes",
            "BatchMode": "yes", "LogLevel": "ERROR", "Compression": "no",
        }  # fmt: skip
        options = [f"-o{name}={value}" for name, value in settings.items()]
        yield ["ssh", "-tt", "-F", "none", "-i", str(folder / "key"), *options, "-p", str(line.port), "127.0.0.1"]
    finally:
        if line is not None:
            line.close()
        process.terminate()
        process.wait()
        if own:
            with suppress(OSError):
                PRIVSEP.rmdir()


def _sshd() -> str:
    """Debian's, installed without starting its service."""
    if os.getuid() != 0:
        raise MissingError("a private sshd lets in the account that runs it only as root")
    if not shutil.which("sshd", path="/usr/sbin"):
        own = not _POLICY.exists()
        if own:
            _POLICY.write_text("#!/bin/sh\nexit 101\n")
            _POLICY.chmod(0o755)
        try:
            debian("sshd", "openssh-server", "openssh-client")
        finally:
            if own:
                _POLICY.unlink()
    return "/usr/sbin/sshd"


def _wait_until_listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise MissingError(f"sshd does not start: {log.read_text() if log.exists() else ''}")
        time.sleep(0.02)
