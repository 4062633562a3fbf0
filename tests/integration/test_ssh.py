"""Staff log in by the real ssh to a real sshd: each lands on the screen of their role, and nothing else opens."""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.chain import Chain
from demo.processes import end_with_parent, free_port
from tests.server_rig import wait_until

from .ssh_rig import WITHIN_S, Host, as_nobody, chain_for, install_ssh, run

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="makes Unix accounts and runs sshd: only root can")

STAFF = {
    "officer": ("K. Adeyemi", "officer"),
    "governor": ("S. Gill-Moore", "governor"),
    "support": ("T. Novak", "support"),
}
SEES = {"officer": "ATTENTION", "governor": "REVIEWS", "support": "WHICH SIDE FAILED"}
"""What only the first screen of a role shows."""
SHOWN_S = 20.0


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    install_ssh()
    host = Host()
    try:
        for role in STAFF:
            host.add(role)
        host.start(host.install_console())
        for role, account in host.accounts.items():
            host.certificate(role, account.principal)
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="module")
def chain(host: Host) -> Iterator[Chain]:
    chain = chain_for(host, STAFF)
    try:
        chain.wait_until_listening()
        yield chain
    finally:
        chain.stop()


def login(host: Host, role: str, *more: str, command: tuple[str, ...] = ()) -> list[str]:
    return host.ssh(host.accounts[role].name, host.keys / role, *more, command=command)


def audit(chain: Chain, who: str) -> list[tuple[str, int]]:
    with sqlite3.connect(f"file:{chain.data / 'server' / 'sightline.db'}?mode=ro", uri=True) as database:
        return database.execute("select action, accepted from audit where who = ? order by n", (who,)).fetchall()


@pytest.mark.parametrize("role", STAFF)
def test_each_role_lands_on_its_own_screen_as_itself(host: Host, chain: Chain, role: str) -> None:
    name, words = STAFF[role]
    with host.screen(login(host, role)) as terminal:
        assert terminal.wait_for(lambda t: t.shows(f"{name} ({words})") and t.shows(SEES[role]), SHOWN_S), (
            terminal.text(),
            host.log.read_text(),
        )
        surname = next(iter(chain.plan.seats.values()))
        assert terminal.wait_for(lambda t: t.shows(surname) == (role == "officer"), SHOWN_S)
        opened = "health_opened" if role == "support" else "view_opened"
        wait_until(lambda: (opened, 1) in audit(chain, name), "it is in the audit")
        terminal.press("q")
        assert terminal.part is not None and terminal.part.process.wait(10) == 0, host.log.read_text()
    wait_until(lambda: not host.consoles(host.accounts[role].name), "nothing of the session is left")


def test_what_the_client_sends_along_has_no_effect(host: Host, chain: Chain) -> None:
    """Neither variables nor an agent nor a display reach the console, and who it is comes from the kernel alone."""
    account = host.accounts["support"].name
    lies = {
        "LOGNAME": "root",
        "USER": host.accounts["officer"].name,
        "SIGHTLINE_STAFF": "K. Adeyemi",
        "PYTHONPATH": "/tmp",
    }
    sent = [f"-oSendEnv={' '.join(lies)}", f"-oSetEnv=SUDO_USER={host.accounts['officer'].name} LD_PRELOAD=/tmp/x.so"]
    agent = run("ssh-agent", "-s").stdout
    values = dict(part.split("=", 1) for line in agent.splitlines() for part in [line.split(";")[0]] if "=" in part)
    try:
        extra = {**lies, "SSH_AUTH_SOCK": values["SSH_AUTH_SOCK"], "DISPLAY": "127.0.0.1:0"}
        with host.screen(login(host, "support", "-A", "-X", *sent), **extra) as terminal:
            name, words = STAFF["support"]
            assert terminal.wait_for(lambda t: t.shows(f"{name} ({words})") and t.shows(SEES["support"]), SHOWN_S)
            found = host.consoles(account)
            assert found
            for pid in found:
                environment = dict(
                    part.split(b"=", 1)
                    for part in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                    if b"=" in part
                )
                assert environment[b"USER"] == environment[b"LOGNAME"] == account.encode()
                assert b"SSH_USER_AUTH" in environment, "ExposeAuthInfo"
                for name_of in (
                    b"SSH_AUTH_SOCK",
                    b"DISPLAY",
                    b"PYTHONPATH",
                    b"LD_PRELOAD",
                    b"SUDO_USER",
                    b"SIGHTLINE_STAFF",
                ):
                    assert name_of not in environment
    finally:
        os.kill(int(values["SSH_AGENT_PID"]), signal.SIGTERM)


@pytest.mark.parametrize("command", ["/bin/sh", "cat /etc/passwd", "sh -c 'echo pw''ned'", "internal-sftp"])
def test_no_command_of_the_clients_runs(host: Host, chain: Chain, command: str) -> None:
    done = run(*login(host, "officer", command=(command,)), check=False, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert done.stdout == "" and "root:" not in done.stderr and "pwned" not in done.stderr
    assert "needs a terminal" in done.stderr, "the console ran in its place"


def test_a_shell_asked_for_in_a_terminal_is_the_console(host: Host, chain: Chain) -> None:
    with host.screen(login(host, "officer", "-tt", command=("/bin/sh", "-i"))) as terminal:
        assert terminal.wait_for(lambda t: t.shows(SEES["officer"]), SHOWN_S)
        terminal.press("!\x1a\x1c\x03")
        assert terminal.part is not None
        terminal.part.process.wait(10)
        terminal.look()
        assert not terminal.shows("$ ") and not terminal.shows("# ")


def test_sftp_and_scp_move_nothing(host: Host, chain: Chain, tmp_path: Path) -> None:
    options, account = host.options(host.keys / "officer"), host.accounts["officer"].name
    for tool in (["sftp"], ["scp"], ["scp", "-O"]):
        copy = tmp_path / "copy"
        source = f"{account}@127.0.0.1:/etc/passwd"
        done = run(*tool, *options, "-P", host.port, source, copy, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode != 0 and not copy.exists(), tool
    mine = tmp_path / "mine"
    mine.write_text("x")
    target = host.folder / "taken"
    done = run("scp", "-O", *options, "-P", host.port, mine, f"{account}@127.0.0.1:{target}", check=False)
    assert done.returncode != 0 and not target.exists()


@contextlib.contextmanager
def forwarding(host: Host, *more: str) -> Iterator[Any]:
    """A session with a terminal, as a person would hold it open, that asks for a forwarding as well."""
    with host.screen(login(host, "officer", *more)) as terminal:
        assert terminal.wait_for(lambda t: t.shows(SEES["officer"]), SHOWN_S), terminal.text()
        yield terminal


def test_nothing_is_forwarded(host: Host, chain: Chain) -> None:
    local, remote, dynamic = free_port(), free_port(), free_port()
    asked = ("-L", f"{local}:127.0.0.1:{chain.port}", "-R", f"{remote}:127.0.0.1:{chain.port}", "-D", str(dynamic))
    with forwarding(host, *asked):
        # The client listens, as it was told to; what comes in is refused by sshd.
        with pytest.raises((OSError, http.client.HTTPException)):
            link = http.client.HTTPConnection("127.0.0.1", local, timeout=10)
            link.request("GET", "/health")
            link.getresponse()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", remote)) != 0, "sshd listens for the client"
        with socket.create_connection(("127.0.0.1", dynamic), timeout=10) as proxy:
            proxy.sendall(b"\x05\x01\x00")
            assert proxy.recv(2) == b"\x05\x00"
            proxy.sendall(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + chain.port.to_bytes(2, "big"))
            answered = proxy.recv(10)
            proxy.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert b"HTTP" not in answered + proxy.recv(100)
    direct = http.client.HTTPConnection("127.0.0.1", chain.port, timeout=10)
    direct.request("GET", "/health")
    assert direct.getresponse().status == 200, "what was asked for is there, but for the forwarding"
    unix = host.folder / "forwarded.sock"
    alone = login(host, "officer", "-N", "-oExitOnForwardFailure=yes", "-R", f"{remote}:127.0.0.1:{chain.port}")
    assert run(*alone, check=False).returncode != 0
    alone = login(host, "officer", "-N", "-oExitOnForwardFailure=yes", "-R", f"{unix}:{host.socket}")
    assert run(*alone, check=False).returncode != 0 and not unix.exists()
    assert run(*login(host, "officer", "-W", f"127.0.0.1:{chain.port}"), check=False).returncode != 0


def test_only_a_valid_certificate_for_the_accounts_own_principal_comes_in(host: Host, chain: Chain) -> None:
    officer = host.accounts["officer"]
    host.key("other-ca")
    keys = {
        "another person's": host.keys / "governor",
        "expired": host.certificate("expired", officer.principal, valid="-2h:-1h"),
        "not yet valid": host.certificate("early", officer.principal, valid="+1h:+2h"),
        "the account's name and not its principal": host.certificate("name", officer.name),
        "of another authority": host.certificate("stranger", officer.principal, authority="other-ca"),
        "no certificate": host.key("bare"),
        "revoked": host.certificate("revoked", officer.principal),
    }
    host.revoke(keys["revoked"])
    for what, key in keys.items():
        done = run(*host.ssh(officer.name, key), check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 255 and "Permission denied (publickey)" in done.stderr, (what, done.stderr)
    for account in ("root", "nobody"):
        done = run(*host.ssh(account, host.certificate(account, account)), check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 255 and "Permission denied (publickey)" in done.stderr
    # The same certificate authority and account with all of it right: the console answers.
    done = run(*login(host, "officer"), check=False, stdin=subprocess.DEVNULL)
    assert "needs a terminal" in done.stderr


CONNECT = """
import sys
from websockets.sync.client import unix_connect
from websockets.exceptions import ConnectionClosed
from schemas.console import ConsoleHello, to_console
from schemas.wire import encode
try:
    with unix_connect(sys.argv[1], uri="ws://localhost/console") as link:
        link.send(encode(ConsoleHello(1, "BWI", sys.argv[2])))
        print(type(to_console.decode(link.recv(timeout=10))).__name__)
except PermissionError:
    print("the socket can't be reached")
except ConnectionClosed as closed:
    print(closed.rcvd.reason)
"""


def test_the_socket_is_for_the_staff_group_and_the_staff_list_decides(host: Host, chain: Chain) -> None:
    python = host.folder / "console" / "bin" / "python"

    def connect(*groups: int, token: str = "") -> str:
        return run(python, "-c", CONNECT, host.socket, token, **as_nobody(*groups)).stdout.strip()

    assert connect() == "the socket can't be reached"
    assert connect(host.gid) == "the account nobody belongs to nobody on the staff list"
    # A token of somebody else's does not help on the socket either.
    token = chain.plan.observer_token
    assert connect(host.gid, token=token) == "the account nobody belongs to nobody on the staff list"
    assert host.socket.stat().st_mode & 0o777 == 0o660 and host.socket.stat().st_gid == host.gid
    data = chain.data / "server"
    assert data.stat().st_mode & 0o777 == 0o700
    for file in data.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert not (data / "console.sock").exists()


def test_a_session_has_an_end_of_its_own(host: Host, chain: Chain) -> None:
    """SIGTERM is what `timeout` sends when the shift is over: the screen is given back and the session ends."""
    account = host.accounts["officer"].name
    with host.screen(login(host, "officer")) as terminal:
        assert terminal.wait_for(lambda t: t.shows(SEES["officer"]), SHOWN_S)
        line = next(
            pid for pid in host.consoles(account) if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"timeout\0")
        )
        assert b"\x0012h\0" in Path(f"/proc/{line}/cmdline").read_bytes()
        os.kill(line, signal.SIGTERM)
        assert terminal.part is not None
        terminal.part.process.wait(10)
    wait_until(lambda: not host.consoles(account), "the console has ended", WITHIN_S)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--socket-group", "no-such-group-here"), "there is no group no-such-group-here"),
        (("--socket-group", "root", "--socket", "{data}/console.sock"), "lies in the data folder"),
    ],
)
def test_a_group_that_cannot_work_is_said_in_one_sentence(
    chain: Chain, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    data = tmp_path / "data"
    arguments = [option.format(data=data) for option in options]
    if "--socket" not in arguments:
        arguments += ["--socket", str(tmp_path / "console.sock")]
    command = [sys.executable, "-m", "cli", "server", "--data", str(data), "--port", str(free_port())]
    command += ["--establishment", str(chain.data / "establishment.json"), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, preexec_fn=end_with_parent(os.getpid()), check=False
    )
    assert done.returncode == 1 and words in done.stderr and done.stderr.strip().count("\n") == 0, done.stderr
