"""How many bytes a second may go to a tmux whose clients can't be asked for an acknowledgement.

tmux takes everything at once. What a client's line does not take it throws away when 8 bytes a cell wait for it, and it
shows nothing new until under an eighth of a byte a cell comes in a tenth of a second (`tty_block_maybe`, tty.c of tmux
3.3). So the allowance grows while nothing is thrown away, and falls under what the line has taken as soon as something
is; after that it is left alone for a while, twice as long each time.
"""

from dataclasses import dataclass

FIRST_BYTES_S, LEAST_BYTES_S, MOST_BYTES_S = 80_000.0, 15_000.0, 2_000_000.0
GROWS = 2.0
SHARE = 0.6
"""Of what the line has taken, after something was thrown away."""
HELD_S, HELD_MOST_S = 60.0, 600.0


@dataclass(frozen=True)
class Client:
    """One of tmux's, since it was attached: bytes written to its terminal, and bytes thrown away."""

    written: int
    discarded: int


class Allowance:
    """`look` about once a second; times of one monotonic clock, s."""

    def __init__(self) -> None:
        self.bytes_s = FIRST_BYTES_S
        self._before: dict[str, Client] = {}
        self._looked_s: float | None = None
        self._held_until_s = 0.0
        self._held_s = HELD_S

    @property
    def grown(self) -> bool:
        return self.bytes_s >= MOST_BYTES_S

    def look(self, clients: dict[str, Client], now_s: float) -> None:
        """`clients` by name; none are attached when it is empty, so nothing is known."""
        before, looked_s = self._before, self._looked_s
        self._before, self._looked_s = clients, now_s
        if looked_s is None or not clients or now_s <= looked_s:
            return
        full = [
            (one.written - was.written) / (now_s - looked_s)
            for name, one in clients.items()
            if (was := before.get(name)) is not None and one.discarded > was.discarded
        ]
        if full:
            self.bytes_s = max(LEAST_BYTES_S, min(self.bytes_s / GROWS, SHARE * min(full)))
            self._held_until_s = now_s + self._held_s
            self._held_s = min(HELD_MOST_S, self._held_s * 2)
        elif now_s >= self._held_until_s:
            self.bytes_s = min(MOST_BYTES_S, self.bytes_s * GROWS)
