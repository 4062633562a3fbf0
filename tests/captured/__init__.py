"""Packets and offers of Debian's Chromium on the pages, decrypted: what a family device really sends. Loopback only,
with a painted camera; the keys are those of connections that ended."""

import json
from pathlib import Path

_ALL = json.loads((Path(__file__).parent / "chromium.json").read_text())
RTP = [bytes.fromhex(packet) for packet in _ALL["rtp"]]
RTCP = [bytes.fromhex(packet) for packet in _ALL["rtcp"]]
OFFERS: list[str] = _ALL["offers"]
