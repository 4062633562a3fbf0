"""Orders on their way to laptops: who waits for the laptop's word, what it was, and what follows from it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.console import CommandDone
from schemas.laptop import Order, OrderAct, OrderAnswer
from schemas.wire import Message

from .rules import happenings
from .rules.decision import Ordered

if TYPE_CHECKING:
    from .establishment import Establishment
    from .rules.call import Call

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

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._pending: dict[str, Pending] = {}
        self._unanswered: set[str] = set()
        self._held: dict[str, tuple[Send, CommandDone]] = {}
        self.done: dict[str, CommandDone] = {}
        """What became of the commands of the calls that are open, for one that is sent again."""

    # To the laptop

    def carry_out(
        self, call: Call, ordered: Ordered, who: str, action: str = "", detail: str = "", *,
        command_id: str = "", tell: Send | None = None,
    ) -> asyncio.Future[None]:  # fmt: skip
        """The order goes to the laptop at once, and the call is like this now; the future is done when that is kept.
        `tell` of the command `command_id` is told what the laptop says."""
        pending = self.send(call, ordered, who)
        pending.command_id, pending.tell = command_id, tell
        kept = self._place.change(call, action, detail)
        if call.laptop_id not in self._place.laptops:
            left = self._place.lease_left_s(call.call_id)
            self._give_up(pending, f"the laptop does not answer; its lease runs out in {left:.0f} s")
        return kept

    def send(self, call: Call, ordered: Ordered, who: str) -> Pending:
        now_ms = self._place.now_ms()
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
        pending = self._pending[order.order_id] = Pending(order, ordered, who)
        laptop = self._place.laptops.get(call.laptop_id)
        if laptop is not None:
            laptop.link.send(order)
        return pending

    # What becomes of them

    def laptop_answered(self, answer: OrderAnswer) -> None:
        """Nothing follows from the answer to an order that is not known (any more)."""
        pending = self._pending.pop(answer.order_id, None)
        if pending is None:
            return
        place = self._place
        call = place.calls[pending.order.call_id]
        if not answer.done:
            self._not_done(pending, answer.reason or "the laptop refused")
            return
        detail = f"{pending.order.act} confirmed by laptop, {answer.packets} packets, {answer.took_us} us"
        paused_at_ms = call.paused_at_ms
        after = happenings.confirmed(call, pending.ordered, pending.who, place.now_ms())
        kept = place.change(after, "laptop_confirmed", detail)
        kept.add_done_callback(lambda _: self._finish(pending, True, "confirmed by laptop"))
        if pending.order.act == OrderAct.RESUME and pending.ordered.false_alarm and paused_at_ms:
            new_end = happenings.given_back_end_ms(call, place.now_ms(), place.policy, place.next_start_ms(call))
            self.send(after, Ordered(OrderAct.EXTEND, ends_at_ms=new_end), "the server, time given back")

    def laptop_gone(self, call_id: str) -> None:
        for pending in self._of_call(call_id):
            self._give_up(pending, "the laptop's link was lost before it answered")

    def call_ended(self, call_id: str, words: str) -> None:
        """Tells those who wait for an end that it is there, and all others that it came before."""
        for pending in self._of_call(call_id):
            del self._pending[pending.order.order_id]
            self._finish(pending, pending.order.act == OrderAct.END, words)

    def look(self) -> None:
        """Gives up those that have waited too long."""
        before = time.monotonic() - ANSWER_S
        for pending in [p for p in self._pending.values() if p.sent_at < before]:
            self._give_up(pending, "the laptop did not answer in time")

    def _of_call(self, call_id: str) -> list[Pending]:
        return [p for p in self._pending.values() if p.order.call_id == call_id]

    def _give_up(self, pending: Pending, reason: str) -> None:
        """An end waits on: the lease confirms it at the latest. All else is not done, and only the lease stops the
        media."""
        if pending.order.act != OrderAct.END:
            del self._pending[pending.order.order_id]
            self._not_done(pending, reason)

    def _not_done(self, pending: Pending, reason: str) -> None:
        place = self._place
        call = place.calls[pending.order.call_id]
        place.change(happenings.not_done(call, pending.ordered, reason))
        place.record("laptop_not_done", f"{pending.order.act}: {reason}", call_id=call.call_id, accepted=False)
        self._finish(pending, False, reason)

    # The console that waits

    def unanswered(self, command_id: str) -> None:
        self._unanswered.add(command_id)

    def answered(self, command_id: str) -> None:
        """The console has been told of the acceptance: what the laptop said meanwhile may follow."""
        self._unanswered.discard(command_id)
        held = self._held.pop(command_id, None)
        if held is not None:
            held[0](held[1])

    def _finish(self, pending: Pending, done: bool, words: str) -> None:
        if pending.tell is None:
            return
        took_ms = round((time.monotonic() - pending.sent_at) * 1000)
        message = CommandDone(pending.command_id, done, words[:500], took_ms)
        self.done[pending.command_id] = message
        if pending.command_id in self._unanswered:
            self._held[pending.command_id] = pending.tell, message
        else:
            pending.tell(message)
