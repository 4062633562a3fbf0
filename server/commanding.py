"""Takes an officer's command from its arrival to its answer: once, decided, in the audit, carried out, answered."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime

import msgspec
import structlog

from schemas.call import Refusal, Role
from schemas.console import Command, CommandAnswer, Flag
from schemas.wire import encode

from .establishment import Establishment, utc_ms
from .journal import Journal
from .orders import Send
from .rules.commands import Accepted, Refused, decide, stops
from .rules.incident import Incident
from .rules.permissions import act_name
from .store.audit import Entry
from .store.writer import StoreError, Unit

log = structlog.get_logger()

_answer = msgspec.msgpack.Decoder(CommandAnswer)


class Officer(msgspec.Struct, frozen=True):
    """Who gives a command, and in which session."""

    name: str
    role: Role
    session: str


class Commanding:
    """Stopping acts go to the laptop first and are accepted even when only the journal can be written; all others are
    durable in the audit before anything follows from them. Every answer waits for its durable entry."""

    def __init__(self, place: Establishment, journal: Journal) -> None:
        self._place, self._journal = place, journal
        self._answers = {command: _answer.decode(frame) for command, frame in place.known.answers.items()}
        self._given: dict[str, asyncio.Future[CommandAnswer]] = {}
        self._incidents = place.known.incidents_of_day

    async def give(self, command: Command, officer: Officer, tell: Send) -> None:
        """Answers through `tell`; the same id again gets the same answer and has no effect."""
        known = self._answers.get(command.command_id)
        if known is None and command.command_id in self._given:
            known = await self._given[command.command_id]
        if known is not None:
            tell(known)
            done = self._place.orders.done.get(command.command_id)
            if done is not None:
                tell(done)
            return
        given = self._given[command.command_id] = asyncio.get_running_loop().create_future()
        self._place.orders.unanswered(command.command_id)
        try:
            answer = await self._carry_out(command, officer, tell)
            self._answers[command.command_id] = answer
            given.set_result(answer)
        except BaseException:
            given.cancel()
            raise
        finally:
            del self._given[command.command_id]
        tell(answer)
        self._place.orders.answered(command.command_id)

    async def _carry_out(self, command: Command, officer: Officer, tell: Send) -> CommandAnswer:
        place = self._place
        call = place.calls.get(command.call_id)
        at = place.situation(call)
        decision = decide(call, command, officer.name, officer.role, at)
        if isinstance(decision, Refused):
            return await self._refuse(command, officer, decision)
        if stops(call, command.act):
            return await self._stop_first(command, officer, decision, tell)
        reference = self._reference() if decision.flag else ""
        answer = self._accepted(command, decision, reference)
        incident = self._incident(decision.flag, command, officer, reference)
        try:
            await place.writer.write(
                Unit((self._entry(command, officer, True, decision.words),), None, self._row(answer), incident)
            )
        except StoreError as error:
            return self._no_audit(command, error)
        if incident is not None:
            place.on_incident(incident)
        # While the entry was written, the call may have changed: what would be refused now is not done.
        call, came_ms = place.calls.get(command.call_id), at.now_ms
        at = place.situation(call)
        if incident is not None:  # it is filed: that it took long takes nothing back
            at = replace(at, now_ms=came_ms, audit_writable=True)
        decision = decide(call, command, officer.name, officer.role, at)
        if isinstance(decision, Refused):
            return await self._refuse(command, officer, decision)
        try:
            await self._apply(decision, command, officer, tell)
        except StoreError as error:  # the audit has it, and so has the call in memory
            log.error("audit not writable", error=str(error))
        return answer

    async def _stop_first(self, command: Command, officer: Officer, decision: Accepted, tell: Send) -> CommandAnswer:
        answer = self._accepted(command, decision, "")
        self._apply(decision, command, officer, tell)
        entry = self._entry(command, officer, True, decision.words)
        try:
            await self._place.writer.write(Unit((entry,), None, self._row(answer)))
        except StoreError as error:
            log.error("audit not writable", error=str(error))
            await asyncio.to_thread(self._journal.write, entry)
        return answer

    def _apply(self, decision: Accepted, command: Command, officer: Officer, tell: Send) -> asyncio.Future[None]:
        """The future is done when the call is kept as it is now."""
        place = self._place
        if decision.order is not None:
            kept = place.orders.carry_out(
                decision.call, decision.order, officer.name, command_id=command.command_id, tell=tell
            )
        else:
            kept = place.change(decision.call)
        if decision.told is not None:
            place.peers.notify(decision.call, decision.told, command.command_id)
        if decision.help:
            place.on_help(decision.call, decision.help, officer.name)
        return kept

    async def _refuse(self, command: Command, officer: Officer, refused: Refused) -> CommandAnswer:
        answer = CommandAnswer(command.command_id, False, refused.refusal, refused.words)
        entry = self._entry(command, officer, False, f"{refused.refusal}: {refused.words}")
        kept = self._place.writer.write(Unit((entry,), None, self._row(answer)))
        if refused.refusal != Refusal.NO_AUDIT:  # that one is known already, and an officer waits for it
            try:
                await kept
            except StoreError as error:
                log.error("audit not writable", error=str(error), refused=refused.words)
        return answer

    def _no_audit(self, command: Command, error: StoreError) -> CommandAnswer:
        log.error("audit not writable", error=str(error))
        words = "The audit can't be written, so it was not done: only pause, mute, hide and end are possible."
        return CommandAnswer(command.command_id, False, Refusal.NO_AUDIT, words)

    def _accepted(self, command: Command, decision: Accepted, reference: str) -> CommandAnswer:
        needs_laptop = decision.order is not None
        return CommandAnswer(command.command_id, True, None, decision.words[:500], reference, needs_laptop)

    def _entry(self, command: Command, officer: Officer, accepted: bool, words: str) -> Entry:
        detail = {
            "command": command.command_id,
            "act": msgspec.to_builtins(command.act),
            "reason": command.reason,
            "version": command.version,
            "words": words,
        }
        return Entry(
            utc_ms(),
            officer.name,
            str(officer.role),
            officer.session,
            act_name(command.act),
            command.call_id,
            accepted,
            json.dumps(detail, ensure_ascii=True),
            self._place.code,
        )

    def _row(self, answer: CommandAnswer) -> tuple[str, int, bytes, str]:
        return answer.command_id, utc_ms(), encode(answer), self._place.code

    def _reference(self) -> str:
        """INC-YYYY-MMDD-NN, counted by day of the server's place."""
        day = f"{datetime.now():%Y-%m%d}"
        self._incidents[day] = self._incidents.get(day, 0) + 1
        return f"INC-{day}-{self._incidents[day]:02d}"

    def _incident(self, flag: Flag | None, command: Command, officer: Officer, reference: str) -> Incident | None:
        if flag is None:
            return None
        category, note = str(flag.category), flag.note
        code, pressed = self._place.code, flag.pressed_at_ms
        return Incident(reference, code, command.call_id, category, note, officer.name, pressed, utc_ms())
