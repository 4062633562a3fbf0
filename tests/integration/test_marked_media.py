"""What a camera saw is what the wall shows and the recording holds: frames with a changing mark, read back."""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from demo.chain import Chain
from demo.headless import Run, running
from demo.terminal import Terminal
from demo.wall import Tile, picture_cell
from schemas.media import RecordingState
from server.recordings.opening import OpenedPart, open_call
from tests import marked_clip
from tests.server_rig import wait_until

CLIP_S = 32
WATCHED_S = 6.0
HALF_PAINTED_S = 0.4
"""A mark stands for a second; one that stood for less than this was half of two pictures."""


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "marked.webm"
    marked_clip.make(path, CLIP_S)
    return path


@pytest.fixture
def one_call(marked: Path) -> Iterator[Run]:
    with running(Chain(1, clip=marked)) as run:
        run.admit_all()
        yield run


def pixels(terminal: Terminal, tile: Tile) -> np.ndarray | None:
    """The tile's large picture, read off the terminal's cells: (2 x rows, columns, 3) uint8."""
    rows: list[list[tuple[str, str]]] = []
    first = None
    for row in range(tile.top + 1, tile.bottom):
        cells = {column: picture_cell(terminal.screen.buffer[row][column]) for column in range(tile.left, tile.right)}
        columns = [column for column, cell in cells.items() if cell is not None]
        if not columns or (first is not None and columns[0] != first):
            break
        first = columns[0]
        # The small picture may stand beside it, after a gap.
        width = next((i for i, c in enumerate(columns) if c != first + i), len(columns))
        rows.append([cell for c in columns[:width] if (cell := cells[c]) is not None])
    if not rows or len({len(row) for row in rows}) > 1:
        return None
    upper = [[list(bytes.fromhex(fg)) for fg, _ in row] for row in rows]
    lower = [[list(bytes.fromhex(bg)) for _, bg in row] for row in rows]
    return np.array([half for pair in zip(upper, lower, strict=True) for half in pair], np.uint8)


def steps(marks: list[int]) -> list[int]:
    """From each mark to the next one, around the clip's end."""
    return [(b - a) % CLIP_S for a, b in pairwise(marks)]


def test_the_wall_shows_the_frames_that_were_sent_second_by_second(one_call: Run) -> None:
    run = one_call
    seat = next(iter(run.chain.plan.seats))
    seen: list[tuple[float, int]] = []

    def watch(at: float, terminal: Terminal) -> None:
        picture = pixels(terminal, run.tiles[seat])
        if picture is None:
            return
        mark = marked_clip.read(picture)
        if not seen or seen[-1][1] != mark:
            seen.append((at, mark))

    run.terminal.watchers.append(watch)
    assert run.terminal.wait_for(lambda _: len(seen) >= 2 and seen[-1][0] - seen[0][0] > WATCHED_S, 30), seen
    # A piece of output may end within a picture: what stood for less than a tick is no picture yet.
    stood = [now for now, after in pairwise(seen) if after[0] - now[0] > HALF_PAINTED_S]
    # A key frame that was asked for may move the clip by up to a group of pictures, once, at the admission.
    settled = stood[2:]
    moved, took = sum(steps([mark for _, mark in settled])), settled[-1][0] - settled[0][0]
    assert abs(moved - took) < 1.5, settled
    assert set(steps([mark for _, mark in settled])) <= {1, 2}, settled


def test_both_sides_are_recorded_as_they_were_sent(one_call: Run) -> None:
    run = one_call
    plan = run.chain.plan
    seat = next(iter(plan.seats))
    assert run.observer is not None
    health = run.observer.health
    wait_until(lambda: health[plan.call_at(seat)].recorded_ms > WATCHED_S * 1000, "six seconds are recorded", 30)
    assert health[plan.call_at(seat)].recording == RecordingState.RECORDING
    run.end(seat)

    def recorded() -> OpenedPart | None:
        parts = [part for folder in run.chain.recordings() for part in open_call(folder, run.chain.evidence_key())]
        return parts[0] if parts and parts[0].end else None

    wait_until(lambda: recorded() is not None, "the server has all of it")
    part = recorded()
    assert part is not None and part.signed and not part.broken
    assert sorted(part.streams) == ["family-1", "room"]
    for source, stream in part.streams.items():
        marks, times, sounds = [], [], 0
        with av.open(io.BytesIO(bytes(stream.data))) as container:
            for packet in container.demux():
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        marks.append(marked_clip.read(frame.reformat(60, 28, "rgb24").to_ndarray()))
                        times.append(frame.time)
                    else:
                        sounds += frame.samples
        assert times == sorted(times) and times[-1] - times[0] > WATCHED_S - 1
        assert sounds / 48_000 > WATCHED_S - 1
        changes = steps([mark for mark, before in zip(marks[50:], marks[49:], strict=False) if mark != before])
        assert len(changes) >= 3 and set(changes) == {1}, (source, changes)
    laptop = run.chain.data / "BWI-01" / "recordings"
    wait_until(lambda: not list(laptop.rglob("*.rec")), "the laptop's copy goes with the receipt")


def test_levels_on_the_wall_are_those_of_the_sound(one_call: Run) -> None:
    run = one_call
    tile = run.tiles[next(iter(run.chain.plan.seats))]
    for side in "FR":
        within = lambda t, s=side: abs((tile.level_dbfs(t, s) or 0) - marked_clip.LEVEL_DBFS) <= 1  # noqa: E731
        assert run.terminal.wait_for(within, 10), run.terminal.text()
