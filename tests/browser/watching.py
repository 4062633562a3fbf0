"""What a browser's own getStats says of what it received over a span of time."""

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from .chromium import Chromium

SCRIPT = (Path(__file__).parent / "statistics.js").read_text()


@dataclass(frozen=True)
class Span:
    """One far source as this browser had it. Times in s."""

    seconds: float
    frames: int
    longest_gap_s: float
    """Between two decoded pictures, as seen ten times a second."""
    frozen_s: float
    """By Chromium's own count: a picture that stood three times longer than usual, and 150 ms."""
    freezes: int
    size: tuple[int, int]
    heard: int
    """Samples of sound that were played."""
    concealed: int
    """Of those, what was made up for lost ones (silence made up in a pause is not counted)."""
    energy: float
    video_lost: int
    audio_lost: int
    buffer_ms: float
    """How long a picture waited before it was decoded, on average."""
    kbit_per_s: float
    """Of its picture, as it was received."""

    @property
    def frames_per_s(self) -> float:
        return self.frames / self.seconds

    @property
    def concealed_share(self) -> float:
        return self.concealed / max(1, self.heard)


PICTURES_PER_S, FROZEN_S = 24.0, 0.5
ROUNDS = 3
"""Others use the machine too: a round in which something else held the core up may be repeated."""


def over(seconds: float, *browsers: Chromium, slots: int = 1) -> list[Span]:
    """What each of them receives in each slot from now on for so long."""
    for browser in browsers:
        samples(browser)
    time.sleep(seconds)
    taken = [samples(browser) for browser in browsers]
    return [span(one, slot) for one in taken for slot in range(slots)]


def smooth(seconds: float, *browsers: Chromium, slots: int = 1) -> list[Span]:
    """The first round without a gap, else the last one."""
    for _ in range(ROUNDS):
        spans = over(seconds, *browsers, slots=slots)
        if all(s.frames_per_s >= PICTURES_PER_S and s.longest_gap_s < FROZEN_S for s in spans):
            break
    return spans


def layers_are(mode: str) -> str:
    """A script: does this browser send its picture so (`scalabilityMode`)?"""
    wanted = f"r.type === 'outbound-rtp' && r.kind === 'video' && r.scalabilityMode === '{mode}'"
    return f"(async () => [...(await seen.connections.at(-1).getStats()).values()].some(r => {wanted}))()"


def samples(browser: Chromium) -> list[dict[str, Any]]:
    """All since the last call."""
    return browser.run("seen.samples.splice(0)")


def span(taken: list[dict[str, Any]], slot: int = 0) -> Span:
    """`taken`: samples of one connection; `slot`: which pair of sound and picture."""
    video = [(one["at"], row) for one in taken for row in _inbound(one, "video")[slot : slot + 1]]
    audio = [(one["at"], row) for one in taken for row in _inbound(one, "audio")[slot : slot + 1]]
    assert len(video) > 2 and len(audio) > 2, "nothing was received"
    (began, first), (ended, last) = video[0], video[-1]
    (_, sound), (_, sound_last) = audio[0], audio[-1]

    def grew(name: str, before: dict[str, Any] = first, after: dict[str, Any] = last) -> float:
        return after.get(name, 0) - before.get(name, 0)

    hidden = grew("silentConcealedSamples", sound, sound_last)
    return Span(
        seconds=(ended - began) / 1000,
        frames=round(grew("framesDecoded")),
        longest_gap_s=_longest_gap_ms(video) / 1000,
        frozen_s=grew("totalFreezesDuration"),
        freezes=round(grew("freezeCount")),
        size=(last.get("frameWidth", 0), last.get("frameHeight", 0)),
        heard=round(grew("totalSamplesReceived", sound, sound_last)),
        concealed=round(grew("concealedSamples", sound, sound_last) - hidden),
        energy=grew("totalAudioEnergy", sound, sound_last),
        video_lost=round(grew("packetsLost")),
        audio_lost=round(grew("packetsLost", sound, sound_last)),
        kbit_per_s=grew("bytesReceived") * 8 / (ended - began),
        buffer_ms=1000 * grew("jitterBufferDelay") / max(1, grew("jitterBufferEmittedCount")),
    )


def _inbound(sample: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    rows = [row for row in sample["rows"] if row["type"] == "inbound-rtp" and row["kind"] == kind]
    return sorted(rows, key=lambda row: int(row.get("mid", 0)))


def _longest_gap_ms(video: list[tuple[float, dict[str, Any]]]) -> float:
    longest, since = 0.0, video[0][0]
    for (_, before), (at, after) in pairwise(video):
        longest = max(longest, at - since)
        if after["framesDecoded"] > before["framesDecoded"]:
            since = at
    return longest
