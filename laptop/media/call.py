"""One call in the agent: orders, admissions and the end; its legs, their recording, levels and pictures.

The order in which a packet meets things: is it allowed (looked at for each packet), forwarded, measured, recorded.
"""

import asyncio
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from schemas.health import RecordingFault, WhyNot
from schemas.laptop import CallClosed, LegAnswer, LegGone, LegRefused, Order, OrderAct, OrderAnswer
from schemas.media import Box, CallHealth, RecordingState
from schemas.wire import Message

from ..boottime import boottime
from ..rules.absence import Absences
from ..rules.carrying import NEVER, Carrying
from ..rules.server_clock import ServerClock
from ..rules.strain import Strain
from ..tasks import Tasks, in_loop
from .bandwidth import Bandwidth
from .call_recording import CallRecording
from .leg import Leg
from .level_teller import LevelTeller
from .offer import OfferError
from .part_file import Sealing
from .pictures import PictureMaker
from .recording import Recording, RecordingError
from .rtp import Packet
from .stream import Piece, SenderReport
from .switchboard import Switchboard

log = structlog.get_logger()

Send = Callable[[Message], None]

LOOK_S = 0.1


class Call:
    """Closed until ADMIT. `send` never waits; `on_closed(call)` when it has ended by itself or by order;
    `on_recorded(recording)` when more of it is durable, and once more when it is finished."""

    def __init__(
        self,
        call_id: str,
        epoch: int,
        *,
        ends_in_s: float,
        expected_s: float,
        grace_s: float,
        laptop_id: str,
        folder: Path,
        sealing: Sealing,
        clock: ServerClock,
        send: Send,
        on_closed: Callable[["Call"], None],
        on_recorded: Callable[[Recording], None],
    ) -> None:
        self.call_id, self.epoch = call_id, epoch
        self.carrying = Carrying(ends_at=boottime() + ends_in_s)
        self._expected_s, self._send, self._on_closed, self._on_recorded = expected_s, send, on_closed, on_recorded
        self._loop = asyncio.get_running_loop()
        self._legs = Switchboard()
        self._absences = Absences(grace_s)
        self._bandwidth = Bandwidth()
        self._recording = CallRecording(folder, call_id, sealing, clock.utc_ms, self._durable, self._tell_health)
        self._told_carrying: tuple[bool, RecordingState] | None = None
        # Many laptops must not send their pictures in the same instant.
        offset_s = zlib.crc32(laptop_id.encode()) % 1000 / 1000
        self._pictures = PictureMaker(call_id, offset_s, self._picture_made, self._pictures_behind)
        self._answers: dict[str, OrderAnswer] = {}
        self._levels = LevelTeller(call_id, send)
        self._late_s = 0.0
        self._tasks = Tasks()
        self._tasks.start(self._watch())

    # What the server says

    def renew(self, epoch: int, ends_in_s: float) -> None:
        """The same call again, after a lost link: another server may hold it now, or its end may have moved."""
        self.epoch = max(self.epoch, epoch)
        self._change(replace(self.carrying, ends_at=boottime() + ends_in_s))

    def leased(self, asked_at: float, granted_s: float) -> None:
        self._change(self.carrying.leased(asked_at, granted_s))

    def want_pictures(self, boxes: list[Box]) -> None:
        self._pictures.want(boxes)

    async def offer(self, name: str, offer_id: str, sdp: str) -> None:
        """A new offer takes the place of the connection before."""
        leg = Leg(
            name,
            on_packet=self._packet,
            on_frame=self._frame,
            may_flow=self._legs.flows,
            on_key_frame_wanted=self._key_frame_wanted,
        )
        try:
            answer = await leg.answer(sdp)
        except OfferError as error:
            await leg.close()
            log.warning("offer refused", call=self.call_id, leg=name, reason=str(error))
            self._send(LegRefused(self.call_id, name, offer_id, str(error)[:500]))
            return
        if self.carrying.over:
            await leg.close()
            return
        before = self._legs.put(leg)
        if before is not None:
            await before.close()
        self._send(LegAnswer(self.call_id, name, offer_id, answer))

    def obey(self, order: Order) -> None:
        """Carries an order out, and answers. What stops has stopped when this returns."""
        arrived = time.perf_counter()
        known = self._answers.get(order.order_id)
        if known is not None:
            self._send(known)
            return
        if order.epoch < self.epoch:
            self._answer(order, False, f"epoch {order.epoch} is over, {self.epoch} holds the call", arrived)
            return
        match order.act:
            case OrderAct.ADMIT:
                self._admit(order, arrived)
                return
            case OrderAct.REFUSE:
                self._put_out(order.leg)
            case OrderAct.PAUSE:
                self._change(replace(self.carrying, paused=True))
            case OrderAct.RESUME:
                self._change(replace(self.carrying, paused=False))
                self._ask_for_key_frames()
            case OrderAct.EXTEND:
                self._change(replace(self.carrying, ends_at=boottime() + order.ends_in_ms / 1000))
            case OrderAct.ONE_SIDE if order.side is not None:
                self._legs.switch(order.side, sound=not order.sound_off, picture=not order.picture_off)
                self._ask_for_key_frames()
            case OrderAct.ONE_SIDE:
                self._answer(order, False, "the order names no side", arrived)
                return
            case OrderAct.END:
                self._change(replace(self.carrying, over=True))
        self._answer(order, True, "", arrived)
        if order.act == OrderAct.END:
            self._tasks.start(self.close("ended by order"))

    def _admit(self, order: Order, arrived: float) -> None:
        """Records first: nothing is carried that is not recorded."""
        if order.leg not in self._legs.legs:
            self._answer(order, False, "the caller is not connected", arrived)
            return
        try:
            if self._recording.kept is None:
                self._recording.begin(self._expected_s)
                self.carrying = replace(self.carrying, recorded_at=boottime())
        except RecordingError as error:
            self._answer(order, False, f"not recorded, so not opened: {error}", arrived)
            self._tell_health()
            return
        if self._recording.state == RecordingState.FAILED:
            self._answer(order, False, f"not recorded, so not opened: {self._recording.words}", arrived)
            return
        self._legs.admit(order.leg)
        self._change(replace(self.carrying, admitted_at=self.carrying.admitted_at or boottime()))
        self._ask_for_key_frames()
        self._answer(order, True, "", arrived)

    def _put_out(self, name: str) -> None:
        """Its connection ends; a family device needs an admission when it comes again."""
        self._dismiss(name)
        leg = self._legs.take_out(name)
        self._levels.forget(name)
        if leg is not None:
            self._tasks.start(leg.close())

    def _dismiss(self, name: str) -> None:
        """This family device needs an admission from now on. Without any, nothing flows."""
        self._legs.dismiss(name)
        if not self._legs.admitted:
            self._change(replace(self.carrying, admitted_at=None))

    def _answer(self, order: Order, done: bool, reason: str, arrived: float) -> None:
        took_us = round((time.perf_counter() - arrived) * 1e6)
        answer = OrderAnswer(order.order_id, self.call_id, done, reason[:500], self.forwarded, took_us)
        self._answers[order.order_id] = answer
        self._send(answer)
        self._tell_health_if_changed()

    # What flows

    @property
    def legs(self) -> dict[str, Leg]:
        """Name -> its connection."""
        return self._legs.legs

    @property
    def admitted(self) -> set[str]:
        """The family devices whose media may pass."""
        return self._legs.admitted

    @property
    def forwarded(self) -> int:
        """RTP packets that were sent to any leg."""
        return self._legs.sent

    def _change(self, carrying: Carrying) -> None:
        self.carrying = carrying
        self._legs.flow_until(carrying.flows_until())

    def _packet(self, leg: Leg, kind: str, packet: Packet, came_at: float) -> None:
        if self._legs.legs.get(leg.name) is not leg:
            return  # a connection that has been replaced
        self._legs.packet(leg, kind, packet)
        if kind == "audio":
            self._levels.add(leg.name, packet.payload, came_at, leg.claimed_dbov(packet))
            self._record(leg, kind, packet.payload, packet.timestamp, True, came_at)

    def _frame(self, leg: Leg, data: bytes, timestamp: int, key: bool) -> None:
        if self._legs.legs.get(leg.name) is not leg:
            return
        came_at = time.monotonic()
        self._pictures.add(leg.name, data, key, came_at)
        self._record(leg, "video", data, timestamp, key, came_at)

    def _record(self, leg: Leg, kind: str, data: bytes, timestamp: int, key: bool, came_at: float) -> None:
        """From the admission to the end, in pauses too."""
        recording = self._recording.kept
        if recording is not None and not self.carrying.over and self._legs.is_in(leg):
            grown = leg.unwrapped(kind, timestamp)
            recording.add(Piece(leg.name, kind, data, grown, came_at, key, leg.picture_size))

    def _record_clocks(self) -> None:
        """What the legs' senders say of their clocks: sound and picture fit together by them."""
        recording = self._recording.kept
        if recording is None or self.carrying.over:
            return
        for leg in self._legs.legs.values():
            if self._legs.is_in(leg):
                for kind, (ntp, timestamp) in leg.reports().items():
                    ntp_ms = ntp * 1000 / 2**32
                    recording.report(SenderReport(leg.name, kind, leg.unwrapped(kind, timestamp), ntp_ms))

    def _durable(self, begun_at: float) -> None:
        self._change(replace(self.carrying, recorded_at=begun_at))
        self._tell_recorded()

    def _tell_recorded(self) -> None:
        if self._recording.kept is not None:
            self._on_recorded(self._recording.kept)

    def _key_frame_wanted(self, source: str) -> None:
        leg = self._legs.legs.get(source)
        if leg is not None:
            leg.ask_for_key_frame()

    def _ask_for_key_frames(self) -> None:
        """An order opens something: it can't wait for what somebody has asked for a moment ago."""
        for leg in self._legs.legs.values():
            leg.ask_for_key_frame(at_once=True)

    # What is told

    def _picture_made(self, picture: Message) -> None:
        in_loop(self._loop, lambda: self._send(picture))

    def _pictures_behind(self, leg: str) -> None:
        in_loop(self._loop, lambda: self._key_frame_wanted(leg))

    async def _watch(self) -> None:
        """Ten times a second: must it end? Each second: how does it do?"""
        looks, due = 0, self._loop.time()
        while True:
            due = max(due + LOOK_S, self._loop.time())
            await asyncio.sleep(due - self._loop.time())
            self._late_s = max(self._late_s, self._loop.time() - due)
            looks += 1
            self._levels.look()
            ending = self.carrying.must_end(boottime())
            if ending:
                self._change(replace(self.carrying, over=True))
                log.warning("call ended by itself", call=self.call_id, reason=ending)
                self._tasks.start(self.close(ending))
                return
            self._look_for_lost_legs()
            for leg in self._legs.legs.values():
                leg.pass_clocks_on()
            if looks % 10 == 0:
                self._tell_health()
                self._record_clocks()
                await self._bandwidth.step(self._legs.legs)
                self._legs.look_beyond()
            else:
                self._tell_health_if_changed()
                if looks % 3 == 0:
                    await self._bandwidth.tell_young()

    def _look_for_lost_legs(self) -> None:
        for leg in list(self._legs.legs.values()):
            breach = leg.breach()
            if breach:
                log.warning("connection ended", call=self.call_id, leg=leg.name, reason=breach)
                self._put_out(leg.name)
                self._send(LegGone(self.call_id, leg.name, breach))
                continue
            lost = leg.lost
            if lost and not leg.gone:
                self._send(LegGone(self.call_id, leg.name, lost))
            leg.gone = bool(lost)
        here = {name for name, leg in self._legs.legs.items() if leg.connected}
        for name in self._absences.over(self._legs.admitted - here, boottime()):
            log.info("away for too long", call=self.call_id, leg=name)
            self._dismiss(name)
            self._tell_health()

    def codes(self) -> tuple[WhyNot, RecordingFault]:
        """Why nothing is carried, and what is wrong with the recording."""
        return self.carrying.why_not_code(boottime()), self._recording.fault

    def strain(self) -> Strain:
        late_s, self._late_s = self._late_s, 0.0
        taps = sum(leg.errors for leg in self._legs.legs.values()) + self._levels.errors + self._pictures.errors
        return Strain(late_s, self._pictures.waiting, self._pictures.dropped, taps)

    def _state(self) -> tuple[bool, RecordingState]:
        return not self.carrying.why_not(boottime()), self._recording.state

    def _tell_health_if_changed(self) -> None:
        if self._state() != self._told_carrying:
            self._tell_health()

    def _tell_health(self) -> None:
        self._told_carrying = self._state()
        now = boottime()
        age_s = 0.0 if self.carrying.recorded_at == NEVER else max(0.0, now - self.carrying.recorded_at)
        self._send(
            CallHealth(
                call_id=self.call_id,
                carrying=self._told_carrying[0],
                why_not=self.carrying.why_not(now),
                recording=self._recording.state,
                recording_age_ms=round(age_s * 1000),
                recorded_ms=self._recording.recorded_ms,
                recording_words=self._recording.words,
                legs=[
                    leg.health(leg.name in self._legs.admitted, self._levels.louder_db(leg.name))
                    for leg in self._legs.legs.values()
                ],
                forwarded_packets=self.forwarded,
            )
        )

    # The end

    async def close(self, reason: str) -> None:
        """Flags first, then the connections, then the recording; the server is told when all is done."""
        self._change(replace(self.carrying, over=True))
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.gather(*(leg.close() for leg in self._legs.clear()), return_exceptions=True)
        self._levels.close()
        await asyncio.to_thread(self._pictures.stop)
        await self._recording.finish()
        self._tell_recorded()
        self._send(CallClosed(self.call_id, self.epoch, reason[:500], self._recording.recorded_ms))
        self._on_closed(self)
