"""Four family devices and the room: one Chromium at each side, three devices that send encoded files."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.console import OneSide
from schemas.media import Side

from .chromium import Chromium, install_chromium
from .stage import Stage, five_legs
from .watching import FROZEN_S, PICTURES_PER_S, smooth

MEASURED_S = 8.0
ALL_SHOWN = "[...document.querySelectorAll('#pictures video')].filter(v => !v.hidden && !v.muted).length === 4"


@pytest.fixture
def call(tmp_path: Path) -> Iterator[tuple[Stage, Chromium, Chromium]]:
    install_chromium()
    with five_legs(tmp_path) as (set_, room, family):
        for browser in (room, family):
            browser.until(ALL_SHOWN)
        yield set_, room, family


def test_each_browser_has_all_others_live(call: tuple[Stage, Chromium, Chromium]) -> None:
    set_, room, family = call
    time.sleep(2)
    spans = smooth(MEASURED_S, room, family, slots=4)
    print(min(s.frames_per_s for s in spans), max(s.longest_gap_s for s in spans))
    for found in spans:
        assert found.frames_per_s >= PICTURES_PER_S and found.longest_gap_s < FROZEN_S and found.frozen_s < FROZEN_S
        assert found.energy > 0 and found.size == (640, 360)
    connections = [browser.run("seen.connections.length") for browser in (room, family)]
    assert connections == [1, 1]  # nothing was renegotiated while the others came

    answer = set_.officer.give(OneSide(Side.ROOM, True, True))
    assert answer.accepted, answer.words
    room_shown = "[...document.querySelectorAll('#pictures video')].some(v => v.srcObject.id === 'room' && !v.hidden)"
    family.until(f"!({room_shown})")
    family.until("[...document.querySelectorAll('#pictures video')].filter(v => !v.hidden && !v.muted).length === 3")
    room.until("document.body.innerText.includes('Staff have switched your sound and picture off.')")
    assert not room.events and not family.events
