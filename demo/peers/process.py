"""All WebRTC clients of a demo in one process, steered by JSON lines on stdin; what happens comes as JSON lines.

    python -m demo.peers.process --server ws://127.0.0.1:8443 --plan plan.json --interface 127.0.0.1

The plan: [{"name": "BWI-01/family", "token": "…", "clip": "pair.webm", "offset_s": 3.0}, …].

Commands: {"do": "burst", "peer", "id", "at"}  {"do": "silence", "peer", "on"}  {"do": "leave", "peer"}
          {"do": "report bandwidth", "peer", "bits_per_s"}
          {"do": "add", "plan": […]}  {"do": "report"}  {"do": "stop"}
Events:   ready, welcome, connected, state, legs, burst, media lost, signalling lost, refused, report, closed,
          not understood

Each event has `at`; all times are CLOCK_MONOTONIC, s. The end of stdin, SIGTERM and SIGINT end the process.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from demo.peers import aiortc_internals, clip
from demo.peers.json_lines import read_commands, say
from demo.peers.peer import Part, Peer
from demo.peers.prepared_sound import prepared_sound
from demo.peers.receiving import Decoding

STOP_S = 0.8


def parts_of(plan: Any) -> list[Part]:
    """The clients that a plan names, their clips read; SystemExit for what is wrong with it."""
    try:
        return [
            Part(str(line["name"]), str(line["token"]), clip.read(Path(line["clip"])), float(line.get("offset_s", 0.0)))
            for line in plan
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SystemExit(
            f"peers: the plan is not understood ({error!r}); give a list with name, token and clip of each client."
        ) from error


class Clients:
    """Carries out the commands. Names are unique; a client that is added again takes the old one's place."""

    def __init__(self, server: str, decode: bool) -> None:
        self.stop = asyncio.Event()
        self.failed = False
        self._server = server
        self._prepared = prepared_sound()
        self._decoding = Decoding() if decode else None
        self._peers: dict[str, Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, parts: list[Part]) -> None:
        for part in parts:
            peer = Peer(part, self._server, self._prepared, self._decoding, say)
            self._peers[part.name] = peer
            self._start(peer.run())

    def command(self, line: bytes) -> None:
        """What can't be carried out is told in an event, and nothing else happens."""
        try:
            command = json.loads(line)
            self._carry_out(command)
        except (KeyError, TypeError, ValueError, AttributeError, SystemExit) as error:
            say("not understood", words=f"{type(error).__name__}: {error}")

    def _carry_out(self, command: dict[str, Any]) -> None:
        match command["do"]:
            case "burst":
                if not self._peers[command["peer"]].performance.burst(int(command["id"]), float(command["at"])):
                    raise ValueError("too many bursts wait")
            case "silence":
                self._peers[command["peer"]].performance.silent = bool(command["on"])
            case "leave":
                self._start(self._peers[command["peer"]].leave())
            case "report bandwidth":
                self._start(self._peers[command["peer"]].report_bandwidth(int(command["bits_per_s"])))
            case "add":
                self.add(parts_of(command["plan"]))
            case "report":
                say("report", peers={name: peer.report() for name, peer in self._peers.items()})
            case "stop":
                self.stop.set()
            case other:
                raise ValueError(f"there is no command {other!r}")

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A client that died silently would look like a fault of what is being shown or measured.
            sys.stderr.write(f"peers: a client has failed: {error!r}\n")
            self.failed = True
            self.stop.set()

    async def close(self) -> None:
        """Within STOP_S."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=STOP_S)


async def run(arguments: argparse.Namespace, parts: list[Part]) -> int:
    clients = Clients(arguments.server, decode=not arguments.no_decode)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, clients.stop.set)
    clients.add(parts)
    say("ready")
    read_commands(clients.command, clients.stop.set)
    await clients.stop.wait()
    try:
        await clients.close()
    except BrokenPipeError:
        pass
    return 1 if clients.failed else 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.peers.process", description="WebRTC clients of a demo.")
    parser.add_argument("--server", required=True, help="ws://host:port of the server (without /peer)")
    parser.add_argument("--plan", required=True, type=Path, help="JSON file that names the clients")
    parser.add_argument("--interface", default="127.0.0.1", help="address of this machine that media use")
    parser.add_argument("--no-decode", action="store_true", help="count packets, decode nothing")
    arguments = parser.parse_args()
    try:
        plan = json.loads(arguments.plan.read_bytes())
    except (OSError, ValueError) as error:
        raise SystemExit(f"peers: {arguments.plan} can't be read as JSON ({error}); give the plan's file.") from error
    clip.check_codecs()
    parts = parts_of(plan)
    aiortc_internals.use_interface(arguments.interface)
    aiortc_internals.notice_dead_connections_soon()
    try:
        status = uvloop.run(run(arguments, parts))
    except BrokenPipeError:
        status = 1  # nobody listens any more
    sys.stdout.flush()
    # Nothing is left to do, and aiortc's executor threads must not hold the exit.
    os._exit(status)


if __name__ == "__main__":
    main()
