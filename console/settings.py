"""How a console is started."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One of `socket` (the server's, on its own machine) and `server` (`ws://host:port`) is set."""

    establishment: str
    """Three letters, `BWI` for example."""
    socket: Path | None
    server: str | None
    token: str = ""
    """Of the person at this console; not used on the Unix socket, where the kernel says who it is."""
    speak: bool = False
    """Line by line, with typed commands, in place of screens."""
    config: Path | None = None
    """The file with this person's settings, when it is not the usual one."""
    theme: str = ""
    """One of console.painting.themes; empty for what the settings say, or what was chosen last time."""
