"""Which of the machine's addresses a leg's media use; and the whole chain on a machine without a network card."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import aioice.ice
import pytest
from aiortc import RTCPeerConnection

from demo.peers.peer import CONFIGURATION
from demo.processes import child_environment, sightline
from laptop.media.aiortc_internals import addresses as chosen
from laptop.media.leg import Leg
from laptop.media.offer import OfferError
from schemas.media import Side

LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""As `ip link set lo up`, on a machine that has no `ip`; then the program of the arguments."""


async def offer() -> tuple[RTCPeerConnection, str]:
    peer = RTCPeerConnection(CONFIGURATION)
    chosen.gather_for(Side.ROOM)
    for kind in ("audio", "video"):
        peer.addTransceiver(kind)
    await peer.setLocalDescription(await peer.createOffer())
    return peer, peer.localDescription.sdp


async def addresses(name: str) -> set[str]:
    """What a leg of this name puts into its answer."""
    peer, sdp = await offer()
    leg = Leg(
        name,
        on_packet=lambda leg, kind, packet, at: None,
        on_frame=lambda leg, data, timestamp, key: None,
        may_flow=lambda: False,
        on_key_frame_wanted=lambda source: None,
    )
    try:
        answer = await leg.answer(sdp)
        return set(re.findall(r"a=candidate:\S+ \d \S+ \d+ (\S+)", answer))
    finally:
        await leg.close()
        await peer.close()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of a machine with a network card, as aioice finds them: without loopback."""
    found = ["127.0.0.3"]  # a stand-in that can be bound here
    monkeypatch.setattr(chosen, "_all_addresses", lambda use_ipv4, use_ipv6: list(found))
    monkeypatch.setattr(aioice.ice, "get_host_addresses", aioice.ice.get_host_addresses)
    return found


async def test_room_and_family_use_the_addresses_of_their_settings(machine: list[str]) -> None:
    chosen.use_interfaces("127.0.0.1", "")
    assert await addresses("room") == {"127.0.0.1"}
    assert await addresses("family-1") == {"127.0.0.3"}
    chosen.use_interfaces("127.0.0.2", "127.0.0.1")
    assert await addresses("room") == {"127.0.0.2"}
    assert await addresses("family-4") == {"127.0.0.1"}


async def test_without_an_address_the_offer_is_refused_in_words(machine: list[str]) -> None:
    machine.clear()
    chosen.use_interfaces("127.0.0.1", "")
    assert await addresses("room") == {"127.0.0.1"}
    with pytest.raises(OfferError, match="no network address that family connections may use"):
        await addresses("family-1")


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="a network of its own needs root")
def test_the_demo_needs_no_network_card(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    demo = sightline("demo", "--headless", "--calls", 1, "--seconds", 5, "--report", report)
    alone = ["unshare", "--net", sys.executable, "-c", LOOPBACK_UP, *demo]
    done = subprocess.run(alone, capture_output=True, text=True, timeout=60, env=child_environment(), check=False)
    assert report.exists(), done.stderr
    found = json.loads(report.read_text())
    assert found["live"] == 1 and found["peers"]["frames_decoded"] > 0, done.stderr
