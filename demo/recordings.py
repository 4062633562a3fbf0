"""How much of each call is really recorded: read from the server's copies themselves."""

from pathlib import Path

from server.recordings.keys import EvidenceKey
from server.recordings.opening import open_call


def durations_s(folders: list[Path], key: EvidenceKey) -> dict[tuple[str, str], float]:
    """(call, source) -> seconds between its first and its last frame; 0 for a source without frames."""
    found: dict[tuple[str, str], float] = {}
    for folder in folders:
        for part in open_call(folder, key):
            for source, stream in part.streams.items():
                times = [block.at_ms for blocks in stream.blocks.values() for block in blocks]
                lasted = (max(times) - min(times)) / 1000 if times else 0.0
                found[folder.name, source] = found.get((folder.name, source), 0.0) + lasted
    return found
