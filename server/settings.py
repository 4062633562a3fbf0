"""How a server is started."""

from dataclasses import dataclass
from pathlib import Path

from .recordings.laptop_keys import SUFFIX as LIST_SUFFIX


@dataclass(frozen=True)
class Settings:
    """`data` holds the database and, unless `socket` says otherwise, the Unix socket for consoles on this machine.

    `establishments`: files to take in at the start, one each; what the database knows already is served besides.
    """

    data: Path
    establishments: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8710
    alarm_hook: Path | None = None
    """A program to start with each alarm, which it gets as JSON on its standard input."""
    socket: Path | None = None
    socket_group: str = ""
    """A group whose members may reach the socket; empty: only the server's own account."""

    @property
    def console_socket(self) -> Path:
        return self.socket or self.data / "console.sock"

    @property
    def database(self) -> Path:
        return self.data / "sightline.db"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def evidence_keys(self) -> Path:
        """The private halves of the establishments' evidence keys."""
        return self.data / "evidence"

    def laptop_keys(self, code: str) -> Path:
        """The list of the keys that an establishment's laptops sign recordings with."""
        return self.evidence_keys / f"{code}{LIST_SUFFIX}"

    @property
    def journal(self) -> Path:
        """Where stopping acts go while the audit can't be written."""
        return self.data / "journal.jsonl"
