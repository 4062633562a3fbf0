"""How much of each call is really on disk: read from the recordings themselves."""

from pathlib import Path

import av
from av.error import FFmpegError


def durations_s(files: list[Path]) -> dict[Path, float]:
    """File -> seconds between its first and last packet; 0 for a file without packets."""
    return {file: _duration_s(file) for file in files}


def _duration_s(file: Path) -> float:
    first, last = None, 0.0
    try:
        with av.open(str(file)) as container:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    at = float(packet.pts * packet.time_base)
                    first = at if first is None else min(first, at)
                    last = max(last, at)
    except FFmpegError:  # a file that is being written may end in the middle of a packet
        pass
    return last - first if first is not None else 0.0
