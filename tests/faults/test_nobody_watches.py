"""The officer's console is gone, or nobody uses it: alarm, pause, end, on the whole real chain. Takes two minutes."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from demo.chain import Chain
from demo.headless import Run, running
from demo.processes import child_environment, sightline
from schemas.call import CallState, Outcome
from schemas.console import Admit, Beat, SupervisionChanged
from schemas.laptop import OpenCall, OrderAct
from server.rules.supervision import ALARM_S, BEAT_LOST_S, END_S, PAUSE_S
from tests.server_rig import Console, Laptop, Peer, establishment, running_server, wait_until

LATE_S = 3.0


def packets(run: Run, name: str) -> int:
    return sum(run.chain.callers.report()[name]["packets"].values())


@pytest.mark.timeout(300)
def test_without_an_officers_console_calls_pause_and_then_end(tmp_path: Path) -> None:
    told = tmp_path / "alarm.json"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ncat > {told}.part && mv {told}.part {told}\n")
    hook.chmod(0o755)
    with running(Chain(1, alarm_hook=hook)) as run:
        run.admit_all()
        plan, observer = run.chain.plan, run.observer
        assert observer is not None and run.terminal.part is not None
        call = plan.call_at(next(iter(plan.seats)))
        name = plan.peers_of(call)[0]
        wait_until(lambda: packets(run, name) > 100, "the call carries media")
        run.terminal.part.expected_to_run = False
        run.terminal.part.process.kill()
        gone = time.monotonic()

        wait_until(told.exists, "the hook was started", ALARM_S + BEAT_LOST_S + LATE_S)
        assert time.monotonic() - gone >= ALARM_S - 1
        assert json.loads(told.read_text())["kind"] == "not supervised"
        assert observer.calls[call].state == CallState.LIVE

        wait_until(lambda: observer.calls[call].state == CallState.PAUSED, "paused", PAUSE_S)
        assert PAUSE_S - 1 <= time.monotonic() - gone <= PAUSE_S + BEAT_LOST_S + LATE_S
        wait_until(lambda: time.monotonic() - run.chain.callers.report()[name]["last_at"] > 1, "silence", 5)
        received = packets(run, name)

        wait_until(lambda: observer.calls[call].state == CallState.ENDED, "ended", END_S)
        assert END_S - 1 <= time.monotonic() - gone <= END_S + BEAT_LOST_S + LATE_S
        assert observer.calls[call].outcome == Outcome.UNSUPERVISED
        assert packets(run, name) == received, "nothing flows in the pause"
        assert run.chain.audit()["intact"]


def test_a_console_that_nobody_uses_does_not_count_and_a_key_makes_it_count_again(tmp_path: Path) -> None:
    with running_server(tmp_path, establishment()) as server:
        officer = Console(server)
        with Laptop(server) as laptop, officer, Peer(server, "family-token-BWI-1"):
            opened = laptop.next(OpenCall)
            laptop.legs_connected("BWI-1")
            officer.call("BWI-1", lambda c: any(leg.connected and leg.leg != "room" for leg in c.legs))
            command = officer.command(Admit("family-1"))
            officer.send(command)
            laptop.confirm(OrderAct.ADMIT)
            officer.call("BWI-1", lambda c: c.state == CallState.LIVE)
            unused_ms = 11 * 60 * 1000
            deadline = time.monotonic() + ALARM_S + BEAT_LOST_S + LATE_S
            while not any(isinstance(m, SupervisionChanged) and not m.supervised for m in officer.seen):
                assert time.monotonic() < deadline, "an unused console still counts"
                officer.send(Beat("", False, unused_ms))
                laptop.lease("BWI-1", opened.epoch)
                _receive_for(officer, 0.5)
            officer.send(Beat("", False, 0))
            officer.next(SupervisionChanged, lambda m: m.supervised)


def _receive_for(console: Console, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            console.next(SupervisionChanged, seconds=left)
        except TimeoutError:
            return


def test_a_hook_that_cannot_be_started_is_said_at_the_start(tmp_path: Path) -> None:
    command = sightline("server", "--data", tmp_path / "data", "--alarm-hook", tmp_path / "none")
    run = subprocess.run(command, capture_output=True, text=True, env=child_environment())
    assert run.returncode == 1 and "--alarm-hook" in run.stderr and run.stderr.count("\n") == 1
