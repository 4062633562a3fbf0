"""The terminal's driver: Textual's own, but it writes from a thread that the console never waits for, and takes the
terminal's answers out of what is typed."""

import os
import selectors
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from console.output import Output
from console.painting.answers import Answer, Answers, about

FAREWELL = (
    "\x18\x1b\\"
    "\x1b[?2026l\x1b[m\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"
)
"""What a terminal that did not take the rest is sent at the end: its own screen, cursor and mouse."""
ESCAPE_S, HELD_S, TICK_S = 0.02, 0.2, 0.1
"""How long an Escape, a piece of an answer, and nothing are waited for."""
GONE_S = 3.0
"""A console that has not ended so long after its terminal went is ended: it would stay on the server as somebody."""


class OutputDriver(LinuxDriver):
    """Draws on the standard output, so that what is written to the standard error stays readable in a log.

    `on_answer` and `on_lost` are called in other threads. Private names of Textual 8.2, which is pinned exactly:
    `_file`, `_writer_thread`; a test draws through them.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        assert sys.__stdout__ is not None
        self._file = sys.__stdout__
        self.on_answer: Callable[[Answer, float], None] = lambda answer, now_s: None
        self.on_lost: Callable[[], None] = lambda: None
        self.output = Output(self._file.fileno(), lambda: self.on_lost())
        self.sent = 0
        """Bytes written so far, by whomever."""
        self._gone_s = 0.0
        """How long there has been nothing to read from."""

    def write(self, data: str) -> None:
        encoded = data.encode("utf-8", "replace")
        self.sent += len(encoded)
        self.output.write(encoded)

    def flush(self) -> None:
        """Nothing waits in a buffer of ours."""

    def start_application_mode(self) -> None:
        self.output = Output(self._file.fileno(), lambda: self.on_lost())
        self.output.start()
        super().start_application_mode()
        self._end_textuals_writer()

    def ask(self) -> None:
        """What the terminal is; not before somebody listens to `on_answer`."""
        self.write(about(dict(os.environ)))

    def _end_textuals_writer(self) -> None:
        if self._writer_thread is not None:
            self._writer_thread.stop()
            self._writer_thread = None

    def close(self) -> None:
        self.output.stop(FAREWELL.encode())

    def run_input_thread(self) -> None:
        """As Textual's, with the answers taken out before keys are looked for."""
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        parser, answers = XTermParser(self._debug), Answers()
        decode = getincrementaldecoder("utf-8")("replace").decode
        wait_s = TICK_S
        try:
            while not self.exit_event.is_set():
                ready = selector.select(wait_s)
                now_s = time.monotonic()
                text, found = answers.feed(decode(self._read())) if ready else (answers.give_up(), [])
                for answer in found:
                    self.on_answer(answer, now_s)
                for event in parser.feed(text) if text else ():
                    self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
                wait_s = TICK_S if not answers.held else ESCAPE_S if answers.held == "\x1b" else HELD_S
        finally:
            selector.close()
            try:
                for _ in parser.feed(""):
                    pass
            except (EOFError, ParseError):
                pass

    def _read(self) -> bytes:
        try:
            data = os.read(self.fileno, 4096)
        except OSError:
            data = b""
        if data:
            self._gone_s = 0.0
            return data
        # The terminal has gone. The hang-up signal ends the console; without one, nobody sits here all the same.
        time.sleep(TICK_S)
        self._gone_s += TICK_S
        if self._gone_s > GONE_S:
            os._exit(1)
        return b""
