"""Ways through the calls by need instead of by place: down the attention queue, and back."""

from collections.abc import Sequence

BACK_MAX = 20


class Walk:
    """Remembers where one was, and how far down the queue."""

    def __init__(self) -> None:
        self._before: list[int] = []
        self._at: int | None = None
        """The seat that the last step down the queue led to."""

    def left(self, seat: int | None) -> None:
        """Another seat is chosen now."""
        if seat is not None:
            self._before.append(seat)
            del self._before[:-BACK_MAX]

    def back(self, seats: Sequence[int], chosen: int | None) -> int | None:
        """The seat before; None when there is none. Pressed again it leads back to where one came from."""
        while self._before:
            seat = self._before.pop()
            if seat in seats and seat != chosen:
                return seat
        return None

    def next_of(self, queue: Sequence[int], chosen: int | None) -> int | None:
        """`queue`: seats in the order of need, each once. The top one first; pressed again, the one after it."""
        if not queue:
            self._at = None
            return None
        going_on = chosen is not None and chosen == self._at and chosen in queue
        self._at = queue[(queue.index(chosen) + 1) % len(queue)] if going_on and chosen is not None else queue[0]
        return self._at
