"""`sightline recording join`: a call's sealed parts become one WebM that standard players play.

Its first two tracks are both sides beside each other and all sound together; then each source's own picture and sound
follow as they were recorded. Where nothing is recorded there is a gap: hatched in the common picture.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from schemas.recording import fingerprint

from ..rules.call import ROOM_LEG
from .composing import RATE, PictureSource, SoundSource, panel, place_size, side_by_side, to_frame
from .keys import KeyFileError, read_key
from .laptop_keys import SUFFIX, KeyListError, read_list
from .opening import OpenedPart, open_call
from .placing import Placed, place

PICTURES_PER_S = 25
SLICE_MS = 1000
GAP_MS = 1000
"""Without a frame for so long there is a gap."""
SOUND_PACKET = RATE // 50
MILLISECOND = Fraction(1, 1000)
VIDEO_OPTIONS = {"deadline": "realtime", "cpu-used": "8", "g": "100", "crf": "12"}


@dataclass
class Source:
    """One leg's frames over all parts, by kind; a list for each part."""

    name: str
    parts: dict[str, list[list[Placed]]] = field(default_factory=dict[str, list[list[Placed]]])

    def all(self, kind: str) -> list[Placed]:
        return sorted((one for part in self.parts.get(kind, []) for one in part), key=lambda one: one.at_ms)


def join(folder: Path, identity: Path, laptops: Path | None, output: Path) -> dict[str, Any]:
    """Writes `output`; returns what was found, for JSON. SystemExit with one sentence when it can't.

    `laptops`: the list of their keys (None: the one beside the evidence key).
    """
    try:
        registered = read_list(laptops or identity.with_suffix(SUFFIX))
        parts = open_call(folder, read_key(identity))
    except KeyListError as error:
        raise SystemExit(f"recording: {error}; give the server's list of laptops' keys with --laptops.") from error
    except KeyFileError as error:
        raise SystemExit(f"recording: {error}; give the evidence key with --identity.") from error
    except OSError as error:
        raise SystemExit(f"recording: {folder} can't be read ({error.strerror}).") from error
    if not parts:
        raise SystemExit(f"recording: there is no recording in {folder}; give the folder of one call.")
    sources = _sources(parts)
    if not sources:
        why = next((part.broken for part in parts if part.broken), "nothing was recorded")
        raise SystemExit(f"recording: {folder} holds nothing that can be played: {why}.")
    times = [one.at_ms for source in sources for kind in source.parts for one in source.all(kind)]
    began_ms, ended_ms = min(times), max(times) + 40
    try:
        _write(output, sources, began_ms, ended_ms)
    except (OSError, av.error.FFmpegError) as error:
        raise SystemExit(f"recording: {output} can't be written ({error}).") from error
    return {
        "call": parts[0].begin.call_id if parts[0].begin else folder.name,
        "began": _iso(began_ms),
        "seconds": round((ended_ms - began_ms) / 1000, 1),
        "parts": [_about(part, registered) for part in parts],
        "sources": [source.name for source in sources],
        "gaps": [gap for source in sources for gap in _gaps(source, began_ms, ended_ms)],
    }


def _sources(parts: list[OpenedPart]) -> list[Source]:
    """The room first, then the family's devices."""
    sources: dict[str, Source] = {}
    for part in parts:
        for stream in part.streams.values():
            source = sources.setdefault(stream.source, Source(stream.source))
            for kind, placed in place(stream.blocks, stream.dates).items():
                source.parts.setdefault(kind, []).append(placed)
    found = sorted(sources.values(), key=lambda source: (source.name != ROOM_LEG, source.name))
    return [source for source in found if any(part for some in source.parts.values() for part in some)]


def _write(output: Path, sources: list[Source], began_ms: float, ended_ms: float) -> None:
    with av.open(str(output), "w", format="webm") as container:
        writer = _Writer(container, sources, began_ms)
        at_ms = 0
        while began_ms + at_ms < ended_ms:
            writer.slice(at_ms, min(SLICE_MS, round(ended_ms - began_ms - at_ms) + 1))
            at_ms += SLICE_MS
        writer.finish()


class _Writer:
    """Writes a file second by second, all of its tracks in step."""

    def __init__(self, container: Any, sources: list[Source], began_ms: float) -> None:
        self._container, self._began_ms = container, began_ms
        width, height = place_size(1)
        self._video = container.add_stream("libvpx", rate=PICTURES_PER_S, options=VIDEO_OPTIONS)
        self._video.width, self._video.height, self._video.pix_fmt = 2 * width, height, "yuv420p"
        self._video.bit_rate = 1_500_000
        self._audio = container.add_stream("libopus", rate=RATE)
        self._audio.layout, self._audio.bit_rate = "stereo", 96_000
        self._video.metadata["title"], self._audio.metadata["title"] = "family and room", "all sound"
        family = [source for source in sources if source.name != ROOM_LEG]
        room = [source for source in sources if source.name == ROOM_LEG]
        self._sides = [_pictures(family), _pictures(room)]
        self._sounds = [SoundSource(source.parts["audio"], began_ms) for source in sources if "audio" in source.parts]
        self._own = [self._track(source, kind) for source in sources for kind in ("video", "audio") if source.all(kind)]
        self._sample = self._picture = 0
        self._last: dict[int, int] = {}

    def slice(self, first_ms: int, length_ms: int) -> None:
        """Everything from `first_ms` on, ms since the beginning."""
        until_ms = first_ms + length_ms
        while self._picture * 1000 < until_ms * PICTURES_PER_S:
            at_ms = self._began_ms + self._picture * 1000 / PICTURES_PER_S
            frame = to_frame(side_by_side([panel(side, at_ms) for side in self._sides]))
            frame.pts, frame.time_base = self._picture, Fraction(1, PICTURES_PER_S)
            self._container.mux(self._video.encode(frame))
            self._picture += 1
        while self._sample * 1000 < until_ms * RATE:
            mix = np.zeros((SOUND_PACKET, 2), np.float32)
            for sound in self._sounds:
                sound.add_to(mix, self._sample)
            pcm = (np.clip(mix, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
            heard = av.AudioFrame.from_ndarray(pcm, "s16", "stereo")
            heard.sample_rate, heard.pts, heard.time_base = RATE, self._sample, Fraction(1, RATE)
            self._container.mux(self._audio.encode(heard))
            self._sample += SOUND_PACKET
        for track, waiting in self._own:
            while waiting and waiting[-1].at_ms - self._began_ms < until_ms:
                self._pass_on(track, waiting.pop())

    def finish(self) -> None:
        self._container.mux(self._video.encode())
        self._container.mux(self._audio.encode())

    def _pass_on(self, track: Any, placed: Placed) -> None:
        at_ms = max(round(placed.at_ms - self._began_ms), self._last.get(track.index, -1) + 1)
        self._last[track.index] = at_ms
        packet = av.Packet(placed.block.data)
        packet.stream, packet.time_base, packet.pts, packet.dts = track, MILLISECOND, at_ms, at_ms
        packet.is_keyframe = placed.block.key
        self._container.mux_one(packet)

    def _track(self, source: Source, kind: str) -> tuple[Any, list[Placed]]:
        """A track for a source's own frames, and these, the newest first."""
        frames = source.all(kind)
        if kind == "video":
            width, height = _first_size(frames)
            track = self._container.add_mux_stream("vp8", width=width, height=height, time_base=MILLISECOND)
        else:
            track = self._container.add_stream("libopus", rate=RATE)  # its encoder only supplies the header
            track.layout = "stereo"
        track.metadata["title"] = source.name
        return track, frames[::-1]


def _pictures(sources: list[Source]) -> list[PictureSource]:
    size = place_size(len(sources))
    return [PictureSource(source.parts.get("video", []), *size) for source in sources]


def _first_size(frames: list[Placed]) -> tuple[int, int]:
    """RFC 6386, 9.1: a key frame's size stands in its bytes 6 to 9."""
    data = next((one.block.data for one in frames if one.block.key and len(one.block.data) > 9), b"")
    if not data:
        return place_size(1)
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def _gaps(source: Source, began_ms: float, ended_ms: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for kind in ("video", "audio"):
        before = began_ms
        for at_ms in (*(one.at_ms for one in source.all(kind)), ended_ms):
            if at_ms - before > GAP_MS:
                span = round((before - began_ms) / 1000, 2), round((at_ms - began_ms) / 1000, 2)
                found.append({"source": source.name, "kind": kind, "from_s": span[0], "to_s": span[1]})
            before = max(before, at_ms)
    return found


def _about(part: OpenedPart, registered: set[tuple[str, bytes]]) -> dict[str, Any]:
    begin = part.begin
    return {
        "part": part.path.stem,
        "records": part.records,
        "gap_records": part.gaps,
        "from": _iso(part.first_ms),
        "to": _iso(part.last_ms),
        "end": part.end or "none",
        "signed": part.signed,
        "laptop": begin.laptop_id if begin else "",
        "key": fingerprint(begin.signer) if begin else "",
        "registered": begin is not None and (begin.laptop_id, begin.signer) in registered,
        "broken": part.broken,
    }


def _iso(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
