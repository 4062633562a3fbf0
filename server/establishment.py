"""One establishment while the server runs: its calls, and who is connected. Rules decide; here it is carried out."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from schemas.call import CallState, CallView, Outcome, SeatView
from schemas.console import CallChanged, SeatChanged, Snapshot
from schemas.laptop import (
    EvidenceDone,
    EvidencePart,
    EvidenceTaken,
    OpenCall,
    Order,
    OrderAct,
    PicturesWanted,
    RecordingChunk,
    RecordingOffer,
)
from schemas.media import Box, RecordingState

from .call_clock import CallClock
from .health import Health
from .links.fanout import FanOut
from .links.link import Link
from .looking import Looking
from .marks import Marks
from .notices import Notices
from .orders import Orders
from .peers import Peers
from .rules import company, happenings, sides
from .rules.call import MINUTE_MS, OPEN, Call, call_view
from .rules.commands import end, pause
from .rules.decision import Accepted, Ordered, Situation
from .rules.incident import Incident
from .rules.picture_boxes import for_call
from .rules.recording import room_needed
from .signers import Signers
from .store.audit import Entry
from .store.rows import Known
from .store.writer import Unit, Writer

log = structlog.get_logger()

SERVER = "the server"
"""Who it is, in words, when no person did it."""
LEASE_MS = 5000
SHOWN_AFTER_END_MS = 10 * MINUTE_MS
CLOSING_S = 10.0
"""How long a laptop may take to finish a call's recording before the next call is opened on it all the same."""


def utc_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class LaptopEnd:
    """A connected laptop, and the call that its agent holds."""

    laptop_id: str
    link: Link
    call_id: str = ""
    ended_at: float | None = None
    """Set while its agent finishes a call that has ended."""
    recording: RecordingState = RecordingState.NOT_STARTED
    boxes: tuple[Box, ...] = ()
    """The pictures that it was asked for."""


class Establishment:
    """Everything runs on the event loop, so each method is one step that nothing interrupts."""

    def __init__(self, known: Known, writer: Writer, laptop_keys: Path) -> None:
        """`laptop_keys`: where the list of its laptops' signing keys goes."""
        self.code, self.name, self.policy = known.code, known.name, known.policy
        self.known, self.writer = known, writer
        self.calls: dict[str, Call] = {}
        self.laptops: dict[str, LaptopEnd] = {}
        self.orders = Orders(self)
        self.fanout = FanOut(self.snapshot, utc_ms)
        self.health = Health(self)
        self.looking, self.peers, self.notices, self.marks = Looking(self), Peers(self), Notices(self), Marks(self)
        self.signers = Signers(self.code, laptop_keys, known.signing_keys, writer, self._entry_of_laptop, utc_ms)
        self.on_incident: Callable[[Incident], None] = lambda incident: None
        """Called when a flag is in the audit."""
        self.on_help: Callable[[Call, str, str], None] = lambda call, kind, who: None
        """Called when somebody asks for urgent help."""
        self.on_evidence: Callable[[str, EvidencePart | EvidenceDone | EvidenceTaken], None] = lambda laptop_id, m: None
        """Called with what a laptop has read of a recording."""
        self.on_recording: Callable[[LaptopEnd, RecordingOffer | RecordingChunk], None] = lambda laptop, message: None
        """Called with what a laptop sends of its recordings."""
        self.free_bytes: Callable[[], float] = lambda: float("inf")
        """Of the disk that recordings go to."""
        self.evidence_key = ""
        """For whom laptops record, age's public form; set before any of them connects."""
        self.on_laptop_gone: Callable[[str], None] = lambda laptop_id: None
        self._lease_until: dict[str, float] = {}
        self._clock = CallClock(self)
        self._boxes: tuple[Box, ...] = ()
        """What consoles want of every call."""
        for call in known.calls.values():
            taken = happenings.taken_over(call) if call.state != CallState.ENDED else call
            self.calls[call.call_id] = taken
            if taken is not call:
                writer.write(Unit(call=taken))
            if taken.state in (*OPEN, CallState.ENDING):
                # A lease that the server granted before it stopped may still run.
                self._lease_until[call.call_id] = time.monotonic() + LEASE_MS / 1000

    # What is known

    def now_ms(self) -> int:
        return utc_ms()

    def situation(self, call: Call | None) -> Situation:
        return Situation(
            now_ms=utc_ms(),
            present=self.looking.present(),
            readers=self.peers.legs(call) if call else frozenset(),
            policy=self.policy,
            next_start_ms=self.next_start_ms(call) if call else 0,
            laptop_online=bool(call and call.laptop_id in self.laptops),
            audit_writable=self.writer.writable,
            day=f"{datetime.now():%Y-%m-%d}",
            room_for_recording=call is None or self.free_bytes() >= room_needed(self._planned_ms(call) / 1000),
        )

    def next_start_ms(self, call: Call) -> int:
        starts = (
            other.starts_at_ms
            for other in self.calls.values()
            if other.laptop_id == call.laptop_id
            and other.starts_at_ms > call.starts_at_ms
            and other.state != CallState.ENDED
        )
        return min(starts, default=0)

    def snapshot(self, tick: int, order: int) -> Snapshot:
        shown: dict[str, Call] = {}
        now = utc_ms()
        for call in self.calls.values():
            if call.state in (*OPEN, CallState.ENDING):
                shown[call.laptop_id] = call
            elif call.state == CallState.ENDED and now - call.ended_at_ms < SHOWN_AFTER_END_MS:
                before = shown.get(call.laptop_id)
                if before is None or (before.state == CallState.ENDED and before.ended_at_ms < call.ended_at_ms):
                    shown[call.laptop_id] = call
        seats = [self._seat(laptop_id) for laptop_id in self.known.laptops]
        return Snapshot(tick, order, now, seats, [self._view(c) for c in shown.values()], [], [], [])

    def _view(self, call: Call) -> CallView:
        return call_view(call, self.policy, self.next_start_ms(call), call.laptop_id in self.laptops)

    def _seat(self, laptop_id: str) -> SeatView:
        laptop = self.known.laptops[laptop_id]
        coming = [c for c in self.calls.values() if c.laptop_id == laptop_id and c.state == CallState.BOOKED]
        following = min(coming, key=lambda c: c.starts_at_ms, default=None)
        words = ""
        if following is not None:
            who = f"{following.surname.upper()} {following.prison_number}"
            callers = f"{len(following.callers)} caller{'s' if len(following.callers) > 1 else ''}"
            words = f"{datetime.fromtimestamp(following.starts_at_ms / 1000):%H:%M} {who}, {callers}"
        return SeatView(laptop.seat, laptop_id, laptop.room, laptop_id in self.laptops, words)

    # Changes

    def entry(
        self, action: str, detail: str, *, call_id: str = "", who: str = "server", role: str = "server",
        session: str = "", accepted: bool = True,
    ) -> Entry:  # fmt: skip
        return Entry(utc_ms(), who, role, session, action, call_id, accepted, detail, self.code)

    def _entry_of_laptop(self, action: str, detail: str, laptop_id: str, accepted: bool) -> Entry:
        return self.entry(action, detail, who=laptop_id, role="laptop", accepted=accepted)

    def record(self, action: str, detail: str, **about: object) -> None:
        """An audit entry that nothing waits for."""
        self.writer.write(Unit((self.entry(action, detail, **about),)))  # type: ignore[arg-type]

    def change(self, call: Call, action: str = "", detail: str = "") -> asyncio.Future[None]:
        """The call is like this now: consoles and callers are told, and it is kept. The future is done when it is."""
        before = self.calls.get(call.call_id)
        if before is call:
            kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            kept.set_result(None)
            return kept
        self.calls[call.call_id] = call
        entries = (self.entry(action, detail, call_id=call.call_id),) if action else ()
        kept = self.writer.write(Unit(entries, call=call))
        self._announce(call)
        if before is None or (before.state, before.ends_at_ms) != (call.state, call.ends_at_ms):
            self.peers.notify(call)
        if before is None or company.differs(before, call):
            self.peers.tell_legs(call)
        if call.state == CallState.ENDED:
            self.fanout.forget(call.call_id)
            self.notices.forget(call.call_id)
            self.marks.forget(call.call_id)
            self._seat_changed(call.laptop_id)
            laptop = self.laptops.get(call.laptop_id)
            if laptop is not None and laptop.call_id == call.call_id:
                laptop.ended_at = time.monotonic()
        return kept

    def keep(self, call: Call) -> None:
        """What is only for the record: nobody is told."""
        self.calls[call.call_id] = call
        self.writer.write(Unit(call=call))

    def _seat_changed(self, laptop_id: str) -> None:
        self.fanout.event(lambda order: SeatChanged(order, self._seat(laptop_id)))

    # What the server does by itself

    def end_by_server(self, call: Call, outcome: Outcome, who: str, reason: str) -> None:
        """Time over, or one side left."""
        accepted = end(call, outcome, who, reason)
        assert isinstance(accepted, Accepted) and accepted.order is not None
        self.orders.carry_out(accepted.call, accepted.order, who, "end", f"{outcome} {accepted.words}")

    def pause_by_server(self, call: Call, who: str, reason: str) -> None:
        """Nobody watches. What is not live is left as it is."""
        decision = pause(call, who, reason, utc_ms(), by_fault=True)
        if isinstance(decision, Accepted) and decision.call is not call and decision.order is not None:
            self.orders.carry_out(decision.call, decision.order, who, "pause", f"{decision.words} {reason}")

    # Leases

    def lease(self, call_id: str, epoch: int) -> str:
        """Grants a lease, or says why not."""
        call = self.calls.get(call_id)
        if call is None or call.state not in OPEN:
            return "the call is over"
        if call.epoch != epoch:
            return "another epoch holds the call"
        if not self.writer.writable:
            return "the audit can't be written"
        self._lease_until[call_id] = time.monotonic() + LEASE_MS / 1000
        return ""

    def lease_left_s(self, call_id: str) -> float:
        return max(0.0, self._lease_until.get(call_id, 0.0) - time.monotonic())

    # Laptops

    def laptop_connected(self, laptop: LaptopEnd, held_call: str) -> None:
        self.laptops[laptop.laptop_id] = laptop
        self.record("laptop_connected", laptop.link.peer, who=laptop.laptop_id, role="laptop")
        self._seat_changed(laptop.laptop_id)
        held = self.calls.get(held_call)
        for call in list(self.calls.values()):
            if call.laptop_id == laptop.laptop_id and call.state in OPEN:
                if held is not call:
                    call = self._open_anew(call)
                self._send_open(laptop, call)
                if call.state == CallState.PAUSED:
                    self.orders.send(call, Ordered(OrderAct.PAUSE), SERVER)
                for ordered in sides.standing(call):
                    self.orders.send(call, ordered, SERVER)
                self._announce(call)
        if held_call and not laptop.call_id:
            laptop.call_id = held_call
            laptop.ended_at = time.monotonic()
            epoch = held.epoch if held else 0
            laptop.link.send(Order(f"over-{held_call}"[:64], held_call, epoch, OrderAct.END))

    def _open_anew(self, call: Call) -> Call:
        """The agent has lost the call's connections: callers are admitted again, peers have to offer again."""
        anew = happenings.laptop_started_anew(call)
        self.change(anew, "laptop_started_anew", "")
        self.peers.offer_anew(call)
        return anew

    def laptop_gone(self, laptop: LaptopEnd) -> None:
        if self.laptops.get(laptop.laptop_id) is not laptop:
            return
        del self.laptops[laptop.laptop_id]
        self.health.went(laptop.laptop_id, laptop.link)
        self.on_laptop_gone(laptop.laptop_id)
        self.record("laptop_gone", "", who=laptop.laptop_id, role="laptop")
        self._seat_changed(laptop.laptop_id)
        for call in list(self.calls.values()):
            if call.laptop_id == laptop.laptop_id and call.state in (*OPEN, CallState.ENDING):
                self.orders.laptop_gone(call.call_id)
                self._announce(self.calls[call.call_id])

    def _announce(self, call: Call) -> None:
        """Consoles are told how it is now: it has changed, or its laptop came or went."""
        self.fanout.event(lambda order: CallChanged(order, self._view(call)))

    def _planned_ms(self, call: Call) -> int:
        """Its full length, should it be extended as far as the policy allows."""
        return call.booked_end_ms - call.starts_at_ms + self.policy.extension_minutes_max * MINUTE_MS

    def open_room(self, laptop: LaptopEnd, opened: Call) -> None:
        """The call begins: its callers' waiting room is open."""
        self.change(opened, "room_opened", "")
        self._seat_changed(opened.laptop_id)
        self._send_open(laptop, opened)

    def _send_open(self, laptop: LaptopEnd, call: Call) -> None:
        laptop.call_id, laptop.ended_at, laptop.recording = call.call_id, None, RecordingState.NOT_STARTED
        now = utc_ms()
        left, planned = max(0, call.ends_at_ms - now), self._planned_ms(call)
        grace_ms = self.policy.grace_seconds * 1000
        laptop.link.send(OpenCall(call.call_id, call.epoch, left, planned, grace_ms, self.evidence_key))
        laptop.boxes = ()
        self._ask_for_pictures(laptop)
        self.peers.pass_offers_on(call)

    def call_closed(self, call_id: str, reason: str, laptop: LaptopEnd) -> None:
        call = self.calls.get(call_id)
        if call is not None and call.laptop_id == laptop.laptop_id and call.state in (*OPEN, CallState.ENDING):
            failed = laptop.recording == RecordingState.FAILED
            over = utc_ms() >= call.ends_at_ms and call.admitted_at_ms
            outcome = Outcome.COMPLETED_NORMALLY if over else Outcome.TECHNICAL_FAULT
            said = call.said if call.state == CallState.ENDING else f"Ended by laptop: {reason}"[:200]
            after = happenings.ended(call, utc_ms(), Outcome.RECORDING_FAILED if failed else outcome, said)
            self.change(after, "ended_by_laptop", reason)
            self.orders.call_ended(call_id, "confirmed by laptop")
        if laptop.call_id == call_id:
            laptop.call_id, laptop.ended_at = "", None

    def recording_words(self, call_id: str, words: str) -> None:
        """What is wrong with the server's copy of a call's recording; empty when nothing is any more."""
        call = self.calls.get(call_id)
        if call is not None and call.copy_words != words:
            self.change(msgspec.structs.replace(call, copy_words=words))

    def legs_seen(self, call_id: str, legs: list[tuple[str, bool, bool | None]]) -> None:
        """What the laptop says of its connections: (leg, connected, admitted: None when it does not say)."""
        call = self.calls.get(call_id)
        if call is None or call.state not in OPEN:
            return
        after = happenings.seen(call, legs, self.policy.grace_seconds)
        lapsed = [leg.leg for leg in call.legs if leg.admitted and not after.admitted(leg.leg)]
        self.change(after, "admission_over" if lapsed else "", ", ".join(lapsed))

    def leg_left(self, call: Call, leg: str) -> bool:
        """One of several family devices leaves; False when the call can't go on without it."""
        found = happenings.left(call, leg)
        if found is None:
            return False
        self.orders.carry_out(*found, leg, "leg_left", leg)
        return True

    def leg_gone(self, call_id: str, leg: str, reason: str) -> None:
        call = self.calls.get(call_id)
        if call is not None and call.state in OPEN:
            self.change(happenings.leg_connected(call, leg, False, reason), "leg_gone", f"{leg}: {reason}")

    # Consoles

    def boxes_changed(self) -> None:
        """A console asks for other pictures, or has come or gone."""
        self._boxes = self.fanout.boxes_changed()
        for laptop in self.laptops.values():
            if laptop.call_id:
                self._ask_for_pictures(laptop)

    def _ask_for_pictures(self, laptop: LaptopEnd) -> None:
        close = (watcher.focus for watcher in self.fanout.watchers if watcher.focus_call == laptop.call_id)
        boxes = for_call(self._boxes, close)
        if boxes != laptop.boxes:
            laptop.boxes = boxes
            laptop.link.send(PicturesWanted(laptop.call_id, list(boxes)))

    # The clock

    def look_at_the_clock(self) -> None:
        """Four times a second."""
        self._clock.look()
        self.orders.look()
        for laptop in self.laptops.values():
            if laptop.ended_at is not None and time.monotonic() - laptop.ended_at > CLOSING_S:
                laptop.call_id, laptop.ended_at = "", None
        self.health.tick()
