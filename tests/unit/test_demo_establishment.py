"""The demo's establishment: what the server would take, people that can be told apart, secrets that are fresh."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.establishment import CALLS_MAX, FAMILIES, ROOM_CLIPS, second_device_at, write
from demo.peers.clip import MEDIA
from server import establishment_file

NOW = datetime(2026, 11, 24, 14, 0, 0, 700_000, tzinfo=UTC)


def content(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.mark.parametrize("calls", [1, 2, 6, CALLS_MAX])
def test_the_server_takes_the_file_and_every_call_is_on(tmp_path: Path, calls: int) -> None:
    path = tmp_path / "e.json"
    plan = write(path, calls, now=NOW, unix_user="someone", ends_soon_s=60)
    read = establishment_file.read(path)
    now_ms = NOW.timestamp() * 1000
    on = [booking for booking in read.bookings if booking.starts_at_ms <= now_ms < booking.ends_at_ms]
    assert len(on) == len(read.laptops) == len(plan.laptops) == len(plan.seats) == calls
    coming = [booking for booking in read.bookings if booking not in on]
    assert [one.laptop for one in coming] == [one.laptop for one in on[::2]]
    ends = {one.laptop: one.ends_at_ms for one in on}
    assert all(one.starts_at_ms >= ends[one.laptop] + 45 * 60_000 for one in coming), "there is time to extend"
    callers = [caller for booking in read.bookings for caller in booking.callers]
    assert all(caller.approved and caller.vetted_on and caller.vetted_on < NOW.date() for caller in callers)
    said = [r.comment for caller in callers for r in caller.restrictions]
    said += [b.prisoner.authority.action for b in read.bookings if b.prisoner.authority is not None]
    assert len(said) == (2 if calls >= 6 else 0) and all("Invented for this demo" in words for words in said)


def test_the_call_at_the_second_seat_ends_soon_and_no_other_does(tmp_path: Path) -> None:
    plan = write(tmp_path / "e.json", 6, now=NOW, unix_user="someone", ends_soon_s=75)
    ends = {
        booking["reference"]: datetime.fromisoformat(booking["starts_at"]) + timedelta(minutes=booking["minutes"])
        for booking in content(tmp_path / "e.json")["bookings"]
    }
    soon = [call for call, end in ends.items() if end - NOW < timedelta(minutes=10)]
    assert soon == [plan.call_at(2)]
    assert timedelta(seconds=74) < ends[plan.call_at(2)] - NOW <= timedelta(seconds=75)


def test_no_surname_can_be_taken_for_another(tmp_path: Path) -> None:
    surnames = list(write(tmp_path / "e.json", CALLS_MAX, now=NOW, unix_user="someone").seats.values())
    assert [(a, b) for a in surnames for b in surnames if a is not b and a in b] == []


def test_as_many_callers_as_faces(tmp_path: Path) -> None:
    faces = {"pair": 2, "joins": 2}
    plan = write(tmp_path / "e.json", CALLS_MAX, now=NOW, unix_user="someone")
    clips = {peer.name: Path(peer.clip).stem for peer in plan.peers}
    for booking in content(tmp_path / "e.json")["bookings"][:CALLS_MAX]:
        clip = clips[f"{booking['laptop']}/family"]
        assert len(booking["callers"]) == faces.get(clip, 1)


def test_every_clip_is_there() -> None:
    used = {family.clip for family in FAMILIES} | set(ROOM_CLIPS)
    assert used == {path.stem for path in MEDIA.glob("*.webm")}
    attribution = (MEDIA / "ATTRIBUTION").read_text()
    assert "CC BY 4.0" in attribution and "Grid Audio-Visual Speech Corpus" in attribution


def test_equal_clips_are_at_different_places(tmp_path: Path) -> None:
    plan = write(tmp_path / "e.json", CALLS_MAX, now=NOW, unix_user="someone")
    places = [(peer.clip, peer.offset_s) for peer in plan.peers]
    assert len(set(places)) == len(places)


def test_secrets_are_fresh_and_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        plans = [write(tmp_path / f"{n}.json", 3, now=NOW, unix_user="someone") for n in range(2)]
    finally:
        os.umask(before)
    secrets = [{p.token for p in [*plan.peers, *plan.laptops]} | {plan.observer_token} for plan in plans]
    assert len(secrets[0]) == 3 * 3 + 1 and not secrets[0] & secrets[1]
    assert (tmp_path / "0.json").stat().st_mode & 0o077 == 0


def test_the_plan_names_what_the_file_holds(tmp_path: Path) -> None:
    plan = write(tmp_path / "e.json", 2, now=NOW, unix_user="someone", clip="/elsewhere/marked.webm")
    file = content(tmp_path / "e.json")
    first = file["bookings"][0]
    peers = {peer["name"]: peer for peer in plan.peers_as_json()}
    assert plan.call_at(1) == first["reference"]
    assert peers[plan.peer_at(1, "F")]["token"] == first["family_token"]
    assert peers[plan.peer_at(1, "R")]["token"] == first["room_token"]
    assert set(plan.peers_of(plan.call_at(2))) == {plan.peer_at(2, "F"), plan.peer_at(2, "R")}
    assert {peer["clip"] for peer in peers.values()} == {"/elsewhere/marked.webm"}
    assert plan.seats[1] == first["prisoner"]["surname"].upper()
    assert file["staff"][0]["unix_user"] == "someone" and file["staff"][1]["token"] == plan.observer_token
    assert all(re.fullmatch(r"[A-Z]\d{4}[A-Z]{2}", b["prisoner"]["number"]) for b in file["bookings"])


@pytest.mark.parametrize("calls", [0, CALLS_MAX + 1])
def test_a_number_of_calls_without_people_is_refused(tmp_path: Path, calls: int) -> None:
    with pytest.raises(SystemExit, match="from 1 to 36"):
        write(tmp_path / "e.json", calls, now=NOW, unix_user="someone")
    assert not (tmp_path / "e.json").exists()


def test_a_family_with_two_devices_has_a_client_and_a_person_at_each(tmp_path: Path) -> None:
    plan = write(tmp_path / "e.json", 6, now=NOW, unix_user="someone", second_device_at=second_device_at(6))
    booking = content(tmp_path / "e.json")["bookings"][plan.second_device_at - 1]
    (second,) = plan.second_devices(plan.second_device_at)
    tokens = {peer.name: peer.token for peer in plan.peers}
    assert booking["more_family_tokens"] == [tokens[second]]
    assert {caller.get("device", 1) for caller in booking["callers"]} == {1, 2}
    assert second in plan.peers_of(booking["reference"]) and len(plan.peers) == 13
    assert second_device_at(5) == 0 and not plan.second_devices(1)
