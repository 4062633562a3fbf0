"""One call with browsers on it: server, agent, an officer's console that beats, all on loopback."""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers_of_others.run import Program
from demo.peers.clip import MEDIA
from demo.processes import child_environment, end_with_parent, sightline, wait_or_kill
from schemas.call import CallView
from schemas.console import Admit, Beat, Command, CommandAnswer
from tests.server_rig import Console, Server, establishment, running_server, wait_until

from .camera_files import camera_files
from .chromium import Chromium
from .watching import SCRIPT

CALL = "BWI-1"
BEAT_S = 2.0
LAPTOP_TOKEN = "laptop-token-123456"
TOKENS = {"room": f"room-token-{CALL}", "family": f"family-token-{CALL}"}
MORE_TOKENS = [f"family-token-{n}-{CALL}" for n in (2, 3, 4)]
JOIN = "Join with camera and microphone"


class Officer:
    """A console that stays supervised: it takes what comes, and beats, while the test looks at something else."""

    def __init__(self, server: Server) -> None:
        self._console = Console(server)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._beat = threading.Thread(target=self._keep_beating, daemon=True)
        self._beat.start()

    def _run(self) -> None:
        with contextlib.suppress(Exception):  # the server has gone, or the test is over
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    self._console.next(type(None), seconds=0.5)

    def _keep_beating(self) -> None:
        with contextlib.suppress(Exception):
            while not self._over.wait(BEAT_S):
                self._console.send(Beat(CALL, False, 0))

    @property
    def call(self) -> CallView:
        return self._console.calls[CALL]

    def wait(self, condition: Any, what: str, seconds: float = 30.0) -> None:
        """Until the call fulfils the condition."""
        wait_until(lambda: CALL in self._console.calls and condition(self.call), what, seconds)

    def give(self, act: Any, **fields: Any) -> CommandAnswer:
        """The answer. What gives something needs the call's newest version: when that was too old, once more."""
        for _ in range(20):
            command = self._console.command(act, CALL, **fields)
            self._console.send(command)
            wait_until(lambda given=command: self._answers(given) != [], f"an answer to {act}")
            answer = self._answers(command)[0]
            if answer.accepted or "has changed" not in answer.words:
                break
        return answer

    def _answers(self, command: Command) -> list[CommandAnswer]:
        seen = list(self._console.seen)
        return [m for m in seen if isinstance(m, CommandAnswer) and m.command_id == command.command_id]

    def admit(self, leg: str = "family-1") -> None:
        self.wait(lambda call: any(one.leg == leg and one.connected for one in call.legs), f"{leg} is connected")
        answer = self.give(Admit(leg))
        assert answer.accepted, answer.words
        self.wait(lambda call: any(one.leg == leg and one.admitted for one in call.legs), f"{leg} is admitted")

    def close(self) -> None:
        self._over.set()
        self._thread.join(2)
        self._console.close()


class Stage:
    """The parts of one call but its browsers."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.url = f"http://127.0.0.1:{server.port}"
        self.start_agent()
        self.peers: Program | None = None
        self.officer = Officer(server)

    def start_agent(self) -> None:
        token = self.folder / "laptop.token"
        token.write_text(LAPTOP_TOKEN)
        arguments = ("--server", self.server.url, "--establishment", "BWI", "--id", "BWI-01", "--token-file", token)
        with (self.folder / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(
                sightline("laptop", *arguments, "--data", self.folder / "agent", "--interface", "127.0.0.1"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(),
                preexec_fn=end_with_parent(os.getpid()),
            )

    def room(self, browser: Chromium) -> None:
        browser.open(f"{self.url}/room#{TOKENS['room']}")

    def family(self, browser: Chromium) -> None:
        browser.open(f"{self.url}/family#{TOKENS['family']}")
        browser.press(JOIN)

    def join(self, room: Chromium, family: Chromium) -> None:
        """Both ends of a call with one device, admitted."""
        self.room(room)
        self.family(family)
        self.officer.admit()

    def encoded_families(self, *clips: str) -> None:
        """Further family devices, from family-2 on, that send a clip's encoded packets as they are."""
        plan = [
            {"name": f"family-{n + 2}", "token": token, "clip": f"{clip}.webm", "offset_s": 3.0 * n}
            for n, (clip, token) in enumerate(zip(clips, MORE_TOKENS, strict=True))
        ]
        file = self.folder / "peers.json"
        file.write_text(json.dumps(plan))
        options = ("--server", self.server.url, "--plan", str(file), "--no-decode")
        self.peers = Program("demo.peers.process", *options)

    def close(self) -> None:
        self.officer.close()
        if self.peers is not None:
            self.peers.stop()
        self.agent.terminate()
        wait_or_kill(self.agent, 10)


@contextmanager
def stage(folder: Path, devices: int = 1) -> Iterator[Stage]:
    """`devices`: of the family."""
    plain = establishment()
    plain["bookings"][0]["more_family_tokens"] = MORE_TOKENS[: devices - 1]
    with running_server(folder, plain) as server:
        set_ = Stage(folder, server)
        try:
            yield set_
        finally:
            set_.close()


@contextmanager
def browsers(folder: Path, *clips: str) -> Iterator[list[Chromium]]:
    """A browser a clip, with its statistics kept."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(Chromium(*camera_files(MEDIA / f"{clip}.webm", folder))) for clip in clips]
        for browser in opened:
            browser.before_each_page(SCRIPT)
        yield opened


@contextmanager
def five_legs(folder: Path) -> Iterator[tuple[Stage, Chromium, Chromium]]:
    """The room and four family devices, of which three send encoded files, all admitted; with the two browsers."""
    with stage(folder, devices=4) as set_, browsers(folder, "steady", "pair") as (room, family):
        set_.room(room)
        set_.family(family)
        set_.encoded_families("joins", "shout", "pair")
        for number in range(1, 5):
            set_.officer.admit(f"family-{number}")
        yield set_, room, family


def settle(*browsers: Chromium, seconds: float = 20.0) -> None:
    """Until each receives pictures and its sender has found its rate."""
    for browser in browsers:
        browser.until("seen.samples.some(s => s.rows.some(r => r.framesDecoded > 25))", seconds)
    time.sleep(2)
