"""Is aiortc the version that its private names were read in, and are they all there?"""

from importlib.metadata import version

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection

EXPECTED = "1.16.0"
_RECEIVER = ("codecs", "decoder_queue", "rtcp_ssrc", "remote_streams", "rtx_ssrc")
_SENDER = (
    "rtp_started",
    "rtp_exited",
    "rtp_header_extensions_map",
    "rtx_payload_type",
    "mid",
    "rtt",
    "ntp_timestamp",
    "rtp_timestamp",
    "packet_count",
    "octet_count",
)


def check_version() -> None:
    """SystemExit that names the version expected and found."""
    found = version("aiortc")
    if found != EXPECTED:
        raise SystemExit(f"laptop: aiortc {EXPECTED} is needed, {found} was found; install the locked versions.")


def check_names() -> None:
    """SystemExit that names each private name that is missing. Needs a running event loop."""
    transceiver = RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("video")
    receiver, sender = transceiver.receiver, transceiver.sender
    missing = [f"RTCRtpReceiver.__{n}" for n in _RECEIVER if not hasattr(receiver, f"_RTCRtpReceiver__{n}")]
    missing += [f"RTCRtpSender.__{n}" for n in _SENDER if not hasattr(sender, f"_RTCRtpSender__{n}")]
    ice = receiver.transport.transport
    for owner, names in (
        (receiver, ("_send_rtcp", "_send_rtcp_pli", "_send_rtcp_nack", "_handle_rtcp_packet")),
        (sender, ("_run_rtp", "_retransmit", "_send_keyframe", "_ssrc", "_rtx_ssrc", "_handle_rtcp_packet")),
        (sender, ("_stream_id", "_track_id")),
        (transceiver, ("_codecs", "_headerExtensions")),
        (receiver.transport, ("_state", "_rx_srtp", "_tx_srtp", "_rtp_router", "_handle_rtcp_data")),
        (ice, ("_connection",)),
        (getattr(ice, "_connection", None), ("data_received", "_nominated")),
        (aioice.ice, ("get_host_addresses",)),
        (aioice.ice.StunProtocol, ("datagram_received",)),
    ):
        missing += [f"{type(owner).__name__}.{name}" for name in names if not hasattr(owner, name)]
    if missing:
        raise SystemExit(f"laptop: aiortc {EXPECTED} lacks {', '.join(missing)}; install the locked versions.")
