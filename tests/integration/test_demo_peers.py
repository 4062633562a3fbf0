"""The demo's callers as their own process: real websockets, real WebRTC, an answerer of aiortc at the other end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aioice.ice
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.peers_of_others.run import Program
from demo.peers.aiortc_internals import receive_encoded
from demo.peers.clip import is_key_frame
from demo.peers.peer import CONFIGURATION
from schemas.call import CallState
from schemas.peer import (
    Answer,
    CallNotice,
    Leave,
    NoticeRead,
    Offer,
    OfferRefused,
    PeerHello,
    PeerWelcome,
    from_peer,
)
from schemas.wire import CloseCode, encode

ROOT = Path(__file__).parent.parent.parent
NAMES = ("A/room", "A/family")
PLAN = [
    {"name": NAMES[0], "token": "room's secret", "clip": "steady.webm", "offset_s": 0.0},
    {"name": NAMES[1], "token": "family's secret", "clip": "pair.webm", "offset_s": 3.0},
]
STARTED_S = 20.0


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path / "plan.json"


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Starts a program that speaks JSON lines; all are stopped at the end."""
    programs: list[Program] = []

    def run(*command: str | Path) -> Program:
        programs.append(Program(*map(str, command)))
        return programs[-1]

    yield run
    for program in programs:
        program.stop()


def relay(start: Callable[..., Program], plan: Path, port: int = 0) -> tuple[Program, int]:
    program = start("benchmarks.peers_of_others.aiortc_relay", "--plan", plan, "--port", port)
    return program, program.need(event("listening"), STARTED_S, "it does not listen")["port"]


def callers(start: Callable[..., Program], plan: Path, port: int) -> Program:
    return start("demo.peers.process", "--server", f"ws://127.0.0.1:{port}", "--plan", plan)


def event(name: str, **fields: Any) -> Callable[[dict[str, Any]], bool]:
    return lambda e: e["event"] == name and all(e.get(key) == value for key, value in fields.items())


def report(program: Program) -> dict[str, Any]:
    return program.ask("report", 5, "no report", do="report")["peers"]


def until(program: Program, condition: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
    """The first report that fulfils the condition."""
    deadline = time.monotonic() + seconds
    while not condition(peers := report(program)):
        assert time.monotonic() < deadline, peers
        time.sleep(0.05)
    return peers


def test_two_callers_see_and_hear_each_other(start: Callable[..., Program], plan: Path) -> None:
    _, port = relay(start, plan)
    clients = callers(start, plan, port)
    began = time.monotonic()
    for name in NAMES:
        clients.need(event("connected", peer=name), STARTED_S, f"{name} is not connected")
        clients.need(event("state", peer=name, state="LIVE"), STARTED_S, f"{name} was not told the state")
    peers = until(clients, lambda all_: all(peer["frames_decoded"] >= 150 for peer in all_.values()), 40)
    now = time.monotonic()
    for name, far in zip(NAMES, reversed(NAMES), strict=True):
        peer, sent = peers[name], peers[far]["sent"]
        # The relay encodes again: as many frames as went in come out, but those that are under way.
        assert 150 <= peer["frames_decoded"] <= sent["video"]
        assert sent["audio"] * 0.7 - 25 <= peer["audio_frames"] <= peer["packets"]["audio"] <= sent["audio"] + 1
        assert peer["packets"]["video"] >= peer["frames_decoded"]
        assert peer["arrivals"] == sorted(peer["arrivals"]) and len(peer["arrivals"]) == sum(peer["packets"].values())
        assert began < peer["first_at"] == peer["arrivals"][0] and peer["arrivals"][-1] == peer["last_at"] < now

    seen = len(clients.events)
    clients.say(do="silence", peer=NAMES[0], on=True)
    until(clients, lambda all_: (all_[NAMES[1]]["rms_dbfs"] or 0) < -60, 20)
    clients.say(do="burst", peer=NAMES[0], id=4, at=0)
    clients.need(event("burst", peer=NAMES[0], id=4), 15, "no burst", since=seen)
    heard = until(clients, lambda all_: (all_[NAMES[1]]["loudest_dbfs"] or -99) > -30, 15)
    heard = until(clients, lambda all_: (all_[NAMES[1]]["loudest_dbfs"] or -99) > -7, 10)
    assert abs(heard[NAMES[1]]["loudest_dbfs"] + 6) <= 1


def test_they_come_back_when_the_other_end_was_killed(start: Callable[..., Program], plan: Path) -> None:
    first, port = relay(start, plan)
    clients = callers(start, plan, port)
    for name in NAMES:
        clients.need(event("connected", peer=name), STARTED_S, f"{name} is not connected")
    until(clients, lambda all_: all(peer["packets"]["audio"] for peer in all_.values()), 10)
    seen = len(clients.events)
    first.process.kill()
    first.process.wait()
    clients.need(event("signalling lost", peer=NAMES[0]), 5, "the lost link was not noticed", since=seen)
    relay(start, plan, port)
    for name in NAMES:
        clients.need(event("media lost", peer=name), 20, f"{name} did not notice", since=seen)
        clients.need(event("connected", peer=name), 20, f"{name} did not come back", since=seen)
    before = report(clients)
    until(clients, lambda all_: all(all_[n]["packets"]["audio"] > before[n]["packets"]["audio"] for n in NAMES), 10)


@pytest.mark.parametrize("way", ["end of stdin", "stop", "SIGTERM"])
def test_it_ends_within_a_second_while_calls_are_on(start: Callable[..., Program], plan: Path, way: str) -> None:
    _, port = relay(start, plan)
    clients = callers(start, plan, port)
    for name in NAMES:
        clients.need(event("connected", peer=name), STARTED_S, f"{name} is not connected")
    until(clients, lambda all_: all(peer["frames_decoded"] for peer in all_.values()), 10)
    assert clients.process.stdin is not None
    match way:
        case "stop":
            clients.say(do="stop")
        case "SIGTERM":
            clients.process.send_signal(signal.SIGTERM)
        case _:
            clients.process.stdin.close()
    asked = time.monotonic()
    assert clients.process.wait(5) == 0
    assert time.monotonic() - asked < 1
    assert clients.wait_for(event("closed", peer=NAMES[0], reason="stopped"), 1)


def test_it_ends_without_a_server_too(start: Callable[..., Program], plan: Path) -> None:
    clients = callers(start, plan, 9)  # the discard port: nothing listens
    clients.need(event("ready"), STARTED_S, "it does not start")
    clients.say(do="dance")
    clients.say(do="burst", peer="nobody", id=1, at=0)
    assert clients.wait_for(lambda e: e["event"] == "not understood" and "dance" in e["words"], 5)
    assert clients.wait_for(lambda e: e["event"] == "not understood" and "nobody" in e["words"], 5)
    assert clients.process.stdin is not None
    clients.process.stdin.close()
    assert clients.process.wait(5) == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('[{"name": "A/room", "token": "x", "clip": "FOLDER/broken.webm"}]', "broken.webm can't be read as a clip"),
        ('[{"name": "A/room", "token": "x"}]', "the plan is not understood (KeyError('clip'))"),
        ("no plan", "can't be read as JSON"),
    ],
)
def test_what_is_wrong_at_the_start_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "broken.webm").write_bytes(os.urandom(5000))
    (tmp_path / "plan.json").write_text(content.replace("FOLDER", str(tmp_path)))
    command = [sys.executable, "-m", "demo.peers.process", "--server", "ws://127.0.0.1:9"]
    command += ["--plan", str(tmp_path / "plan.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


class Answerer:
    """A server and laptop in one, for one client: answers its offers, notes what it says and when key frames come."""

    def __init__(self) -> None:
        self.refuse = 0
        self.offers: list[Offer] = []
        self.said: list[Any] = []
        self.connections: list[RTCPeerConnection] = []
        self.key_frames_at: list[float] = []
        self.frames = 0
        self.socket: ServerConnection | None = None

    async def serve(self, socket: ServerConnection) -> None:
        hello = from_peer.decode(await socket.recv())
        assert isinstance(hello, PeerHello)
        if hello.token != PLAN[0]["token"]:
            await socket.close(CloseCode.NOT_RECOGNISED, "no such token")
            return
        self.socket = socket
        await socket.send(encode(PeerWelcome(1, "call", "room", "recorded")))
        async for frame in socket:
            message = from_peer.decode(frame)
            self.said.append(message)
            if isinstance(message, Offer):
                await self._answer(socket, message)

    async def _answer(self, socket: ServerConnection, offer: Offer) -> None:
        self.offers.append(offer)
        if self.refuse:
            self.refuse -= 1
            await socket.send(encode(OfferRefused(offer.offer_id, "the laptop is away", retry=True)))
            return
        connection = RTCPeerConnection(CONFIGURATION)
        self.connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        for receiver in connection.getReceivers():
            if receiver.track.kind == "video":
                receive_encoded(receiver, lambda payload: None, self._picture)
        await connection.setLocalDescription(await connection.createAnswer())
        await socket.send(encode(Answer(offer.offer_id, connection.localDescription.sdp)))

    def _picture(self, encoded: bytes) -> None:
        self.frames += 1
        if is_key_frame(encoded):
            self.key_frames_at.append(time.monotonic())

    async def ask_for_key_frame(self) -> None:
        for receiver in self.connections[-1].getReceivers():
            if receiver.track.kind == "video":
                (source,) = receiver.getSynchronizationSources()
                await receiver._send_rtcp_pli(source.source)

    async def notice(self, state: CallState, notice_id: str = "state") -> None:
        assert self.socket is not None
        await self.socket.send(encode(CallNotice(state, "words", 1, 2, notice_id)))

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self.connections))


async def eventually(condition: Callable[[], Any], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


@asynccontextmanager
async def answering(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Answerer, int]]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    answerer = Answerer()
    async with serve(answerer.serve, "127.0.0.1", 0) as server:
        try:
            yield answerer, next(iter(server.sockets)).getsockname()[1]
        finally:
            await answerer.close()


async def test_a_request_for_a_key_frame_is_answered_at_once(
    start: Callable[..., Program], plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(monkeypatch) as (answerer, port):
        callers(start, plan, port)
        # Two key frames 2 s apart are the clip's own rhythm; soon after one, the next is far.
        await eventually(lambda: len(answerer.key_frames_at) >= 2, 20, "no pictures come")
        frames, keys = answerer.frames, len(answerer.key_frames_at)
        await eventually(lambda: answerer.frames >= frames + 10, 5, "the pictures stopped")
        assert len(answerer.key_frames_at) == keys, "a key frame came by itself: the test can't tell"
        asked = time.monotonic()
        await answerer.ask_for_key_frame()
        await eventually(lambda: len(answerer.key_frames_at) > keys, 5, "no key frame came")
        assert answerer.key_frames_at[keys] - asked < 1.0, "the clip's own next key frame is 1.6 s away"


async def test_signalling_a_refusal_a_notice_and_the_end(
    start: Callable[..., Program], plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(monkeypatch) as (answerer, port):
        answerer.refuse = 2
        clients = callers(start, plan, port)
        await eventually(lambda: answerer.frames > 0, 20, "no pictures come after the refusals")
        assert len(answerer.offers) == 3 and len({offer.offer_id for offer in answerer.offers}) == 3
        stranger = await asyncio.to_thread(clients.wait_for, event("closed", peer=NAMES[1]), 5)
        assert stranger is not None and stranger["reason"] == "no such token"

        await answerer.notice(CallState.LIVE, "five minutes left")
        await eventually(lambda: NoticeRead("five minutes left") in answerer.said, 5, "the notice was not read")

        assert answerer.socket is not None
        await answerer.socket.close()
        frames = answerer.frames
        await eventually(lambda: clients.wait_for(event("signalling lost", peer=NAMES[0]), 0), 5, "link loss not seen")
        await eventually(lambda: answerer.socket.state.name == "OPEN", 5, "the link did not come back")
        await eventually(lambda: answerer.frames > frames + 25, 5, "media stopped with the signalling")
        assert len(answerer.connections) == 1, "media went on, so nothing was to be offered"

        await answerer.notice(CallState.ENDED)
        ended = await asyncio.to_thread(clients.wait_for, event("closed", peer=NAMES[0]), 10)
        assert ended is not None and ended["reason"] == "ended"
        await eventually(lambda: answerer.connections[0].connectionState == "closed", 5, "the connection stays open")


async def test_a_caller_that_leaves_says_so(
    start: Callable[..., Program], plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(monkeypatch) as (answerer, port):
        clients = callers(start, plan, port)
        await eventually(lambda: answerer.frames > 0, 20, "no pictures come")
        clients.say(do="leave", peer=NAMES[0])
        left = await asyncio.to_thread(clients.wait_for, event("closed", peer=NAMES[0]), 10)
        assert left is not None and left["reason"] == "left"
        assert Leave() in answerer.said
        clients.say(do="add", plan=PLAN[:1])
        await eventually(lambda: len(answerer.connections) == 2, 10, "an added client does not connect")
