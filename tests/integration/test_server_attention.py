"""Two officers' consoles on a real server: looks, marks, the watch, urgent help, and words that are read."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.attention import Acknowledge, CallMarks, Cause, MarkRefused, NoticeReached, Shelve, Watchers
from schemas.call import CallState
from schemas.console import Admit, Beat, Notice, OneSide, Refuse, UrgentHelp, Warn, Watch
from schemas.laptop import LegOffer, OpenCall, Order, OrderAct
from schemas.media import Side
from schemas.peer import CallNotice, NoticeRead, Offer, OfferRefused
from tests.server_rig import OFFICER_TOKEN, Console, Laptop, Peer, Server, establishment, running_server, wait_until

PATEL = "second-officer-token"


class Rig:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.laptop = Laptop(server)
        self.opened = self.laptop.next(OpenCall)
        self.laptop.legs_connected("BWI-1")
        self.hughes, self.patel = Console(server), Console(server, PATEL)
        for console in (self.hughes, self.patel):
            console.call("BWI-1", lambda call: all(leg.connected for leg in call.legs))

    def admit(self) -> None:
        assert self.hughes.give(Admit("family-1")).accepted
        self.laptop.confirm(OrderAct.ADMIT)
        for console in (self.hughes, self.patel):
            console.call("BWI-1", lambda call: call.state == CallState.LIVE)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    staff = [
        {"name": "R. Hughes", "role": "officer", "token": OFFICER_TOKEN},
        {"name": "J. Patel", "role": "officer", "token": PATEL},
    ]
    with running_server(tmp_path, establishment(staff=staff)) as server:
        yield Rig(server)


def looking(watchers: Watchers) -> dict[str, tuple[str, bool, bool]]:
    return {one.name: (one.call_id, one.focused, one.looking) for one in watchers.watchers}


def test_a_look_is_told_to_colleagues_and_kept_with_the_call_and_in_the_audit(rig: Rig) -> None:
    rig.admit()
    version = rig.patel.calls["BWI-1"].version
    rig.hughes.send(Beat("BWI-1", True, 0))
    seen = rig.patel.next(Watchers, lambda w: looking(w).get("R. Hughes") == ("BWI-1", True, True))
    assert looking(seen)["J. Patel"] == ("", False, False)
    time.sleep(0.5)
    rig.hughes.send(Beat("", False, 0))
    rig.patel.next(Watchers, lambda w: looking(w).get("R. Hughes") == ("", False, False))
    call = rig.patel.call("BWI-1", lambda c: c.looked_at_ms > 0)
    assert call.looked_by == "R. Hughes" and call.version == version, "looking makes no act stale"
    wait_until(lambda: bool(rig.server.audit("looked")), "the look is in the audit")
    look = rig.server.audit("looked")[0]
    assert look.who == "R. Hughes" and "in focus" in look.detail


def test_passing_by_is_no_look_and_a_console_that_goes_ends_its_own(rig: Rig) -> None:
    rig.admit()
    rig.hughes.send(Beat("BWI-1", False, 0))
    rig.patel.next(Watchers, lambda w: looking(w).get("R. Hughes") == ("BWI-1", False, False))
    rig.hughes.send(Beat("BWI-1", True, 0))
    rig.patel.next(Watchers, lambda w: looking(w).get("R. Hughes") == ("BWI-1", True, True))
    rig.hughes.close()
    rig.patel.next(Watchers, lambda w: "R. Hughes" not in looking(w))
    assert rig.patel.call("BWI-1", lambda c: c.looked_by == "R. Hughes")


def test_a_console_that_nobody_uses_looks_at_nothing(rig: Rig) -> None:
    rig.admit()
    rig.hughes.send(Beat("BWI-1", True, 11 * 60_000))
    rig.patel.next(Watchers, lambda w: any(one.name == "R. Hughes" and not one.counts for one in w.watchers))
    assert not rig.patel.calls["BWI-1"].looked_by


def test_what_one_officer_has_seen_the_other_one_knows(rig: Rig) -> None:
    rig.admit()
    rig.hughes.send(Acknowledge("BWI-1", Cause.NOT_CARRIED, 5))
    for console in (rig.hughes, rig.patel):
        (mark,) = console.next(CallMarks).marks
        assert (mark.by, mark.cause, mark.since_ms) == ("R. Hughes", Cause.NOT_CARRIED, 5)
    rig.patel.send(Shelve("BWI-1", Cause.TIME_SHORT, 7, 2, "known and harmless"))
    shelved = rig.hughes.next(CallMarks, lambda m: len(m.marks) == 2).marks[1]
    assert shelved.shelved_until_ms > shelved.at_ms and shelved.by == "J. Patel"
    rig.patel.send(Shelve("BWI-1", Cause.UNSEEN, 7, 2, "known and harmless"))
    assert "can't be shelved" in rig.patel.next(MarkRefused).words
    third = Console(rig.server, PATEL)
    assert len(third.next(CallMarks).marks) == 2, "a console that joins is told"
    wait_until(lambda: bool(rig.server.audit("acknowledged") and rig.server.audit("shelved")), "both are in the audit")


def test_the_watch_is_offered_and_taken(rig: Rig) -> None:
    rig.admit()
    assert rig.hughes.give(Watch(True)).accepted
    assert "R. Hughes has the watch" in rig.patel.give(Watch(True)).words
    assert rig.hughes.give(Watch(False, "J. Patel")).accepted
    rig.patel.call("BWI-1", lambda c: c.watch_offered_to == "J. Patel" and c.watch == "R. Hughes")
    assert rig.patel.give(Watch(True)).accepted
    assert rig.hughes.call("BWI-1", lambda c: c.watch == "J. Patel").watch_offered_to == ""


def test_urgent_help_reaches_the_other_consoles(rig: Rig) -> None:
    rig.admit()
    assert rig.hughes.give(UrgentHelp("medical")).accepted
    call = rig.patel.call("BWI-1", lambda c: c.help == "medical")
    assert call.help_by == "R. Hughes" and call.state == CallState.LIVE
    assert rig.patel.give(UrgentHelp("dealt with", over=True)).accepted
    rig.hughes.call("BWI-1", lambda c: c.help == "")


def test_a_warning_is_shown_and_the_officer_is_told(rig: Rig) -> None:
    rig.admit()
    refused = rig.hughes.give(Warn(None, "stay in view."))
    assert not refused.accepted and "Nobody there is connected" in refused.words
    family = Peer(rig.server, "family-token-BWI-1")
    family.next(CallNotice)
    warning = rig.hughes.give(Warn(None, "stay in view."))
    assert warning.accepted and "family-1" in warning.words
    notice = family.next(CallNotice, lambda n: n.notice_id == warning.command_id)
    for _ in range(3):
        family.send(NoticeRead(notice.notice_id))
    family.send(NoticeRead("never-sent"))
    for console in (rig.hughes, rig.patel):
        reached = console.next(NoticeReached)
        assert (reached.command_id, reached.leg) == (warning.command_id, "family-1")
    wait_until(lambda: bool(rig.server.audit("notice_read")), "it is in the audit")
    time.sleep(0.3)
    assert len(rig.server.audit("notice_read")) == 1, "read once, and only what was sent"


def test_a_device_that_comes_back_is_shown_what_it_has_not_shown(rig: Rig) -> None:
    rig.admit()
    family = Peer(rig.server, "family-token-BWI-1")
    family.next(CallNotice)
    sent = rig.hughes.give(Notice(Side.FAMILY, "Please hold the device level."))
    family.next(CallNotice, lambda n: n.notice_id == sent.command_id)
    family.close()
    again = Peer(rig.server, "family-token-BWI-1")
    assert again.next(CallNotice, lambda n: n.notice_id == sent.command_id).words == "Please hold the device level."
    again.send(NoticeRead(sent.command_id))
    rig.hughes.next(NoticeReached)
    again.close()
    third = Peer(rig.server, "family-token-BWI-1")
    third.next(CallNotice)
    with pytest.raises(TimeoutError):
        third.next(CallNotice, lambda n: n.notice_id == sent.command_id, seconds=0.5)


def test_one_side_is_off_for_all_consoles_and_again_after_the_laptop_has_started_anew(rig: Rig) -> None:
    rig.admit()
    answer = rig.hughes.give(OneSide(Side.FAMILY, False, True))
    assert answer.needs_laptop
    rig.laptop.confirm(OrderAct.ONE_SIDE)
    assert rig.patel.call("BWI-1", lambda c: c.family_picture_off).state == CallState.LIVE
    rig.laptop.close()
    rig.patel.call("BWI-1", lambda c: not c.laptop_online)
    anew = Laptop(rig.server)
    order = anew.next(Order, lambda o: o.act == OrderAct.ONE_SIDE)
    assert order.picture_off and not order.sound_off and order.side == Side.FAMILY


def test_a_refused_caller_reads_why_in_plain_words(rig: Rig) -> None:
    family = Peer(rig.server, "family-token-BWI-1")
    family.next(CallNotice)
    assert rig.hughes.give(Refuse("family-1"), reason="place not fit").accepted
    assert "quiet, private place" in family.next(CallNotice).words
    rig.laptop.confirm(OrderAct.REFUSE)
    entry = json.loads(rig.server.audit("refuse")[0].detail)
    assert entry["reason"] == "place not fit"
    family.send(Offer("o1", "v=0"))
    turned_away = family.next(OfferRefused)
    assert "quiet, private place" in turned_away.reason and not turned_away.retry
    with pytest.raises(TimeoutError):
        rig.laptop.next(LegOffer, seconds=0.3)
