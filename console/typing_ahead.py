"""Keys that were typed before the screen that they are for was there: Textual gives them to the one below."""

from typing import Protocol, runtime_checkable

from textual import events


@runtime_checkable
class KeyTaker(Protocol):
    """A screen of ours."""

    letter: str

    def on_key(self, event: events.Key) -> None: ...
