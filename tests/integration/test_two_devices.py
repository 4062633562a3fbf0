"""A family with two devices on the whole chain: the officer admits each by keys, and a killed agent lets nobody
in by itself."""

import threading
from collections.abc import Iterator

import pytest

from demo.chain import Chain
from demo.establishment import Plan
from demo.headless import Run, running

FLOWS = 50
"""Packets from each other leg that show that media flow."""


@pytest.fixture
def run() -> Iterator[Run]:
    with running(Chain(1, second_device_at=1, decode=False)) as one:
        yield one


def of_legs(run: Run, name: str) -> dict[str, int]:
    report = run.chain.callers.report()[name]["of_legs"]
    return {leg: sum(got["packets"].values()) for leg, got in report.items()}


def everybody_gets_everybody(run: Run, names: list[str]) -> bool:
    before = {name: of_legs(run, name) for name in names}

    def all_grow(_: object) -> bool:
        now = {name: of_legs(run, name) for name in names}
        grown = [got >= before[name].get(leg, 0) + FLOWS for name in names for leg, got in now[name].items()]
        return all(len(now[name]) == 2 for name in names) and all(grown)

    return run.terminal.wait_for(all_grow, 20)


def test_both_devices_are_admitted_by_keys_and_again_after_the_agent_was_killed(run: Run) -> None:
    plan = run.chain.plan
    seat, surname = next(iter(plan.seats.items()))
    room, first, second = plan.peers_of(plan.call_at(seat))
    run.officer.admit(seat, surname)
    assert run.terminal.wait_for(lambda _: sum(of_legs(run, room).values()) > FLOWS, 20)
    assert len(of_legs(run, room)) == 1 and not (of_legs(run, first) and of_legs(run, second)), "one is admitted"
    run.officer.admit(seat, surname)
    assert everybody_gets_everybody(run, [room, first, second]), "\n".join(run.terminal.text())

    run.chain.laptops[plan.laptops[0].id].kill()
    run.chain.start_laptop(plan.laptops[0].id, plan.laptops[0].token)
    # WAITING shows that the devices have come back; nothing may flow until the keys are pressed again.
    assert run.terminal.wait_for(lambda t: t.shows("WAITING"), 20)
    before = {name: sum(of_legs(run, name).values()) for name in (room, first, second)}
    assert not run.terminal.wait_for(
        lambda _: any(sum(of_legs(run, name).values()) > before[name] for name in before), 1.0
    )
    run.officer.admit(seat, surname)
    run.officer.admit(seat, surname)
    assert everybody_gets_everybody(run, [room, first, second]), "\n".join(run.terminal.text())


def test_a_device_that_is_late_is_admitted_though_a_caller_waits_at_another_seat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F3 leads to whoever has waited longest when nobody waits at the chosen seat."""
    every = Plan.peers_as_json
    monkeypatch.setattr(
        Plan, "peers_as_json", lambda self: [peer for peer in every(self) if not peer["name"].endswith("/family-2")]
    )
    with running(Chain(2, second_device_at=1, decode=False)) as run:
        seat, surname = next(iter(run.chain.plan.seats.items()))
        late = [peer for peer in every(run.chain.plan) if peer["name"].endswith("/family-2")]
        run.officer.admit(seat, surname)
        timer = threading.Timer(2, lambda: run.chain.callers.say(do="add", plan=late))
        timer.start()
        done = run.officer.admit(seat, surname)
        timer.join()
        assert "confirmed by laptop" in done.words
        room, first, second = run.chain.plan.peers_of(run.chain.plan.call_at(seat))
        assert everybody_gets_everybody(run, [room, first, second])
