"""A real sender's level header beside its decoded sound: honest, then lying."""

import asyncio
import fractions
import time

import aiortc.rtcrtpsender
import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from demo.peers.peer import CONFIGURATION
from laptop.media.aiortc_internals.addresses import gather_for, use_interfaces
from laptop.media.aiortc_internals.pipe import take_rtp_past_stun
from laptop.media.leg import Leg
from laptop.media.level_teller import LevelTeller
from laptop.media.rtp import Packet
from schemas.media import Levels
from tests.legs_rig import eventually

DBFS = -20.0


class Tone(MediaStreamTrack):
    """A sine of -20 dBFS."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._began, self._tick = time.monotonic(), 0

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(0.0, self._began + self._tick * 0.02 - time.monotonic()))
        at = (np.arange(960) + 960 * self._tick) / 48_000
        samples = 10 ** (DBFS / 20) * np.sin(2 * np.pi * 1000 * at) * 32767
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16).repeat(2)[None, :], "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * self._tick, fractions.Fraction(1, 48_000)
        self._tick += 1
        return frame


async def test_a_level_that_contradicts_its_sound_is_known_and_the_level_shown_is_the_sounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Levels] = []
    use_interfaces("127.0.0.1", "127.0.0.1")
    take_rtp_past_stun()
    teller = LevelTeller("call", lambda message: told.append(message) if isinstance(message, Levels) else None)

    def heard(leg: Leg, kind: str, packet: Packet, at: float) -> None:
        if kind == "audio":
            teller.add(leg.name, packet.payload, at, leg.claimed_dbov(packet))

    leg = Leg(
        "family-1",
        on_packet=heard,
        on_frame=lambda leg, data, timestamp, key: None,
        may_flow=lambda: False,
        on_key_frame_wanted=lambda source: None,
    )
    gather_for(leg.side)
    peer = RTCPeerConnection(CONFIGURATION)
    try:
        peer.addTrack(Tone())
        peer.addTransceiver("video")
        await peer.setLocalDescription(await peer.createOffer())
        answer = await leg.answer(peer.localDescription.sdp)
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await eventually(lambda: told and told[-1].family_rms > -300, "something is heard")
        await asyncio.sleep(4.5)
        assert teller.louder_db("family-1") == 0, "an honest sender"

        monkeypatch.setattr(aiortc.rtp, "compute_audio_level_dbov", lambda frame: -127)
        await eventually(lambda: teller.louder_db("family-1"), "the lie is known")
        assert teller.louder_db("family-1") > 25
        assert told[-1].family_rms == pytest.approx(10 * DBFS, abs=5), "the level shown is the sound's"
    finally:
        await leg.close()
        await peer.close()
        teller.close()
