"""One incident: its recorded stretch is played here, and it is decided on and signed off."""

import time

from console.actions import key_of
from console.painting.ink import SEVERITY_INK, Colours, Ink
from console.painting.profile import Profiles
from console.painting.review_view import ReviewPainter
from console.painting.strips import Row
from console.review_desk import ReviewDesk
from console.state.review_layout import review_parts
from console.state.review_words import evidence_words, viewed_words
from schemas.media import Box, Side

from .reviews import ReviewPage

TICK_S = 0.1


class ReviewScreen(ReviewPage):
    """Ten times a second the player is looked at; only rows that have changed are sent."""

    letter = "R"

    def __init__(self, desk: ReviewDesk, colours: Colours) -> None:
        super().__init__(desk, colours)
        self._painter = ReviewPainter(colours)

    def show_pictures_as(self, profiles: Profiles) -> None:
        self._painter.show_as(profiles.colours)
        self.draw()

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.tick)

    def tick(self) -> None:
        review = self.desk.review
        if review is None or not self.is_current:
            return
        now_s = time.monotonic()
        review.player.look(now_s)
        self.draw()
        self.desk.tell_shown(now_s)

    def boxes(self, columns: int, rows: int) -> list[Box]:
        """The largest pictures that a screen of this size has room for."""
        parts = review_parts(columns, rows)
        if parts.too_small:
            return []
        areas = {Side.FAMILY: parts.family, Side.ROOM: parts.room}
        return [Box(side, area.width, area.height * 2) for side, area in areas.items()]

    def rows(self, now_s: float, width: int, height: int) -> dict[int, Row]:
        review = self.desk.review
        if review is None:
            return {}
        parts = review_parts(width, height)
        made = self._painter.screen(review, self.desk.wall, parts, now_s, width)
        review.player.note_shown()
        return dict(made)

    def message(self, now_s: float) -> tuple[str, Ink]:
        words, ink = super().message(now_s)
        review = self.desk.review
        if words or review is None:
            return words, ink
        if not review.linked:
            return f"The link was lost meanwhile: {key_of('read-again')} opens it again", Ink.ALERT
        severity, words = evidence_words(review.evidence)
        # Where there is no column for it, who has looked before stands here.
        before = "" if review_parts(*self.size).side.width else viewed_words(review.viewed)
        return f"{words} · {before}" if before else words, SEVERITY_INK[severity]
