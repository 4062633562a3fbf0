"""All acts from the wall on a real call: keys in a pseudo-terminal, and what the people at both ends get of them."""

import time
from collections.abc import Iterator

import pytest

from demo.chain import Chain
from demo.headless import Run, running
from demo.officer import F3, F12, Done
from demo.wall import ShownWatcher, wait
from tests.server_rig import wait_until

FLIGHT_S = 0.5


@pytest.fixture
def one_call() -> Iterator[Run]:
    with running(Chain(1)) as run:
        yield run


class Live:
    """The call at the only seat, its peers, and the officer's keys."""

    def __init__(self, run: Run) -> None:
        self.run = run
        plan = run.chain.plan
        ((self.seat, self.surname),) = plan.seats.items()
        self.family, self.room = (plan.peer_at(self.seat, side) for side in "FR")

    def act(self, keys: str, name: str) -> Done:
        """All but the last of `keys`, then the last one until the message row says what came of it."""
        for key in keys[:-1]:
            self.run.terminal.press(key)
        return self.run.officer._act(keys[-1], self.seat, name)

    def sees(self, pattern: str, seconds: float = 10) -> None:
        assert wait(self.run.terminal, ShownWatcher(pattern), seconds), "\n".join([pattern, *self.run.terminal.text()])

    def packets(self, name: str, kind: str) -> int:
        return self.run.chain.callers.report()[name]["packets"][kind]

    def flows(self, name: str, kind: str) -> None:
        before = self.packets(name, kind)
        wait_until(lambda: self.packets(name, kind) > before + 10, f"{kind} to {name} flows")

    def stands_still(self, name: str, kind: str) -> None:
        """Not one packet more than what was under way."""
        time.sleep(FLIGHT_S)
        before = self.packets(name, kind)
        time.sleep(1.0)
        assert self.packets(name, kind) == before, f"{kind} to {name} goes on"

    def told(self, name: str, words: str) -> None:
        callers = self.run.chain.callers
        found = [e for e in callers.events if e.get("event") == "state" and e["peer"] == name and words in e["words"]]
        assert found, f"{name} was not told: {words}"


def test_every_act_reaches_the_people_at_both_ends(one_call: Run) -> None:
    live = Live(one_call)
    terminal = one_call.terminal
    one_call.officer.admit(live.seat, live.surname)
    live.flows(live.room, "audio")

    terminal.press("N1")
    live.sees("Notice: read by [^·]*family-1 [0-9.]+ s")
    live.told(live.family, "Please hold the device level.")
    terminal.press("Wf3")
    live.sees("Warning: read by family-1 [0-9.]+ s")
    live.told(live.family, "stay in view. This is warning 1.")

    assert "confirmed by laptop" in live.act("Vfs", "One side").words
    live.stands_still(live.room, "audio")
    live.flows(live.room, "video")
    live.flows(live.family, "audio")
    live.sees("FAMILY SOUND OFF")
    live.told(live.family, "turned your sound off")
    live.act("Vfs", "One side")
    live.flows(live.room, "audio")

    assert "confirmed by laptop" in live.act("P", "Pause").words
    live.sees(f"PAUSED seat {live.seat:02d} {live.surname}")
    terminal.press("5")
    live.sees("URGENT .*paused: filming")
    for name in (live.family, live.room):
        live.stands_still(name, "video")
        live.told(name, "Filming and screenshots are not allowed.")
    live.act("Rf", "Resume")
    for name in (live.family, live.room):
        live.flows(name, "video")

    live.act("I", "I have the watch")
    live.sees("On watch: .* [(]you[)] 01")
    terminal.press(F12 + "m")
    live.sees("URGENT HELP: medical")
    terminal.press(F12 + "d")
    over = terminal.wait_for(lambda t: not t.shows("URGENT HELP: medical"), 10)
    assert over, "\n".join(terminal.text())

    live.act("+1w", "More time")
    assert "confirmed by laptop" in live.act("XrX", "End").words
    for name in (live.family, live.room):
        live.stands_still(name, "video")
        live.stands_still(name, "audio")


def test_a_caller_who_is_refused_is_never_seen(one_call: Run) -> None:
    live = Live(one_call)
    live.sees("WAITING", 30)
    one_call.terminal.press(F3 + "X" + "p")
    live.sees("Refuse: confirmed by laptop [^·]*read by family-1")
    wait_until(
        lambda: any("quiet, private place" in e.get("words", "") for e in one_call.chain.callers.events), "told why"
    )
    time.sleep(3)
    assert not one_call.terminal.shows("WAITING"), "they do not come back at once"
    assert live.packets(live.room, "video") == live.packets(live.room, "audio") == 0
