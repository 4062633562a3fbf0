"""The demo without a terminal: the same chain and the same console, in a pseudo-terminal of 200 x 60 cells; its officer
presses the real keys, and the report says what the callers received and what the screen showed."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any

from demo.chain import Chain
from demo.establishment import second_device_at
from demo.figures import percentile, summary
from demo.observer import Observer
from demo.officer import Done, NotShown, Officer
from demo.recordings import durations_s
from demo.terminal import Terminal
from demo.wall import BurstWatcher, Tile, find_tiles, wait

if TYPE_CHECKING:
    from demo.run import Settings

COLUMNS, ROWS = 200, 60
BURST_EVERY_S = 0.8
BURST_PREPARED_S = 0.25
"""A burst is asked for this long before it is to sound."""


@dataclass
class Measured:
    """What a run has found; times CLOCK_MONOTONIC, s."""

    admitted: dict[str, Done] = field(default_factory=dict)
    """Call -> its admission."""
    delays_ms: list[float] = field(default_factory=list)
    bursts_missed: int = 0
    ends: list[tuple[str, Done]] = field(default_factory=list)
    acts: dict[str, Done] = field(default_factory=dict)


class Run:
    """One chain with a console on it, steered by the demo's officer."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.measured = chain, Measured()
        self.terminal = Terminal(COLUMNS, ROWS)
        self.officer = Officer(self.terminal)
        self.observer: Observer | None = None
        self.tiles: dict[int, Tile] = {}

    def start(self) -> None:
        self.chain.wait_until_listening()
        console = self.terminal.start(self.chain.console_command(), self.chain.data / "log" / "console.log")
        self.chain.parts.take(console)
        self.terminal.check = self.chain.check
        self.observer = Observer(self.chain.url, self.chain.plan.code, self.chain.plan.observer_token)

    def admit_all(self) -> None:
        for seat, surname in self.chain.plan.seats.items():
            self.measured.admitted[self.chain.plan.call_at(seat)] = self.officer.admit(seat, surname)
            for name in self.chain.plan.second_devices(seat):
                self.officer.admit(seat, surname)
                self.chain.callers.say(do="silence", peer=name, on=True)  # bursts are measured on the first
        self.terminal.wait_for(self._all_meters, 10)
        if not self._all_meters(self.terminal):
            raise NotShown("not every tile shows its two meters")

    def _all_meters(self, terminal: Terminal) -> bool:
        self.tiles = find_tiles(terminal, self.chain.plan.seats)
        return len(self.tiles) == len(self.chain.plan.seats) and all(len(t.meters) == 2 for t in self.tiles.values())

    def measure_bursts(self, seconds: float) -> None:
        """One burst after the other, at each caller and each room in turn, until `seconds` are over."""
        deadline = time.monotonic() + seconds
        names = cycle((seat, side) for seat in self.tiles for side in "FR")
        while time.monotonic() < deadline:
            seat, side = next(names)
            self._burst(seat, side)

    def _burst(self, seat: int, side: str) -> None:
        callers, watcher = self.chain.callers, BurstWatcher(self.tiles[seat], side)
        seen, number = len(callers.events), len(self.measured.delays_ms) + self.measured.bursts_missed
        name = self.chain.plan.peer_at(seat, side)
        callers.say(do="burst", peer=name, id=number, at=time.monotonic() + BURST_PREPARED_S)
        shown = wait(self.terminal, watcher, 3)
        event = callers.wait_for(lambda e: e.get("event") == "burst" and e.get("id") == number, 1, since=seen)
        if shown and event is not None and watcher.shown_at is not None:
            self.measured.delays_ms.append((watcher.shown_at - event["sound_at"]) * 1000)
        else:
            self.measured.bursts_missed += 1

    def end(self, seat: int) -> None:
        done = self.officer.end(seat, self.chain.plan.seats[seat])
        self.measured.ends.append((self.chain.plan.call_at(seat), done))

    def order_to_last_packet_ms(self, peers: dict[str, Any]) -> list[float]:
        """For each ended call: from the key to the last RTP packet that either side received; 0 when it came before."""
        found = []
        for call, done in self.measured.ends:
            last = max(peers[name]["last_at"] or 0.0 for name in self.chain.plan.peers_of(call))
            found.append(max(0.0, (last - done.pressed_at) * 1000))
        return found

    def close(self) -> None:
        self.terminal.check = lambda: None
        if self.observer is not None:
            self.observer.stop()
        if self.terminal.part is not None:
            self.terminal.part.expected_to_run = False
            if self.terminal.part.process.poll() is None:
                self.terminal.press("q")
                self.terminal.wait_for(lambda _: False, 0.5)
        self.chain.stop()
        self.terminal.close()


@contextmanager
def running(chain: Chain) -> Iterator[Run]:
    run = Run(chain)
    try:
        run.start()
        yield run
    finally:
        run.close()


def run_headless(settings: "Settings", attribution: str) -> int:
    """Exit status 0 only when every call went live and every act was confirmed."""
    print(f"{attribution}\n", flush=True)
    chain = Chain(
        settings.calls, data=settings.data, port=settings.port, second_device_at=second_device_at(settings.calls)
    )
    failed: list[str] = []
    with running(chain) as run:
        report: dict[str, Any] = {"calls": settings.calls}
        try:
            _act(run, settings, report)
        except NotShown as error:
            failed.append(str(error))
        except (KeyError, ValueError) as error:
            failed.append(f"the report is not complete: {error!r}")
        if failed and settings.picture:
            settings.picture.write_text(picture_of(run.terminal), encoding="utf-8")
        if failed:
            print("\n".join(line.rstrip() for line in run.terminal.text()))
    report["failed"] = failed
    if settings.report:
        settings.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _print_table(report)
    live = report.get("live", 0)
    if live != settings.calls:
        failed.append(f"{live} of {settings.calls} calls went live")
    for words in failed:
        print(f"demo: {words}.")
    return 1 if failed else 0


def _act(run: Run, settings: "Settings", report: dict[str, Any]) -> None:
    plan, measured, observer = run.chain.plan, run.measured, run.observer
    assert observer is not None
    run.admit_all()
    report["peers"] = {"packets_before_admission": _before_admission(run), "frames_decoded": 0}
    seats = list(plan.seats)
    calls = {plan.call_at(seat) for seat in seats}
    processes = {"server": [run.chain.server], "laptops": list(run.chain.laptops.values())}
    assert run.terminal.part is not None
    processes["console"], processes["callers"] = [run.terminal.part], [run.chain.callers.part]

    before = {name: sum(part.cpu_s() for part in parts) for name, parts in processes.items()}
    began = time.monotonic()
    observer.start_window()
    run.measure_bursts(settings.seconds)
    observer.end_window()
    took = time.monotonic() - began
    used = {name: (sum(part.cpu_s() for part in parts) - before[name]) / took for name, parts in processes.items()}

    if settings.picture:
        settings.picture.write_text(picture_of(run.terminal), encoding="utf-8")
    report["live"] = len(observer.ever_live & calls)
    report["levels_hz"] = summary(observer.levels_hz(calls), "min", "median")
    report["pictures_fps"] = summary(observer.pictures_fps(calls), "min", "median")
    report["level_delay_ms"] = {
        "n": len(measured.delays_ms),
        "missed": run.measured.bursts_missed,
        "p50": round(percentile(measured.delays_ms, 0.5), 1),
        "p99": round(percentile(measured.delays_ms, 0.99), 1),
    }

    to_extend, to_flag, to_end = seats[0], seats[min(2, len(seats) - 1)], seats[min(1, len(seats) - 1)]
    end_before = observer.calls[plan.call_at(to_extend)].ends_at_ms
    run.officer.extend(to_extend, plan.seats[to_extend])
    run.terminal.wait_for(lambda _: observer.calls[plan.call_at(to_extend)].ends_at_ms != end_before, 2)
    added = (observer.calls[plan.call_at(to_extend)].ends_at_ms - end_before) / 1000
    report["extend"] = {"accepted": added > 0, "seconds_added": round(added)}
    flagged = run.officer.flag(to_flag, plan.seats[to_flag])
    report["incident"] = {"id": flagged.reference}
    run.end(to_end)
    run.terminal.wait_for(lambda _: False, 0.5)  # a packet that came after all would come now
    peers = run.chain.callers.report()
    report["end"] = {
        "n": len(measured.ends),
        "order_to_last_packet_ms": round(max(run.order_to_last_packet_ms(peers)), 1),
        "order_to_confirmed_ms": round(max(done.took_ms for _, done in measured.ends), 1),
    }
    report["peers"]["frames_decoded"] = sum(peer["frames_decoded"] for peer in peers.values())
    report["audit_entries"] = run.chain.audit()["entries"]
    report["recorded_seconds"] = {
        "min": round(min(durations_s(run.chain.recordings(), run.chain.evidence_key()).values()), 1)
    }
    report["cpu_cores"] = {
        "server": round(used["server"], 3),
        "laptop_per_call": round(used["laptops"] / len(seats), 3),
        "console": round(used["console"], 3),
        "callers": round(used["callers"], 3),
    }


def _before_admission(run: Run) -> int:
    """RTP packets that any caller or room received before the key that admitted its call was pressed."""
    early = 0
    peers = run.chain.callers.report()
    for call, done in run.measured.admitted.items():
        for name in run.chain.plan.peers_of(call):
            early += sum(at < done.pressed_at for at in peers[name]["arrivals"])
    return early


def _print_table(report: dict[str, Any]) -> None:
    for name, value in report.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {inner}" for key, inner in value.items())
        print(f"{name:18s} {value}")


def picture_of(terminal: Terminal) -> str:
    """The terminal's screen as SVG, cell for cell."""
    from demo.picture import as_svg

    return as_svg(terminal)
