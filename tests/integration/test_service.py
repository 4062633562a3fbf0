"""The agent as the service that laptop/systemd has: a real manager starts it again after its watchdog's kill."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from demo.processes import end_with_parent, wait_or_kill
from laptop.guarded import hung_before
from tests.server_rig import running_server, wait_until

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "laptop" / "systemd" / "sightline-laptop.service"
MANAGER = Path("/lib/systemd/systemd")
SANDBOX = ("NoNewPrivileges", "Capability", "Protect", "Private", "Restrict", "LockPersonality", "SystemCall")
"""What a manager without a machine of its own can't give."""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not MANAGER.exists(), reason="needs root, for namespaces of its own, and systemd"
)


def unit_for(folder: Path) -> str:
    """The unit with this machine's paths, as root, without a sandbox; all else as it is."""
    lines = [line for line in UNIT.read_text().splitlines() if not line.startswith(("User=", "LoadCred", *SANDBOX))]
    text = "\n".join(lines)
    for said, here in (
        ("/etc/sightline", folder / "etc"),
        ("/opt/sightline/bin/sightline", f"{sys.executable} -m cli"),
        ("${CREDENTIALS_DIRECTORY}", folder / "etc"),
        ("[Service]", f"[Service]\nWorkingDirectory={ROOT}"),
    ):
        assert said in text
        text = text.replace(said, str(here))
    return text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_service_manager_has_nothing_to_say_to_the_unit(tmp_path: Path) -> None:
    def verified(text: str) -> str:
        unit = tmp_path / UNIT.name
        unit.write_text(text.replace("/opt/sightline/bin/sightline", sys.executable))
        return subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False).stderr

    assert str(tmp_path) not in verified(UNIT.read_text())
    assert "Unknown key" in verified(UNIT.read_text().replace("Restart=", "Restarts="))


def test_an_agent_that_hangs_is_killed_started_again_and_back_at_its_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "etc").mkdir(parents=True)
    (home / UNIT.name).write_text(unit_for(home))
    (home / "etc" / "token").write_text("laptop-token-123456")
    with running_server(tmp_path) as server:
        (home / "etc" / "laptop.env").write_text(f"SERVER={server.url}\nESTABLISHMENT=BWI\nLAPTOP=BWI-01\n")
        # It believes that the machine was started by it: /run is its own, and so are the processes.
        script = (
            "mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/systemd/system && mkdir -m 700 /run/own && "
            f"exec {MANAGER} --user --unit={UNIT.name}"
        )
        environment = os.environ | {"HOME": str(home), "XDG_RUNTIME_DIR": "/run/own", "SYSTEMD_UNIT_PATH": f"{home}:"}
        environment.pop("XDG_CONFIG_HOME", None)
        apart = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"]
        manager = subprocess.Popen(
            [*apart, "sh", "-ec", f"({script})"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=end_with_parent(os.getpid()),
        )  # fmt: skip
        try:
            connected = lambda: len(server.audit("laptop_connected"))  # noqa: E731
            wait_until(lambda: connected() == 1, "the service runs", 20)
            agent = _agent(manager)
            agent.send_signal(signal.SIGSTOP)
            wait_until(lambda: connected() == 2, "it was killed and started again", 40)
            assert _agent(manager).pid != agent.pid
            (notes,) = home.rglob("hung.log")
            assert hung_before(notes.parent)[0] == 1
            assert {row.who for row in server.audit("laptop_connected")} == {"BWI-01"}
        finally:
            manager.terminate()
            wait_or_kill(manager, 10)


def _agent(manager: "subprocess.Popen[bytes]") -> psutil.Process:
    """The newest one."""
    found = [one for one in psutil.Process(manager.pid).children(recursive=True) if "laptop" in one.cmdline()]
    return max(found, key=lambda one: one.create_time())
