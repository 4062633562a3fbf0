"""What officers' consoles tell each other through the server: who looks at what, what was seen or shelved, what the
people on a call have read. A part of the console's conversation; nothing of it changes a call.

console -> Acknowledge, Shelve   server -> CallMarks to every console, or MarkRefused
console -> Beat                  server -> Watchers to every console when it has changed
console -> Command (words)       server -> NoticeReached to every console, for each device that has shown them
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from .call import Role
from .wire import Count, Id, Message, Milliseconds, Name, OptionalId, Words


class Cause(StrEnum):
    """Why a call needs a person."""

    URGENT_HELP = "urgent_help"
    LAPTOP_LOST = "laptop_lost"
    NOT_RECORDED = "not_recorded"
    NOT_COPIED = "not_copied"
    PAUSED = "paused"
    NOT_CARRIED = "not_carried"
    WAITING = "waiting"
    UNSEEN = "unseen"
    WATCH_OFFERED = "watch_offered"
    TIME_SHORT = "time_short"
    WARNED_TWICE = "warned_twice"


SHELVABLE = frozenset((Cause.NOT_CARRIED, Cause.WAITING, Cause.TIME_SHORT, Cause.WARNED_TWICE))
"""What may be put aside for some minutes. What is urgent, about recording or lease, and what nobody has looked at may
not."""
SHELVE_MINUTES = (2, 5, 10)
SHELVED_AT_ONCE = 3
"""By one person."""
SHELVED_AGAIN = 2
"""Times that one cause of one call may be shelved."""


class Acknowledge(Message, tag=53, frozen=True):
    """I have seen it: it stays until its cause is gone, with the person's name. `since_ms` tells one occurrence of a
    cause from the next one."""

    since: ClassVar[int] = 2

    call_id: Id
    cause: Cause
    since_ms: Milliseconds


class Shelve(Message, tag=54, frozen=True):
    """Out of the strip for some minutes, one of SHELVE_MINUTES, with a reason."""

    since: ClassVar[int] = 2

    call_id: Id
    cause: Cause
    since_ms: Milliseconds
    minutes: Annotated[int, Meta(ge=1, le=10)]
    why: Words


class Mark(Message, frozen=True):
    """What somebody has said about one occurrence of a cause. `shelved_until_ms` 0: it is not shelved."""

    cause: Cause
    since_ms: Milliseconds
    by: Name
    at_ms: Milliseconds
    shelved_until_ms: Milliseconds = 0
    why: Words = ""


class WatcherView(Message, frozen=True):
    """One console. `looking`: the call is in focus, or has been selected for 5 s; `counts`: it beats and is used."""

    session: Id
    name: Name
    role: Role
    call_id: OptionalId
    focused: bool
    looking: bool
    counts: bool


class Watchers(Message, tag=81, frozen=True):
    """All consoles that have the establishment open."""

    since: ClassVar[int] = 2

    watchers: Annotated[list[WatcherView], Meta(max_length=64)]


class CallMarks(Message, tag=82, frozen=True):
    """All marks of a call; replaces those before."""

    since: ClassVar[int] = 2

    call_id: Id
    marks: Annotated[list[Mark], Meta(max_length=40)]


class NoticeReached(Message, tag=83, frozen=True):
    """A device has shown a notice or warning, and the people were there to press its button or read it."""

    since: ClassVar[int] = 2

    command_id: Id
    call_id: Id
    leg: Id
    took_ms: Count


class MarkRefused(Message, tag=84, frozen=True):
    """Not acknowledged or not shelved, and why."""

    since: ClassVar[int] = 2

    call_id: Id
    cause: Cause
    words: Words
