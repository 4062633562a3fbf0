"""Which pictures a laptop has to make: what all consoles want of it together, each size and mode once."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from schemas.media import Box

BOXES_MAX = 8
"""Of one call, as many as PicturesWanted has room for."""
SHARED_PER_S_MAX = 2
"""What every call of an establishment is asked for goes to every console: no console makes all of them pay for more."""

BoxKey = tuple[str, int, int, str]
"""Side, width, height, mode: one picture is made for each."""


def key_of(box: Box) -> BoxKey:
    return str(box.side), box.width, box.height, str(box.mode)


def for_every_call(consoles: Iterable[Sequence[Box]]) -> tuple[Box, ...]:
    """What is wanted of each call, what most consoles want first; at most BOXES_MAX."""
    boxes = [replace(box, per_s=min(box.per_s, SHARED_PER_S_MAX)) for wanted in consoles for box in wanted]
    return _merged(boxes)


def for_call(every: Sequence[Box], focused: Iterable[Sequence[Box]]) -> tuple[Box, ...]:
    """What is wanted of one call: of those that look at it closely first, then what is wanted of each."""
    close = _merged([box for wanted in focused for box in wanted])
    shared = {key_of(box): box for box in every}
    mine = [replace(box, per_s=max(box.per_s, shared.pop(key_of(box), box).per_s)) for box in close]
    return (*mine, *shared.values())[:BOXES_MAX]


def _merged(boxes: list[Box]) -> tuple[Box, ...]:
    how_many = Counter(map(key_of, boxes))
    fastest: dict[BoxKey, Box] = {}
    for box in boxes:
        known = fastest.get(key_of(box))
        if known is None or known.per_s < box.per_s:
            fastest[key_of(box)] = box
    ranked = sorted(fastest, key=lambda key: (-how_many[key], key))
    return tuple(fastest[key] for key in ranked[:BOXES_MAX])
