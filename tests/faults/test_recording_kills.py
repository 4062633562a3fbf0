"""kill -9 of a program that records, at random moments: every file opens, every picture decodes, little is lost."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from laptop.media.part_file import finish_interrupted, parts
from server.recordings.opening import open_part
from tests.sealed import KEY, SIGNER, played

MOMENTS = int(os.environ.get("KILLS", "16"))
AT_ONCE = 8
LOST_S = 1.0
PROGRAM = """
import sys, time
from pathlib import Path
from demo.peers.clip import MEDIA, is_key_frame, read
from laptop.media.part_file import Sealing
from laptop.media.recording import Recording
from laptop.media.stream import Piece
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

clip = read(MEDIA / "steady.webm")
sealing = Sealing("BWI-01", sys.argv[2], Ed25519PrivateKey.generate())
recording = Recording(Path(sys.argv[1]), "BWI-1", sealing, lambda at: None, lambda words: None)
recording.start(1)
began = time.monotonic()
for number in range(10_000):
    time.sleep(max(0.0, began + number / 25 - time.monotonic()))
    picture = clip.pictures[number % len(clip.pictures)]
    print(number, flush=True)
    recording.add(Piece("room", "video", picture, number * 3600, time.monotonic(), is_key_frame(picture), (640, 360)))
"""


def test_less_than_a_second_is_lost_and_every_file_decodes(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", str(random.randrange(10**6))))
    print(f"seed {seed}")
    chance = random.Random(seed)
    lost: list[float] = []
    for batch in range(0, MOMENTS, AT_ONCE):
        numbers = range(batch, min(batch + AT_ONCE, MOMENTS))
        folders = [tmp_path / str(number) for number in numbers]
        running = [
            subprocess.Popen([sys.executable, "-c", PROGRAM, folder, KEY.recipient], stdout=subprocess.PIPE, text=True)
            for folder in folders
        ]
        try:
            for process in running:
                assert process.stdout is not None
                process.stdout.readline()  # it records
            for folder, process in zip(folders, running, strict=True):
                time.sleep(chance.uniform(0.3, 0.9))
                process.kill()
                assert process.stdout is not None
                added = int(process.stdout.read().split()[-1])
                lost.append(_lost_s(folder, added))
        finally:
            for process in running:
                process.kill()
                process.wait()
    print("lost at most", max(lost))
    assert len(lost) == MOMENTS and max(lost) <= LOST_S, sorted(lost)[-5:]


def _lost_s(folder: Path, added: int) -> float:
    """How much of what was recorded last is not in the file, as pictures of 40 ms each."""
    (path,) = parts(folder / "BWI-1")
    before = open_part(path, KEY)
    assert before.broken == "" and before.end == ""
    assert finish_interrupted(path, SIGNER)
    part = open_part(path, KEY)
    assert (part.broken, part.end) == ("", "interrupted")
    kept = part.streams["room"].blocks["video"] if part.streams else []
    if kept:
        pictures, _, times = played(part.streams["room"])
        assert pictures == len(kept) and times == sorted(times)
    return (added + 1 - len(kept)) / 25
