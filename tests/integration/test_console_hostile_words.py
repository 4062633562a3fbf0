"""Every word that comes over the link is hostile, on every screen: none of it reaches the terminal as it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from demo.officer import F3
from demo.terminal import Terminal
from schemas.attention import CallMarks, Cause, Mark, Watchers, WatcherView
from schemas.call import CallerView, CallState, LegView, Refusal, Role
from schemas.console import Command, CommandAnswer, CommandDone
from schemas.incident import EvidenceOutcome, Happened, IncidentState, Viewed
from schemas.media import RecordingState
from schemas.review import ReviewEvidenceDone, ReviewOpen, ReviewOpened, Reviews
from server.rules.permissions import EVERY_ACT, REVIEW, VIEW

from .test_console_reviews import incident
from .test_console_server import Server, call_view, health, seat_view, serving, utc_ms
from .test_console_terminal import console_command, see

NAME, WORDS = 200, 500
EVIL = "EV\x1b[2J\x1b]0;owned\x07\x1b[31m\x9b2J\u202e\u2066\u200bIL\r\n\x1bP1$q\x1b\\\x00"
TRACES = tuple(map(str.encode, ("owned", "\u202e", "\u2066", "\u200b", "\x9b2J", "\x1bP1$q", "\x00")))
"""What would be in the output if some of it came through: no screen of ours sends any of these."""
IDENTITIES = {"call_id", "leg", "laptop_id", "session", "review_id", "command_id", "reference", "age_group"}
SIZES = [(200, 60), (120, 40), (80, 24)]


def evil(length: int) -> str:
    return (EVIL * length)[:length]


def poisoned(message: Any) -> Any:
    """The message with its free words hostile and as long as the wire lets them be."""
    if isinstance(message, list):
        return [poisoned(item) for item in message]
    if not isinstance(message, msgspec.Struct):
        return message
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(message):
        value = getattr(message, field.name)
        if isinstance(value, str) and not isinstance(value, Enum) and field.name not in IDENTITIES:
            fields[field.name] = evil(max(part.max_length or 0 for part in _limits(field.type)))
        else:
            fields[field.name] = poisoned(value)
    return type(message)(**fields)


def _limits(of: Any) -> Iterator[msgspec.Meta]:
    found = [part for part in getattr(of, "__metadata__", ()) if isinstance(part, msgspec.Meta)]
    assert found, f"{of} has no limit"
    yield from found


def test_a_poisoned_message_is_as_long_as_it_may_be() -> None:
    call = poisoned(call_view(1))
    assert len(call.surname) == NAME and len(call.said) == WORDS and call.call_id == "call-1"
    assert call.callers[0].name.startswith("EV\x1b[2J")


@contextmanager
def tapped(server: Server, folder: Path, columns: int, rows: int) -> Iterator[tuple[Terminal, Path]]:
    """A console, and the file that gets every byte of its output."""
    raw = folder / "raw"
    descriptor = os.open(raw, os.O_WRONLY | os.O_CREAT)
    terminal = Terminal(columns, rows, copy_to=descriptor)
    part = terminal.start(console_command(server), folder / "err")
    try:
        yield terminal, raw
        terminal.press("\x03")
        assert part.process.wait(10) == 0
        terminal.drain()
    finally:
        if part.process.poll() is None:
            part.process.kill()
            part.process.wait()
        terminal.close()
        os.close(descriptor)
    assert (folder / "err").read_text() == ""


def clean(terminal: Terminal, raw: Path, first: str = " ") -> None:
    """Nothing came through, and what stands at the screen's top is still there."""
    lines = terminal.text()
    assert lines[0].startswith(first), lines[0]
    assert not any(ord(character) < 32 for line in lines for character in line)
    found = [trace for trace in TRACES if trace in raw.read_bytes()]
    assert not found


def scene() -> list[Any]:
    legs = [
        LegView("room", True, True, "x"),
        LegView("family-1", True, True, "x"),
        LegView("family-2", True, False, "x"),
    ]
    callers = [CallerView("x", "x", "adult", "family-1"), CallerView("x", "x", "child", "family-2")]
    more: dict[str, Any] = {"callers": callers, "legs": legs, "watch": "x", "looked_by": "x", "help_by": "x"}
    now = utc_ms()
    calls = [
        call_view(1, **more),
        call_view(2, state=CallState.PAUSED, paused_at_ms=now, **more),
        call_view(3, state=CallState.WAITING, **more | {"help": "x", "help_at_ms": now}),
        call_view(4, state=CallState.ENDED, ended_at_ms=now, **more),
        call_view(5, laptop_online=False, **more),
    ]
    # Empty means "none" for these, and would be told otherwise at every call.
    none = {"help": "", "copy_words": "", "watch_offered_to": ""}
    return [msgspec.structs.replace(poisoned(call), **(none if call.seat != 3 else {})) for call in calls]


def answer_all(server: Server, count: int) -> None:
    """Each command is refused or taken, in hostile words."""
    for command in server.wait_for(Command, count)[count - 1 :]:
        refusal = None if count % 2 else Refusal.WRONG_STATE
        answer = poisoned(CommandAnswer(command.command_id, refusal is None, refusal, "x", "INC-1", refusal is None))
        server.send(answer, poisoned(CommandDone(command.command_id, True, "x", 80)))


WALK = {
    # what is pressed, and what shows only then; Esc leads back to the wall
    "?": "KEYS OF THE WALL",
    "\x10": "Search for",
    "f": "FLAG seat 01",
    "+": "MORE TIME seat 01",
    "X": "END seat 01",
    "N": "NOTICE seat 01",
    "W": "WARN",
    "V": "ONE SIDE",
    F3: "ADMIT seat",
}


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_hostile_words_on_the_wall_and_in_its_panels(tmp_path: Path, columns: int, rows: int) -> None:
    calls = scene()
    about = {"seats": [poisoned(seat_view(n, next_call="x")) for n in range(1, 7)], "calls": calls}
    media = [poisoned(health(call, RecordingState.FAILED, "x")) for call in calls[2:]]
    with (
        serving(tmp_path, staff_name=evil(NAME), permissions=[VIEW, *EVERY_ACT], media=media, **about) as server,
        tapped(server, tmp_path, columns, rows) as (terminal, raw),
    ):
        see(terminal, "01 EVIL")
        colleague = WatcherView("other", "x", Role.OFFICER, "call-2", True, True, True)
        server.send(
            poisoned(Watchers([colleague])), poisoned(CallMarks("call-2", [Mark(Cause.PAUSED, 0, "x", 1, 0, "x")]))
        )
        terminal.press("01")
        for keys, shown in WALK.items():
            terminal.press(keys)
            see(terminal, shown)
            clean(terminal, raw)
            terminal.press("\x1b")
            assert terminal.wait_for(lambda t, words=shown: not t.shows(words), 10)
        for count, (keys, said) in enumerate([("P", "Pause"), ("+1w", "More time"), ("feEVIL\x1b[201~\r", "Flag")], 1):
            terminal.press(keys)
            answer_all(server, count)
            see(terminal, f"{said}: ")
            assert terminal.wait_for(lambda t: not t.shows("pending"), 10)
            clean(terminal, raw, " BWI Berwyn" if columns < 120 else " SIGHTLINE  BWI Berwyn")
        terminal.press("\r")
        see(terminal, "FAMILY")
        assert terminal.wait_for(lambda t: t.shows("EVIL"), 10)
        clean(terminal, raw)
        terminal.press("q")
        see(terminal, "WAITING")
        clean(terminal, raw)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_hostile_words_in_the_governors_list_and_review(tmp_path: Path, columns: int, rows: int) -> None:
    now_ms = utc_ms()
    shown = poisoned(incident(3, now_ms, state=IncidentState.NEEDS_UPDATING))
    with (
        serving(tmp_path, staff_name=evil(NAME), role=Role.GOVERNOR, permissions=[VIEW, REVIEW]) as server,
        tapped(server, tmp_path, columns, rows) as (terminal, raw),
    ):
        see(terminal, "BWI Berwyn")
        server.send(Reviews([shown]))
        see(terminal, shown.reference)
        clean(terminal, raw)
        terminal.press("\r")
        see(terminal, "OPEN")
        terminal.press("1")
        opening = server.wait_for(ReviewOpen)[-1]
        happened = [poisoned(Happened(now_ms, "x", "x", "x", True))]
        viewed = [poisoned(Viewed(now_ms, "x", "x"))]
        server.send(
            ReviewOpened(opening.review_id, shown, now_ms, -30_000, 30_000, happened, viewed),
            poisoned(ReviewEvidenceDone(opening.review_id, EvidenceOutcome.FAILED, "x", 30_000, [])),
        )
        see(terminal, f"REVIEW {shown.reference}")
        clean(terminal, raw)
        for key, panel in (("e", "FINDING INC"), ("D", "DECIDE INC")):
            terminal.press(key)
            see(terminal, panel)
            clean(terminal, raw)
            terminal.press("\x1b")
            assert terminal.wait_for(lambda t, words=panel: not t.shows(words), 10)


def test_a_refusal_in_hostile_words_is_one_sentence(tmp_path: Path) -> None:
    with serving(tmp_path, close_with=(4003, evil(60))) as server:
        terminal = Terminal(100, 30)
        part = terminal.start(console_command(server), tmp_path / "err")
        assert part.process.wait(10) == 1
        terminal.close()
    said = (tmp_path / "err").read_text()
    assert said.startswith("console: the server refuses this console: EVIL") and said.strip().isprintable()
