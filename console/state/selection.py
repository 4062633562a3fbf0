"""Which call is chosen, by arrows and by the digits of its seat; and the guard against Caps Lock."""

from dataclasses import dataclass

SECOND_DIGIT_S = 1.0
HELD_S = 3.0


@dataclass
class SeatDigits:
    """`1` chooses seat 01 at once, a second digit within a second seat 1x; `0` waits for the second."""

    _first: str = ""
    _at_s: float = -1e9

    def press(self, digit: str, now_s: float) -> int | None:
        """The seat that is chosen now, or None while it takes another digit."""
        if self._first and now_s - self._at_s <= SECOND_DIGIT_S:
            seat, self._first = int(self._first + digit), ""
            return seat
        self._first, self._at_s = digit, now_s
        return int(digit) or None

    def forget(self) -> None:
        """Another key was pressed: the next digit is a first one."""
        self._first = ""


def move(seats: list[int], chosen: int | None, across: int, key: str) -> int | None:
    """The seat beside, above or below the chosen one on a grid of `across` columns; None when there are no seats."""
    if not seats:
        return None
    if chosen not in seats:
        return seats[0]
    step = {"left": -1, "right": 1, "up": -across, "down": across}[key]
    at = seats.index(chosen) + step
    return seats[at] if 0 <= at < len(seats) else chosen


@dataclass
class CapsGuard:
    """A capital without a meaning holds all acts but the pause for three seconds."""

    _until_s: float = -1e9

    def meaningless_capital(self, now_s: float) -> None:
        self._until_s = now_s + HELD_S

    def holds(self, now_s: float) -> bool:
        return now_s < self._until_s
