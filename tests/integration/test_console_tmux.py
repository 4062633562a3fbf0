"""Every act as a person does it in a real tmux, from the wall and in focus, until it is confirmed on the screen."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from console.actions import ACTIONS, Danger
from schemas.attention import Acknowledge, Shelve, Watchers, WatcherView
from schemas.call import CallState, CallView, LegView, Role
from schemas.console import (
    Admit,
    Command,
    CommandAnswer,
    End,
    Extend,
    Flag,
    Notice,
    OneSide,
    Pause,
    Refuse,
    Resume,
    UrgentHelp,
    Warn,
    Watch,
)

from .test_console_server import Server, call_view, seat_view, serving, utc_ms
from .test_console_terminal import console_command
from .tmux_rig import Tmux, tmux

LEGS = [LegView("room", True, True), LegView("family-1", True, True), LegView("family-2", True, False)]
ACTS: dict[str, tuple[tuple[str, ...], type]] = {
    # the keys, and what then goes to the server; acts that end or change the call's state stand last
    "flag": (("f", "r", "Enter"), Flag),
    "ok-seen": (("o",), Acknowledge),
    "shelve": (("z", "k"), Shelve),
    "notice": (("N", "1"), Notice),
    "warn": (("W", "3"), Warn),
    "one-side": (("V", "f", "s"), OneSide),
    "extend": (("+", "1", "t"), Extend),
    "have": (("I",), Watch),
    "yield": (("Y", "1"), Watch),
    "urgent-help": (("F12", "m"), UrgentHelp),
    "admit": (("F3", "A", "A"), Admit),
    "refuse": (("F3", "X", "i"), Refuse),
    "pause": (("P",), Pause),
    "resume": (("R", "c"), Resume),
    "end": (("X", "p", "X"), End),
}
NAMES = {action.id: action.name for action in ACTIONS}
THE_SAME = {"admit-named": "admit", "tick": "admit"}
"""Steps of one act that have a line of their own in the table."""


def test_every_act_of_the_table_is_tried() -> None:
    acts = {a.id for a in ACTIONS if set(a.screens) & set("WFA") and a.danger >= Danger.RECORDED}
    assert {THE_SAME.get(act, act) for act in acts} == set(ACTS)


def form(version: int, **changes: Any) -> CallView:
    now = utc_ms()
    fields: dict[str, Any] = {"legs": LEGS, "version": version, "watch": "R. Hughes"}
    fields |= {"ends_at_ms": now + 240_000, "latest_end_ms": now + 3_600_000}
    return call_view(7, f"HARRIS{version}", **fields | changes)


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Server, Tmux]]:
    permissions = [
        "view",
        "watch",
        "admit",
        "refuse",
        "notice",
        "warn",
        "pause",
        "resume",
        "one_side",
        "extend",
        "end",
        "flag",
        "urgent_help",
    ]
    seats = [seat_view(6), seat_view(7)]
    with (
        serving(folder, seats=seats, calls=[form(3)], permissions=permissions) as server,
        tmux(folder, console_command(server)) as window,
    ):
        window.see("07 HARRIS")
        colleague = WatcherView("other", "J. Patel", Role.OFFICER, "", False, False, True)
        server.send(Watchers([colleague]))
        window.press("0", "7")
        window.see("╔ 07 HARRIS")
        yield server, window


@pytest.mark.parametrize("where", ["wall", "focus"])
def test_every_act_is_done_in_tmux(tmp_path: Path, where: str) -> None:
    with watched(tmp_path) as (server, window):
        if where == "focus":
            window.press("Enter")
            window.see("─ FAMILY ·")
        version = 3
        for act, (keys, kind) in ACTS.items():
            version = ready(server, window, act, version)
            before = len(sent(server, kind))
            assert len(keys) <= 3
            for key in keys:
                window.press(key)
            message = arrived(server, window, kind, before, act)
            assert message.call_id == "call-7"
            if isinstance(message, Command):
                window.see("pending")
                server.send(CommandAnswer(message.command_id, True, None, "Done."))
                window.gone("pending")
                words = "done, not read yet" if kind in (Notice, Warn) else "confirmed by the server"
                window.see(f" {NAMES[act]}: {words}")
            if act == "pause":
                window.press("1")
                arrived(server, window, kind, before + 1, "the pause's reason")
        assert window.text()[0].strip(), "the screen is whole"


def ready(server: Server, window: Tmux, act: str, version: int) -> int:
    """The call as this act needs it; its version stands in its name, so that one sees when it has come."""
    changes: dict[str, dict[str, Any]] = {
        "have": {"watch": ""},
        "yield": {},
        "resume": {"state": CallState.PAUSED, "paused_at_ms": utc_ms(), "paused_why": "filming"},
        "end": {},
    }
    if act not in changes:
        return version
    server.change(form(version + 1, **changes[act]))
    window.see(f"07 HARRIS{version + 1}")
    return version + 1


def sent(server: Server, kind: type) -> list[Any]:
    if kind in (Acknowledge, Shelve):
        return server.got(kind)
    return [command for command in server.got(Command) if isinstance(command.act, kind)]


def arrived(server: Server, window: Tmux, kind: type, before: int, act: str) -> Any:
    deadline = time.monotonic() + 10
    while len(found := sent(server, kind)) <= before:
        assert time.monotonic() < deadline, "\n".join([f"{act}: no {kind.__name__} came", *window.text()])
        time.sleep(0.01)
    return found[before]


def test_quitting_gives_the_window_back(tmp_path: Path) -> None:
    with watched(tmp_path) as (_, window):
        window.press("Escape")
        window.press("C-q")
        deadline = time.monotonic() + 5
        while not window.ended():
            assert time.monotonic() < deadline
            time.sleep(0.02)
