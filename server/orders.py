"""Orders on their way to laptops: who waits for the laptop's word, and what it was."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.console import CommandDone
from schemas.laptop import Order
from schemas.wire import Message

from .rules.call import Call
from .rules.decision import Ordered

ANSWER_S = 5.0
"""How long a laptop may take to carry an order out. After it the order counts as not done (an end: see the lease)."""

Send = Callable[[Message], None]


@dataclass
class Pending:
    """`tell` reaches the console that gave the command; None for what the server ordered by itself."""

    order: Order
    ordered: Ordered
    who: str
    command_id: str = ""
    tell: Send | None = None
    sent_at: float = field(default_factory=time.monotonic)


class Orders:
    """A CommandDone never overtakes the CommandAnswer: it is held until `answered`."""

    def __init__(self) -> None:
        self._pending: dict[str, Pending] = {}
        self._unanswered: set[str] = set()
        self._held: dict[str, tuple[Send, CommandDone]] = {}
        self.done: dict[str, CommandDone] = {}
        """What became of the commands of the calls that are open, for one that is sent again."""

    def make(self, call: Call, ordered: Ordered, who: str, now_ms: int) -> Pending:
        order = Order(
            order_id=uuid.uuid4().hex,
            call_id=call.call_id,
            epoch=call.epoch,
            act=ordered.act,
            leg=ordered.leg,
            side=ordered.side,
            sound_off=ordered.sound_off,
            picture_off=ordered.picture_off,
            ends_in_ms=max(0, ordered.ends_at_ms - now_ms) if ordered.ends_at_ms else 0,
        )
        pending = Pending(order, ordered, who)
        self._pending[order.order_id] = pending
        return pending

    def take(self, order_id: str) -> Pending | None:
        """The order that a laptop answers; None when it is not known (any more)."""
        return self._pending.pop(order_id, None)

    def put_back(self, pending: Pending) -> None:
        """It waits on: an end is confirmed by the lease at the latest."""
        self._pending[pending.order.order_id] = pending

    def of_call(self, call_id: str) -> list[Pending]:
        """Takes all that are on their way for this call."""
        found = [p for p in self._pending.values() if p.order.call_id == call_id]
        for pending in found:
            del self._pending[pending.order.order_id]
        return found

    def overdue(self) -> list[Pending]:
        """Takes those that have waited too long."""
        before = time.monotonic() - ANSWER_S
        found = [p for p in self._pending.values() if p.sent_at < before]
        for pending in found:
            del self._pending[pending.order.order_id]
        return found

    def unanswered(self, command_id: str) -> None:
        self._unanswered.add(command_id)

    def answered(self, command_id: str) -> None:
        """The console has been told of the acceptance: what the laptop said meanwhile may follow."""
        self._unanswered.discard(command_id)
        held = self._held.pop(command_id, None)
        if held is not None:
            held[0](held[1])

    def finish(self, pending: Pending, done: bool, words: str) -> None:
        """Tells the console that waits."""
        if pending.tell is None:
            return
        took_ms = round((time.monotonic() - pending.sent_at) * 1000)
        message = CommandDone(pending.command_id, done, words[:500], took_ms)
        self.done[pending.command_id] = message
        if pending.command_id in self._unanswered:
            self._held[pending.command_id] = pending.tell, message
        else:
            pending.tell(message)
