"""The keys that an establishment's laptops sign recordings with: registered when one connects, by rules/signing."""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from schemas.recording import fingerprint
from schemas.wire import CloseCode, WireError

from .recordings.laptop_keys import write_list
from .rules.signing import Registered, Verdict, judge, with_new
from .store.audit import Entry
from .store.writer import StoreError, Unit, Writer

log = structlog.get_logger()

NOTED_MAX = 1000
"""Keys whose refusal is in the audit already; beyond it they are noted anew."""


class Signers:
    """`let_in` each laptop that connects; `knows` from any thread. `entry` makes an audit entry of a laptop's."""

    def __init__(
        self, code: str, list_file: Path, registered: Iterable[Registered], writer: Writer,
        entry: Callable[[str, str, str, bool], Entry], now_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        """`entry(action, detail, laptop_id, accepted)`."""
        self._code, self._list_file, self._writer, self._entry, self._now_ms = code, list_file, writer, entry, now_ms
        self._keys: dict[str, tuple[Registered, ...]] = {}
        for one in registered:
            self._keys[one.laptop_id] = (*self._keys.get(one.laptop_id, ()), one)
        self._noted: set[tuple[str, bytes]] = set()
        self._one = asyncio.Lock()

    def knows(self, laptop_id: str, key: bytes) -> bool:
        """It is, or was, this laptop's."""
        return any(one.key == key for one in self._keys.get(laptop_id, ()))

    def write_list(self) -> None:
        """For `sightline recording join`. The database has the same: when it can't be written, the next start does."""
        try:
            write_list(self._list_file, (one for known in self._keys.values() for one in known))
        except OSError as error:
            log.error("the list of laptops' keys can't be written", file=str(self._list_file), error=error.strerror)

    async def let_in(self, laptop_id: str, token_hash: str, key: bytes) -> None:
        """WireError when this laptop may not sign with this key, or it can't be registered."""
        verdict = self._judge(laptop_id, token_hash, key)
        if verdict.register:
            async with self._one:  # two may come with one token; who is registered already waits for nobody
                verdict = self._judge(laptop_id, token_hash, key)
                if verdict.register:
                    await self._register(Registered(laptop_id, key, token_hash, self._now_ms()))
        if verdict.refused:
            self._note_refusal(laptop_id, key, verdict.refused)
            raise WireError(CloseCode.NOT_RECOGNISED, verdict.refused)

    def _judge(self, laptop_id: str, token_hash: str, key: bytes) -> Verdict:
        return judge(self._keys.get(laptop_id, ()), laptop_id, token_hash, key)

    async def _register(self, new: Registered) -> None:
        known = self._keys.get(new.laptop_id, ())
        before = [fingerprint(one.key) for one in known]
        detail = json.dumps({"key": new.key.hex(), "fingerprint": fingerprint(new.key), "before": before})
        entry = self._entry("signing_key_registered", detail, new.laptop_id, True)
        try:
            await self._writer.write(Unit((entry,), signing_key=(self._code, new)))
        except StoreError as error:
            words = f"the audit can't be written, so the signing key of {new.laptop_id} can't be registered"
            raise WireError(CloseCode.TOO_SLOW, words) from error
        self._keys[new.laptop_id] = with_new(known, new)
        log.info("signing key registered", laptop=new.laptop_id, fingerprint=fingerprint(new.key))
        await asyncio.to_thread(self.write_list)

    def _note_refusal(self, laptop_id: str, key: bytes, words: str) -> None:
        if (laptop_id, key) in self._noted:
            return
        if len(self._noted) >= NOTED_MAX:
            self._noted.clear()
        self._noted.add((laptop_id, key))
        shown = fingerprint(key) if key else ""
        registered = [fingerprint(one.key) for one in self._keys.get(laptop_id, ())]
        detail = json.dumps({"words": words, "fingerprint": shown, "registered": registered})
        self._writer.write(Unit((self._entry("signing_key_refused", detail, laptop_id, False),)))
