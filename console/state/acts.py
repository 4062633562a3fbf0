"""What this console has sent, and how far each act has come: pending, accepted, confirmed, refused, void."""

from dataclasses import dataclass, replace
from enum import StrEnum

from schemas.attention import NoticeReached
from schemas.call import Refusal
from schemas.console import Command, CommandAnswer, CommandDone, End, Notice, Warn

from .ages import clock
from .safe_text import safe

BY_LAPTOP = "confirmed by laptop"
"""As the server says it; another word than the laptop's is said as it is."""
VOID_AFTER_S = 5.0
KEPT = 50
SHOWN = 3


class Stage(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    FILED = "filed"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"
    """Refused, because a colleague was first."""
    VOID = "void"


@dataclass(frozen=True)
class ActView:
    """One act. Times are the console's monotonic clock, s, but for `at_ms` (server's time, UTC ms)."""

    command: Command
    name: str
    seat: int
    key: str
    at_ms: int
    pressed_s: float
    stage: Stage = Stage.PENDING
    accepted_s: float = 0.0
    detail: str = ""
    asked_again: bool = False
    read: tuple[tuple[str, int], ...] = ()
    """(device, after how many ms) that have shown a notice or warning."""

    @property
    def open(self) -> bool:
        return self.stage in (Stage.PENDING, Stage.ACCEPTED)


class Acts:
    """The newest first; at most KEPT, of which the oldest fall off."""

    def __init__(self) -> None:
        self._acts: list[ActView] = []

    def __iter__(self):
        return iter(self._acts)

    def sent(self, act: ActView) -> None:
        self._acts.insert(0, act)
        del self._acts[KEPT:]

    def answer(self, answer: CommandAnswer, now_s: float) -> ActView | None:
        """Takes the server's yes or no; None when the command is none of ours."""
        act = self._find(answer.command_id)
        if act is None or act.stage == Stage.CONFIRMED:
            return act
        words = _plain(answer.words)
        if not answer.accepted:
            if answer.refusal == Refusal.TOO_LATE and act.stage == Stage.VOID:
                return act
            stage = Stage.OVERTAKEN if answer.refusal == Refusal.OLD_VERSION else Stage.REFUSED
            return self._change(act, stage=stage, detail=words or str(answer.refusal or "no reason given"))
        if answer.needs_laptop:
            return self._change(act, stage=Stage.ACCEPTED, accepted_s=now_s, detail="")
        if answer.reference:
            return self._change(act, stage=Stage.FILED, detail=_plain(answer.reference))
        said = isinstance(act.command.act, (Notice, Warn))
        return self._change(act, stage=Stage.CONFIRMED, detail=words if said else "by the server")

    def reached(self, message: NoticeReached) -> ActView | None:
        """A device has shown it; None when the notice is none of ours."""
        act = self._find(message.command_id)
        return act and self._change(act, read=(*act.read, (_plain(message.leg), message.took_ms)))

    def done(self, done: CommandDone) -> ActView | None:
        """Takes the laptop's word, or the server's that the laptop's lease has run out; None when the command is none
        of ours."""
        act = self._find(done.command_id)
        if act is None:
            return None
        if done.done:
            took, words = f"{done.took_ms / 1000:.2f} s", _plain(done.words)
            detail = f"by laptop {took}" if words in ("", BY_LAPTOP) else f"after {took}: {words}"
            return self._change(act, stage=Stage.CONFIRMED, detail=detail)
        return self._change(act, stage=Stage.REFUSED, detail=_plain(done.words) or "the laptop did not do it")

    def look(self, now_s: float, link_usable: bool) -> list[Command]:
        """Voids what was not answered in time; returns the commands to ask the server about once more.

        By then they can have no new effect: the same id gets its old answer, a new one is too late. An end never
        expires, so it is never asked again.
        """
        ask: list[Command] = []
        for act in list(self._acts):
            if act.stage not in (Stage.PENDING, Stage.VOID) or now_s - act.pressed_s <= VOID_AFTER_S:
                continue
            if isinstance(act.command.act, End):
                continue
            if act.stage == Stage.PENDING:
                act = self._change(act, stage=Stage.VOID)
            # A second later, or the server's clock could still be before the command's last moment.
            if link_usable and not act.asked_again and now_s - act.pressed_s > VOID_AFTER_S + 1:
                self._change(act, asked_again=True)
                ask.append(act.command)
        return ask

    def _find(self, command_id: str) -> ActView | None:
        return next((act for act in self._acts if act.command.command_id == command_id), None)

    def _change(self, act: ActView, **changes: object) -> ActView:
        new = replace(act, **changes)  # pyright: ignore[reportArgumentType]
        self._acts[self._acts.index(act)] = new
        return new


def act_words(act: ActView, now_s: float, link_lost: bool) -> str:
    """`14:32:06 seat 02 Admit: confirmed by laptop 0.08 s`."""
    age_s = now_s - act.pressed_s
    match act.stage:
        case Stage.PENDING if link_lost:
            how = "pending, link lost: not known"
        case Stage.PENDING if age_s > 2:
            how = f"no answer for {age_s:.1f} s, still asking"
        case Stage.PENDING:
            how = f"pending {age_s:.1f} s"
        case Stage.ACCEPTED:
            how = f"accepted, waiting for the laptop {now_s - act.accepted_s:.1f} s"
        case Stage.CONFIRMED if isinstance(act.command.act, (Notice, Warn)):
            how = _read(act) or f"{act.detail.rstrip('.').lower()}, not read yet"
        case Stage.CONFIRMED:
            how = f"confirmed {act.detail}" + (f", {_read(act)}" if act.read else "")
        case Stage.FILED:
            how = f"filed {act.detail}"
        case Stage.REFUSED:
            how = f"refused: {act.detail}"
        case Stage.OVERTAKEN:
            how = f"overtaken: {act.detail}"
        case Stage.VOID:
            how = f"void after {VOID_AFTER_S:.0f} s: not done. Press {act.key} again"
    return f"{clock(act.at_ms)} seat {act.seat:02d} {act.name}: {how}"


def _read(act: ActView) -> str:
    return "read by " + ", ".join(f"{leg} {ms / 1000:.1f} s" for leg, ms in act.read) if act.read else ""


def _plain(words: str) -> str:
    # The dot parts the acts of the message row from each other.
    return safe(words).replace("·", ",")
