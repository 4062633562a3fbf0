"""A call's recording on the real chain: lips and voices together, kills, cuts, and what follows from them."""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from demo.chain import Chain
from demo.headless import Run, running
from demo.processes import sightline
from server.recordings.opening import OpenedPart, open_call
from tests import flash_clip
from tests.server_rig import wait_until

from .test_recording_join import LIP_SYNC_MS, join
from .test_review_chain import audit

RECORDED_S = 8.0


@pytest.fixture(scope="module")
def flashing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "flash.webm"
    flash_clip.make(path, 16)
    return path


def key_file(run: Run) -> Path:
    return run.chain.data / "server" / "evidence" / "BWI.key"


def copies(run: Run) -> list[OpenedPart]:
    """What the server has of the only call."""
    folders = run.chain.recordings()
    return open_call(folders[0], run.chain.evidence_key()) if folders else []


def on_the_laptop(run: Run) -> list[Path]:
    return sorted((run.chain.data / run.chain.plan.laptops[0].id / "recordings").rglob("*.rec"))


def restart_server(run: Run) -> None:
    """As after a power cut."""
    chain = run.chain
    chain.server.kill()
    again = sightline("server", "--data", chain.data / "server", "--port", chain.port)
    chain.server = chain.parts.start(f"server-{time.monotonic_ns()}", again)
    chain.wait_until_listening()


def test_a_call_is_joined_with_its_sound_in_step_though_the_server_was_killed_in_it(
    flashing: Path, tmp_path: Path
) -> None:
    """The laptop goes on where the server's disk ends, nothing is there twice, and its copy goes with the receipt."""
    with running(Chain(1, clip=flashing)) as run:
        run.admit_all()
        run.terminal.wait_for(lambda _: False, 3.0)
        restart_server(run)
        run.terminal.wait_for(lambda _: False, RECORDED_S - 3)
        assert on_the_laptop(run)
        assert run.terminal.wait_for(lambda t: not t.shows("LINK LOST"), 10)
        run.end(next(iter(run.chain.plan.seats)))
        wait_until(lambda: not on_the_laptop(run), "the receipt is there, and the laptop's copy gone", 20)
        output = tmp_path / "out.webm"
        found = join(run.chain.recordings()[0], key_file(run), output)
        assert found["sources"] == ["room", "family-1"] and found["seconds"] > RECORDED_S - 1
        (told,) = found["parts"]
        assert (told["end"], told["signed"], told["registered"], told["broken"]) == ("ended", True, True, "")
        for number in (1, 2):
            skews = flash_clip.skews_ms(str(output), number, number)
            # The clip begins anew within, and there a flash may be cut off.
            assert len(skews) >= 4 and sorted(map(abs, skews))[-2] <= LIP_SYNC_MS, skews
        actions = [action for _, action, _, _ in audit(run)]
        assert "recording_begun" in actions and actions.count("recording_verified") == 1
        detail = next(json.loads(d) for _, action, _, d in audit(run) if action == "recording_verified")
        part = copies(run)[0]
        assert detail["signer"] == told["key"]
        database = sqlite3.connect(f"file:{run.chain.data / 'server' / 'sightline.db'}?mode=ro", uri=True)
        with closing(database):
            (indexed,) = database.execute("SELECT call_id, part, laptop_id, bytes, ended, signer FROM recording")
        laptop = run.chain.plan.laptops[0].id
        call = run.chain.plan.call_at(1)
        assert indexed == (call, detail["part"], laptop, detail["bytes"], "ended", told["key"])
        assert (detail["part"], detail["records"], detail["gaps"]) == (part.path.stem, part.records, part.gaps)
        assert detail["bytes"] == part.path.stat().st_size


def test_what_an_agent_had_when_it_was_killed_is_sent_by_the_next(flashing: Path) -> None:
    """And less than a second of it is lost."""
    with running(Chain(1, clip=flashing)) as run:
        run.admit_all()
        run.terminal.wait_for(lambda _: False, 4.0)
        laptop = run.chain.plan.laptops[0]
        killed_ms = time.time() * 1000
        run.chain.laptops[laptop.id].kill()
        (left,) = on_the_laptop(run)
        with left.open("ab") as file:
            file.write(os.urandom(300))  # as of a write that a power cut has torn
        run.chain.start_laptop(laptop.id, laptop.token)
        wait_until(lambda: not on_the_laptop(run), "it is handed over", 20)
        (recorded,) = copies(run)
        assert (recorded.end, recorded.signed, recorded.broken) == ("interrupted", True, "")
        for source, stream in recorded.streams.items():
            newest = max(date.utc_ms for date in stream.dates)
            assert killed_ms - newest < 1000, (source, killed_ms - newest)
