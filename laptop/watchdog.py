"""Ends an agent that hangs. A program of its own, started by the agent with nothing but the standard library:

    python -I -S watchdog.py PID SECONDS NOTES < beats

The agent writes a byte to our standard input each second while its event loop comes round. When none has come for
SECONDS it is killed: with the process gone, nothing that it sent can flow any more, whatever it hung in. A line in the
file NOTES (UTC, seconds) says so to the agent that is started after it. Without a word we end when the agent has ended.
"""

import os
import select
import signal
import sys
import time

NOTES_BYTES_MAX = 64 * 1024


def watch(agent: int, hung_s: float, notes: str, beats: int = 0) -> bool:
    """True when the agent was killed, False when it has ended by itself. `agent`: a pidfd of it (Linux 5.3)."""
    poll = select.poll()
    poll.register(beats, select.POLLIN)
    while True:
        # Time that the machine sleeps does not count (CLOCK_MONOTONIC). When it was we who were held up, beats wait.
        if not poll.poll(hung_s * 1000) and not poll.poll(0):
            signal.pidfd_send_signal(agent, signal.SIGKILL)
            note(notes)
            return True
        if not os.read(beats, 4096):
            return False


def note(notes: str) -> None:
    try:
        with open(notes, "ab") as file:
            if file.tell() < NOTES_BYTES_MAX:
                file.write(b"%d\n" % time.time())
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        sys.stderr.write(f"watchdog: it can't be noted ({error.strerror})\n")


def main() -> int:
    pid, hung_s, notes = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    # A terminal's Ctrl-C is for the agent, which closes its call first; we end with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        agent = os.pidfd_open(pid)
    except ProcessLookupError:
        return 0
    if os.getppid() != pid:
        return 0  # it ended before we had it; its number may be another's
    if watch(agent, hung_s, notes):
        sys.stderr.write(f"watchdog: the agent did not come round for {hung_s:g} s and was killed\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
