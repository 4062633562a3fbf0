"""The conversation between a console and its server. Tags 40 to 59 go up, 60 to 89 come down.

console -> ConsoleHello       server -> ConsoleWelcome, Snapshot, then a Delta a tick and CallChanged at once
console -> Command            server -> CommandAnswer, then CommandDone when the laptop has confirmed it
console -> TimeProbe          server -> TimeReply
console -> SnapshotRequest    server -> Snapshot
console -> ReviewsWanted      server -> Reviews, then ReviewChanged at each change of an incident
console -> ReviewOpen         server -> ReviewOpened, ReviewEvidence until ReviewEvidenceDone; or ReviewRefused
console -> ReviewCommand      server -> CommandAnswer
console -> Acknowledge …      server -> Watchers, CallMarks … (attention.py)

A console of remote support gets ConsoleWelcome, then HealthSnapshot and HealthDelta and nothing else of the wall.
"""

from typing import Annotated, ClassVar

from msgspec import Meta, field

from .attention import Acknowledge, CallMarks, MarkRefused, NoticeReached, Shelve, Watchers
from .call import CallView, Category, Outcome, Refusal, Role, SeatView
from .health import HealthDelta, HealthSnapshot, OpenLaptop
from .media import Box, CallHealth, Levels, Picture, Side
from .review import (
    ReviewChanged,
    ReviewClose,
    ReviewCommand,
    ReviewEvidence,
    ReviewEvidenceDone,
    ReviewOpen,
    ReviewOpened,
    ReviewRefused,
    Reviews,
    ReviewShown,
    ReviewsWanted,
)
from .wire import Codec, Count, EstablishmentCode, Id, Link, Message, Milliseconds, Name, OptionalId, Token, Words


class ConsoleHello(Message, tag=40, frozen=True):
    """First message. On the server's Unix socket the token is empty: the kernel says who it is."""

    protocol: int
    establishment: EstablishmentCode
    token: Token = ""
    columns: Count = 0
    rows: Count = 0


class Beat(Message, tag=41, frozen=True):
    """Every 2 s: the console is alive, what it has selected, and how long ago somebody used it."""

    selected_call: OptionalId
    focused: bool
    idle_ms: Milliseconds


class Boxes(Message, tag=42, frozen=True):
    """The picture sizes that this console can show, for every call of the establishment, and besides for the one call
    that it looks at closely; replaces both lists before.

    Pictures for every call come at most twice a second each, those of `focus` as often as they say.
    """

    boxes: Annotated[list[Box], Meta(max_length=4)]
    focus_call: OptionalId = ""
    focus: Annotated[list[Box], Meta(max_length=4)] = field(default_factory=list[Box])


class TimeProbe(Message, tag=43, frozen=True):
    """Asks for the server's time; `sent_ms` is the console's own and comes back as it was."""

    sent_ms: Milliseconds


class SnapshotRequest(Message, tag=44, frozen=True):
    """A gap in `tick` or `order` was seen."""


class Admit(Message, tag=1, frozen=True):
    """Lets one leg be seen and heard."""

    leg: Id


class Refuse(Message, tag=2, frozen=True):
    """Sends one leg away."""

    leg: Id


class Notice(Message, tag=3, frozen=True):
    """Words for one side, or for both when `side` is absent."""

    side: Side | None
    words: Words


class Warn(Message, tag=4, frozen=True):
    """A warning for one side or both; it counts."""

    side: Side | None
    words: Words


class Pause(Message, tag=5, frozen=True):
    """Stops picture and sound both ways; the clock runs on. Of a paused call: says why it is."""


class Resume(Message, tag=6, frozen=True):
    """Lifts a pause; after a false alarm the lost time is given back."""

    false_alarm: bool


class Extend(Message, tag=7, frozen=True):
    """To an absolute end, server's time, UTC ms."""

    ends_at_ms: int


class End(Message, tag=8, frozen=True):
    """Ends the call for good."""

    outcome: Outcome = Outcome.TERMINATED_BY_STAFF


class OneSide(Message, tag=9, frozen=True):
    """Sound or picture of one side off, or on again."""

    side: Side
    sound_off: bool
    picture_off: bool


class Flag(Message, tag=10, frozen=True):
    """An incident; `pressed_at_ms` is the server's time when the key was pressed."""

    category: Category
    note: Words
    pressed_at_ms: Milliseconds


class UrgentHelp(Message, tag=11, frozen=True):
    """Calls colleagues to the call; `kind` says what for. `over`: it is taken back, and `kind` says why."""

    kind: Name
    over: bool = False


class Watch(Message, tag=12, frozen=True):
    """Takes the watch of this seat, or offers it to a colleague, who takes it; until then the giver stays
    responsible."""

    take: bool
    to: Name = ""


Act = Admit | Refuse | Notice | Warn | Pause | Resume | Extend | End | OneSide | Flag | UrgentHelp | Watch


class Command(Message, tag=45, frozen=True):
    """An act on one call. The same `command_id` twice has one effect. Void after `not_after_ms` (server's time)."""

    command_id: Id
    call_id: Id
    version: Count
    """The version of the call that the officer saw."""
    not_after_ms: Milliseconds
    reason: Words
    act: Act


class ConsoleWelcome(Message, tag=60, frozen=True):
    """The hello was accepted: who the server takes this person for, and what the role may do; `protocol` is what this
    link speaks from here on."""

    protocol: int
    session_id: Id
    staff_name: Name
    role: Role
    establishment: EstablishmentCode
    establishment_name: Name
    server_time_ms: Milliseconds
    permissions: Annotated[list[str], Meta(max_length=40)]
    """Names of the acts that the role may give, in lower case: `admit`, `extend`, …"""


class Snapshot(Message, tag=61, frozen=True):
    """All that is known now. The next Delta has `tick` + 1, the next CallChanged `order` + 1."""

    tick: Count
    order: Count
    server_time_ms: Milliseconds
    seats: list[SeatView]
    calls: list[CallView]
    levels: list[Levels]
    health: list[CallHealth]
    pictures: list[Picture]


class Delta(Message, tag=62, frozen=True):
    """What was measured since the tick before; one frame shared by all consoles of the establishment. Latest wins."""

    tick: Count
    server_time_ms: Milliseconds
    levels: list[Levels]
    health: list[CallHealth]
    pictures: list[Picture]


class CallChanged(Message, tag=63, frozen=True):
    """Ordered: a call in its new form."""

    order: Count
    call: CallView


class SeatChanged(Message, tag=64, frozen=True):
    """Ordered: a seat in its new form."""

    order: Count
    seat: SeatView


class CommandAnswer(Message, tag=65, frozen=True):
    """Accepted (durably in the audit) or refused; `reference` names what came of it, such as an incident's number."""

    command_id: Id
    accepted: bool
    refusal: Refusal | None
    words: Words
    reference: OptionalId = ""
    needs_laptop: bool = False
    """True: a CommandDone follows."""


class CommandDone(Message, tag=66, frozen=True):
    """The laptop has confirmed the order (`done`), has refused it, or its lease has run out."""

    command_id: Id
    done: bool
    words: Words
    took_ms: Milliseconds
    """From the server's acceptance to the laptop's word."""


class TimeReply(Message, tag=67, frozen=True):
    """The server's time, with the probe's own."""

    sent_ms: Milliseconds
    server_time_ms: Milliseconds


class SupervisionChanged(Message, tag=80, frozen=True):
    """Nobody watches this establishment any more, or somebody does again. Times are the server's, UTC ms."""

    since: ClassVar[int] = 2

    supervised: bool
    since_ms: Milliseconds
    pauses_at_ms: Milliseconds
    """When live calls are paused unless somebody watches by then; 0 while supervised."""
    ends_at_ms: Milliseconds


FromConsole = (
    ConsoleHello
    | Beat
    | Boxes
    | TimeProbe
    | SnapshotRequest
    | Command
    | ReviewsWanted
    | ReviewOpen
    | ReviewShown
    | ReviewCommand
    | ReviewClose
    | OpenLaptop
    | Acknowledge
    | Shelve
)
ToConsole = (
    ConsoleWelcome
    | Snapshot
    | Delta
    | CallChanged
    | SeatChanged
    | CommandAnswer
    | CommandDone
    | TimeReply
    | SupervisionChanged
    | HealthSnapshot
    | HealthDelta
    | Reviews
    | ReviewChanged
    | ReviewOpened
    | ReviewRefused
    | ReviewEvidence
    | ReviewEvidenceDone
    | Watchers
    | CallMarks
    | NoticeReached
    | MarkRefused
)

from_console = Codec(Link.CONSOLE, FromConsole)
to_console = Codec(Link.CONSOLE, ToConsole)
