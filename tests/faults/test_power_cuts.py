"""Power cuts at any moment, with writes lost, torn or in another order: what was said to be durable is there and holds,
and the rest is found and cut off. kill -9 does not try this: what a process has written outlives it.

POWER_CUTS states of the disk are tried for each (more in a campaign); a failing SEED is printed.
"""

import os
import random
import shutil
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

import laptop.durable
import laptop.media.part_file
import server.recordings.durable
import server.recordings.keys
import server.recordings.part
from laptop.media.call_key import take_key
from laptop.media.part_file import PartFile, finish_interrupted, parts
from laptop.signing import public_bytes, signing_key
from schemas.recording import Chunk, FrameReader, part_key
from server.recordings.keys import own_key
from server.recordings.opening import open_part
from server.recordings.part import IncomingPart, Named
from tests.power_cut import Log, leave, logged
from tests.sealed import KEY, SEALING, SIGNER, opened, signs

STATES = int(os.environ.get("POWER_CUTS", "300"))
SEED = int(os.environ.get("SEED", str(random.randrange(10**6))))
LAPTOP = (laptop.durable, laptop.media.part_file)
SERVER = (server.recordings.durable, server.recordings.part)
BEGAN_MS = 1_800_000_000_000


def cuts(log: Log, folder: Path) -> Iterator[tuple[list[object], Path, random.Random]]:
    """(what had been said by then, the disk as it was found, chance) for moments all over the log."""
    print(f"SEED={SEED}, {len(log.ops)} operations")
    for number in range(STATES):
        chance = random.Random(SEED * 100_003 + number)
        cut = log.began + 1 + number * (len(log.ops) - log.began) // STATES
        disk = folder / f"after-{number}"
        leave(log.ops[:cut], disk, chance)
        yield [op.data for op in log.ops[:cut] if op.what == "said"], disk, chance
        shutil.rmtree(disk)


def data_of(path: Path) -> list[bytes]:
    """What was recorded, record by record, as far as it opens."""
    streams = open_part(path, KEY).streams
    return [one + b";" for one in bytes(streams["room"].data).split(b";")[:-1]] if streams else []


def record(number: int, chance: random.Random) -> bytes:
    return b"%d:" % number + chance.randbytes(chance.randrange(3000)).replace(b";", b",") + b";"


def test_what_an_agent_said_was_durable_is_there_after_a_cut_and_after_another_one_while_it_is_mended(
    tmp_path: Path,
) -> None:
    chance, disk = random.Random(SEED), tmp_path / "disk"
    disk.mkdir()
    with logged(disk, *LAPTOP) as log:
        for run in range(3):  # an agent, and two that came after it
            (disk / "BWI-1").mkdir(exist_ok=True)
            part = PartFile(disk / "BWI-1", "BWI-1", SEALING)
            for number in range(6):
                data = record(number, chance)
                part.write([Chunk("room", 0, data, [])], 1, BEGAN_MS + 800 * number)
                log.said((part.name, data))
            if run == 1:
                part.end(BEGAN_MS + 6000)
            part.close()
    found = torn = 0
    for said, left, chance in cuts(log, tmp_path):
        if chance.random() < 0.5:  # the next agent mends it, and the power is cut again
            with logged(left, *LAPTOP) as again:
                mend(left)
            twice = left.with_name("twice")
            leave(again.ops[: chance.randint(again.began, len(again.ops))], twice, chance)
            shutil.rmtree(left)
            twice.rename(left)
        torn += sum(bool(open_part(path, KEY).broken) for path in parts(left / "BWI-1"))
        mend(left)
        for path in parts(left / "BWI-1"):
            part = open_part(path, KEY)
            assert (part.broken, part.signed) == ("", True)
        for name, data in said:
            assert data in data_of(left / "BWI-1" / f"{name}.rec"), f"{name} had it"
            found += 1
        used = {(b.wrapped, b.step) for b in (p.begin for p in opened(left / "BWI-1")) if b}
        run_key = take_key(left, "BWI-1", KEY.recipient)
        assert (run_key.wrapped, run_key.step) not in used, "no run gets a key that seals something already"
        keys = [part_key(p.begin, KEY.unwrap(p.begin.wrapped) or b"") for p in opened(left / "BWI-1") if p.begin]
        assert len(set(keys)) == len(keys)
    assert found > STATES and torn, "the cuts are real ones"


def mend(disk: Path) -> None:
    for path in parts(disk / "BWI-1"):
        finish_interrupted(path, SIGNER)


def test_what_a_server_said_it_kept_is_there_after_a_cut_and_it_goes_on_from_there(tmp_path: Path) -> None:
    chance, disk, source = random.Random(SEED), tmp_path / "disk", tmp_path / "laptop" / "BWI-1"
    disk.mkdir()
    source.mkdir(parents=True)
    part = PartFile(source, "BWI-1", SEALING)
    for number in range(12):
        part.write([Chunk("room", 0, record(number, chance), [])], 1, BEGAN_MS + 800 * number)
    part.end(BEGAN_MS + 10_000)
    whole = part.path.read_bytes()
    ends = list(accumulate(len(frame.data) for frame in FrameReader().feed(whole)))
    named = Named("BWI", "BWI-1", part.name, "BWI-01")

    def incoming(root: Path) -> IncomingPart:
        return IncomingPart(root / "recordings" / "BWI" / "BWI-1" / part.path.name, named, signs)

    with logged(disk, *SERVER) as log:
        (disk / "recordings").mkdir()
        server.recordings.durable.make_names_durable(disk)
        copy = incoming(disk)
        while not copy.whole:
            copy.take(copy.expected, whole[copy.expected : copy.expected + chance.randrange(1, 4000)])
            if chance.random() < 0.5:
                copy.make_durable()
                log.said(copy.bytes)
    cut_off = 0
    for said, left, _ in cuts(log, tmp_path):
        (left / "recordings").mkdir(exist_ok=True)  # as the server does at its start
        path = left / "recordings" / "BWI" / "BWI-1" / part.path.name
        size = path.stat().st_size if path.exists() else 0
        copy = incoming(left)
        kept = max((end for end in ends if said and end <= said[-1]), default=0)  # type: ignore[operator]
        assert copy.bytes >= kept, "each whole record of what it said"
        assert not copy.bytes or whole.startswith(path.read_bytes())
        cut_off += copy.bytes < size
        copy.take(copy.bytes, whole[copy.bytes :])
        copy.make_durable()
        assert copy.whole and path.read_bytes() == whole
    assert cut_off, "the cuts are real ones"


def test_an_evidence_key_that_something_was_sealed_for_is_the_same_after_a_cut(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with logged(disk, *SERVER, server.recordings.keys) as log:
        log.said(own_key(disk / "evidence", "BWI").recipient)
    for said, left, _ in cuts(log, tmp_path):
        key = own_key(left / "evidence", "BWI")
        assert not said or key.recipient in said


@pytest.mark.parametrize("existed", [False, True])
def test_a_signing_key_that_was_used_is_the_same_after_a_cut(tmp_path: Path, existed: bool) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if existed:
        signing_key(disk)
    with logged(disk, *LAPTOP) as log:
        log.said(public_bytes(signing_key(disk)))
    for said, left, _ in cuts(log, tmp_path):
        key = public_bytes(signing_key(left))
        assert not said or key in said
