"""A connection's RTP, taken where it comes in and sent where it goes out."""

from collections.abc import Callable
from typing import Any

import aioice.ice
import pylibsrtp
import structlog
from aiortc import RTCRtpReceiver
from aiortc.rtcdtlstransport import State
from aiortc.rtp import is_rtcp

from .. import rtp
from ..rtp import Packet

log = structlog.get_logger()

OnPacket = Callable[[Packet], None]


def take_rtp_past_stun() -> None:
    """From now on what is RTP by its first byte (RFC 7983) is not first tried as a STUN message, and whatever else a
    stranger sends to the port ends nothing: an empty datagram closed aiortc's connection."""
    before = aioice.ice.StunProtocol.datagram_received

    def datagram_received(self: Any, data: Any, addr: Any) -> None:
        if not data:
            return
        if 127 < data[0] < 192:
            self.receiver.data_received(data, self.local_candidate.component)
            return
        try:
            before(self, data, addr)
        except Exception as error:
            log.warning("a datagram was not understood", error=repr(error)[:200])

    aioice.ice.StunProtocol.datagram_received = datagram_received


class Pipe:
    """A connection's way in and out for RTP. `on_packet` gets each packet, decrypted; what it raises is counted and
    goes no further. Made when offer and answer are both set, before the connection is up."""

    def __init__(self, receiver: RTCRtpReceiver, on_packet: OnPacket) -> None:
        self.errors = 0
        self._dtls: Any = receiver.transport
        self._ice: Any = self._dtls.transport._connection
        self._on_packet = on_packet
        self._handle_rtcp = self._dtls._handle_rtcp_data
        self._dtls._handle_rtcp_data = self._take_rtcp
        self._others = self._ice.data_received
        self._ice.data_received = self._data_received
        self._pair: Any = None
        self._address: tuple[str, int] = ("", 0)

    def _data_received(self, data: bytes, component: int) -> None:
        if data and 127 < data[0] < 192 and not is_rtcp(data) and self._dtls._rx_srtp is not None:
            try:
                self._take(data)
            except Exception:
                self.errors += 1
        else:
            self._others(data, component)

    async def _take_rtcp(self, data: bytes) -> None:
        """What aiortc's reader stumbles over would close the connection."""
        try:
            await self._handle_rtcp(data)
        except Exception:
            pass

    def _take(self, data: bytes) -> None:
        try:
            packet = rtp.parse(self._dtls._rx_srtp.unprotect(data))
        except (pylibsrtp.Error, ValueError):
            return
        if packet is not None:
            self._on_packet(packet)

    def send(self, packet: bytes) -> None:
        """Encrypts and sends at once. ConnectionError when the connection is not open (any more)."""
        pair = self._ice._nominated.get(1)
        if self._dtls._state is not State.CONNECTED or pair is None or pair.protocol.transport.is_closing():
            raise ConnectionError("not connected")
        if pair is not self._pair:
            self._pair, self._address = pair, pair.remote_addr
        pair.protocol.transport.sendto(self._dtls._tx_srtp.protect(packet), self._address)
