"""What a terminal with Kitty's graphics shows, as far as the protocol's commands that we use say; it refuses others."""

import re
from base64 import standard_b64decode
from dataclasses import dataclass, field

COMMAND = re.compile(r"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\|\x1b\[(\d+);(\d+)H|(\x18\x1b\\)")
Placement = tuple[int, int, int, int, str]
"""Column and row (from 0), columns and rows, and the part of the image: `x,y,w,h` or empty."""


@dataclass
class KittyTerminal:
    images: dict[int, tuple[str, bytes]] = field(default_factory=dict[int, tuple[str, bytes]])
    """By number: the form's keys, and the data."""
    placements: dict[int, Placement] = field(default_factory=dict[int, Placement])
    most_images: int = 0
    _begun: dict[str, str] | None = None
    _data: str = ""
    _cursor: tuple[int, int] = 0, 0

    def feed(self, text: str) -> None:
        at = 0
        for found in COMMAND.finditer(text):
            assert found.start() == at, repr(text[at : found.start()])
            at = found.end()
            if found[3]:
                self._cursor = int(found[4]) - 1, int(found[3]) - 1
            elif found[5]:
                self._begun, self._data = None, ""
            else:
                self._command(dict(pair.split("=") for pair in found[1].split(",")), found[2] or "")
        assert at == len(text), repr(text[at:])

    def _command(self, keys: dict[str, str], payload: str) -> None:
        assert keys.pop("q") == "2"
        assert len(payload) <= 4096
        if self._begun is not None:
            assert set(keys) == {"m"}, "nothing may come between the pieces of an image"
            self._piece(keys["m"], payload)
        elif keys.get("a") == "t":
            self._begun, self._data = keys, ""
            self._piece(keys.pop("m"), payload)
        elif keys.get("a") == "p":
            number = int(keys["i"])
            assert number in self.images and keys["p"] == "1" and keys["C"] == "1"
            part = ",".join(keys[key] for key in "xywh") if "x" in keys else ""
            self.placements[number] = (*self._cursor, int(keys["c"]), int(keys["r"]), part)
        else:
            assert keys.pop("a") == "d"
            if keys == {"d": "A"}:
                self.images.clear()
                self.placements.clear()
                return
            assert keys.pop("d") == "I"
            number = int(keys.pop("i"))
            assert not keys
            self.images.pop(number, None)
            self.placements.pop(number, None)

    def _piece(self, more: str, payload: str) -> None:
        assert self._begun is not None
        assert more == "0" or len(payload) % 4 == 0
        self._data += payload
        if more == "0":
            keys, data = self._begun, standard_b64decode(self._data)
            self._begun = None
            form = ",".join(f"{key}={keys[key]}" for key in "fsvo" if key in keys)
            if payload:  # one that was given up is no image
                self.images[int(keys["i"])] = form, data
                self.most_images = max(self.most_images, len(self.images))
