"""The terminal's driver: Textual's own, but drawing on the standard output and not on the standard error."""

import sys
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


class OutputDriver(LinuxDriver):
    """What is written to the standard error then stays readable in a log, and never lands on the wall.

    `_file` is a private name of Textual 8.2, which is pinned exactly; a test draws through it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        assert sys.__stdout__ is not None
        self._file = sys.__stdout__
