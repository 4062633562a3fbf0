"""What a governor does: the list, the open review, its panel, acts sent and words said back. No Textual in it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.actions import BY_ID, Action, Danger, key_of
from console.state.evidence import SKIP_MS, Evidence, Player
from console.state.panels import CLOSED
from console.state.review_list import ReviewList
from console.state.review_panels import (
    DecidePanel,
    FindingPanel,
    Opening,
    OpenPanel,
    ReviewPanel,
    SignOffPanel,
    UpdatePanel,
)
from console.state.review_words import state_forbids, why_not_signed_off
from console.state.safe_text import safe
from console.state.wall import Wall
from schemas.console import CommandAnswer, ConsoleWelcome
from schemas.incident import Happened, IncidentView, Viewed
from schemas.media import Box, Side
from schemas.review import (
    ReviewAct,
    ReviewChanged,
    ReviewClose,
    ReviewCommand,
    ReviewEvidence,
    ReviewEvidenceDone,
    ReviewOpen,
    ReviewOpened,
    ReviewRefused,
    Reviews,
    ReviewShown,
    ReviewsWanted,
)

NOT_AFTER_MS = 5000
ANSWER_S = 6.0
NOTICE_S = 4.0
TELL_SHOWN_S = 0.5
PERMISSION = "review"
MARKS = ("flag", "warn", "notice", "pause", "resume", "admit", "refuse", "extend", "end", "one_side", "ended_by_laptop")
"""What `[` and `]` go to."""


@dataclass
class Review:
    """The incident that is open here. `linked`: the server still has it open for this console."""

    review_id: str
    reason: str
    incident: IncidentView
    opened_at_ms: int
    happened: list[Happened]
    viewed: list[Viewed]
    player: Player
    linked: bool = True

    @property
    def evidence(self) -> Evidence:
        return self.player.evidence

    def marks(self) -> list[int]:
        """Moments within the stretch at which something was done, the flag's own key among them."""
        pressed, evidence = self.incident.pressed_at_ms, self.evidence
        at = {one.at_ms - pressed for one in self.happened if one.action in MARKS} | {0}
        return sorted(moment for moment in at if evidence.from_ms <= moment <= evidence.to_ms)


@dataclass
class Sent:
    """An act that is on its way, or what became of it."""

    command_id: str
    name: str
    pressed_s: float
    answer: CommandAnswer | None = None


class ReviewDesk:
    """`send(message)` says whether it went out; `boxes()` what the screen has room for. `now_s`: time.monotonic()."""

    def __init__(self, wall: Wall, send: Callable[[Any], bool]) -> None:
        self.wall, self.list = wall, ReviewList()
        self.review: Review | None = None
        self.panel: ReviewPanel | None = None
        self.boxes: Callable[[], list[Box]] = lambda: []
        self.opening: Opening | None = None
        """Asked for, and not answered yet."""
        self.sent: Sent | None = None
        self._review_id = ""
        self._send = send
        self._notice, self._notice_until_s = "", 0.0
        self._told_s = 0.0

    @property
    def permitted(self) -> bool:
        return PERMISSION in self.wall.permissions

    # -- from the server

    def receive(self, message: Any, now_s: float) -> bool:
        """Takes a message in; False when it is none of a review's."""
        match message:
            case ConsoleWelcome():
                self._welcomed()
            case Reviews() | ReviewChanged():
                self.list.take(message)
                self._incident_changed()
            case ReviewRefused("", _, words):
                self.list.refused = safe(words)
            case ReviewRefused(_, _, words):
                self.opening = None
                self.say(f"Not opened: {safe(words)}", now_s)
            case ReviewOpened() if message.review_id == self._review_id:
                self._opened(message)
            case ReviewEvidence(review_id) if self._is_open(review_id) and self.review is not None:
                self.review.evidence.take(message)
            case ReviewEvidenceDone(review_id) if self._is_open(review_id) and self.review is not None:
                self.review.evidence.done(message)
            case CommandAnswer(command_id) if self.sent is not None and self.sent.command_id == command_id:
                self.sent.answer = message
            case _:
                return False
        return True

    def _welcomed(self) -> None:
        """A new session: it has nothing open."""
        if self.review is not None:
            self.review.linked = False
        self.opening = None
        if self.permitted:
            self._send(ReviewsWanted())

    def _is_open(self, review_id: str) -> bool:
        return self.review is not None and self.review.review_id == review_id

    def _incident_changed(self) -> None:
        review = self.review
        if review is not None:
            review.incident = self.list.incidents.get(review.incident.reference, review.incident)
            if self.panel is not None:
                self.panel.incident = review.incident

    def _opened(self, message: ReviewOpened) -> None:
        evidence = Evidence(message.from_ms, message.to_ms)
        before = self.review
        player = Player(evidence, message.from_ms)
        if before is not None and before.incident.reference == message.incident.reference:
            # Read again: the place and what was seen stay.
            player.at_ms, player.seen = before.player.at_ms, before.player.seen
        reason = self.opening.reason if self.opening is not None else ""
        self.review = Review(
            message.review_id,
            reason,
            message.incident,
            message.opened_at_ms,
            sorted(message.happened, key=lambda one: one.at_ms),
            message.viewed,
            player,
        )
        self.opening = None
        self._incident_changed()

    # -- to the server

    def open(self, opening: Opening, now_s: float) -> None:
        self._review_id = uuid.uuid4().hex
        if self._send(ReviewOpen(self._review_id, opening.reference, opening.reason, self.boxes())):
            self.opening = opening
        else:
            self.say("Not opened: the link is lost", now_s)

    def close(self) -> None:
        """Back to the list: what was sent of the recording is forgotten."""
        if self.review is not None and self.review.linked:
            self.tell_shown(0.0, at_once=True)
            self._send(ReviewClose(self.review.review_id))
        self.review = self.panel = self.sent = self.opening = None

    def order(self, act: ReviewAct, name: str, now_s: float) -> None:
        review = self.review
        if review is None:
            return
        self.tell_shown(now_s, at_once=True)
        server_ms = self.wall.link.server_ms(now_s)
        command = ReviewCommand(
            uuid.uuid4().hex, review.review_id, review.incident.version, server_ms + NOT_AFTER_MS, act
        )
        if self.wall.link.usable and self._send(command):
            self.sent = Sent(command.command_id, name, now_s)
        else:
            self.say(f"{name}: link lost: not sent", now_s)

    def tell_shown(self, now_s: float, at_once: bool = False) -> None:
        """What was on the screen, now and then: the sign-off depends on it."""
        review = self.review
        if review is None or not review.linked or (now_s - self._told_s < TELL_SHOWN_S and not at_once):
            return
        self._told_s = now_s
        shown = review.player.take_shown()
        if any(shown.values()):
            self._send(ReviewShown(review.review_id, shown[Side.FAMILY], shown[Side.ROOM]))

    # -- from the governor

    def why_off(self, action: Action) -> str:
        """Empty when the key does something now."""
        key = f"{action.shown_key} is off"
        if action.permission and action.permission not in self.wall.permissions:
            return f"{key}: your role may not do this"
        review = self.review
        if review is None or action.permission != PERMISSION or action.danger is Danger.LOOKS:
            return ""
        if not self.wall.link.usable:
            return f"{action.shown_key}: link lost: not sent"
        if action.id == "read-again":
            return f"{key}: it is being read" if review.linked and review.evidence.outcome is None else ""
        if action.id not in ("finding", "decide", "update", "sign-off"):
            return ""
        why = state_forbids(review.incident)
        if not why and not review.linked:
            why = f"the link was lost meanwhile; {key_of('read-again')} opens it again"
        if not why and action.id == "sign-off":
            why = why_not_signed_off(review.incident, review.player)
        return f"{key}: {why}" if why else ""

    def act(self, action: Action, now_s: float) -> None:
        """One action of the list or of the review; says why when it is off."""
        why = self.why_off(action)
        if why:
            self.say(why, now_s)
            return
        server_ms = self.wall.link.server_ms(now_s)
        match action.id:
            case "next" | "before":
                self.list.choose(server_ms, 1 if action.id == "next" else -1)
            case "open":
                incident = self.list.choose(server_ms)
                if incident is not None and self.opening is None:
                    self.panel = OpenPanel(incident)
            case _ if self.review is not None:
                self._act_on(self.review, action.id, now_s)
            case _:
                pass

    def _act_on(self, review: Review, action: str, now_s: float) -> None:
        player, incident = review.player, review.incident
        match action:
            case "play":
                player.play_or_stop(now_s)
            case "step-back" | "step-on":
                player.step(-1 if action == "step-back" else 1)
            case "skip-back" | "skip-on":
                player.go(player.at_ms + (-SKIP_MS if action == "skip-back" else SKIP_MS))
            case "mark-before":
                player.go(max((m for m in review.marks() if m < player.at_ms), default=review.evidence.from_ms))
            case "mark-after":
                player.go(min((m for m in review.marks() if m > player.at_ms), default=review.evidence.to_ms))
            case "speed-1" | "speed-2":
                player.speed = int(action[-1])
            case "read-again":
                self.open(Opening(incident.reference, review.reason or "review of this incident"), now_s)
            case "finding":
                self.panel = FindingPanel(incident, incident.finding)
            case "decide":
                self.panel = DecidePanel(incident)
            case "update":
                self.panel = UpdatePanel(incident, incident.question)
            case "sign-off":
                self.panel = SignOffPanel(incident, review.evidence.from_ms, review.evidence.to_ms)
            case _:
                raise ValueError(f"no way to do {action}")

    def press_in_panel(self, key: str, now_s: float) -> None:
        assert self.panel is not None
        answer = self.panel.press(key)
        if answer is None:
            return
        self.panel = None
        if isinstance(answer, Opening):
            self.open(answer, now_s)
        elif not isinstance(answer, str):
            self.order(answer, BY_ID[_ACTIONS[type(answer).__name__]].name, now_s)
        else:
            assert answer == CLOSED

    def say(self, words: str, now_s: float) -> None:
        self._notice, self._notice_until_s = words, now_s + NOTICE_S

    def notice(self, now_s: float) -> str:
        """What was last said, for a few seconds."""
        return self._notice if now_s < self._notice_until_s else ""

    def sent_words(self, now_s: float) -> tuple[str, bool]:
        """How far the last act has come, and whether it is well."""
        sent = self.sent
        if sent is None:
            return "", True
        if sent.answer is None:
            waited_s = now_s - sent.pressed_s
            if waited_s > ANSWER_S:
                return f"{sent.name}: no answer: look whether it was done, then press it again", False
            return f"{sent.name}: pending {waited_s:.1f} s", True
        words = safe(sent.answer.words)
        return (f"{sent.name}: {words}", True) if sent.answer.accepted else (f"{sent.name} refused: {words}", False)


_ACTIONS = {"WriteFinding": "finding", "Decide": "decide", "AskUpdate": "update", "SignOff": "sign-off"}
