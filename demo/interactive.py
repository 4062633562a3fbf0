"""The demo in a terminal: the console runs in a pseudo-terminal of the same size, and all keys and output pass through.

That way the demo's officer can press the first keys (nothing flows before an officer admits) while the person at the
keyboard looks on; after it the keyboard is theirs alone.
"""

import os
import secrets
import select
import shutil
import signal
import sys
import termios
import textwrap
import threading
import time
import tty
from typing import TYPE_CHECKING

from demo.chain import Chain
from demo.establishment import second_device_at
from demo.officer import NotShown, Officer
from demo.processes import wait_or_kill
from demo.terminal import Terminal

if TYPE_CHECKING:
    from demo.run import Settings

SUPPORT = "T. Novak"
ENDS_SOON_S = 90
FALLS_SILENT_S = 20


def run_interactive(settings: "Settings", attribution: str, started: float) -> int:
    columns, rows = shutil.get_terminal_size()
    _first_screen(attribution, columns, settings.calls)
    support_token = secrets.token_urlsafe(24)
    chain = Chain(
        settings.calls,
        data=settings.data,
        port=settings.port,
        ends_soon_s=ENDS_SOON_S,
        second_device_at=second_device_at(settings.calls),
        more_staff=[{"name": SUPPORT, "role": "support", "token": support_token}],
    )
    terminal = Terminal(columns, rows, copy_to=sys.stdout.fileno())
    try:
        _other_screens(chain, support_token)
        chain.wait_until_listening()
        console = terminal.start(chain.console_command(), chain.data / "log" / "console.log")
        chain.parts.take(console)
        script = threading.Thread(target=_first_keys, args=(chain, terminal, started), daemon=True)
        _pass_through(terminal, chain, script)
    finally:
        terminal.close()
        chain.stop()
    print(f"demo: left after {time.monotonic() - started:.0f} s; every part has stopped.")
    return 0


def _first_screen(attribution: str, columns: int, calls: int) -> None:
    print("Sightline demo: real calls between WebRTC clients on this machine. Names are invented.\n")
    print("\n".join(textwrap.wrap(attribution, min(columns, 100) - 1)))
    print(f"\nStarting a server, {calls} laptops and their callers.")
    print("You are R. Hughes, officer. ? shows the keys, q leaves.")
    print("Left alone for ten minutes, the console asks; unanswered for one, calls pause and end: nobody watches them.")
    sys.stdout.flush()


def _other_screens(chain: Chain, support_token: str) -> None:
    """For whoever wants to see what the governor and remote support see, while the demo runs."""
    governor = chain.token_file("governor", chain.plan.observer_token)
    support = chain.token_file("support", support_token)
    command = f"sightline console --establishment {chain.plan.code} --server {chain.url} --token-file"
    print(f"\nIn other terminals: {command} {governor}")
    print(f"                    {command} {support}", flush=True)


def _first_keys(chain: Chain, terminal: Terminal, started: float) -> None:
    """Admits all calls but the last, then leaves the keyboard alone; one caller falls silent a little later."""
    officer = Officer(terminal)
    seats = chain.plan.seats
    try:
        for seat, surname in list(seats.items())[: max(1, len(seats) - 1)]:
            officer.admit(seat, surname)
            for _ in chain.plan.second_devices(seat):
                officer.admit(seat, surname)
    except (NotShown, OSError):
        return  # the person at the keyboard has taken over, or has left
    finally:
        terminal.stop_parsing()
    (chain.data / "log" / "live").write_text(f"{time.monotonic() - started:.1f} s from start to all admitted\n")
    time.sleep(FALLS_SILENT_S)
    silent = [peer.name for peer in chain.plan.peers if peer.name.startswith(chain.plan.laptops[0].id)]
    for name in silent:
        chain.callers.say(do="silence", peer=name, on=True)


def _pass_through(terminal: Terminal, chain: Chain, script: threading.Thread) -> None:
    """Keys to the console until it ends; SystemExit with the reason when another part ends by itself."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGWINCH, lambda *_: terminal.resize(*shutil.get_terminal_size()))
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    try:
        tty.setraw(keyboard)
        script.start()
        assert terminal.part is not None
        while terminal.part.process.poll() is None:
            ready, _, _ = select.select([keyboard, wake], [], [], 0.25)
            if wake in ready:
                os.read(wake, 4096)
            if keyboard in ready:
                typed = os.read(keyboard, 4096)
                if not typed:
                    break
                terminal.press(typed)
            crashed = chain.crashed()
            if crashed is not None and crashed is not terminal.part:
                break
    finally:
        signal.set_wakeup_fd(-1)
        _end_console(terminal)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        os.close(wake)
        os.close(waker)
    crashed = chain.crashed()
    if crashed is not None:
        raise SystemExit(f"demo: {crashed.name} has stopped: {crashed.last_words()}")


def _end_console(terminal: Terminal) -> None:
    """Lets the console put the terminal back as it was, and passes its last bytes on."""
    part = terminal.part
    assert part is not None
    part.expected_to_run = part.process.poll() not in (0, None)
    if part.process.poll() is None:
        part.process.terminate()
        wait_or_kill(part.process, 3)
    terminal.drain()
