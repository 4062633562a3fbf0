"""Disks that are really full, under a live call: the server's raises an alarm, the laptop's ends the call."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.chain import Chain
from demo.headless import Run, running
from schemas.call import Outcome
from server.recordings.opening import open_call
from server.rules.recording import AUDIT_SPARE_BYTES
from tests.integration.test_review_chain import audit
from tests.server_rig import wait_until

STOPPED_S, ENDED_S = 3.0, 10.0
SLACK_S = 1.5
"""For a record to be due and a look at the peers."""


class Disk:
    """A tmpfs whose size can be changed while it is in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mount("size=4g,mode=700", "-t", "tmpfs", "tmpfs")

    def leave(self, spare: int) -> None:
        """So many bytes are free from now on."""
        usage = os.statvfs(self.folder)
        used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
        self._mount(f"remount,size={used + spare}")

    def grow(self) -> None:
        self._mount("remount,size=4g")

    def _mount(self, options: str, *what: str) -> None:
        subprocess.run(["mount", *what, "-o", options, self.folder], check=True)


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir(parents=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def actions(run: Run) -> list[str]:
    return [action for _, action, _, _ in audit(run)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
def test_a_full_server_raises_an_alarm_and_a_full_laptop_ends_the_call(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    with (
        disk(data / "server" / "recordings") as of_server,
        disk(data / "BWI-01" / "recordings") as of_laptop,
        running(Chain(1, data=data)) as run,
    ):
        plan = run.chain.plan
        run.admit_all()
        run.terminal.wait_for(lambda _: False, 2.0)
        of_server.leave(AUDIT_SPARE_BYTES)
        wait_until(lambda: "recording_refused" in actions(run), "the laptop is told that the server's disk is full")
        full_at = time.monotonic()
        assert run.terminal.wait_for(lambda t: t.shows("NOT COPIED"), 20), run.terminal.text()
        assert time.monotonic() - full_at > 10, "not before its time"
        wait_until(lambda: "recording_not_copied" in actions(run), "it is in the audit")
        before = run.chain.callers.report()[plan.peers_of(plan.call_at(1))[0]]["packets"]["video"]
        of_server.grow()
        wait_until(lambda: "recording_copied_again" in actions(run), "it goes on by itself", 20)
        assert run.observer is not None
        assert run.terminal.wait_for(lambda _: not run.observer.calls[plan.call_at(1)].copy_words, 5)
        assert run.chain.callers.report()[plan.peers_of(plan.call_at(1))[0]]["packets"]["video"] > before + 20

        of_laptop.leave(0)
        full_at = time.monotonic()
        call = plan.call_at(1)
        assert run.terminal.wait_for(lambda _: run.observer.calls[call].outcome is not None, ENDED_S + 5)
        assert time.monotonic() - full_at < ENDED_S + SLACK_S
        assert run.observer.calls[call].outcome == Outcome.RECORDING_FAILED
        report = run.chain.callers.report()
        for name in plan.peers_of(call):
            assert report[name]["last_at"] < full_at + STOPPED_S + SLACK_S, "nothing is carried that is not recorded"
        (part,) = open_call(run.chain.recordings()[0], run.chain.evidence_key())
        assert part.broken == "" and part.records > 10 and sorted(part.streams) == ["family-1", "room"]
