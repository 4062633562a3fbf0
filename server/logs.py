"""Where the server's log goes: lines on standard error, which somebody may read in a terminal."""

import os

import structlog


def log_to_stderr() -> None:
    """What others have sent is quoted, so that no laptop's or stranger's words reach that terminal as an escape
    sequence; and no traceback shows the values of variables, in which names and tokens can be."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=os.isatty(2), repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[*structlog.get_config()["processors"][:-1], renderer],
        logger_factory=structlog.PrintLoggerFactory(os.fdopen(2, "w", buffering=1, closefd=False)),
    )
