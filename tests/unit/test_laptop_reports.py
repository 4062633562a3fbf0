"""A peer's RTCP reports speak of the whole way, beyond the agent too."""

from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

from laptop.media.aiortc_internals.inlet import Inlet


async def reported(beyond_s: float, beyond_loss: float, dlsr_s: float, lost: int = 3) -> RtcpReceiverInfo:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver("audio")
    receiver = transceiver.receiver
    sent: list[Any] = []

    async def send(packet: Any) -> None:
        sent.append(packet)

    receiver._send_rtcp = send  # type: ignore[method-assign]
    inlet = Inlet(transceiver, lambda packet: None, None)
    inlet.beyond_s, inlet.beyond_loss = beyond_s, beyond_loss
    info = RtcpReceiverInfo(7, lost, 50, 1000, 4, 1234, round(dlsr_s * 65536))
    await receiver._send_rtcp(RtcpRrPacket(ssrc=1, reports=[info]))
    await connection.close()
    bytes(sent[0])  # it can still be written
    return sent[0].reports[0]


@pytest.mark.parametrize(("dlsr_s", "left_s"), [(0.9, 0.7), (0.1, 0.0), (0.0, 0.0)])
async def test_the_round_trip_has_the_far_way_in_it(dlsr_s: float, left_s: float) -> None:
    info = await reported(0.2, 0.0, dlsr_s)
    assert info.dlsr == pytest.approx(left_s * 65536, abs=1)
    assert (info.fraction_lost, info.packets_lost, info.lsr) == (3, 50, 1234)


@pytest.mark.parametrize(("beyond", "fraction"), [(0.0, 3), (0.1, 26), (1.0, 255)])
async def test_the_larger_loss_is_told(beyond: float, fraction: int) -> None:
    assert (await reported(0.0, beyond, 0.5)).fraction_lost == fraction
