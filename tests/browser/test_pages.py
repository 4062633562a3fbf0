"""Debian's Chromium at both ends of a call, through the server's pages and the agent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.call import CallState, Outcome
from schemas.console import End, Notice, Pause, Resume

from .chromium import Chromium, install_chromium
from .stage import JOIN, TOKENS, Officer, Stage, browsers, settle, stage
from .watching import FROZEN_S, PICTURES_PER_S, layers_are, samples, smooth

MEASURED_S = 12.0
SHOWN = "[...document.querySelectorAll('#pictures video')].filter(v => !v.hidden && !v.muted && v.videoWidth).length"
SILENT = "[...document.querySelectorAll('#pictures video')].every(v => v.hidden && v.muted)"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    install_chromium()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chromium, Chromium]]:
    """The room's browser and the family's."""
    with browsers(tmp_path_factory.mktemp("clips"), "steady", "pair") as (room, family):
        yield room, family


@pytest.fixture
def set_(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as one:
        yield one


def live(set_: Stage, room: Chromium, family: Chromium) -> None:
    set_.join(room, family)
    for browser in (room, family):
        browser.until(f"{SHOWN} === 1")


def test_picture_and_sound_both_ways_without_a_freeze(set_: Stage, pair: tuple[Chromium, Chromium]) -> None:
    room, family = pair
    set_.room(room)
    set_.family(family)
    room.until("seen.connections.some(c => c.connectionState === 'connected')")
    set_.officer.wait(lambda call: all(leg.connected for leg in call.legs), "both are connected")
    for browser in pair:  # nothing before an officer admits
        assert browser.run(SILENT)
        assert all(row["packetsReceived"] == 0 for s in samples(browser) for row in s["rows"] if "nackCount" in row and
                   row["type"] == "inbound-rtp")  # fmt: skip
    set_.officer.admit()
    settle(room, family)
    for found in smooth(MEASURED_S, *pair):
        print(found)
        assert found.frames_per_s >= PICTURES_PER_S
        assert found.longest_gap_s < FROZEN_S and found.frozen_s < FROZEN_S
        assert found.size == (640, 360)
        assert found.energy > 0 and found.concealed_share < 0.02
        assert found.heard > 0.9 * 48_000 * found.seconds
    for browser in pair:
        assert browser.run(layers_are("L1T3"))
        assert "RECORDED" in browser.words() and "Prison staff may watch it" in browser.words()
        assert not browser.events


def test_both_ends_are_blank_and_silent_on_an_order_and_told_why(set_: Stage, pair: tuple[Chromium, Chromium]) -> None:
    room, family = pair
    live(set_, room, family)
    assert set_.officer.give(Pause()).accepted
    for browser in pair:
        browser.until(SILENT)
        browser.until("document.body.innerText.includes('The time runs on.')")
    assert set_.officer.give(Resume(False)).accepted
    for browser in pair:
        browser.until(f"{SHOWN} === 1")

    assert set_.officer.give(Notice(None, "Please sit closer together.")).accepted
    for browser in pair:
        browser.until("document.body.innerText.includes('Please sit closer together.')")
        browser.press("I have read this")
        browser.until("document.getElementById('notice').hidden")
    assert not [event for browser in pair for event in browser.events]
    assert set_.officer.give(End(Outcome.TERMINATED_BY_STAFF)).accepted
    for browser in pair:
        browser.until("document.body.innerText.includes('ended the call')")
        browser.until("document.getElementById('own').hidden")
        assert browser.run("document.getElementById('own').srcObject.getTracks().every(t => t.readyState === 'ended')")
        assert browser.run(SILENT)


def test_they_come_back_after_cuts_of_the_link_and_of_the_media(set_: Stage, pair: tuple[Chromium, Chromium]) -> None:
    room, family = pair
    live(set_, room, family)
    set_.server.restart()
    set_.officer.close()
    set_.officer = Officer(set_.server)
    set_.officer.wait(lambda call: all(leg.connected for leg in call.legs), "the server knows of both again")
    for browser in pair:
        browser.until(f"{SHOWN} === 1")
    connections = [browser.run("seen.connections.length") for browser in pair]

    set_.agent.kill()
    set_.agent.wait()
    for browser in pair:
        browser.until(f"{SHOWN} === 0")
    set_.start_agent()
    for browser, before in zip(pair, connections, strict=True):
        browser.until(
            f"seen.connections.length > {before} && seen.connections.at(-1).connectionState === 'connected'", 60
        )
    set_.officer.admit()
    for browser in pair:
        browser.until(f"{SHOWN} === 1")

    family.press("Leave the call")
    family.press("Press again to leave")
    for browser in pair:
        browser.until("document.getElementById('own').hidden")
    set_.officer.wait(lambda call: call.state == CallState.ENDED, "the call has ended")
    assert set_.officer.call.outcome == Outcome.VISITOR_COMPLETED_EARLY


def test_a_page_without_its_link_or_with_an_old_one_says_so(set_: Stage, pair: tuple[Chromium, Chromium]) -> None:
    _, family = pair
    family.open(f"{set_.url}/family")
    family.run("sessionStorage.clear()")
    family.open(f"{set_.url}/family")
    family.until("document.body.innerText.includes('Open that link.')")
    family.open(f"{set_.url}/family#nobody-was-sent-this")
    assert family.run("location.hash") == ""  # not in the address that somebody copies
    family.press(JOIN)
    family.until("document.body.innerText.includes('use the newest link you were sent')")
    family.run("sessionStorage.clear()")
    assert TOKENS["family"] not in family.run("document.documentElement.outerHTML")


def test_a_second_device_with_the_same_link_is_told_and_the_first_goes_on(
    set_: Stage, pair: tuple[Chromium, Chromium]
) -> None:
    room, family = pair
    live(set_, room, family)
    with Chromium() as second:
        second.open(f"{set_.url}/family#{TOKENS['family']}")
        second.press(JOIN)
        second.until("document.body.innerText.includes('this call is open on another device')")
        for browser in pair:
            assert browser.run(f"{SHOWN} === 1")
