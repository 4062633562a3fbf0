"""The demo's callers as the demo sees them: one process with all WebRTC clients, steered by JSON lines."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.processes import Part, Parts

Event = dict[str, Any]


class Callers:
    """Starts `demo.peers.process` and keeps what it tells. All times are CLOCK_MONOTONIC, seconds."""

    def __init__(self, parts: Parts, server: str, plan: list[dict[str, Any]], folder: Path, *, decode: bool) -> None:
        plan_file = folder / "callers.json"
        plan_file.write_text(json.dumps(plan))
        plan_file.chmod(0o600)  # it holds their tokens
        command = [sys.executable, "-m", "demo.peers.process", "--server", server, "--plan", str(plan_file)]
        command += ["--interface", "127.0.0.1", *([] if decode else ["--no-decode"])]
        self.part: Part = parts.start("callers", command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.events: list[Event] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, **command: Any) -> None:
        """One command; a process that has gone is found by its crash, not here."""
        assert self.part.process.stdin is not None
        try:
            self.part.process.stdin.write(json.dumps(command).encode() + b"\n")
            self.part.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def wait_for(self, condition: Callable[[Event], bool], seconds: float, *, since: int = 0) -> Event | None:
        """The first event from number `since` on that fulfils the condition, or None after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for event in self.events[since:]:
                    if condition(event):
                        return event
                since = len(self.events)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def report(self) -> dict[str, Event]:
        """What each caller has received and sent until now, by name."""
        asked = len(self.events)
        self.say(do="report")
        event = self.wait_for(lambda e: e.get("event") == "report", 5, since=asked)
        if event is None:
            raise RuntimeError("the callers' process does not answer")
        return event["peers"]

    def _read(self) -> None:
        assert self.part.process.stdout is not None
        for line in self.part.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            with self._changed:
                self.events.append(event)
                self._changed.notify_all()
