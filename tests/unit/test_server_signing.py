"""Which key a laptop signs with: registered once with each token, never replaced under the same one."""

from pathlib import Path

import pytest

from server.recordings.laptop_keys import KeyListError, read_list, write_list
from server.rules.signing import Registered, judge, with_new

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
