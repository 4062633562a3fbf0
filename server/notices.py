"""What was said to the people on a call, and which of their devices have shown it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.attention import NoticeReached
from schemas.peer import CallNotice

from .peers import call_notice

if TYPE_CHECKING:
    from .establishment import Establishment
    from .rules.decision import Told

OF_A_CALL_MAX = 50
"""The oldest is forgotten; what was read of it stands in the audit."""
STANDS_S = 20.0
"""A device that comes back within this time is shown what it has not shown yet."""


@dataclass
class _Sent:
    told: Told
    at_s: float
    read: set[str] = field(default_factory=set[str])


class Notices:
    """Bounded by OF_A_CALL_MAX for each call; nothing is kept of a call that is over."""

    def __init__(self, place: Establishment) -> None:
        self._place = place
        self._sent: dict[str, dict[str, _Sent]] = {}

    def sent(self, call_id: str, notice_id: str, told: Told) -> None:
        of_call = self._sent.setdefault(call_id, {})
        of_call[notice_id] = _Sent(told, time.monotonic())
        if len(of_call) > OF_A_CALL_MAX:
            del of_call[next(iter(of_call))]

    def read(self, call_id: str, leg: str, notice_id: str) -> None:
        """A device has shown it. Only the first time counts, and only of what was sent to it."""
        sent = self._sent.get(call_id, {}).get(notice_id)
        if sent is None or leg in sent.read or not sent.told.reaches(leg):
            return
        sent.read.add(leg)
        took_ms = round((time.monotonic() - sent.at_s) * 1000)
        words = f"{notice_id}: shown after {took_ms / 1000:.2f} s"
        self._place.record("notice_read", words, who=leg, role="peer", call_id=call_id)
        self._place.fanout.tell(NoticeReached(notice_id, call_id, leg, took_ms))

    def unread(self, call_id: str, leg: str) -> list[CallNotice]:
        """For a device that has come back."""
        call, now = self._place.calls[call_id], time.monotonic()
        return [
            call_notice(call, sent.told.words, self._place.now_ms(), notice_id)
            for notice_id, sent in self._sent.get(call_id, {}).items()
            if sent.told.reaches(leg) and leg not in sent.read and now - sent.at_s < STANDS_S
        ]

    def forget(self, call_id: str) -> None:
        self._sent.pop(call_id, None)
