"""Pictures on their way from laptops to consoles: the newest of each call, side, size and mode, at its own pace.

What consoles want of every call goes out in the delta that all share. What a console wants of the one call that it
looks at closely, up to ten a second, goes to those consoles only.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.media import Box
from schemas.wire import MAX_SERVER_FRAME_BYTES

from ..rules.picture_boxes import BoxKey, key_of

PICTURE_EACH_S = 0.4
"""Of those that are wanted once a second, one goes out at most so often; of those wanted n times a second, n times
as often. A laptop that sends more hurts nobody."""
PICTURES_OF_CALL_MAX = 8
"""So many sizes and sides are asked of a laptop at most; of others the oldest is forgotten."""
CLOSE_OF_CALL_MAX = 32
"""Sizes that somebody has looked at closely in one call: windows are resized."""
DELTA_PICTURES_BYTES = MAX_SERVER_FRAME_BYTES // 4
"""Of the shared ones in a tick; close ones are four at most, each of 200 KB at most."""
SNAPSHOT_PICTURES_BYTES = MAX_SERVER_FRAME_BYTES // 2

PictureKey = tuple[str, BoxKey]
"""Call, and the box that it was made for."""


class _Lane:
    """Those that have not gone out yet, and when each went out last."""

    def __init__(self) -> None:
        self.waiting: dict[PictureKey, bytes] = {}
        self.shown_at: dict[PictureKey, float] = {}
        self.per_s: dict[PictureKey, int] = {}

    def due(self, now: float, room: int) -> list[tuple[PictureKey, bytes]]:
        """Takes those that may go out now; what is left is the first at the next tick."""
        taken: list[tuple[PictureKey, bytes]] = []
        for key, frame in tuple(self.waiting.items()):
            each_s = PICTURE_EACH_S / self.per_s.get(key, 1)
            if now - self.shown_at.get(key, 0.0) >= each_s and (room := room - len(frame)) > 0:
                del self.waiting[key]
                self.shown_at[key] = now
                taken.append((key, frame))
        return taken

    def drop(self, key: PictureKey) -> None:
        self.waiting.pop(key, None)
        self.shown_at.pop(key, None)


class Pictures:
    """`take` each as it comes; `shared` and `close` give what goes out at this tick."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[BoxKey, bytes]] = {}
        self._shared, self._close = _Lane(), _Lane()
        self._wanted_of_every: dict[BoxKey, int] = {}
        self._looked_at: dict[str, set[BoxKey]] = {}
        """By call, what is wanted of it alone, or was: it does not go to everybody when its console has turned away."""

    def want(self, every: Iterable[Box], focused: Iterable[tuple[str, Sequence[Box]]]) -> None:
        """What is wanted of every call, and (call, boxes) of each console that looks at one closely."""
        self._wanted_of_every = {key_of(box): box.per_s for box in every}
        self._close.per_s = {}
        for call_id, boxes in focused:
            looked_at = self._looked_at.setdefault(call_id, set())
            if len(looked_at) + len(boxes) > CLOSE_OF_CALL_MAX:
                looked_at.clear()
            for box in boxes:
                key = call_id, key_of(box)
                looked_at.add(key[1])
                self._close.per_s[key] = max(box.per_s, self._close.per_s.get(key, 1))

    def take(self, call_id: str, box: BoxKey, frame: bytes) -> None:
        key = call_id, box
        if key in self._close.per_s:
            self._close.waiting[key] = frame
        if box not in self._wanted_of_every and box in self._looked_at.get(call_id, ()):
            return
        self._shared.waiting[key] = frame
        self._shared.per_s[key] = self._wanted_of_every.get(box, 1)
        pictures = self._newest.setdefault(call_id, {})
        pictures[box] = frame
        if len(pictures) > PICTURES_OF_CALL_MAX:
            oldest = next(iter(pictures))
            del pictures[oldest]
            self._drop((call_id, oldest))

    def forget(self, call_id: str) -> None:
        """The call is over."""
        boxes = {*self._newest.pop(call_id, {}), *self._looked_at.pop(call_id, ())}
        for box in boxes:
            self._drop((call_id, box))

    def shared(self, now: float) -> list[msgspec.Raw]:
        return [msgspec.Raw(frame) for _, frame in self._shared.due(now, DELTA_PICTURES_BYTES)]

    def close(self, now: float) -> dict[PictureKey, msgspec.Raw]:
        return {key: msgspec.Raw(frame) for key, frame in self._close.due(now, MAX_SERVER_FRAME_BYTES)}

    def newest(self) -> list[msgspec.Raw]:
        """Of every call, for a snapshot."""
        pictures: list[msgspec.Raw] = []
        room = SNAPSHOT_PICTURES_BYTES
        for of_call in self._newest.values():
            for frame in of_call.values():
                if len(frame) <= room:
                    room -= len(frame)
                    pictures.append(msgspec.Raw(frame))
        return pictures

    def _drop(self, key: PictureKey) -> None:
        self._shared.drop(key)
        self._shared.per_s.pop(key, None)
        self._close.drop(key)
