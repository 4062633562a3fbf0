"""How pictures are painted: chosen by what the terminal can show and how much its line takes, or by a key."""

from enum import StrEnum

from .ink import Colours
from .mosaic import Mosaic
from .themes import Theme, worn


class Profile(StrEnum):
    """From the dearest to the cheapest."""

    KITTY = "kitty"
    """Small images that the terminal itself enlarges (kitty.py); the others are cells."""
    FINE = "fine"
    """Cells of four or six pixels (mosaic.py); the others are half blocks."""
    COLOUR = "colour"
    GREY = "grey"
    LEAN = "lean"
    """Grey, and each picture only every LEAN_S."""
    TEXT = "text"

    @property
    def words(self) -> str:
        return {
            Profile.KITTY: "images",
            Profile.FINE: "fine colour",
            Profile.COLOUR: "colour",
            Profile.GREY: "grey",
            Profile.LEAN: f"grey, each {LEAN_S:.0f} s",
            Profile.TEXT: "TEXT ONLY, you cannot see faces",
        }[self]

    @property
    def every_s(self) -> float:
        """A picture is painted anew after this time at the earliest."""
        return LEAN_S if self is Profile.LEAN else 0.0


LEAN_S = 4.0
WAIT_S = {Profile.KITTY: 2.5, Profile.FINE: 2.5, Profile.COLOUR: 2.5, Profile.GREY: 2.5, Profile.LEAN: 9.0}
"""A picture that waits longer than this for its turn says that the line is too slow for the profile."""
FALL_S = 3.0
"""It has to say so for this long."""
CALM_S, CALM_MOST_S = 60.0, 600.0
"""After so long without a wait one better is tried; twice as long each time that it did not last."""


class Profiles:
    """`now_s`: monotonic, s. What a person chose stays until they choose again; else it goes by the line."""

    def __init__(self, colours: Colours, chosen: Profile | None = None) -> None:
        self.terminal, self.chosen = colours, chosen
        """`terminal`: the colours that it can show, whatever the theme."""
        self.kitty = False
        """The terminal shows Kitty's pictures."""
        self.mosaic: Mosaic | None = None
        """The finest cells that the terminal is known to have; without, fine colour has to be chosen."""
        self._fallen: Profile | None = None
        self._late_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._calm_s = CALM_S

    @property
    def colours(self) -> Colours:
        """In the monochrome theme pictures have no colours either."""
        return Colours.NONE if worn() is Theme.MONOCHROME else self.terminal

    @property
    def possible(self) -> list[Profile]:
        """What the terminal can show, the best first."""
        cannot = {
            Profile.KITTY: not self.kitty or self.colours is Colours.NONE,
            Profile.FINE: self.colours is not Colours.TRUE,
            Profile.COLOUR: self.colours is not Colours.TRUE,
        }
        return [profile for profile in Profile if not cannot.get(profile)]

    @property
    def _by_itself(self) -> list[Profile]:
        """Without what some terminals have no characters for."""
        return [profile for profile in self.possible if profile is not Profile.FINE or self.mosaic is not None]

    @property
    def best(self) -> Profile:
        return self._by_itself[0]

    @property
    def current(self) -> Profile:
        return (self.chosen if self.chosen in self.possible else None) or self._fallen or self.best

    @property
    def why(self) -> str:
        """Why it is not the best there is; empty when it is."""
        if self.chosen is not None:
            return "your choice" if self.chosen in self.possible else f"this terminal shows no {self.chosen.words}"
        if self._fallen is not None:
            return "slow line"
        if self.best is Profile.KITTY:
            return ""
        return {Colours.INDEXED: "256 colours", Colours.NONE: "no colour"}.get(self.colours, "")

    @property
    def words(self) -> str:
        """For the header: which is on, and why."""
        return f"Pictures: {self.short}"

    @property
    def short(self) -> str:
        return f"{self.current.words}{f' ({self.why})' if self.why else ''}"

    def choose_next(self) -> None:
        """By itself, then each profile, then by itself again."""
        order = [None, *self.possible]
        self.chosen = order[(order.index(self.chosen) + 1) % len(order)] if self.chosen in order else None
        self._fallen = self._late_since_s = self._calm_since_s = None

    def look(self, waiting_s: float, now_s: float) -> bool:
        """`waiting_s`: how long the picture has waited that waits longest. True when the profile has changed."""
        before = self.current
        if self.chosen in self.possible:
            return False
        if waiting_s > WAIT_S.get(before, 1e9):
            self._calm_since_s = None
            if self._late_since_s is None:
                self._late_since_s = now_s
            elif now_s - self._late_since_s >= FALL_S:
                self._fall(before)
        else:
            self._late_since_s = None
            if self._fallen is not None and waiting_s < 0.5:
                self._rise(now_s)
            else:
                self._calm_since_s = None
        return self.current is not before

    def _fall(self, before: Profile) -> None:
        self._late_since_s = None
        # From images and fine cells to coarser ones, which are half their bytes or little more. From colour to lean at
        # once: grey at the same pace is half of it, and the line has taken less for seconds.
        cells = next(profile for profile in self.possible if profile not in (Profile.KITTY, Profile.FINE))
        coarser = {Profile.KITTY: cells, Profile.FINE: cells, Profile.LEAN: Profile.TEXT}
        self._fallen = coarser.get(before, Profile.LEAN)

    def _rise(self, now_s: float) -> None:
        if self._calm_since_s is None:
            self._calm_since_s = now_s
        elif now_s - self._calm_since_s >= self._calm_s:
            self._calm_since_s = None
            self._calm_s = min(CALM_MOST_S, self._calm_s * 2)
            order = self._by_itself
            better = order[max(0, order.index(self.current) - 1)]
            self._fallen = better if better is not self.best else None
