"""From which addresses of this machine a leg's host candidates come."""

from contextvars import ContextVar

import aioice.ice

from schemas.media import Side

_address: ContextVar[str] = ContextVar("address", default="")
_addresses = {Side.ROOM: "", Side.FAMILY: ""}
_all_addresses = aioice.ice.get_host_addresses


def use_interfaces(room: str, family: str) -> None:
    """From now on a leg's host candidates are its side's address of this machine; empty: all of them but loopback."""

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        chosen = _address.get()
        return [chosen] if chosen else _all_addresses(use_ipv4, use_ipv6)

    _addresses.update({Side.ROOM: room, Side.FAMILY: family})
    aioice.ice.get_host_addresses = addresses


def gather_for(side: Side) -> None:
    """What this task, and those that it starts, gather from here on is for a leg of this side."""
    _address.set(_addresses[side])
