"""How an agent is started."""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """`room_interface`, `family_interface`: the address of this machine that media of the room's browser, and of the
    family's devices, use. 127.0.0.1 for loopback; empty: all that the machine has but loopback."""

    server: str
    establishment: str
    laptop_id: str
    token: str
    data: Path
    room_interface: str = LOOPBACK
    family_interface: str = ""

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"
