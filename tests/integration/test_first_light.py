"""The whole chain on real parts: server, laptop agents, WebRTC clients, and the console in a pseudo-terminal."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.chain import Chain
from demo.headless import Run, running
from demo.processes import child_environment, free_port, sightline
from tests.server_rig import wait_until

LEASE_S = 5.0
SILENT_S = 2.0


@pytest.fixture
def two_calls() -> Iterator[Run]:
    with running(Chain(2)) as run:
        yield run


def packets(run: Run, name: str) -> int:
    return sum(run.chain.callers.report()[name]["packets"].values())


def wait_until_silent(run: Run, name: str, within_s: float) -> float:
    """When the last packet came (CLOCK_MONOTONIC, s); fails when packets still come after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        last = run.chain.callers.report()[name]["last_at"]
        if time.monotonic() - last > SILENT_S:
            return last
        assert time.monotonic() < deadline, f"{name} still receives media"
        time.sleep(0.1)


def test_nothing_flows_before_admission_and_both_ways_after_it(two_calls: Run) -> None:
    run, plan = two_calls, two_calls.chain.plan
    first, second = plan.seats
    done = run.officer.admit(first, plan.seats[first])
    deadline = time.monotonic() + 10
    while any(packets(run, name) < 100 for name in plan.peers_of(plan.call_at(first))):
        assert time.monotonic() < deadline, "the admitted call carries nothing"
        time.sleep(0.1)
    while any(run.chain.callers.report()[name]["sent"]["video"] <= 50 for name in plan.peers_of(plan.call_at(second))):
        assert time.monotonic() < deadline, "the caller must send, or its silence would prove nothing"
        time.sleep(0.1)
    report = run.chain.callers.report()
    for name in plan.peers_of(plan.call_at(first)):
        assert report[name]["first_at"] > done.pressed_at
        assert report[name]["packets"]["audio"] and report[name]["packets"]["video"]
        assert report[name]["frames_decoded"] > 0
    for name in plan.peers_of(plan.call_at(second)):
        assert sum(report[name]["packets"].values()) == 0


LOADED = """
import atexit, json, pathlib, sys
file = pathlib.Path(sys.argv.pop(1))
names = lambda: sorted({name.partition(".")[0] for name in sys.modules})
atexit.register(lambda: file.write_text(json.dumps(names())))
from cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""`sightline`, which says at its end what is in its sys.modules."""


def test_no_part_has_loaded_anothers_libraries_when_a_call_was_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(part: str, *arguments: object) -> list[str]:
        return [sys.executable, "-c", LOADED, str(tmp_path / part), part, *map(str, arguments)]

    monkeypatch.setattr("demo.chain.sightline", command)
    with running(Chain(1)) as run:
        ((seat, surname),) = run.chain.plan.seats.items()
        run.officer.admit(seat, surname)
        assert run.terminal.wait_for(lambda _: packets(run, run.chain.plan.peer_at(seat, "F")) > 50, 10)
        run.officer.flag(seat, surname)
        run.officer.end(seat, surname)
        monkeypatch.undo()
    own = {"server": "sqlalchemy", "laptop": "aiortc", "console": "textual"}
    others = {
        "server": {"textual", "aiortc", "av", "laptop", "console"},
        "laptop": {"textual", "sqlalchemy", "server", "console"},
        "console": {"av", "aiortc", "sqlalchemy", "server", "laptop"},
    }
    for part, library in own.items():
        loaded = set(json.loads((tmp_path / part).read_text()))
        assert library in loaded
        assert not loaded & others[part], part


def test_killing_the_agent_silences_the_far_peers_and_the_wall_says_so(two_calls: Run) -> None:
    run, plan = two_calls, two_calls.chain.plan
    seat, surname = next(iter(plan.seats.items()))
    run.officer.admit(seat, surname)
    name = plan.peers_of(plan.call_at(seat))[0]
    assert run.terminal.wait_for(lambda _: packets(run, name) > 50, 10)
    laptop = run.chain.laptops[plan.laptops[0].id]
    killed_at = time.monotonic()
    laptop.kill()
    assert wait_until_silent(run, name, 5) < killed_at + 0.5
    assert run.terminal.wait_for(lambda t: t.shows("LAPTOP LOST"), 15), run.terminal.text()
    # No word of the laptop can come: what confirms the end is that its lease has run out.
    confirmed = run.officer.end(seat, surname).words
    assert "its lease has run out" in confirmed and "by laptop" not in confirmed
    assert time.monotonic() - killed_at > LEASE_S - 1


def test_a_server_that_hangs_takes_the_lease_with_it(two_calls: Run) -> None:
    run, plan = two_calls, two_calls.chain.plan
    seat, surname = next(iter(plan.seats.items()))
    run.officer.admit(seat, surname)
    name = plan.peers_of(plan.call_at(seat))[0]
    assert run.terminal.wait_for(lambda _: packets(run, name) > 50, 10)
    stopped_at = time.monotonic()
    os.kill(run.chain.server.process.pid, signal.SIGSTOP)
    try:
        assert run.terminal.wait_for(lambda t: t.shows("LINK LOST"), 3.5), run.terminal.text()
        last = wait_until_silent(run, name, LEASE_S + 3)
        assert last <= stopped_at + LEASE_S + 0.5
    finally:
        os.kill(run.chain.server.process.pid, signal.SIGCONT)
    silent = packets(run, name)
    assert run.terminal.wait_for(lambda _: packets(run, name) > silent + 50, 15), "it did not come back by itself"
    assert run.terminal.wait_for(lambda t: not t.shows("LINK LOST"), 10)


def demo_process(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        sightline("demo", "--headless", *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment() | environment,
        start_new_session=True,
    )


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def wait_for_children(process: subprocess.Popen[str], count: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 15
    while len(found := descendants(process.pid)) < count:
        assert process.poll() is None and time.monotonic() < deadline, "the demo did not start its parts"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_the_demo_ends_no_process_is_left(how: signal.Signals, tmp_path: Path) -> None:
    process = demo_process("--calls", 2, "--seconds", 60, "--data", tmp_path / "data")
    parts = wait_for_children(process, 5)
    wait_until((tmp_path / "data" / "server" / "console.sock").exists, "the server listens")
    process.send_signal(how)
    process.communicate(timeout=15)
    _, alive = psutil.wait_procs(parts, timeout=8)
    assert not alive, [p.cmdline() for p in alive]
    # No lock is left: a server can use the same folder at once.
    again = subprocess.Popen(
        sightline("server", "--data", tmp_path / "data" / "server", "--port", free_port()),
        stderr=subprocess.PIPE, text=True, env=child_environment(),
    )  # fmt: skip
    try:
        assert again.stderr is not None
        assert "listening" in again.stderr.readline()
    finally:
        again.terminate()
        again.communicate(timeout=10)


def test_a_part_that_crashes_ends_the_demo_with_its_name(tmp_path: Path) -> None:
    process = demo_process("--calls", 2, "--seconds", 60, "--data", tmp_path / "data")
    parts = wait_for_children(process, 5)
    victim = next(p for p in parts if "server" in p.cmdline())  # a laptop's agent would be started again
    victim.kill()
    _, errors = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "has stopped" in errors and "Traceback" not in errors
    _, alive = psutil.wait_procs(parts, timeout=8)
    assert not alive


def sentence(process: subprocess.Popen[str]) -> str:
    """What a part that can't start says: one sentence, no traceback, exit status 1."""
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1, errors
    assert "Traceback" not in errors
    lines = [line for line in errors.strip().splitlines() if line]
    assert len(lines) == 1, errors
    return lines[0]


def test_a_port_in_use_is_said_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in sentence(demo_process("--calls", 1, "--seconds", 5, "--port", port))


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    said = sentence(demo_process("--calls", 1, "--seconds", 5, "--data", tmp_path / "file"))
    assert str(tmp_path / "file") in said and "--data" in said


def test_a_folder_with_an_earlier_demo_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Its calls have other secrets: the new callers would not be let in to them."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "sightline.db").touch()
    said = sentence(demo_process("--calls", 1, "--seconds", 5, "--data", tmp_path))
    assert "earlier demo" in said and "--data" in said


@pytest.mark.parametrize(("option", "value"), [("--calls", 0), ("--calls", 37), ("--seconds", 1)])
def test_a_number_out_of_range_is_said_in_one_sentence(option: str, value: int) -> None:
    assert option in sentence(demo_process(option, value))


def test_the_headless_demo_reports_what_it_measured(tmp_path: Path) -> None:

    report_file, picture = tmp_path / "out.json", tmp_path / "wall.svg"
    process = demo_process("--calls", 4, "--seconds", 8, "--report", report_file, "--picture", picture)
    output, errors = process.communicate(timeout=90)
    assert process.returncode == 0, output + errors
    report = json.loads(report_file.read_text())
    assert report["calls"] == report["live"] == 4
    assert report["levels_hz"]["min"] >= 9
    assert report["pictures_fps"]["min"] >= 0.7
    assert report["level_delay_ms"]["n"] >= 5 and report["level_delay_ms"]["missed"] == 0
    assert report["extend"] == {"accepted": True, "seconds_added": 300}
    assert report["end"]["n"] == 1
    assert report["incident"]["id"].startswith("INC-")
    assert report["audit_entries"] > 8
    assert report["recorded_seconds"]["min"] > 5
    assert report["peers"]["packets_before_admission"] == 0
    assert report["peers"]["frames_decoded"] > 500
    assert set(report["cpu_cores"]) >= {"server", "laptop_per_call", "console"}
    assert picture.read_text().startswith("<svg")
