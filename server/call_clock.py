"""What the clock does to an establishment's calls: rooms open, times end, leases run out, warnings are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.call import CallState, Outcome

from .rules import duty, happenings
from .rules.call import MINUTE_MS, OPEN
from .rules.decision import Told

if TYPE_CHECKING:
    from .establishment import Establishment
    from .rules.call import Call


class CallClock:
    """`look` is to be called a few times a second."""

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._warned: dict[str, int] = {}
        """Call -> the moment that the people were last warned of, UTC ms."""

    def look(self) -> None:
        place, now = self._place, self._place.now_ms()
        for call in list(place.calls.values()):
            match call.state:
                case CallState.BOOKED:
                    self._open_when_due(call, now)
                case CallState.WAITING | CallState.LIVE | CallState.PAUSED:
                    self._while_open(call, now)
                case CallState.ENDING if place.lease_left_s(call.call_id) == 0:
                    place.change(happenings.ended(call, now), "lease_ran_out", "the laptop has not confirmed the end")
                    place.orders.call_ended(call.call_id, "the laptop does not answer; its lease has run out")
                case _:
                    pass

    def _open_when_due(self, call: Call, now: int) -> None:
        place = self._place
        if now >= call.ends_at_ms:
            missed = happenings.ended(call, now, Outcome.VISITOR_DID_NOT_ARRIVE, "Its time passed and nobody came")
            place.change(missed, "missed", "")
            return
        laptop = place.laptops.get(call.laptop_id)
        if now < call.starts_at_ms or laptop is None or laptop.call_id:
            return
        in_room = [other for other in place.calls.values() if other.laptop_id == call.laptop_id]
        if any(other.state in (*OPEN, CallState.ENDING) for other in in_room):
            return
        before = [other for other in in_room if other.state == CallState.ENDED]
        newest = max(before, key=lambda other: other.ended_at_ms, default=None)
        place.open_room(laptop, happenings.open_room(call, newest.watch if newest else ""))

    def _while_open(self, call: Call, now: int) -> None:
        place = self._place
        if now >= call.ends_at_ms:
            online = call.laptop_id in place.laptops
            place.end_by_server(call, happenings.outcome_at_the_end(call, online), "the clock", "time over")
            return
        if call.state == CallState.LIVE:
            self._warn_of_the_end(call, now)
        after = happenings.pause_unexplained(duty.offer_lapsed(call, now), now)
        if after is not call:
            place.change(after)

    def _warn_of_the_end(self, call: Call, now: int) -> None:
        left = call.ends_at_ms - now
        for minutes in happenings.WARN_AT_MINUTES:
            due = call.ends_at_ms - minutes * MINUTE_MS
            if (
                left <= minutes * MINUTE_MS
                and left > (minutes - 1) * MINUTE_MS
                and self._warned.get(call.call_id) != due
            ):
                self._warned[call.call_id] = due
                unit = "minute" if minutes == 1 else "minutes"
                self._place.peers.notify(call, Told(f"The call ends in {minutes} {unit}."), f"ends-in-{minutes}")
