"""An establishment's recordings on their way in: whose they are, receipts, the audit, the copies' age."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import structlog

from schemas.call import Outcome
from schemas.laptop import RecordingChunk, RecordingKept, RecordingOffer, RecordingRefused
from schemas.recording import fingerprint

from ..alarm import Alarm
from ..establishment import SERVER, Establishment, LaptopEnd, utc_ms
from ..rules.call import AT_RISK
from ..rules.recording import ALARM_S, END_S, Step, step
from ..store.recordings import IndexedPart
from ..store.writer import StoreError, Unit
from .keeper import Keeper, Kept
from .part import Named

log = structlog.get_logger()

REMEMBERED_MAX = 1000
"""Of what laptops ask in vain, or for old calls; beyond it all is forgotten and looked up anew."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Receiving:
    """`take` what laptops send; `look` a few times a second. `laptop_of(call_id)`: whose call an old one was;
    `is_indexed(call_id, part)`: a part was found whole and signed before."""

    def __init__(
        self,
        place: Establishment,
        keeper: Keeper,
        alarm: Alarm,
        laptop_of: Callable[[str], str | None],
        is_indexed: Callable[[str, str], bool],
    ) -> None:
        self._place, self._keeper, self._alarm, self._laptop_of = place, keeper, alarm, laptop_of
        self._is_indexed = is_indexed
        self._newest: dict[str, int] = {}
        """Call -> when its newest record on the server's disk was made, UTC ms."""
        self._live_since: dict[str, float] = {}
        """Call -> since when it is live here, CLOCK_MONOTONIC s: a copy can't be older than that."""
        self._steps: dict[str, Step] = {}
        self._begun: set[Named] = set()
        self._looked_up: dict[str, str | None] = {}
        """Call -> the laptop that may send its recording, None for no call."""
        self._refusals: dict[Named, str] = {}
        """What was refused and why, as it stands in the audit: once, and not with each chunk."""
        self._verified: set[Named] = set()
        self._verifying: set[Named] = set()
        place.on_recording = self.take

    def take(self, laptop: LaptopEnd, message: RecordingOffer | RecordingChunk) -> None:
        named = Named(self._place.code, message.call_id, message.part, laptop.laptop_id)
        if self._whose(message.call_id) != laptop.laptop_id or not _NAME.fullmatch(message.part):
            words = "this call is none of this laptop's"
            self._note_refusal(named, words)
            laptop.link.send(RecordingRefused(message.call_id, message.part, words, False))
        elif isinstance(message, RecordingOffer):
            self._keeper.offered(named)
        else:
            self._keeper.came(named, message.offset, message.data)

    def kept(self, kept: Kept) -> None:
        """What the keeper says of a part."""
        named = kept.named
        if kept.refused:
            log.warning("recording refused", call=named.call_id, part=named.part, why=kept.refused)
            self._note_refusal(named, kept.refused)
            self._to_laptop(named, RecordingRefused(named.call_id, named.part, kept.refused[:500], kept.again))
            return
        self._refusals.pop(named, None)
        # A laptop's clock may run ahead; a copy is never newer than its arrival.
        newest = min(kept.newest_ms, utc_ms())
        self._newest[named.call_id] = max(newest, self._newest.get(named.call_id, 0))
        if kept.state is not None and kept.state.begin is not None and named not in self._begun:
            self._begun.add(named)
            if not kept.whole:
                signer = fingerprint(kept.state.begin.signer)
                self._record("recording_begun", named, "its first records are on the server's disk", signer=signer)
        if not kept.whole:
            self._to_laptop(named, RecordingKept(named.call_id, named.part, kept.bytes, False))
        elif named in self._verified or self._is_indexed(named.call_id, named.part):  # the receipt was lost on its way
            self._to_laptop(named, RecordingKept(named.call_id, named.part, kept.bytes, True))
        elif named not in self._verifying:
            self._verifying.add(named)
            self._receipt(kept)

    def _receipt(self, kept: Kept) -> None:
        """Audit and index first: with the receipt the laptop's copy goes."""
        named, part = kept.named, kept.state
        assert part is not None and part.begin is not None and part.end is not None
        indexed = IndexedPart(
            named.establishment, named.call_id, named.part, named.laptop_id, utc_ms(), kept.bytes, part.records,
            part.gaps, str(part.end.reason), part.chain.hex(), fingerprint(part.begin.signer),
        )  # fmt: skip
        entry = self._entry(
            "recording_verified", named, f"whole and signed, {indexed.ended}", bytes=indexed.bytes,
            records=indexed.records, gaps=indexed.gaps, chain=indexed.chain, signer=indexed.signer,
        )  # fmt: skip
        kept_for_good = self._place.writer.write(Unit((entry,), recording=indexed))

        def tell(done: object) -> None:
            self._verifying.discard(named)
            try:
                kept_for_good.result()
            except StoreError:
                words = "the audit can't be written"
                self._to_laptop(named, RecordingRefused(named.call_id, named.part, words, True))
                return
            self._verified.add(named)
            self._to_laptop(named, RecordingKept(named.call_id, named.part, kept.bytes, True))

        kept_for_good.add_done_callback(tell)

    # How far behind

    def look(self) -> None:
        """Alarms and ends; docs say when. Laptops of protocol 1 keep their recordings to themselves."""
        now = time.monotonic()
        live: set[str] = set()
        for call in list(self._place.calls.values()):
            laptop = self._place.laptops.get(call.laptop_id)
            if call.state not in AT_RISK or (laptop is not None and not laptop.link.speaks(RecordingOffer)):
                continue
            live.add(call.call_id)
            since = self._live_since.setdefault(call.call_id, now)
            age_s = min(now - since, (utc_ms() - self._newest.get(call.call_id, 0)) / 1000)
            before = self._steps.get(call.call_id, Step.COPIED)
            due = step(age_s)
            self._steps[call.call_id] = due
            if due == Step.END:
                words = f"the server's copy of the recording is {END_S:.0f} s old"
                self._place.end_by_server(call, Outcome.RECORDING_FAILED, SERVER, words)
            elif due == Step.ALARM and before == Step.COPIED:
                self._raise(call.call_id, f"the server's copy of the recording is more than {ALARM_S:.0f} s old")
            elif due == Step.COPIED and before == Step.ALARM:
                self._place.record("recording_copied_again", "the copy is up to date", call_id=call.call_id)
                self._place.recording_words(call.call_id, "")
        for known in (self._live_since, self._steps):
            for call_id in known.keys() - live:
                del known[call_id]

    def _raise(self, call_id: str, words: str) -> None:
        self._place.record("recording_not_copied", words, call_id=call_id)
        self._place.recording_words(call_id, words)
        self._alarm.raise_(
            kind="recording not copied",
            establishment=self._place.code,
            call=call_id,
            words=words,
            ends_in_s=round(END_S - ALARM_S),
        )

    # Whose, and to whom

    def _whose(self, call_id: str) -> str | None:
        call = self._place.calls.get(call_id)
        if call is not None:
            return call.laptop_id
        if not _NAME.fullmatch(call_id):
            return None
        if call_id not in self._looked_up:
            _make_room(self._looked_up)
            self._looked_up[call_id] = self._laptop_of(call_id)
        return self._looked_up[call_id]

    def _note_refusal(self, named: Named, words: str) -> None:
        if self._refusals.get(named) != words:
            _make_room(self._refusals)
            self._refusals[named] = words
            self._record("recording_refused", named, words, accepted=False)

    def _to_laptop(self, named: Named, message: RecordingKept | RecordingRefused) -> None:
        laptop = self._place.laptops.get(named.laptop_id)
        if laptop is not None:
            laptop.link.send(message)

    def _entry(self, action: str, named: Named, words: str, *, accepted: bool = True, **more: object):
        detail = json.dumps({"part": named.part, "words": words, **more})
        return self._place.entry(
            action, detail, call_id=named.call_id, who=named.laptop_id, role="laptop", accepted=accepted
        )

    def _record(self, action: str, named: Named, words: str, *, accepted: bool = True, **more: object) -> None:
        self._place.writer.write(Unit((self._entry(action, named, words, accepted=accepted, **more),)))


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= REMEMBERED_MAX:
        remembered.clear()
