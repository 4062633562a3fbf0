"""Everything of a demo but its console: server, one agent a laptop, the callers. Also what the end-to-end tests run."""

import http.client
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.callers import Callers
from demo.establishment import Plan, write
from demo.processes import Part, Parts, child_environment, free_port, sightline
from server.recordings.keys import EvidenceKey, read_key

RESTARTS_MAX = 3
"""Of one agent; what is killed more often is broken, and a demo says so."""


class Chain:
    """Starts at once, in this order of need: server, laptops, callers; each connects when it finds the other.

    `data`: a folder to keep, without an earlier demo in it, or None for a temporary one that is removed at the end.
    `server_options`: more of the server's command line.
    """

    def __init__(
        self,
        calls: int,
        *,
        data: Path | None = None,
        port: int = 0,
        decode: bool = True,
        alarm_hook: Path | None = None,
        server_options: Sequence[object] = (),
        **plan: Any,
    ) -> None:
        self._temporary = data is None
        self.data = data if data is not None else Path(tempfile.mkdtemp(prefix="sightline-demo-"))
        self._check_folder(self.data)
        self.port = port or free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.socket = self.data / "server" / "console.sock"
        self.parts = Parts(self.data / "log")
        self.laptops: dict[str, Part] = {}
        self.restarts: Counter[str] = Counter()
        """How often each laptop's agent was started again."""
        establishment = self.data / "establishment.json"
        self.plan: Plan = write(establishment, calls, now=datetime.now(UTC), unix_user=_account(), **plan)
        establishment.chmod(0o600)
        try:
            server = ("server", "--data", self.data / "server", "--establishment", establishment, "--port", self.port)
            hook = () if alarm_hook is None else ("--alarm-hook", alarm_hook)
            self.server = self.parts.start("server", sightline(*server, *hook, *server_options))
            for laptop in self.plan.laptops:
                self.start_laptop(laptop.id, laptop.token)
            self.callers = Callers(self.parts, self.url, self.plan.peers_as_json(), self.data, decode=decode)
        except BaseException:
            self.stop()
            raise

    def start_laptop(self, laptop_id: str, token: str) -> Part:
        token_file = self.token_file(laptop_id, token)
        command = sightline(
            "laptop",
            *("--server", self.url, "--establishment", self.plan.code, "--id", laptop_id, "--token-file", token_file),
            *("--data", self.data / laptop_id, "--interface", "127.0.0.1"),
        )
        self.laptops[laptop_id] = self.parts.start(laptop_id, command)
        return self.laptops[laptop_id]

    def console_command(self) -> list[str]:
        return sightline("console", "--establishment", self.plan.code, "--socket", self.socket)

    def governor_command(self) -> list[str]:
        """The duty governor's console: over TCP, as from an office elsewhere."""
        token_file = self.token_file("governor", self.plan.observer_token)
        return sightline("console", "--establishment", self.plan.code, "--server", self.url, "--token-file", token_file)

    def token_file(self, name: str, token: str) -> Path:
        file = self.data / f"{name}.token"
        file.touch(mode=0o600)
        file.write_text(token)
        return file

    def wait_until_listening(self, seconds: float = 15) -> None:
        """Returns when the server answers; SystemExit with what it said when it can't start."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
            try:
                link.request("GET", "/health")
                if link.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.03)
            finally:
                link.close()
        raise SystemExit("demo: the server did not answer in time; see the log with --data FOLDER.")

    def crashed(self) -> Part | None:
        """The first part that has ended by itself and does not come back.

        An agent that was killed (by its watchdog, when it hung) comes back, as its service manager would have it.
        """
        for laptop in self.plan.laptops:
            part = self.laptops[laptop.id]
            killed = part.expected_to_run and part.process.poll() == -signal.SIGKILL
            if killed and self.restarts[laptop.id] < RESTARTS_MAX:
                part.expected_to_run = False
                self.restarts[laptop.id] += 1
                self.start_laptop(laptop.id, laptop.token)
        return self.parts.crashed()

    def check(self) -> None:
        """SystemExit with its last words when a part has ended by itself and does not come back."""
        part = self.crashed()
        if part is not None:
            raise SystemExit(f"demo: {part.name} has stopped: {part.last_words()}")

    def audit(self) -> dict[str, Any]:
        """How many entries the audit has, and whether its chain holds."""
        command = sightline("audit", "--data", self.data / "server")
        return json.loads(subprocess.run(command, capture_output=True, check=True, env=child_environment()).stdout)

    def recordings(self) -> list[Path]:
        """The server's copies, a folder for each call."""
        return sorted((self.data / "server" / "recordings").glob("*/*"))

    def evidence_key(self) -> EvidenceKey:
        return read_key(self.data / "server" / "evidence" / f"{self.plan.code}.key")

    def stop(self) -> None:
        self.parts.stop()
        if self._temporary:
            shutil.rmtree(self.data, ignore_errors=True)

    @staticmethod
    def _check_folder(data: Path) -> None:
        try:
            data.mkdir(parents=True, exist_ok=True)
            probe = data / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise SystemExit(
                f"demo: the folder {data} can't be written ({os.strerror(error.errno or 0)}); "
                "choose another with --data."
            ) from error
        if (data / "server" / "sightline.db").exists():
            raise SystemExit(f"demo: the folder {data} holds an earlier demo; remove it or choose another with --data.")


def _account() -> str:
    """As the server names whoever comes by its Unix socket."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
