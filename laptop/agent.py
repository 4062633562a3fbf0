"""What the agent does with the server's messages: opens its one call, passes offers on, obeys, asks for the lease."""

import asyncio

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.health import HealthWanted, RecordingFault, WhyNot
from schemas.laptop import (
    EvidenceMore,
    EvidenceRecords,
    EvidenceStop,
    EvidenceWanted,
    LeaseDenied,
    LeaseGrant,
    LeaseRequest,
    LegOffer,
    OpenCall,
    Order,
    OrderAct,
    OrderAnswer,
    PicturesWanted,
    RecordingKept,
    RecordingRefused,
)
from schemas.wire import Message

from .boottime import boottime
from .evidence import Evidence
from .health import HealthTeller
from .link import ServerLink
from .media.call import Call
from .media.part_file import Sealing
from .rules.server_clock import ServerClock
from .rules.strain import Strain
from .settings import Settings
from .tasks import Tasks
from .upload import Upload

log = structlog.get_logger()

LEASE_EACH_S = 1.0


class Agent:
    """Holds at most one call, whether or not the server can be reached."""

    def __init__(self, settings: Settings, link: ServerLink, signer: Ed25519PrivateKey) -> None:
        self._settings, self._link = settings, link
        self._call: Call | None = None
        self._asked: dict[int, float] = {}
        """Nonce of a lease request -> when it was sent (CLOCK_BOOTTIME, s)."""
        self._nonce = 0
        self._tasks = Tasks()
        self._health = HealthTeller(settings.data, self._codes, self._strain, lambda: link.left_out, link.send)
        self._clock = ServerClock()
        self._signer = signer
        self._upload = Upload(settings.recordings, link, self._signer)
        self._evidence = Evidence(link)
        link.held = self.held
        link.on_message = self.take
        link.on_welcome = self._welcomed

    def held(self) -> tuple[str, int]:
        """The call that a new link has to name, and its epoch."""
        if self._call is None or self._call.carrying.over:
            return "", 0
        return self._call.call_id, self._call.epoch

    async def run(self) -> None:
        """Asks for a lease each second while a call is open."""
        while True:
            call = self._call
            if call is not None and not call.carrying.over and self._link.connected:
                self._nonce += 1
                self._asked = {n: at for n, at in self._asked.items() if n > self._nonce - 10}
                self._asked[self._nonce] = boottime()
                self._link.send(LeaseRequest(call.call_id, call.epoch, self._nonce))
            await asyncio.sleep(LEASE_EACH_S)

    async def prepare(self) -> None:
        """Before the link: what an agent before this one has left."""
        await self._upload.prepare()

    def take(self, message: Message) -> None:
        call = self._call
        match message:
            case OpenCall():
                self._open(message)
            case Order() if call is None or message.call_id != call.call_id:
                # The end of a call that is not open here has come true already.
                done = message.act == OrderAct.END
                reason = "" if done else "this call is not open on the laptop"
                self._link.send(OrderAnswer(message.order_id, message.call_id, done, reason))
            case Order() if call is not None:
                call.obey(message)
            case LegOffer(call_id, epoch, leg, offer_id, sdp):
                if call is not None and call.call_id == call_id and epoch >= call.epoch:
                    self._tasks.start(call.offer(leg, offer_id, sdp))
            case LeaseGrant(call_id, epoch, nonce, granted_ms, server_time_ms):
                asked_at = self._asked.pop(nonce, None)
                if asked_at is not None:
                    self._clock.heard(asked_at, boottime(), server_time_ms)
                if asked_at is not None and call is not None and call.call_id == call_id and epoch == call.epoch:
                    call.leased(asked_at, granted_ms / 1000)
            case LeaseDenied(call_id, _, _, reason, final):
                log.warning("lease denied", call=call_id, reason=reason, final=final)
                if final and call is not None and call.call_id == call_id and not call.carrying.over:
                    self._tasks.start(call.close(f"the server has ended it: {reason}"))
            case HealthWanted(every_ms):
                self._health.start(every_ms)
            case PicturesWanted(call_id, boxes):
                if call is not None and call.call_id == call_id:
                    call.want_pictures(boxes)
            case RecordingKept():
                self._upload.kept(message)
            case RecordingRefused():
                self._upload.refused(message)
            case EvidenceRecords():
                self._evidence.records(message)
            case EvidenceWanted():
                self._evidence.wanted(message)
            case EvidenceMore(request_id):
                self._evidence.more(request_id)
            case EvidenceStop(request_id):
                self._evidence.stop(request_id)
            case _:
                pass

    def _open(self, message: OpenCall) -> None:
        call = self._call
        if call is not None and call.call_id == message.call_id and not call.carrying.over:
            if message.epoch >= call.epoch:
                call.renew(message.epoch, message.ends_in_ms / 1000)
            return
        if call is not None and not call.carrying.over:
            self._tasks.start(call.close("another call was opened"))
        self._asked.clear()
        self._call = Call(
            message.call_id,
            message.epoch,
            ends_in_s=message.ends_in_ms / 1000,
            expected_s=message.expected_ms / 1000,
            grace_s=message.grace_ms / 1000,
            laptop_id=self._settings.laptop_id,
            folder=self._settings.recordings,
            sealing=Sealing(self._settings.laptop_id, message.evidence_key, self._signer),
            clock=self._clock,
            send=self._link.send,
            on_closed=self._closed,
            on_recorded=self._upload.grown,
        )
        log.info("call opened", call=message.call_id, epoch=message.epoch)

    def _codes(self) -> tuple[WhyNot, RecordingFault]:
        return self._call.codes() if self._call is not None else (WhyNot.NO_CALL, RecordingFault.NONE)

    def _strain(self) -> Strain:
        return self._call.strain() if self._call is not None else Strain()

    def _welcomed(self, asked_at: float, server_ms: int) -> None:
        self._clock.heard(asked_at, boottime(), server_ms)
        self._evidence.forget()
        self._upload.welcomed()

    def _closed(self, call: Call) -> None:
        log.info("call closed", call=call.call_id)
        if self._call is call:
            self._call = None

    async def close(self) -> None:
        """Ends the call and finishes its recording."""
        self._health.stop()
        await self._evidence.close()
        if self._call is not None and not self._call.carrying.over:
            await self._call.close("the agent was stopped")
        await self._upload.close()
