"""Carries out what follows when nobody watches an establishment; server/rules/supervision.py says when."""

import time

import structlog

from schemas.call import Outcome
from schemas.console import SupervisionChanged

from .alarm import Alarm
from .establishment import SERVER, Establishment, utc_ms
from .links.fanout import Watcher
from .rules.call import AT_RISK
from .rules.supervision import END_S, PAUSE_S, Step, Supervision, look

log = structlog.get_logger()


class Supervising:
    """`look` is to be called a few times a second."""

    def __init__(self, place: Establishment, alarm: Alarm) -> None:
        self._place, self._alarm = place, alarm
        # A server that starts with live calls has seen no console yet.
        self._state = Supervision(time.monotonic())

    def look(self) -> None:
        now = time.monotonic()
        watched = any(watcher.counts(now) for watcher in self._place.fanout.watchers)
        at_risk = [call for call in self._place.calls.values() if call.state in AT_RISK]
        before = self._state
        self._state, steps = look(before, watched, bool(at_risk), now)
        for step in steps:
            match step:
                case Step.ALARM:
                    self._raise(f"nobody watches; {len(at_risk)} calls are on", now)
                case Step.PAUSE:
                    for call in at_risk:
                        self._place.pause_by_server(call, SERVER, f"nobody has watched for {PAUSE_S:.0f} s")
                case Step.END:
                    for call in at_risk:
                        self._place.end_by_server(
                            call, Outcome.UNSUPERVISED, SERVER, f"nobody has watched for {END_S:.0f} s"
                        )
                case Step.WATCHED:
                    self._place.record("supervised_again", f"after {before.unwatched_s(now):.0f} s")
        if steps:
            self._place.fanout.tell(self._message(now))

    def joined(self, watcher: Watcher) -> None:
        """A console that joins while nobody watches is told how it stands."""
        if self._state.step != Step.WATCHED:
            watcher.link.send(self._message(time.monotonic()))

    def _raise(self, words: str, now: float) -> None:
        self._place.record("not_supervised", words)
        self._alarm.raise_(
            kind="not supervised",
            establishment=self._place.code,
            words=words,
            pauses_in_s=round(PAUSE_S - self._state.unwatched_s(now)),
            ends_in_s=round(END_S - self._state.unwatched_s(now)),
        )

    def _message(self, now: float) -> SupervisionChanged:
        since_ms = utc_ms() - round(self._state.unwatched_s(now) * 1000)
        if self._state.step == Step.WATCHED:
            return SupervisionChanged(True, since_ms, 0, 0)
        return SupervisionChanged(False, since_ms, since_ms + round(PAUSE_S * 1000), since_ms + round(END_S * 1000))
