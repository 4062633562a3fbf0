"""A real sshd on loopback as server/ssh/sshd_config says, with staff accounts, a certificate authority, and a console
that other accounts than the tests' own can run. All of it is made as root and taken away at the end."""

import contextlib
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.chain import Chain
from demo.processes import Part, end_with_parent, free_port
from demo.terminal import Terminal

ROOT = Path(__file__).parents[2]
SSHD = "/usr/sbin/sshd"
PRIVSEP = Path("/run/sshd")
"""Debian's sshd wants this folder; its service makes it."""
POLICY = Path("/usr/sbin/policy-rc.d")
WITHIN_S = 30.0


def run(*command: object, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=180, **options)  # type: ignore[call-overload]
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def install_ssh() -> None:
    """Debian's packages where they are missing, without starting the service that they bring."""
    if Path(SSHD).exists() and shutil.which("ssh"):
        return
    own = not POLICY.exists()
    if own:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        run("apt-get", "update", "-qq")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        packages = ("openssh-server", "openssh-client")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, env=environment)
    finally:
        if own:
            POLICY.unlink()


def readable_python() -> str:
    """A Python that every account may run: the tests' own may lie in somebody's home."""
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        code = "import sys; sys.exit(sys.version_info < (3, 11))"
        with contextlib.suppress(PermissionError):
            if run(candidate, "-c", code, check=False, **as_nobody()).returncode == 0:
                return candidate
    raise AssertionError("no Python 3.11 here can be run by other accounts; run once: apt-get install -y python3")


def as_nobody(*groups: int) -> dict[str, object]:
    """subprocess's options for an account that belongs to nobody on the staff list."""
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": list(groups), "cwd": "/"}


@dataclass(frozen=True)
class Account:
    """A person's Unix account, and the principal that a certificate has to name."""

    name: str
    principal: str


class Host:
    """`folder` is root's and everybody may enter it: sshd refuses files in a folder that others could write."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sightline-ssh-", dir="/var/lib"))
        self.folder.chmod(0o755)
        self.keys = self.folder / "keys"
        self.keys.mkdir(mode=0o700)
        self.group = f"sl{os.getpid()}-staff"
        self.socket = self.folder / "run" / "console.sock"
        self.socket.parent.mkdir(mode=0o755)
        self.accounts: dict[str, Account] = {}
        self.log = self.folder / "sshd.log"
        self.port = free_port()
        self._made_privsep = False
        self._sshd: subprocess.Popen[bytes] | None = None
        run("groupadd", self.group)

    @property
    def gid(self) -> int:
        return grp.getgrnam(self.group).gr_gid

    def add(self, role: str) -> Account:
        """Made by the script that an administrator uses."""
        account = Account(f"sl{os.getpid()}-{role}", f"{role}@berwyn.example")
        environment = os.environ | {
            "SIGHTLINE_GROUP": self.group,
            "SIGHTLINE_PRINCIPALS": str(self.folder / "principals"),
        }
        run(ROOT / "server" / "ssh" / "add-staff.sh", account.name, account.principal, env=environment)
        self.accounts[role] = account
        return account

    def install_console(self) -> Path:
        """Only the console's extra, as on a host where nothing else of Sightline runs."""
        place = self.folder / "console"
        uv = Path(sys.executable).parent / "uv"
        run(uv, "venv", "--quiet", "--python", readable_python(), place)
        python = place / "bin" / "python"
        options = ("--quiet", "--python", python, "--constraint", ROOT / "requirements.lock", "--link-mode", "copy")
        run(uv, "pip", "install", *options, f"{ROOT}[console]")
        return place / "bin" / "sightline"

    # -- certificates

    def key(self, name: str) -> Path:
        file = self.keys / name
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file)
        return file

    def certificate(self, name: str, principal: str, *, authority: str = "ca", valid: str = "-5m:+1h") -> Path:
        """A new key with a certificate for `principal`; returns the key, beside which ssh finds the certificate."""
        file = self.key(name)
        ca = self.keys / authority
        run("ssh-keygen", "-q", "-s", ca, "-I", name, "-n", principal, "-V", valid, f"{file}.pub")
        return file

    # -- sshd

    def start(self, sightline: Path) -> None:
        self.key("ca")
        host = self.key("host")
        run("ssh-keygen", "-q", "-k", "-f", self.folder / "revoked", "-s", f"{self.keys / 'ca'}.pub", "/dev/null")
        shutil.copy(f"{self.keys / 'ca'}.pub", self.folder / "ca.pub")
        config = (ROOT / "server" / "ssh" / "sshd_config").read_text()
        for shipped, here in (
            ("0.0.0.0:22", f"127.0.0.1:{self.port}"),
            ("/run/sightline/sshd.pid", self.folder / "sshd.pid"),
            ("/etc/sightline/ssh/host_ed25519_key", host),
            ("/etc/sightline/ssh/staff_ca.pub", self.folder / "ca.pub"),
            ("/etc/sightline/ssh/principals/", f"{self.folder / 'principals'}/"),
            ("/etc/sightline/ssh/revoked", self.folder / "revoked"),
            ("AllowGroups sightline-staff", f"AllowGroups {self.group}"),
            ("/opt/sightline/bin/sightline", sightline),
            ("/run/sightline/console.sock", self.socket),
        ):
            config, found = re.subn(re.escape(shipped), str(here), config)
            assert found == 1, f"{shipped} stands {found} times in sshd_config"
        file = self.folder / "sshd_config"
        file.write_text(config)
        if not PRIVSEP.exists():
            PRIVSEP.mkdir(mode=0o755)
            self._made_privsep = True
        run(SSHD, "-t", "-f", file)
        command = [SSHD, "-D", "-f", str(file), "-E", str(self.log)]
        self._sshd = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent(os.getpid()))
        deadline = time.monotonic() + WITHIN_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            assert self._sshd.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        known = f"[127.0.0.1]:{self.port} {Path(f'{host}.pub').read_text()}"
        (self.keys / "known_hosts").write_text(known)

    def revoke(self, key: Path) -> None:
        ca = f"{self.keys / 'ca'}.pub"
        run("ssh-keygen", "-q", "-k", "-u", "-f", self.folder / "revoked", "-s", ca, f"{key}-cert.pub")

    # -- the client

    def options(self, key: Path) -> list[str]:
        settings = {
            "UserKnownHostsFile": self.keys / "known_hosts",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": 10,
            "LogLevel": "ERROR",
        }
        return ["-F", "none", "-i", str(key), *(f"-o{name}={value}" for name, value in settings.items())]

    def ssh(self, account: str, key: Path, *more: str, command: Sequence[str] = ()) -> list[str]:
        return ["ssh", *self.options(key), "-p", str(self.port), *more, f"{account}@127.0.0.1", *command]

    @contextlib.contextmanager
    def screen(self, command: Sequence[str], **environment: str) -> Iterator[Terminal]:
        terminal = Terminal(120, 40)
        part: Part = terminal.start(command, self.folder / "client.log", **environment)
        try:
            yield terminal
        finally:
            if part.process.poll() is None:
                part.process.terminate()
                part.process.wait(10)
            terminal.close()

    def consoles(self, account: str) -> list[int]:
        """Processes of an account that are consoles."""
        found = []
        uid = pwd.getpwnam(account).pw_uid
        for folder in Path("/proc").iterdir():
            try:
                if (
                    folder.name.isdigit()
                    and folder.stat().st_uid == uid
                    and b"console" in (folder / "cmdline").read_bytes()
                ):
                    found.append(int(folder.name))
            except OSError:  # it has gone meanwhile
                continue
        return found

    def stop(self) -> None:
        if self._sshd is not None and self._sshd.poll() is None:
            self._sshd.terminate()
            self._sshd.wait(10)
        for account in self.accounts.values():
            for pid in self.consoles(account.name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            run("userdel", account.name, check=False)
        run("groupdel", self.group, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._made_privsep:
            with contextlib.suppress(OSError):
                PRIVSEP.rmdir()


def chain_for(host: Host, staff: dict[str, tuple[str, str]]) -> Chain:
    """The real chain with one call; `staff`: role of the account -> (name, role), each known by its Unix account."""
    people = [
        {"name": name, "role": role, "unix_user": host.accounts[account].name}
        for account, (name, role) in staff.items()
    ]
    options = ("--socket", host.socket, "--socket-group", host.group)
    return Chain(1, more_staff=people, server_options=options)
