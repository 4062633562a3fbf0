"""A call of up to five legs on real connections: who gets whose media, what an order stops, who comes back and how."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiortc import RTCPeerConnection

from benchmarks.peers_of_others.run import Program
from demo.peers.peer import CONFIGURATION
from schemas.laptop import LegGone, LegRefused, OrderAct
from schemas.media import CallHealth, Side
from tests.legs_rig import OneCall, eventually, one_call

FLIGHT_S = 0.5
"""A packet that was sent before an order is with its receiver by then, however busy the machine."""
PICTURES_PER_S = 25


def packets(peers: dict[str, Any], kind: str) -> int:
    return sum(peer["packets"][kind] for peer in peers.values())


@asynccontextmanager
async def all_admitted(folder: Path) -> AsyncIterator[tuple[OneCall, Program]]:
    """The room and two devices."""
    async with one_call(folder, devices=2) as rig:
        peers = rig.start(*rig.legs)
        await rig.connected(*rig.legs)
        rig.admit("family-1", "family-2")
        yield rig, peers


async def test_five_legs_see_and_hear_one_another_over_one_connection_each(tmp_path: Path) -> None:
    async with one_call(tmp_path, devices=4) as rig:
        peers = rig.start(*rig.legs)
        await rig.connected(*rig.legs)
        rig.admit("family-1", "family-2", "family-3")
        inside = ["room", "family-1", "family-2", "family-3"]

        def all_but_the_last(report: dict[str, Any]) -> bool:
            return all(set(report[leg]["of_legs"]) == set(inside) - {leg} for leg in inside)

        report = await rig.until(peers, all_but_the_last, "each admitted leg gets each other one")
        assert report["family-4"]["packets"] == {"audio": 0, "video": 0}, "not admitted yet"
        assert report["family-4"]["sent"]["video"] > 0
        before = {leg: report[leg]["of_legs"]["room" if leg != "room" else "family-1"]["packets"] for leg in inside}

        rig.admit("family-4")

        def whole(report: dict[str, Any]) -> bool:
            got = [report[leg]["of_legs"].get(other) for leg in rig.legs for other in rig.legs if other != leg]
            return all(g is not None and g["packets"]["audio"] > 25 and g["packets"]["video"] > 25 for g in got)

        report = await rig.until(peers, whole, "each leg gets sound and picture of each other one")
        for leg in rig.legs:
            assert set(report[leg]["of_legs"]) == set(rig.legs) - {leg}, "in the slots that the answer named"
            if leg in before:
                source = "room" if leg != "room" else "family-1"
                assert report[leg]["of_legs"][source]["packets"]["video"] > before[leg]["video"]
        assert rig.offers == dict.fromkeys(rig.legs, 1), "nobody had to offer anew"
        admitted = {leg: leg != "room" for leg in rig.legs}

        def told() -> bool:
            return {leg.leg: leg.admitted for leg in rig.of_kind(CallHealth)[-1].legs} == admitted

        await eventually(told, "who is admitted is told with the next health")


async def stopped(rig: OneCall, peers: Any, sent: int) -> dict[str, Any]:
    """What has come when all that was sent before an order has come; the agent's count is exact."""
    await asyncio.sleep(FLIGHT_S)
    report = await rig.report(peers)
    assert packets(report, "audio") + packets(report, "video") == sent, "what was sent and what came differ"
    return report


async def test_not_one_packet_comes_after_a_pause_and_a_key_frame_at_once_after_it(tmp_path: Path) -> None:
    async with all_admitted(tmp_path) as (rig, peers):
        await rig.until(peers, lambda r: packets(r, "video") > 300, "media flow")
        for _ in range(3):
            answer, paused_at = rig.order(OrderAct.PAUSE)
            report = await stopped(rig, peers, answer.packets)
            assert max(peer["last_at"] for peer in report.values()) < paused_at + FLIGHT_S
            sending = {leg: peer["sent"]["video"] for leg, peer in report.items()}
            after = await rig.until(
                peers, lambda r, s=sending: all(r[leg]["sent"]["video"] > s[leg] + 5 for leg in s), "they send on"
            )
            assert packets(after, "audio") + packets(after, "video") == answer.packets

            _, resumed_at = rig.order(OrderAct.RESUME)
            report = await rig.until(
                peers, lambda r, at=resumed_at: all(_runs_since(r, leg, at) for leg in rig.legs), "pictures again"
            )
            for leg in rig.legs:
                for source, got in report[leg]["of_legs"].items():
                    came_at, key = got["runs"][-1]
                    assert key, f"{leg} gets {source} from the middle"
                    print(f"{leg} from {source}: {(came_at - resumed_at) * 1000:.0f} ms after the resume")
                    assert came_at - resumed_at < 0.3


def _runs_since(report: dict[str, Any], leg: str, at: float) -> bool:
    return all(got["runs"] and got["runs"][-1][0] > at for got in report[leg]["of_legs"].values())


async def test_one_side_muted_or_hidden_and_the_end(tmp_path: Path) -> None:
    async with all_admitted(tmp_path) as (rig, peers):
        await rig.until(peers, lambda r: packets(r, "video") > 200, "media flow")

        def came(report: dict[str, Any], source: str, kind: str) -> int:
            return sum(peer["of_legs"][source]["packets"][kind] for leg, peer in report.items() if leg != source)

        _, muted_at = rig.order(OrderAct.ONE_SIDE, side=Side.FAMILY, sound_off=True)
        await asyncio.sleep(FLIGHT_S)
        muted = await rig.report(peers)
        later = await rig.until(peers, lambda r: came(r, "room", "audio") > came(muted, "room", "audio") + 60, "sound")
        for source in ("family-1", "family-2"):
            assert came(later, source, "audio") == came(muted, source, "audio"), "the devices too, among each other"
            assert came(later, source, "video") > came(muted, source, "video")
        of_family = [leg["of_legs"][s] for leg in muted.values() for s in leg["of_legs"] if s != "room"]
        assert max(got["last_of_kind_at"]["audio"] for got in of_family) < muted_at + FLIGHT_S

        rig.order(OrderAct.ONE_SIDE, side=Side.ROOM, picture_off=True)
        await asyncio.sleep(FLIGHT_S)
        hidden = await rig.report(peers)
        later = await rig.until(
            peers, lambda r: came(r, "family-1", "video") > came(hidden, "family-1", "video") + 60, "pictures"
        )
        assert came(later, "room", "video") == came(hidden, "room", "video")
        assert came(later, "room", "audio") > came(hidden, "room", "audio")

        answer, ended_at = rig.order(OrderAct.END)
        report = await stopped(rig, peers, answer.packets)
        assert max(peer["last_at"] for peer in report.values()) < ended_at + FLIGHT_S
        assert answer.took_us < 50_000
        await asyncio.wait_for(rig.closed.wait(), 10)


async def test_the_slowest_device_holds_the_others_back_until_it_can_take_more(tmp_path: Path) -> None:
    async with all_admitted(tmp_path) as (rig, peers):

        def may_send(report: dict[str, Any]) -> dict[str, int | None]:
            return {leg: peer["may_send_bits"] for leg, peer in report.items()}

        await rig.until(peers, lambda r: may_send(r) == dict.fromkeys(rig.legs, 2_000_000), "2 Mbit/s at first")
        await rig.until(peers, lambda r: all(len(peer["of_legs"]) == 2 for peer in r.values()), "media flow")
        peers.say(do="report bandwidth", peer="family-2", bits_per_s=400_000)
        held = await rig.until(
            peers, lambda r: all(may_send(r)[leg] in (199_680, 200_000) for leg in ("room", "family-1")), "held back"
        )
        assert may_send(held)["family-2"] == 2_000_000, "nobody has said that it can't take this one's"
        peers.say(do="report bandwidth", peer="family-2", bits_per_s=8_000_000)
        await rig.until(peers, lambda r: may_send(r) == dict.fromkeys(rig.legs, 2_000_000), "let go")


async def test_a_device_that_comes_back_in_time_is_admitted_still_and_later_it_is_not(tmp_path: Path) -> None:
    grace_s = 4.0
    async with one_call(tmp_path, devices=2, grace_s=grace_s) as rig:
        others = rig.start("room", "family-1")
        lost = rig.start("family-2")
        await rig.connected(*rig.legs)
        rig.admit("family-1", "family-2")
        await rig.until(others, lambda r: all("family-2" in peer["of_legs"] for peer in r.values()), "media flow")

        lost.process.kill()
        killed_at = time.monotonic()
        gone = await eventually(lambda: rig.of_kind(LegGone), "the loss is told", 10)
        assert gone[0].leg == "family-2" and gone[0].reason
        assert time.monotonic() - killed_at < 3.5, "two seconds without media, and a look"
        before = await rig.report(others)

        def grows(report: dict[str, Any]) -> bool:
            return all(
                peer["of_legs"]["family-2"]["packets"]["video"] > before[leg]["of_legs"]["family-2"]["packets"]["video"]
                for leg, peer in report.items()
            )

        back = rig.start("family-2")
        await rig.until(others, grows, "it is back without an admission")
        await rig.until(back, lambda r: set(r["family-2"]["of_legs"]) == {"room", "family-1"}, "it gets both")

        back.process.kill()
        await eventually(lambda: "family-2" not in rig.call.admitted, "the grace is over", grace_s + 5)
        assert "family-1" in rig.call.admitted
        late = rig.start("family-2")
        await rig.connected("family-2")
        await eventually(lambda: not _health(rig, "family-2"), "the server is told that it needs an admission")
        before = await rig.report(others)
        await rig.until(late, lambda r: r["family-2"]["sent"]["video"] > PICTURES_PER_S, "it sends")
        report, of_late = await rig.report(others), await rig.report(late)
        for leg, peer in report.items():
            assert peer["of_legs"]["family-2"]["packets"] == before[leg]["of_legs"]["family-2"]["packets"]
        assert of_late["family-2"]["packets"] == {"audio": 0, "video": 0}
        rig.admit("family-2")
        await rig.until(others, grows, "admitted again")


async def test_the_only_device_gone_for_too_long_closes_the_call_until_an_admission(tmp_path: Path) -> None:
    async with one_call(tmp_path, devices=1, grace_s=0.5) as rig:
        room, family = rig.start("room"), rig.start("family-1")
        await rig.connected(*rig.legs)
        rig.admit("family-1")
        await rig.until(room, lambda r: r["room"]["packets"]["video"] > 25, "media flow")
        assert rig.of_kind(CallHealth)[-1].carrying
        family.process.kill()
        await eventually(lambda: rig.of_kind(CallHealth)[-1].why_not == "nobody is admitted", "nobody is admitted")
        rig.start("family-1")
        await rig.connected("family-1")
        before = await rig.report(room)
        await asyncio.sleep(FLIGHT_S)
        assert (await rig.report(room))["room"]["packets"] == before["room"]["packets"]
        rig.admit("family-1")
        await rig.until(
            room, lambda r: r["room"]["packets"]["video"] > before["room"]["packets"]["video"] + 25, "media flow again"
        )
        assert rig.of_kind(CallHealth)[-1].carrying and rig.of_kind(CallHealth)[-1].recording == "recording"


async def test_a_renegotiation_or_an_offer_that_leads_nowhere_touches_its_own_leg_only(tmp_path: Path) -> None:
    async with all_admitted(tmp_path) as (rig, peers):
        await rig.until(peers, lambda r: all(len(peer["of_legs"]) == 2 for peer in r.values()), "media flow")

        sender = RTCPeerConnection(CONFIGURATION)
        for kind in ("audio", "video"):
            sender.addTransceiver(kind, direction="sendrecv")
        await sender.setLocalDescription(await sender.createOffer())
        good = sender.localDescription.sdp
        await sender.close()
        for number, sdp in enumerate(("v=0", good.replace("fingerprint", "finger"), good.replace("VP8", "AV1"))):
            await rig.call.offer("family-1", f"bad-{number}", sdp)
            refused = rig.of_kind(LegRefused)[-1]
            assert (refused.leg, refused.offer_id) == ("family-1", f"bad-{number}") and refused.reason
        before = await rig.report(peers)

        def all_grow(report: dict[str, Any], legs: tuple[str, ...]) -> bool:
            return all(
                got["packets"]["video"] > before[leg]["of_legs"][source]["packets"]["video"] + 12
                for leg in legs
                for source, got in report[leg]["of_legs"].items()
                if source in legs
            )

        await rig.until(peers, lambda r: all_grow(r, tuple(rig.legs)), "a refused offer changes nothing")
        await rig.call.offer("family-1", "nowhere", good)
        before = await rig.report(peers)
        await rig.until(peers, lambda r: all_grow(r, ("room", "family-2")), "the others go on")
        # The device notices that its connection is gone, and offers by itself.
        back = await rig.until(peers, lambda r: all_grow(r, tuple(rig.legs)), "it is back, with the same admission")
        assert rig.offers["family-1"] == 2 and back["family-1"]["packets"]["video"]


def _health(rig: OneCall, name: str) -> bool | None:
    return next((leg.admitted for leg in rig.of_kind(CallHealth)[-1].legs if leg.leg == name), None)
