"""Remote support on the real chain: health comes, and nothing that a call holds, while calls are live."""

import json
import secrets
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from demo.chain import Chain
from demo.establishment import GOVERNOR
from schemas.call import CallState, CallView, Category
from schemas.console import (
    Admit,
    Beat,
    Boxes,
    CallChanged,
    Command,
    CommandAnswer,
    ConsoleHello,
    ConsoleWelcome,
    Delta,
    Extend,
    Flag,
    Pause,
    Snapshot,
    SnapshotRequest,
    TimeProbe,
    TimeReply,
    Warn,
    to_console,
)
from schemas.health import CallPhase, FailedSide, HealthDelta, HealthSnapshot, LaptopView, OpenLaptop, WhyNot
from schemas.media import Box, RecordingState, Side
from schemas.wire import MAX_SERVER_FRAME_BYTES, PROTOCOL_VERSION, encode

SUPPORT = {"name": "T. Novak", "role": "support", "token": secrets.token_urlsafe(24)}
OFFICER = {"name": "K. Adeyemi", "role": "officer", "token": secrets.token_urlsafe(24)}
FLAGGED, WARNED, REASON = "he waved a zebra print", "please sit down, marigold", "his daughter Quillfeather is ill"
WITHIN_S = 40.0


class Reader:
    """A console by hand that beats, and keeps every frame that it was sent and the newest form of each call."""

    def __init__(self, chain: Chain, token: str) -> None:
        self.frames: list[bytes] = []
        self.calls: dict[str, CallView] = {}
        self.closed: ConnectionClosed | None = None
        self._read = 0
        self._came = threading.Condition()
        self.link: ClientConnection = connect(
            f"{chain.url}/console", compression=None, max_size=MAX_SERVER_FRAME_BYTES, proxy=None
        )
        self.send(ConsoleHello(PROTOCOL_VERSION, chain.plan.code, token, 120, 40))
        threading.Thread(target=self._run, daemon=True).start()

    def send(self, message: Any) -> None:
        self.link.send(encode(message))

    def read_until(self, done: Callable[[Any], bool], what: str, seconds: float = WITHIN_S) -> Any:
        """The first message that was not looked at yet and for which `done` holds."""
        deadline = time.monotonic() + seconds
        while True:
            with self._came:
                while self._read == len(self.frames):
                    if self.closed is not None:
                        raise self.closed
                    assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
                    self._came.wait(0.5)
                message = to_console.decode(self.frames[self._read])
                self._read += 1
            if isinstance(message, Snapshot):
                self.calls |= {call.call_id: call for call in message.calls}
            elif isinstance(message, CallChanged):
                self.calls[message.call.call_id] = message.call
            if done(message):
                return message

    def messages(self) -> list[Any]:
        return [to_console.decode(frame) for frame in tuple(self.frames)]

    def _run(self) -> None:
        beat_at = 0.0
        try:
            while True:
                if time.monotonic() > beat_at:
                    self.send(Beat("", False, 0))
                    beat_at = time.monotonic() + 2
                try:
                    frame = self.link.recv(timeout=0.2, decode=False)
                except TimeoutError:
                    continue
                with self._came:
                    self.frames.append(frame)
                    self._came.notify_all()
        except ConnectionClosed as closed:
            with self._came:
                self.closed = closed
                self._came.notify_all()


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    chain = Chain(2, more_staff=[SUPPORT, OFFICER])
    try:
        chain.wait_until_listening()
        yield chain
    finally:
        chain.stop()


@pytest.fixture(scope="module")
def ends(chain: Chain) -> Iterator[tuple[Reader, Reader]]:
    """An officer with two live calls who warns, extends and flags; and support, who has been there all along."""
    support = Reader(chain, SUPPORT["token"])
    officer = Reader(chain, OFFICER["token"])
    officer.send(Boxes([Box(side, 64, 36) for side in Side]))
    calls = officer.calls

    def callers_wait(_: Any) -> bool:
        return len(calls) == 2 and all(leg.connected for call in calls.values() for leg in call.legs)

    officer.read_until(callers_wait, "both callers wait")
    for call in list(calls.values()):
        give(officer, call, Admit("family-1"))
    officer.read_until(lambda _: {c.state for c in calls.values()} == {CallState.LIVE}, "both calls are live")
    first = next(iter(calls))
    give(officer, calls[first], Warn(None, WARNED))
    give(officer, calls[first], Flag(Category.OTHER, FLAGGED, calls[first].starts_at_ms))
    officer.read_until(lambda _: calls[first].incidents == 1, "the flag is told")
    give(officer, calls[first], Extend(calls[first].ends_at_ms + 300_000), REASON)
    for kind in ("levels", "pictures"):
        officer.read_until(lambda m, k=kind: isinstance(m, Delta) and getattr(m, k), f"the officer gets {kind}")

    def carried(message: Any) -> bool:
        seen = {one.laptop_id: one for one in newest(support)}
        return len(seen) == 2 and all(
            one.carrying
            and one.why_not == WhyNot.CARRYING  # two messages of the agent
            and one.recording == RecordingState.RECORDING
            and len(one.legs) == 2
            and one.up_s >= 0
            for one in seen.values()
        )

    support.read_until(carried, "support sees two calls that are carried and recorded")
    yield support, officer
    for end in (support, officer):
        end.link.close()


def give(officer: Reader, call: Any, act: Any, reason: str = "") -> None:
    not_after = time.time_ns() // 1_000_000 + 30_000
    command = Command(uuid.uuid4().hex, call.call_id, call.version, not_after, reason, act)
    officer.send(command)
    answer = officer.read_until(
        lambda m: isinstance(m, CommandAnswer) and m.command_id == command.command_id, f"an answer to {act}"
    )
    assert answer.accepted, answer


def newest(support: Reader) -> list[LaptopView]:
    laptops: dict[str, LaptopView] = {}
    for message in support.messages():
        if isinstance(message, (HealthSnapshot, HealthDelta)):
            laptops.update({one.laptop_id: one for one in message.laptops})
    return list(laptops.values())


def secrets_of(chain: Chain) -> set[str]:
    """Every text and number of the establishment's file and of what officers wrote, but for what support works with."""
    content = json.loads((chain.data / "establishment.json").read_text())
    known = {content["code"], content["name"], SUPPORT["name"], SUPPORT["role"], *(x["id"] for x in content["laptops"])}
    found: set[str] = {WARNED, FLAGGED, REASON, *f"{WARNED} {FLAGGED} {REASON}".replace(",", "").split()}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            found.update({value, *value.split()})

    walk(content)
    # Words of three letters and less ("is", "1") stand in any binary frame by chance.
    return {word for word in found - known if len(word) > 3 and word not in SUPPORT["name"]}


def test_nothing_of_a_call_is_in_any_byte_that_support_receives(chain: Chain, ends: tuple[Reader, Reader]) -> None:
    support, officer = ends
    support.send(Boxes([Box(side, 64, 36) for side in Side]))
    support.send(SnapshotRequest())
    support.read_until(lambda m: isinstance(m, HealthSnapshot), "a second snapshot")
    for _ in range(3):
        support.read_until(lambda m: isinstance(m, HealthDelta), "more deltas")
    to_support, to_officer = b"\0".join(support.frames).lower(), b"\0".join(officer.frames).lower()
    words = {word.lower() for word in secrets_of(chain)}
    assert len(words) > 30
    shown = {word for word in words if word.encode() in to_officer}
    assert {"okafor", "llewellyn", *WARNED.split()[-1:]} - shown <= {"marigold"} and len(shown) > 10, "the search works"
    for word in words:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert word.encode(encoding) not in to_support, f"{word} was sent to support"
    for call in chain.plan.seats:
        assert chain.plan.call_at(call).lower().encode() not in to_support


def test_no_picture_and_no_level_is_sent(ends: tuple[Reader, Reader]) -> None:
    support, officer = ends
    to_support = b"\0".join(support.frames)
    pictures = [p for m in officer.messages() if isinstance(m, (Delta, Snapshot)) for p in m.pictures]
    levels = [x for m in officer.messages() if isinstance(m, (Delta, Snapshot)) for x in m.levels]
    assert pictures and levels
    for picture in pictures:
        for at in range(0, len(picture.pixels) - 24, 24):
            piece = picture.pixels[at : at + 24]
            if len(set(piece)) > 4:  # a run of one colour may stand in any frame
                assert piece not in to_support
    for level in levels:
        assert encode(level)[1:] not in to_support
    allowed = (ConsoleWelcome, HealthSnapshot, HealthDelta, TimeReply, CommandAnswer)
    assert {type(message) for message in support.messages()} <= set(allowed)
    for frame in support.frames:
        assert not [one for one in walk(msgspec.msgpack.decode(frame)) if isinstance(one, bytes)]


def walk(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for inner in value:
            yield from walk(inner)
    else:
        yield value


def test_every_text_in_a_health_frame_is_a_code_or_a_laptops_identity(
    chain: Chain, ends: tuple[Reader, Reader]
) -> None:
    support, _ = ends
    codes = {str(code) for kind in (CallPhase, FailedSide, WhyNot, RecordingState) for code in kind}
    codes |= {"none", "disk_low", "agent_busy", "leg_weak", "leg_gone", "both_legs", "never_came", "line_slow"}
    allowed = codes | {laptop.id for laptop in chain.plan.laptops}
    for frame in support.frames:
        if isinstance(to_console.decode(frame), (HealthSnapshot, HealthDelta)):
            texts = {one for one in walk(msgspec.msgpack.decode(frame)) if isinstance(one, str)}
            assert texts <= allowed


def test_the_numbers_are_those_of_the_real_parts(ends: tuple[Reader, Reader]) -> None:
    support, _ = ends
    for one in newest(support):
        assert one.online and one.version == [0, 1] and one.why_not == WhyNot.CARRYING
        assert one.call == CallPhase.ON and one.call_ends_at_ms > time.time() * 1000
        assert 0 <= one.round_trip_ms < 5000 and one.cpu_per_mille > 0 and one.disk_total_mib >= one.disk_free_mib > 0
        assert one.clock_known and abs(one.clock_offset_ms) < 1500  # one clock for both
        assert one.recording_age_ms < 5000 and one.drops == 0
        room, family = one.legs
        assert room.connected and family.connected and room.kbit_per_s > 0 and family.frames_per_s > 0


def test_support_may_not_act_and_learns_nothing_from_trying(chain: Chain, ends: tuple[Reader, Reader]) -> None:
    support, _ = ends
    call_id = chain.plan.call_at(next(iter(chain.plan.seats)))
    answers = []
    for one in (call_id, "no-such-call"):
        command = Command(uuid.uuid4().hex, one, 1, 2**52, "", Pause())
        support.send(command)
        answers.append(
            support.read_until(
                lambda m, c=command: isinstance(m, CommandAnswer) and m.command_id == c.command_id, "a refusal"
            )
        )
    assert not answers[0].accepted and answers[0].words == answers[1].words
    laptop = chain.plan.laptops[0].id
    support.send(OpenLaptop(laptop))
    support.send(OpenLaptop("A1234BC"))
    support.send(TimeProbe(7))
    support.read_until(lambda m: m == TimeReply(7, m.server_time_ms) if isinstance(m, TimeReply) else False, "the time")

    def entries() -> list[tuple[str, str, int]]:
        with sqlite3.connect(f"file:{chain.data / 'server' / 'sightline.db'}?mode=ro", uri=True) as database:
            return database.execute(
                "select action, detail, accepted from audit where who = ? order by n", (SUPPORT["name"],)
            ).fetchall()

    deadline = time.monotonic() + 10
    while len(entries()) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    found = entries()
    assert found[0][0] == "health_opened"
    assert [(action, accepted) for action, _, accepted in found[1:5]] == [
        ("pause", 0), ("pause", 0), ("laptop_opened", 1), ("laptop_opened", 0),
    ]  # fmt: skip
    assert found[3][1] == laptop and "A1234BC" not in found[4][1]


def test_a_message_of_the_wall_closes_the_link(chain: Chain) -> None:
    support = Reader(chain, SUPPORT["token"])
    support.send(ConsoleHello(PROTOCOL_VERSION, chain.plan.code, SUPPORT["token"]))
    with pytest.raises(ConnectionClosed) as closed:
        support.read_until(lambda _: False, "the close")
    assert closed.value.rcvd is not None and "not expected" in closed.value.rcvd.reason


def test_a_laptop_that_is_killed_and_one_that_stops_in_order(chain: Chain, ends: tuple[Reader, Reader]) -> None:
    """Last: it takes the laptops away."""
    support, _ = ends
    killed, stopped = (chain.laptops[laptop.id] for laptop in chain.plan.laptops)
    for part in (killed, stopped):
        part.expected_to_run = False
    stopped.process.terminate()
    killed.process.kill()
    ids = [laptop.id for laptop in chain.plan.laptops]

    def told(_: Any) -> bool:
        seen = {one.laptop_id: one for one in newest(support)}
        return [str(seen[name].cause) for name in ids] == ["lost", "stopped"]

    support.read_until(told, "what became of the two laptops")
    assert GOVERNOR.encode() not in b"".join(support.frames)
    assert Path(chain.data / "server").stat().st_mode & 0o077 == 0
