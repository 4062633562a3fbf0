"""What stands between the console and the terminal that a person sees: tmux here, one elsewhere, or nothing."""

import asyncio
import time
from collections.abc import Callable, Mapping

from console.painting.allowance import Allowance, Client
from console.painting.answers import CURSOR

THROUGH_TMUX = "\x1bPtmux;\x1b\x1b[6n\x1b\\"
"""tmux would answer CURSOR itself; so the question reaches the terminal behind it, where that is allowed."""
ELSEWHERE_BYTES_S = 250_000.0
"""To a multiplexer of another machine, which acknowledges for itself: it stands mostly where the person sits."""
EACH_S, SELDOM_S, WITHIN_S = 1.0, 5.0, 2.0


def question(environment: Mapping[str, str]) -> str:
    """What asks this terminal for an acknowledgement; empty in a screen of this machine, whose line nobody knows."""
    if environment.get("TMUX") or environment.get("TERM", "").startswith("tmux"):
        return THROUGH_TMUX
    return "" if environment.get("STY") else CURSOR


def elsewhere(environment: Mapping[str, str]) -> bool:
    """A multiplexer that runs on another machine: only the terminal's name tells of it."""
    named = environment.get("TERM", "").startswith(("tmux", "screen"))
    return named and not environment.get("TMUX") and not environment.get("STY")


def asks_tmux(environment: Mapping[str, str]) -> list[str]:
    """The command that lists the clients of the tmux session around this console; empty outside of one.

    TMUX is `socket,process,session` (tmux(1), ENVIRONMENT).
    """
    parts = environment.get("TMUX", "").rsplit(",", 2)
    if len(parts) != 3 or not parts[2].isdecimal():
        return []
    form = "#{client_name} #{client_written} #{client_discarded}"
    return ["tmux", "-S", parts[0], "list-clients", "-t", f"${parts[2]}", "-F", form]


async def follow(command: list[str], told: Callable[[float], None]) -> None:
    """Calls `told(bytes a second)` again and again, until tmux can't be asked."""
    allowance = Allowance()
    told(allowance.bytes_s)
    while (clients := await _clients(command)) is not None:
        allowance.look(clients, time.monotonic())
        told(allowance.bytes_s)
        await asyncio.sleep(SELDOM_S if allowance.grown else EACH_S)


async def _clients(command: list[str]) -> dict[str, Client] | None:
    """None when there is no such tmux, or it does not answer."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        asked = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=pipe, stderr=nothing)
    except OSError:
        return None
    try:
        said, _ = await asyncio.wait_for(asked.communicate(), WITHIN_S)
    except TimeoutError:
        asked.kill()
        return None
    return parsed(said.decode("utf-8", "replace")) if asked.returncode == 0 else None


def parsed(said: str) -> dict[str, Client]:
    """A line a client: its name, bytes written, bytes thrown away."""
    found: dict[str, Client] = {}
    for line in said.splitlines():
        name, *numbers = line.rsplit(" ", 2)
        if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
            found[name] = Client(int(numbers[0]), int(numbers[1]))
    return found
