"""Several establishments in one server: nothing of one reaches another, and nobody opens a place that isn't theirs."""

import http.client
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from demo.processes import child_environment, sightline
from schemas.call import Category, Refusal
from schemas.console import Boxes, CallChanged, ConsoleWelcome, Delta, Flag, Pause, SeatChanged, Snapshot
from schemas.health import HealthDelta, HealthSnapshot
from schemas.laptop import LaptopWelcome, LegAnswer, LegOffer, OpenCall, Order, PicturesWanted
from schemas.media import Box, Levels, Picture, Side
from schemas.peer import Answer, CallNotice, Offer, PeerWelcome
from schemas.wire import CloseCode
from tests.server_rig import (
    OFFICER_TOKEN,
    Console,
    Laptop,
    Peer,
    Server,
    establishment,
    running_server,
    wait_until,
)

HULL = {"officer": "officer-token-of-hull", "laptop": "laptop-token-of-hull", "support": "support-token-of-hull"}
WIDTH, HEIGHT = 8, 4


def hull(**changes: Any) -> dict[str, Any]:
    """A second establishment, like the first one but for its names and secrets."""
    content = json.loads(json.dumps(establishment()).replace("BWI", "HLI").replace("Berwyn", "Hull"))
    content["laptops"][0]["token"] = HULL["laptop"]
    content["staff"] = [
        {"name": "J. Marsh", "role": "officer", "token": HULL["officer"]},
        {"name": "B. Hopper", "role": "support", "token": HULL["support"]},
    ]
    return content | changes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, establishment(), hull()) as found:
        yield found


class Place:
    """One establishment's laptop with its open call, and a console."""

    def __init__(self, server: Server, code: str) -> None:
        self.code, self.call = code, f"{code}-1"
        own = code == "BWI"
        self.laptop = Laptop(server, "laptop-token-123456" if own else HULL["laptop"], code)
        assert self.laptop.next(OpenCall).call_id == self.call
        self.console = Console(server, OFFICER_TOKEN if own else HULL["officer"], code=code)
        assert self.console.next(ConsoleWelcome).establishment == code
        self.console.next(Snapshot)

    def measure(self, n: int) -> None:
        self.laptop.send(Levels(self.call, n, -100, -100, -100, -100))
        self.laptop.send(Picture(self.call, Side.ROOM, n, WIDTH, HEIGHT, WIDTH, HEIGHT, bytes(WIDTH * HEIGHT * 3)))

    def everything(self) -> str:
        """All that this side's console, and its laptop, ever got, as text."""
        return repr(self.console.seen) + repr(self.laptop.seen)


def refused_at(server: Server, token: str, code: str) -> tuple[int, str]:
    console = Console(server, token, code=code)
    with pytest.raises(ConnectionClosed) as closed:
        console.next(object)
    assert closed.value.rcvd is not None and console.seen == []
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_no_level_picture_call_event_or_command_crosses_over(server: Server) -> None:
    berwyn, hull_place = Place(server, "BWI"), Place(server, "HLI")
    for side in (berwyn, hull_place):
        side.console.send(Boxes([Box(Side.ROOM, WIDTH, HEIGHT)]))
        assert side.laptop.next(PicturesWanted).call_id == side.call
    for n in range(1, 11):
        for side in (berwyn, hull_place):
            side.measure(n)
        # A laptop that names the other establishment's call changes nothing there.
        berwyn.laptop.send(Levels(hull_place.call, 999, 0, 0, 0, 0))
        for side in (berwyn, hull_place):
            side.console.next(Delta, lambda d, n=n: any(p.at_ms == n for p in d.pictures))
    for ours, theirs in ((berwyn, hull_place), (hull_place, berwyn)):
        # A command on the other's call is refused as if there were no such call, and nothing happens to it.
        answer = ours.console.give(Pause(), theirs.call)
        assert answer.refusal == Refusal.UNKNOWN_CALL and theirs.code not in answer.words
        assert ours.console.give(Flag(Category.OTHER, "", 0), theirs.call).refusal == Refusal.UNKNOWN_CALL
    # An event of one: a flag, and a laptop that goes.
    assert berwyn.console.give(Flag(Category.OTHER, "", 0), berwyn.call).accepted
    berwyn.console.call(berwyn.call, lambda call: call.incidents == 1)
    berwyn.laptop.close()
    berwyn.console.next(SeatChanged, lambda changed: not changed.seat.online)
    # Whatever had come over by mistake came before what comes now.
    hull_place.measure(50)
    hull_place.console.next(Delta, lambda d: any(p.at_ms == 50 for p in d.pictures))
    for ours, theirs in ((berwyn, hull_place), (hull_place, berwyn)):
        assert theirs.code not in ours.everything()
        deltas = [message for message in ours.console.seen if isinstance(message, Delta)]
        assert {one.call_id for d in deltas for one in (*d.levels, *d.pictures)} == {ours.call}
        assert not any(one.at_ms == 999 for d in deltas for one in d.levels)
    changed = [m for m in hull_place.console.seen if isinstance(m, CallChanged)]
    assert all(m.call.call_id == hull_place.call and m.call.incidents == 0 for m in changed)
    assert not [m for m in hull_place.laptop.seen if isinstance(m, Order)]


def test_peers_reach_the_call_that_their_token_is_for_and_no_other(server: Server) -> None:
    berwyn, hull_place = Place(server, "BWI"), Place(server, "HLI")
    family = Peer(server, "family-token-HLI-1")
    assert family.next(PeerWelcome).call_id == "HLI-1"
    family.send(Offer("o1", "v=0"))
    offer = hull_place.laptop.next(LegOffer)
    assert (offer.call_id, offer.offer_id) == ("HLI-1", "o1")
    # The other establishment's laptop answers it: nothing comes of it.
    berwyn.laptop.send(LegAnswer("HLI-1", "family-1", "o1", "v=forged"))
    berwyn.laptop.lease("BWI-1", 1)
    berwyn.laptop.next(object)
    hull_place.laptop.send(LegAnswer("HLI-1", "family-1", "o1", "v=1"))
    assert family.next(Answer).sdp == "v=1"
    answer = hull_place.console.give(Pause(), "HLI-1")
    assert answer.refusal == Refusal.WRONG_STATE, "the command reached the call"
    assert not [m for m in berwyn.laptop.seen if isinstance(m, (LegOffer, Order))]
    assert all("BWI" not in repr(m) for m in family.seen)
    assert family.seen and isinstance(family.seen[1], CallNotice)


def test_staff_of_one_establishment_get_one_clear_close_at_another(server: Server) -> None:
    code, reason = refused_at(server, OFFICER_TOKEN, "HLI")
    assert (code, reason) == (CloseCode.NOT_RECOGNISED, "BWI's officer may not open HLI")
    code, reason = refused_at(server, HULL["officer"], "BWI")
    assert (code, reason) == (CloseCode.NOT_RECOGNISED, "HLI's officer may not open BWI")
    wait_until(lambda: len(server.audit("link_refused")) == 2, "both refusals are in the audit")
    assert [row.who for row in server.audit("link_refused")] == ["console of R. Hughes", "console of J. Marsh"]
    assert server.audit("view_opened") == []


def test_an_account_of_one_establishment_does_not_open_another_on_the_unix_socket(server: Server) -> None:
    own = Console(server, over=server.folder / "console.sock")
    assert own.next(ConsoleWelcome).staff_name == "R. Hughes"
    other = Console(server, over=server.folder / "console.sock", code="HLI")
    with pytest.raises(ConnectionClosed) as closed:
        other.next(object)
    assert closed.value.rcvd is not None and "may not open HLI" in closed.value.rcvd.reason


def test_laptops_are_of_one_establishment(server: Server) -> None:
    for token, code in ((HULL["laptop"], "BWI"), ("laptop-token-123456", "HLI"), (HULL["laptop"], "XXI")):
        with pytest.raises(ConnectionClosed) as closed:
            Laptop(server, token, code).next(object)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == CloseCode.NOT_RECOGNISED
    Laptop(server, HULL["laptop"], "HLI").next(LaptopWelcome)


def test_an_establishment_that_is_not_here_is_said(server: Server) -> None:
    assert refused_at(server, OFFICER_TOKEN, "XXI") == (4003, "XXI is not held by this server")


def test_the_same_command_id_at_two_establishments_is_two_commands_also_after_a_restart(server: Server) -> None:
    berwyn, hull_place = Place(server, "BWI"), Place(server, "HLI")
    first = berwyn.console.command(Flag(Category.OTHER, "", 0), berwyn.call)
    second = msgspec.structs.replace(first, call_id=hull_place.call)
    berwyn.console.send(first)
    reference = berwyn.console.answer(first).reference
    hull_place.console.send(second)
    other = hull_place.console.answer(second)
    assert other.accepted and other.reference != reference, "one register of incidents, no number twice"
    third = hull_place.console.command(Flag(Category.OTHER, "", 0), hull_place.call)
    hull_place.console.send(third)
    answer = hull_place.console.answer(third)
    server.restart()
    again = Place(server, "HLI")
    again.console.send(third)
    assert again.console.answer(third) == answer
    berwyn_again = Console(server)
    berwyn_again.next(Snapshot)
    berwyn_again.send(third)
    assert berwyn_again.answer(third).refusal == Refusal.UNKNOWN_CALL, "another establishment's answer stays there"
    assert server.verify()["intact"]


def test_health_is_told_for_each_establishment(server: Server) -> None:
    laptop = Laptop(server, HULL["laptop"], "HLI")
    laptop.next(OpenCall)

    def health(path: str) -> dict[str, Any]:
        link = http.client.HTTPConnection("127.0.0.1", server.port)
        link.request("GET", path)
        answer = link.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else {"status": answer.status}

    found = health("/health")
    assert found["audit_writable"] and list(found["establishments"]) == ["BWI", "HLI"]
    assert [place["laptops"] for place in found["establishments"].values()] == [0, 1]
    assert health("/health/HLI")["calls"] == {"BOOKED": 1, "WAITING": 1}
    assert health("/health/XXI") == {"status": 404}
    assert "Prosser" not in json.dumps(found)


def test_entries_name_their_establishment_in_one_chain(server: Server) -> None:
    Place(server, "BWI"), Place(server, "HLI")
    wait_until(lambda: len(server.audit("view_opened")) == 2, "both views are in the audit")
    assert [row[:2] for row in server.audit("view_opened")] == [("R. Hughes", "BWI"), ("J. Marsh", "HLI")]
    assert [(row.establishment, row.detail.split()[1:]) for row in server.audit("server_started")] == [
        ("", ["BWI", "HLI"])
    ]
    assert server.verify()["intact"]
    server.stop()
    with sqlite3.connect(server.folder / "sightline.db") as database:
        database.execute(
            "UPDATE audit SET establishment = 'HLI' WHERE action = 'view_opened' AND establishment = 'BWI'"
        )
    assert not server.verify()["intact"], "whose an entry is can't be changed unseen"


BOOKINGS = establishment()["bookings"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"laptops": [{"id": "BWI-01", "seat": 1, "room": "R", "token": "x" * 20}], "bookings": []}, "laptop BWI-01"),
        ({"bookings": [BOOKINGS[0] | {"laptop": "HLI-01"}]}, "booking BWI-1"),
        ({"staff": [{"name": "A", "role": "officer", "token": OFFICER_TOKEN}]}, "tokens"),
        ({"staff": [establishment()["staff"][0] | {"token": ""}]}, "account"),
        ({"code": "BWI"}, "given twice"),
    ],
)
def test_a_file_that_claims_what_another_establishment_has_is_refused_whole(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    for file, content in zip(files, (establishment(), hull(**change)), strict=True):
        file.write_text(json.dumps(content))
    given = [argument for file in files for argument in ("--establishment", file)]
    run = subprocess.run(
        sightline("server", "--data", tmp_path / "data", "--port", 1, *given),
        capture_output=True,
        text=True,
        env=child_environment(),
        check=False,
    )
    assert run.returncode == 1 and words in run.stderr and len(run.stderr.strip().splitlines()) == 1, run.stderr
    with sqlite3.connect(tmp_path / "data" / "sightline.db") as database:
        assert database.execute("SELECT count(*) FROM establishment").fetchone() == (0,), "all files or none"


def test_support_sees_the_laptops_of_whichever_establishment_it_opens(server: Server) -> None:
    """Support's list is Hull's; what it sees is Berwyn's, in Berwyn's audit, and of Hull nothing comes with it."""
    with Console(server, HULL["support"], code="BWI") as support:
        seen = support.next(HealthSnapshot)
        assert {one.laptop_id for one in seen.laptops} == {"BWI-01"}
        support.next(HealthDelta)
        assert {type(message) for message in support.seen} == {ConsoleWelcome, HealthSnapshot, HealthDelta}
    assert [row.establishment for row in server.audit("health_opened")] == ["BWI"]


def test_a_role_that_may_open_any_establishment_opens_another_and_it_is_in_that_ones_audit(server: Server) -> None:
    """Remote support is on Hull's list."""
    console = Console(server, HULL["support"], code="BWI")
    welcome = console.next(ConsoleWelcome)
    assert (welcome.establishment, welcome.staff_name) == ("BWI", "B. Hopper")
    assert "any_establishment" in welcome.permissions and "view" not in welcome.permissions
    wait_until(lambda: bool(server.audit("health_opened")), "the opening is in the audit")
    assert [row[:2] for row in server.audit("health_opened")] == [("B. Hopper", "BWI")]
