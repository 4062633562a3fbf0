"""An agent that hangs is ended from outside, the far peers go silent, and the next agent tells of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from demo.chain import Chain
from demo.headless import running
from demo.processes import child_environment, sightline
from laptop.guarded import HUNG_S, hung_before
from laptop.watchdog import __file__ as program
from server.recordings.opening import open_call
from tests.server_rig import wait_until

from .test_review_chain import audit


def guarded(notes: Path, hung_s: float) -> tuple[subprocess.Popen[bytes], int]:
    """A process with a watchdog that is its child, as the agent's is; and where its beats are to be written."""
    beats, ours = os.pipe()
    # exec keeps the process's number, so that it can be said on the command line before.
    start = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, '-I', '-S', sys.argv[1], str(os.getpid()), "
        "sys.argv[2], sys.argv[3]], stdin=0); os.close(0); os.execvp('sleep', ['sleep', '60'])"
    )
    process = subprocess.Popen([sys.executable, "-c", start, program, str(hung_s), str(notes)], stdin=beats)
    os.close(beats)
    return process, ours


def test_who_beats_lives_and_who_stops_is_killed_and_noted(tmp_path: Path) -> None:
    hung_s = 1.0
    process, beats = guarded(tmp_path / "hung.log", hung_s)
    try:
        last = time.monotonic()
        until = last + 2.5 * hung_s
        while time.monotonic() < until:
            time.sleep(hung_s / 5)
            assert process.poll() is None
            last = time.monotonic()
            os.write(beats, b".")
        process.send_signal(signal.SIGSTOP)
        assert process.wait(20) == -signal.SIGKILL
        assert time.monotonic() - last >= hung_s * 0.9
        wait_until(lambda: hung_before(tmp_path)[0] == 1, "the killing is noted", 5)
        assert abs(hung_before(tmp_path)[1] / 1000 - time.time()) < 30
    finally:
        os.close(beats)
        process.kill()
        process.wait()


def test_when_the_agent_ends_the_watchdog_ends_without_a_note(tmp_path: Path) -> None:
    process, beats = guarded(tmp_path / "hung.log", 30)
    watchers: list[psutil.Process] = []
    wait_until(lambda: bool(watchers.extend(psutil.Process(process.pid).children()) or watchers), "it is watched")
    process.kill()
    process.wait()
    os.close(beats)  # with the agent's end its end of the pipe closes
    psutil.wait_procs(watchers, 10)
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in watchers)
    assert hung_before(tmp_path) == (0, 0)


@pytest.mark.parametrize("text", [b"", b"nonsense\n", b"\xff\xfe\x00"])
def test_notes_that_cannot_be_read_are_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "hung.log").write_bytes(text)
    assert hung_before(tmp_path)[1] == 0


def test_a_stopped_agent_is_killed_comes_back_and_an_officer_lets_the_call_go_on() -> None:
    """Its far peer is silent meanwhile, the next agent tells of it and hands over what the one before it recorded."""
    with running(Chain(1)) as run:
        plan = run.chain.plan
        seat, surname = next(iter(plan.seats.items()))
        run.officer.admit(seat, surname)
        name = plan.peers_of(plan.call_at(seat))[0]
        assert run.terminal.wait_for(lambda _: sum(run.chain.callers.report()[name]["packets"].values()) > 50, 10)
        laptop = plan.laptops[0]
        agent = run.chain.laptops[laptop.id]
        watchers = psutil.Process(agent.process.pid).children()
        assert len(watchers) == 1
        agent.process.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        assert agent.process.wait(HUNG_S + 20) == -signal.SIGKILL
        assert run.chain.callers.report()[name]["last_at"] < stopped_at + 0.5
        wait_until(lambda: hung_before(run.chain.data / laptop.id)[0] == 1, "the killing is noted", 5)
        assert "was killed" in agent.last_words()
        # The demo starts it again, as a service manager would; nothing flows before an officer has admitted anew.
        assert run.terminal.wait_for(lambda t: t.shows("caller waiting for admission"), 20), "the laptop is back"
        assert run.chain.restarts[laptop.id] == 1 and run.chain.laptops[laptop.id] is not agent
        silent = run.chain.callers.report()[name]["last_at"]
        assert silent < stopped_at + 0.5
        run.officer.admit(seat, surname)
        assert run.terminal.wait_for(lambda _: run.chain.callers.report()[name]["last_at"] > silent + 1, 10)
        run.end(seat)
        folder = run.chain.data / laptop.id / "recordings"
        wait_until(lambda: not [*folder.rglob("*.rec")], "both parts are handed over", 20)
        first, second = open_call(run.chain.recordings()[0], run.chain.evidence_key())
        assert (first.end, second.end) == ("interrupted", "ended")
        assert first.signed and second.signed and not first.broken and not second.broken
        assert first.begin and second.begin
        assert first.begin.wrapped == second.begin.wrapped, "a key a call"
        assert (first.begin.step, second.begin.step) == (0, 1)
        assert [action for _, action, _, _ in audit(run)].count("recording_verified") == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be the first process of a namespace")
def test_an_agent_that_its_watchdog_could_not_kill_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("laptop-token-123456")
    agent = sightline(
        "laptop", "--establishment", "BWI", "--id", "BWI-01", "--token-file", tmp_path / "token", "--data", tmp_path
    )
    run = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", *agent], capture_output=True, text=True, env=child_environment(),
        timeout=30, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "laptop: no watchdog can be started (nobody in a container can end its first process" in run.stderr


def test_a_watchdog_that_is_lost_is_replaced() -> None:
    with running(Chain(1)) as run:
        agent = psutil.Process(next(iter(run.chain.laptops.values())).process.pid)
        wait_until(lambda: len(agent.children()) == 1, "it is watched")
        first = agent.children()[0]
        first.kill()
        wait_until(lambda: any(c.pid != first.pid for c in agent.children()), "another watchdog is there")
        assert agent.is_running()
