"""Who may be on a call: in the establishment's file, at an admission, and for a call that was booked before."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.call import CallerView, RestrictionView, Vetting
from schemas.console import Admit
from server.establishment_file import EstablishmentFile, EstablishmentFileError, read
from server.rules.call import Leg, Policy, call_view
from server.rules.commands import Accepted, Refused
from server.rules.vetting import why_not
from server.store.database import open_database
from server.store.rows import load, take_in
from tests.server_rig import establishment

from .test_server_rules import a_call, at, decided

TODAY = "2026-05-12"
JANE = CallerView("Jane", "mother", "adult", "family-1", Vetting.APPROVED, "2026-05-03")


def restricted(kind: str, starts_on: str = "2026-01-01", expires_on: str = "") -> CallerView:
    return msgspec.structs.replace(JANE, restrictions=[RestrictionView(kind, "words", starts_on, expires_on)])


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        (JANE, ""),
        (CallerView("Jane", "mother", "adult", "family-1"), ""),
        (msgspec.structs.replace(JANE, vetting=Vetting.NOT_APPROVED), "Jane is not an approved visitor"),
        (restricted("BAN"), "Jane can't be on a call: words"),
        (restricted("CLOSED", expires_on=TODAY), f"Jane can't be on a call: words until {TODAY}"),
        (restricted("BAN", expires_on="2026-05-11"), ""),
        (restricted("BAN", starts_on="2026-05-13"), ""),
        (restricted("PREINF"), ""),
    ],
)
def test_a_ban_forbids_on_its_days_and_a_note_never(caller: CallerView, why: str) -> None:
    assert why_not(caller, Policy(), TODAY) == why


def test_the_policy_names_what_forbids() -> None:
    assert why_not(restricted("NONCON"), Policy(forbidding_restrictions=("NONCON",)), TODAY)
    assert not why_not(restricted("BAN"), Policy(forbidding_restrictions=()), TODAY)


def test_an_officer_cannot_admit_a_device_with_somebody_who_is_banned() -> None:
    legs = (Leg("room", connected=True), Leg("family-1", connected=True), Leg("family-2", connected=True))
    banned = msgspec.structs.replace(restricted("BAN"), leg="family-2")
    call = a_call(callers=(JANE, banned), legs=legs)
    assert isinstance(decided(call, Admit("family-1"), situation=at(day=TODAY)), Accepted)
    refused = decided(call, Admit("family-2"), situation=at(day=TODAY))
    assert isinstance(refused, Refused) and "Jane can't be on a call" in refused.words


# -- the file


def a_file(folder: Path, **of_the_caller: Any) -> EstablishmentFile:
    content = establishment()
    content["bookings"][0]["callers"][0] |= of_the_caller
    file = folder / "establishment.json"
    file.write_text(json.dumps(content))
    return read(file)


def restriction(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "description": "words", "starts_on": "2020-01-01"} | fields


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        ({"approved": False}, r"bookings\[0\].callers\[0\]: Jane Prosser is not an approved visitor"),
        ({"restrictions": [restriction("BAN")]}, r"bookings\[0\].callers\[0\]: .*can't be on a call: words"),
        ({"restrictions": [restriction("ban")]}, "restrictions"),
        ({"restrictions": [restriction("ACC", comment="a\x1b[2J")]}, r"restrictions\[0\].comment .* control character"),
        ({"vetted_on": "yesterday"}, "vetted_on"),
    ],
)
def test_a_booking_of_somebody_who_may_not_is_refused_by_name(tmp_path: Path, caller: Any, why: str) -> None:
    with pytest.raises(EstablishmentFileError, match=why):
        a_file(tmp_path, **caller)


def test_what_the_file_says_of_people_comes_to_the_consoles_also_of_calls_that_are_known(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    with engine.begin() as connection:
        take_in(connection, a_file(tmp_path))
        (before,) = load(connection, 0)
    assert before.calls["BWI-1"].callers[0].vetting is Vetting.NOT_TOLD
    told = {"approved": True, "vetted_on": "2026-05-03", "restrictions": [restriction("PREINF", comment="read it")]}
    with engine.begin() as connection:
        assert take_in(connection, a_file(tmp_path, **told)) == 0, "no booking is new"
        (after,) = load(connection, 0)
    call = after.calls["BWI-1"]
    assert call.version == before.calls["BWI-1"].version + 1 and after.calls["BWI-2"] == before.calls["BWI-2"]
    (shown,) = call_view(call, after.policy, 0, True).callers
    assert (shown.vetting, shown.vetted_on) == (Vetting.APPROVED, "2026-05-03")
    assert shown.restrictions == [RestrictionView("PREINF", "words", "2020-01-01", "", "read it")]


def test_an_authority_goes_with_the_prisoner(tmp_path: Path) -> None:
    content = establishment()
    authority = {"reference": "2026-014", "kind": "offence-related", "action": "live", "starts_on": "2026-01-01"}
    content["bookings"][0]["prisoner"]["authority"] = authority | {"review_on": "2026-04-01"}
    file = tmp_path / "establishment.json"
    file.write_text(json.dumps(content))
    view = call_view(read(file).bookings[0].as_call(1), Policy(), 0, True)
    assert view.authority is not None and view.authority.review_on == "2026-04-01"
    assert view.authority.in_force("2026-04-01") and not view.authority.in_force("2026-04-02")
    authority["kind"] = "curiosity"
    content["bookings"][0]["prisoner"]["authority"] = authority | {"review_on": "2026-04-01"}
    file.write_text(json.dumps(content))
    with pytest.raises(EstablishmentFileError, match="kind"):
        read(file)
