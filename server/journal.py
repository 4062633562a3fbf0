"""Where stopping acts go while the audit can't be written; what is in it goes into the audit as soon as it can be."""

import os
from pathlib import Path

import msgspec
import structlog

from .store.audit import Entry
from .store.writer import Unit, Writer

log = structlog.get_logger()


class Journal:
    """`write` may block and is meant for a thread; `take_in` for the event loop, once at a time."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path, self._writer = path, writer
        self._taken = path.with_suffix(".taken")
        """What is on its way into the audit; kept until it is there, so that a kill loses nothing of it."""

    def write(self, entry: Entry) -> None:
        """A stopping act that the audit could not take; it is carried out even when this fails too."""
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(vars(entry)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.error("journal not writable", error=str(error))

    async def take_in(self) -> None:
        """Nothing happens while there is none. StoreError or OSError when it could not be: it is tried again."""
        if not self._taken.exists():
            try:
                self._path.rename(self._taken)  # a line that is written from now on is for the next time
            except FileNotFoundError:
                return
        entries: list[Entry] = []
        for line in self._taken.read_bytes().splitlines():
            try:
                entries.append(msgspec.json.decode(line, type=Entry))
            except msgspec.DecodeError:  # cut off by the fault that made a journal necessary
                log.error("journal line lost", line=line[:200])
        await self._writer.write(Unit(tuple(entries)))
        self._taken.unlink()
