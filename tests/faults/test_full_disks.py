"""Disks that are really full, under a live call: the server's raises an alarm, the laptop's ends the call."""

import json
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from demo.chain import Chain
from demo.headless import Run, running
from demo.officer import NotShown
from schemas.call import CallState, Outcome
from server.recordings.opening import open_call
from server.rules.recording import ALARM_S, AUDIT_SPARE_BYTES, END_S
from tests.integration.test_review_chain import audit
from tests.server_rig import wait_until

STOPPED_S, ENDED_S = 3.0, 10.0
SLACK_S = 1.5
"""For a record to be due and a look at the peers."""
LATE_S = 5.0
"""How far the server's newest record is behind, and what a busy machine takes."""


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


@pytest.mark.timeout(300)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
def test_a_copy_that_stays_away_for_a_minute_ends_the_call_and_comes_afterwards(tmp_path: Path) -> None:
    """The laptop records all the while, so media flow until then; what it has is handed over when there is room."""
    data, told = tmp_path / "demo", tmp_path / "alarm.json"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ncat > {told}.part && mv {told}.part {told}\n")
    hook.chmod(0o755)
    with disk(data / "server" / "recordings") as of_server, running(Chain(1, data=data, alarm_hook=hook)) as run:
        plan, observer = run.chain.plan, run.observer
        run.admit_all()
        assert observer is not None
        call = plan.call_at(1)
        peers = plan.peers_of(call)
        run.terminal.wait_for(lambda _: False, 2.0)
        of_server.leave(AUDIT_SPARE_BYTES)
        full_at = time.monotonic()

        def passed_s() -> float:
            return time.monotonic() - full_at

        assert run.terminal.wait_for(lambda _: told.exists(), ALARM_S + LATE_S), "the hook was started"
        assert passed_s() >= ALARM_S - LATE_S
        alarm = json.loads(told.read_text())
        assert (alarm["kind"], alarm["call"], alarm["ends_in_s"]) == ("recording not copied", call, END_S - ALARM_S)

        assert run.terminal.wait_for(lambda _: observer.calls[call].outcome is not None, END_S - passed_s() + LATE_S)
        assert passed_s() >= END_S - LATE_S
        assert observer.calls[call].outcome == Outcome.RECORDING_FAILED
        report = run.chain.callers.report()
        for name in peers:
            assert full_at + END_S - LATE_S < report[name]["last_at"] < full_at + END_S + LATE_S
        assert [*(data / plan.laptops[0].id / "recordings").rglob("*.rec")], "no receipt, so it keeps what it has"

        of_server.grow()
        wait_until(lambda: "recording_verified" in actions(run), "it is handed over", 20)
        (part,) = open_call(run.chain.recordings()[0], run.chain.evidence_key())
        assert (part.broken, part.end, part.signed) == ("", "ended", True)
        assert (part.last_ms - part.first_ms) / 1000 > END_S - LATE_S, "all of the minute is there"
        assert run.chain.audit()["intact"]


def test_a_recording_that_may_not_grow_stops_the_media_and_ends_the_call() -> None:
    """The kernel refuses each further byte of it (EFBIG) while the disk has room."""
    with running(Chain(1)) as run:
        plan = run.chain.plan
        run.admit_all()
        run.terminal.wait_for(lambda _: False, 2.0)
        laptop = plan.laptops[0].id
        (path,) = (run.chain.data / laptop / "recordings").rglob("*.rec")
        limit = path.stat().st_size
        resource.prlimit(run.chain.laptops[laptop].process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        limited_at = time.monotonic()
        assert run.observer is not None
        call = plan.call_at(1)
        assert run.terminal.wait_for(lambda _: run.observer.calls[call].outcome is not None, ENDED_S + 5)
        assert ENDED_S - SLACK_S < time.monotonic() - limited_at < ENDED_S + SLACK_S
        assert run.observer.calls[call].outcome == Outcome.RECORDING_FAILED
        report = run.chain.callers.report()
        for name in plan.peers_of(call):
            assert limited_at + 1 < report[name]["last_at"] < limited_at + STOPPED_S + SLACK_S


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
def test_a_call_does_not_start_without_room_for_it_on_either_disk(tmp_path: Path) -> None:
    """It needs 1.5 times its full length and 2 GiB; what is missing is said, and nothing is carried or recorded."""
    data = tmp_path / "demo"
    with (
        disk(data / "server" / "recordings") as of_server,
        disk(data / "BWI-01" / "recordings") as of_laptop,
        running(Chain(1, data=data)) as run,
    ):
        seat, surname = next(iter(run.chain.plan.seats.items()))
        call = run.chain.plan.call_at(seat)
        for full, words in ((of_server, "no room for this call's recording"), (of_laptop, "GB are needed")):
            full.leave(2 * 1024**3)
            with pytest.raises(NotShown):
                run.officer.admit(seat, surname)
            assert run.terminal.wait_for(lambda t, words=words: t.shows(words), 5), run.terminal.text()
            run.terminal.press("\x1b")
            full.grow()
        assert run.observer is not None and run.observer.calls[call].state == CallState.WAITING
        assert run.chain.recordings() == []
        report = run.chain.callers.report()
        for name in run.chain.plan.peers_of(call):
            assert report[name]["packets"] == {"audio": 0, "video": 0}

        def admitted() -> bool:
            with suppress(NotShown):  # it may still see the answer before
                run.officer.admit(seat, surname)
            return run.terminal.wait_for(lambda _: run.observer.calls[call].state == CallState.LIVE, 2)

        wait_until(admitted, "with room on both it starts", 30)
        wait_until(lambda: bool(run.chain.recordings()), "it is recorded")
