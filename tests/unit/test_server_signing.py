"""Which key a laptop signs with: registered once with each token, never replaced under the same one."""

import asyncio
from pathlib import Path

import pytest

from schemas.wire import WireError
from server.recordings.laptop_keys import KeyListError, read_list, write_list
from server.rules.signing import Registered, judge, with_new
from server.signers import Signers
from server.store.audit import Entry
from server.store.writer import StoreError, Unit

FIRST, SECOND = b"1" * 32, b"2" * 32
KNOWN = (Registered("BWI-01", FIRST, "token one", 1_800_000_000_000),)


def test_the_first_key_with_a_token_is_registered_and_no_other_one_after_it() -> None:
    assert judge((), "BWI-01", "token one", FIRST).register
    assert judge(KNOWN, "BWI-01", "token one", FIRST) == judge((), "BWI-01", "token one", b"")
    refused = judge(KNOWN, "BWI-01", "token one", SECOND)
    assert not refused.register and "another signing key" in refused.refused and "new token" in refused.refused
    assert len(refused.refused.replace("BWI-01", "B" * 16)) <= 120, "a close code's reason has so many bytes"


def test_an_agent_without_a_key_is_let_in_only_while_none_is_registered() -> None:
    assert judge((), "BWI-01", "token one", b"") == judge(KNOWN, "BWI-01", "token one", FIRST)
    assert "shows no signing key" in judge(KNOWN, "BWI-01", "token one", b"").refused


def test_a_new_token_registers_a_new_key_or_the_same_again_and_the_old_ones_are_still_known() -> None:
    assert judge(KNOWN, "BWI-01", "token two", SECOND).register
    after = with_new(KNOWN, Registered("BWI-01", SECOND, "token two", 1_800_000_001_000))
    assert [one.key for one in after] == [FIRST, SECOND]
    assert (
        judge(after, "BWI-01", "token two", FIRST).refused and not judge(after, "BWI-01", "token two", SECOND).refused
    )
    moved = with_new(after, Registered("BWI-01", FIRST, "token three", 1_800_000_002_000))
    assert [(one.key, one.token_hash) for one in moved] == [(SECOND, "token two"), (FIRST, "token three")]


class Writer:
    """Writes when it is let; `works`: whether it can."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.works, self.may = True, asyncio.Event()

    def write(self, unit: Unit) -> "asyncio.Future[None]":
        return asyncio.ensure_future(self._write(unit))

    async def _write(self, unit: Unit) -> None:
        await self.may.wait()
        if not self.works:
            raise StoreError("full")
        self.units.append(unit)

    def actions(self) -> list[str]:
        return [entry.action for unit in self.units for entry in unit.entries]


def signers(writer: Writer, tmp_path: Path, registered: tuple[Registered, ...] = ()) -> Signers:
    def entry(action: str, detail: str, laptop_id: str, accepted: bool) -> Entry:
        return Entry(0, laptop_id, "laptop", "", action, "", accepted, detail, "BWI")

    return Signers("BWI", tmp_path / "BWI.laptops", registered, writer, entry, lambda: 1_800_000_000_000)  # type: ignore[arg-type]


async def test_of_two_that_come_at_once_with_one_token_one_is_registered(tmp_path: Path) -> None:
    writer = Writer()
    known = signers(writer, tmp_path)
    coming = [asyncio.ensure_future(known.let_in("BWI-01", "token one", key)) for key in (FIRST, SECOND, FIRST)]
    await asyncio.sleep(0)
    writer.may.set()
    came = await asyncio.gather(*coming, return_exceptions=True)
    assert [type(one) for one in came] == [type(None), WireError, type(None)]
    await asyncio.sleep(0)
    assert writer.actions() == ["signing_key_registered", "signing_key_refused"]
    assert known.knows("BWI-01", FIRST) and not known.knows("BWI-01", SECOND) and not known.knows("BWI-02", FIRST)
    assert read_list(tmp_path / "BWI.laptops") == {("BWI-01", FIRST)}


async def test_while_the_audit_cannot_be_written_only_who_is_registered_comes_in(tmp_path: Path) -> None:
    writer = Writer()
    known = signers(writer, tmp_path, KNOWN)
    late = asyncio.ensure_future(known.let_in("BWI-02", "token", SECOND))
    await asyncio.sleep(0)
    await known.let_in("BWI-01", "token one", FIRST)  # though the disk hangs
    writer.works = False
    writer.may.set()
    with pytest.raises(WireError, match="can't be registered"):
        await late
    assert not known.knows("BWI-02", SECOND)
    writer.works = True
    await known.let_in("BWI-02", "token", SECOND)
    assert known.knows("BWI-02", SECOND)


def test_the_list_says_what_was_written_and_nonsense_is_said(tmp_path: Path) -> None:
    path = tmp_path / "BWI.laptops"
    write_list(path, with_new(KNOWN, Registered("BWI-02", SECOND, "token", 1_800_000_001_000)))
    assert read_list(path) == {("BWI-01", FIRST), ("BWI-02", SECOND)}
    assert "2027-01-15T08:00:00+00:00" in path.read_text() and "token" not in path.read_text()
    for nonsense in ("BWI-01", "BWI-01 xyz", "BWI-01 abcd since", "BWI-01 \u00e4"):
        path.write_text(nonsense)
        with pytest.raises(KeyListError):
            read_list(path)
    with pytest.raises(KeyListError, match="can't be read"):
        read_list(tmp_path / "none")
