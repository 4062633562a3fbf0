"""What a client sends: in step, in loops, with bursts laid over, and from a key frame when one is asked for."""

import time
from pathlib import Path

import pytest

from demo.peers import clip, playing
from demo.peers.playing import BURSTS_WAITING_MAX, Performance, Track
from demo.peers.prepared_sound import SILENT_PACKETS, prepared_sound

PAIR = clip.read(Path("pair.webm"))
BEGAN = 1000.0


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(playing, "time", clock)
    return clock


def performance(offset_s: float = 0.0, began: list | None = None) -> Performance:
    told = [] if began is None else began
    return Performance(PAIR, prepared_sound(), offset_s, lambda number, at: told.append((number, at)))


def place(picture: bytes) -> int:
    return PAIR.pictures.index(picture)


def test_it_loops_without_a_gap(clock: Clock) -> None:
    player = performance()
    assert [place(player.picture(tick)) for tick in range(900)] == [tick % 400 for tick in range(900)]
    sounds = [player.sound(tick) for tick in range(1700)]
    assert sounds == [PAIR.sound[tick % 800] for tick in range(1700)]
    assert player.sent == {"audio": 1700, "video": 900}


def test_a_start_in_the_middle_begins_with_a_key_frame_and_falls_in_step(clock: Clock) -> None:
    player = performance()
    shown = [place(player.picture(tick)) for tick in range(130, 260)]
    assert shown[0] == 150, "the nearest key frame to 130"
    assert shown[:20] == list(range(150, 170)), "then the pictures that follow it"
    assert shown[20:] == list(range(150, 260)), "and from the next key frame in time on, in step with the sound"


def test_a_request_for_a_key_frame_is_answered_with_the_nearest(clock: Clock) -> None:
    player = performance()
    for tick in range(161):
        player.picture(tick)
    clock.now += 10
    player.ask_for_key_frame()
    assert place(player.picture(161)) == 150
    assert place(player.picture(162)) == 151
    clock.now += 0.1
    player.ask_for_key_frame()
    assert place(player.picture(163)) == 152, "asked again at once: one is on its way"
    clock.now += 0.2
    player.ask_for_key_frame()
    assert place(player.picture(164)) == 150


def test_after_pictures_were_left_out_comes_a_key_frame(clock: Clock) -> None:
    player = performance()
    for tick in range(10):
        player.picture(tick)
    assert PAIR.is_key(place(player.picture(73)))


def test_a_new_connection_begins_with_a_key_frame(clock: Clock) -> None:
    player = performance()
    for tick in range(11):
        player.picture(tick)
    player.new_connection()
    assert PAIR.is_key(place(player.picture(11)))


def test_a_burst_waits_for_its_time_and_tells_when_its_sound_began(clock: Clock) -> None:
    began: list[tuple[int, float]] = []
    player = performance(began=began)
    prepared = prepared_sound()
    player.burst(7, at=BEGAN + 1.0)
    sent = []
    for tick in range(100):
        clock.now = BEGAN + tick / 50
        sent.append(player.sound(tick))
    first = sent.index(prepared.burst[0])
    assert first == 30, "0.4 s of silence before the second is over"
    assert tuple(sent[first : first + len(prepared.burst)]) == prepared.burst
    assert sent[first + len(prepared.burst)] == PAIR.sound[first + len(prepared.burst)], "back in the clip, in step"
    assert began == [(7, pytest.approx(BEGAN + (first + SILENT_PACKETS) / 50 - 0.02))]


def test_silence_goes_on_until_it_is_taken_back(clock: Clock) -> None:
    player = performance()
    player.silent = True
    assert {player.sound(tick) for tick in range(60)} == {prepared_sound().silence}
    player.silent = False
    assert player.sound(60) == PAIR.sound[60]


def test_bursts_that_wait_are_bounded() -> None:
    player = performance()
    assert [player.burst(n, 0) for n in range(BURSTS_WAITING_MAX + 1)] == [True] * BURSTS_WAITING_MAX + [False]


async def test_a_track_keeps_time_without_drift() -> None:
    player = performance(offset_s=3.0)
    track = Track(player, "audio")
    began = time.monotonic()
    packets = [await track.recv() for _ in range(50)]
    assert time.monotonic() - began >= 49 / 50 - 0.02, "never ahead of the clock"
    assert [packet.pts for packet in packets] == list(range(50))


async def test_a_track_that_is_far_behind_leaves_out_what_it_missed(clock: Clock) -> None:
    player = performance()
    track = Track(player, "video")
    clock.now += 3.0
    packet = await track.recv()
    assert packet.pts is not None and packet.pts >= 70
    assert clip.is_key_frame(bytes(packet))
