"""How an agent is started."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`interface`: the address that media uses, 127.0.0.1 for loopback; empty: all of the machine's."""

    server: str
    establishment: str
    laptop_id: str
    token: str
    data: Path
    interface: str = ""

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"
