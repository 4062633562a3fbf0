"""The demo's officer: presses the console's real keys and believes nothing but the screen."""

import re
import time
from dataclasses import dataclass

from demo.terminal import Terminal
from demo.wall import ShownWatcher, wait

CONNECTED_S = 30.0
"""How long the officer waits for a caller to connect, seconds."""
SEEN_S = 10.0
"""How long the officer waits for what a key should show, seconds."""


ADMISSION_S = 4.0
"""How long the admission is waited for: a key may be held for 3 s, as Caps Lock may be on."""
F3, F12, ESCAPE = "\x1bOR", "\x1b[24~", "\x1b"
"""As xterm sends them."""


class NotShown(Exception):
    """The screen did not show what it should have; says what was waited for."""


@dataclass(frozen=True)
class Done:
    """One act: when its last key was pressed and when the screen confirmed it (CLOCK_MONOTONIC, s)."""

    pressed_at: float
    confirmed_at: float
    words: str

    @property
    def took_ms(self) -> float:
        return (self.confirmed_at - self.pressed_at) * 1000

    @property
    def reference(self) -> str:
        """The incident's number, for a flag."""
        found = re.search(r"INC-[0-9-]+", self.words)
        if found is None:
            raise ValueError(f"no incident's number in: {self.words}")
        return found[0]


class Officer:
    """Works on one call at a time, chosen by its seat."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def choose(self, seat: int, surname: str) -> None:
        self.terminal.press(f"{seat:02d}")
        self._see(rf"[╔▶▸] ?{seat:02d} {re.escape(surname)}", f"seat {seat:02d} chosen")

    def admit(self, seat: int, surname: str) -> Done:
        """Waits for a caller, the first one or another one of a call that is on, then F3, reads what there is to read,
        A, A; confirmed by the laptop's word."""
        deadline = time.monotonic() + CONNECTED_S
        while True:
            # Not beyond the tile's edge: another caller may wait in the same row of tiles.
            waits = rf"{seat:02d} {re.escape(surname)}[^┌╔▶]*WAITING"
            self._see(waits, f"a caller waiting at seat {seat:02d}", deadline - time.monotonic())
            self.choose(seat, surname)
            self.terminal.press(F3)
            screen = ShownWatcher(r"ADMIT seat (\d+)")
            if wait(self.terminal, screen, ADMISSION_S) and screen.match is not None:
                if int(screen.match[1]) == seat:
                    return self._admit(seat, surname)
                # The tile was a moment behind: nobody waits there any more, and F3 led to who waits elsewhere.
                self.terminal.press(ESCAPE)  # not q, which would leave the wall
                self.terminal.wait_for(lambda t: not t.shows("ADMIT seat"), SEEN_S)

    def _admit(self, seat: int, surname: str) -> Done:
        self._see(r"CHECK LIST", "the check list")
        if self.terminal.shows("to read"):
            self.terminal.press("d")
            self._see(rf"PEOPLE.*{seat:02d} {re.escape(surname)}", "what is known of the people")
            self.terminal.press("d")
        self.terminal.press("A")
        self._see(r"A again admits", "who will see whom")
        return self._act("A", seat, "Admit")

    def extend(self, seat: int, surname: str) -> Done:
        """Five more minutes for welfare."""
        self.choose(seat, surname)
        self.terminal.press("+")
        self._see(rf"MORE TIME.*{seat:02d} {re.escape(surname)}", "the panel for more time")
        self.terminal.press("1")
        return self._act("w", seat, "More time")

    def end(self, seat: int, surname: str) -> Done:
        """Ends it: rules broken."""
        self.choose(seat, surname)
        self.terminal.press("X")
        self._see(rf"END.*{seat:02d} {re.escape(surname)}", "the panel for the end")
        self.terminal.press("r")
        return self._act("X", seat, "End")

    def flag(self, seat: int, surname: str, note: str = "") -> Done:
        """Flags a technical fault: the demo tells no story about the people in its clips."""
        self.choose(seat, surname)
        self.terminal.press("f")
        self._see(rf"FLAG.*{seat:02d} {re.escape(surname)}", "the panel for a flag")
        self.terminal.press("e" + note)
        return self._act("\r", seat, "Flag")

    def _act(self, last_key: str, seat: int, act: str) -> Done:
        confirmed = ShownWatcher(
            # The newest act comes first; an older one of the same kind is another's confirmation.
            rf"^[^·]*\b{seat:02d} {act}[^·]*?(confirmed[^·]*|refused[^·]*|void[^·]*|filed[^·]*)",
            self.terminal.rows - 2,
            unlike=self.terminal.line(self.terminal.rows - 2),
        )
        pressed_at = self.terminal.press(last_key)
        if not wait(self.terminal, confirmed, SEEN_S):
            raise NotShown(f"{act} at seat {seat:02d} was not answered within {SEEN_S:g} s")
        assert confirmed.shown_at is not None and confirmed.match is not None
        words = confirmed.match[0].strip()
        if "refused" in words or "void" in words:
            raise NotShown(words)
        return Done(pressed_at, confirmed.shown_at, words)

    def _see(self, pattern: str, what: str, seconds: float = SEEN_S) -> None:
        if not wait(self.terminal, ShownWatcher(pattern), seconds):
            raise NotShown(f"not shown within {seconds:g} s: {what}")
