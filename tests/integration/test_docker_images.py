"""The images are installed as their Dockerfiles say, on a bare Debian, and run as the compose file says."""

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from demo.establishment import Plan, write
from demo.processes import end_with_parent
from demo.terminal import Terminal

from .image_rig import LENT_AT, ROOT, Builder, Container, Image, Network, install_mmdebstrap, mounted

pytestmark = [
    pytest.mark.skipif(os.getuid() != 0, reason="mounts and changes its root folder: only root can"),
    pytest.mark.timeout(600),
]

PARTS = ("server", "laptop", "console")
WITHIN_S = 40.0
LENT = ("/etc/apt", "/etc/ssl", "/etc/hosts", "/etc/resolv.conf", "/usr/share/ca-certificates", "/usr/share/keyrings")
"""What of the machine a build gets to see."""


def state_of_the_machine() -> dict[str, tuple[int, int]]:
    """Size and time of each file that a build gets to see."""
    files = [file for place in LENT for file in (Path(place), *Path(place).rglob("*")) if file.exists()]
    return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, Image]]:
    install_mmdebstrap()
    before = state_of_the_machine()
    builder = Builder(ROOT)
    try:
        built = {part: builder.build(ROOT / "docker" / f"{part}.Dockerfile") for part in PARTS}
        assert state_of_the_machine() == before, "a build changes nothing outside of its layers"
        yield built
    finally:
        builder.close()


@pytest.fixture(scope="module")
def containers(images: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Container]]:
    """One of each, in one network; `server` is a name in it, as it is in compose's."""
    network = Network()
    with ExitStack() as stack:
        stack.callback(network.close)
        found: dict[str, Container] = {}
        for part, image in images.items():
            root = stack.enter_context(mounted(image.layers, tmp_path_factory.mktemp(part)))
            (root / "etc" / "hosts").write_text("127.0.0.1 localhost server\n")
            found[part] = Container(image, root, network)
        yield found


@pytest.fixture(scope="module")
def plan(containers: dict[str, Container], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The three secrets of the compose file, where it mounts them."""
    token = secrets.token_urlsafe(24)
    file = tmp_path_factory.mktemp("secrets") / "establishment.json"
    officer = {"name": "K. Adeyemi", "role": "officer", "token": token}
    plan = write(file, 1, now=datetime.now(UTC), unix_user="", more_staff=[officer])
    containers["server"].give("/run/secrets/establishment", file.read_text())
    containers["laptop"].give("/run/secrets/laptop_token", plan.laptops[0].token)
    containers["console"].give("/run/secrets/console_token", token)
    return plan


def arguments(part: str) -> list[str]:
    return yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"][part]["command"]


def run(container: Container, *command: str) -> subprocess.CompletedProcess[str]:
    """Another program in a container, as its user."""
    return subprocess.run(
        container.command(command, entrypoint=()), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


def start(container: Container, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            container.command(arguments),
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, preexec_fn=end_with_parent(os.getpid()),
        )  # fmt: skip


def health(server: Container) -> dict[str, Any]:
    code = "from urllib.request import urlopen; print(urlopen('http://server:8710/health', timeout=4).read().decode())"
    found = run(server, "python", "-c", code)
    return json.loads(found.stdout) if found.returncode == 0 else {}


@pytest.fixture(scope="module")
def running(
    containers: dict[str, Container], plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Path]]:
    """Server and laptop; a part's name -> its log."""
    logs = {part: tmp_path_factory.mktemp("logs") / f"{part}.log" for part in PARTS}
    server = containers["server"]
    assert "refused" in run(server, *server.image.health).stderr, "the check says no before the server runs"
    processes = [start(server, arguments("server"), logs["server"])]
    codes: list[int] = []
    try:
        deadline = time.monotonic() + WITHIN_S
        while run(server, *server.image.health).returncode != 0:
            assert processes[0].poll() is None and time.monotonic() < deadline, logs["server"].read_text()
            time.sleep(0.1)
        processes.append(start(containers["laptop"], arguments("laptop"), logs["laptop"]))
        yield logs
    finally:
        codes += [stop(process) for process in reversed(processes)]
    assert codes == [0, 0], "each ends well when the engine stops it"


def stop(process: subprocess.Popen[bytes]) -> int:
    """As an engine stops a container: SIGTERM to its first process. Its exit status."""
    for inner in psutil.Process(process.pid).children():
        inner.terminate()
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return -1


def test_the_server_listens_and_the_laptop_connects_to_it(
    containers: dict[str, Container], running: dict[str, Path]
) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not (found := health(containers["server"])) or found["establishments"]["BWI"]["laptops"] != 1:
        assert time.monotonic() < deadline, (found, *(log.read_text() for log in running.values() if log.exists()))
        time.sleep(0.1)
    assert found["audit_writable"]
    assert sum(found["establishments"]["BWI"]["calls"].values()) == 2, "the call and the next one of its room"


def test_the_console_shows_the_wall(
    containers: dict[str, Container], plan: Plan, running: dict[str, Path], tmp_path: Path
) -> None:
    terminal = Terminal(120, 40)
    part = terminal.start(containers["console"].command(arguments("console"), TERM="xterm-256color"), tmp_path / "log")
    try:
        surname = next(iter(plan.seats.values()))
        assert terminal.wait_for(lambda t: t.shows("K. Adeyemi (officer)") and t.shows(surname), WITHIN_S), (
            terminal.text(),
            (tmp_path / "log").read_text(),
        )
        terminal.press("q")
        assert part.process.wait(10) == 0
    finally:
        if part.process.poll() is None:
            part.process.kill()
            part.process.wait()
        terminal.close()


def has_watchdog(agent: psutil.Process) -> bool:
    try:
        return any("watchdog.py" in " ".join(child.cmdline()) for child in agent.children())
    except psutil.NoSuchProcess:  # a child that has just ended
        return False


def test_the_container_of_an_agent_that_hangs_ends_so_that_it_is_started_again(
    containers: dict[str, Container], plan: Plan, tmp_path: Path
) -> None:
    """Nobody in a container can kill its first process, so the agent must not be that one."""
    laptop = containers["laptop"]
    changes = {"--server=ws://server:8710": "--server=ws://server:1", "--data=/data": "--data=/data/alone"}
    lone = [changes.get(argument, argument) for argument in arguments("laptop")]
    process = start(laptop, lone, tmp_path / "log")
    try:
        agents: list[psutil.Process] = []

        def watched() -> bool:
            agents[:] = [one for one in psutil.Process(process.pid).children(recursive=True) if has_watchdog(one)]
            return bool(agents)

        deadline = time.monotonic() + WITHIN_S
        while not watched():
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
        agents[0].send_signal(signal.SIGSTOP)
        assert process.wait(WITHIN_S) == 128 + signal.SIGKILL, (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()
    assert yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]["laptop"]["restart"] != "no"


@pytest.mark.parametrize("part", PARTS)
def test_an_image_holds_its_part_alone_and_runs_as_nobody_special(containers: dict[str, Container], part: str) -> None:
    container = containers[part]
    code = (
        "import importlib.util as u, importlib.metadata as m, json, os\n"
        "def there(name):\n"
        "    return u.find_spec(name) is not None\n"
        "names = ('schemas', 'cli', 'server', 'laptop', 'console', 'demo', 'tests', 'pip', 'pytest',\n"
        "         'sqlalchemy', 'aiortc', 'textual')\n"
        "print(json.dumps([os.getuid(), os.getgid(), os.getgroups(), sorted(filter(there, names))]))\n"
    )
    done = run(container, "python", "-c", code)
    uid, gid, groups, found = json.loads(done.stdout or done.stderr)
    library = {"server": "sqlalchemy", "laptop": "aiortc", "console": "textual"}[part]
    assert (uid, gid, groups) == (10001, 10001, [])
    assert found == sorted({"schemas", "cli", part, library})
    assert run(container, "sh", "-c", "touch /opt/sightline/x /etc/x /usr/x").returncode != 0
    if container.image.volumes:
        assert run(container, "sh", "-c", "touch /data/x && rm /data/x").returncode == 0


@pytest.mark.parametrize("part", PARTS)
def test_nothing_of_the_machine_that_built_it_is_in_an_image(images: dict[str, Image], part: str) -> None:
    """No secret, no history, no settings of the builder's package registries."""
    settings = [path.name for path in Path("/etc/apt").rglob("*") if path.is_file()]
    for layer in images[part].layers[:-1]:
        for file in layer.rglob("*"):
            inside = file.relative_to(layer)
            assert not (layer / LENT_AT.lstrip("/")).exists()
            assert inside.parts[:2] != ("etc", "apt"), f"{inside} of {settings}"
            assert file.suffix not in (".token", ".pem", ".key") or file.name in ("cacert.pem",), inside
            assert ".git" not in inside.parts and file.name != "establishment.json"
            assert inside.parts[:2] != ("root", ".config") and inside.parts[0] != "build"
