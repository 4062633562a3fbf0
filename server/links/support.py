"""Remote support's console: sees how laptops do, and is never sent what a call holds.

It is no watcher of the wall's fan-out, so none of the wall's frames can reach it; what it is sent is made of
schemas.health alone, besides the welcome, the time, and the refusal of commands.
"""

from schemas.call import Refusal
from schemas.console import Beat, Boxes, Command, CommandAnswer, SnapshotRequest, TimeProbe, TimeReply
from schemas.health import OpenLaptop
from schemas.wire import CloseCode, WireError

from ..establishment import Establishment, utc_ms
from ..rules.permissions import act_name
from ..store.rows import StaffRow
from .link import Link

REFUSED = "Remote support may not act on calls; ask an officer of the establishment."


async def serve_support(link: Link, place: Establishment, staff: StaffRow, session: str) -> None:
    """Until the link closes. Each laptop that is looked at, each refused command and the closing are in the audit."""

    def record(action: str, detail: str = "", accepted: bool = True) -> None:
        place.record(action, detail, who=staff.name, role=str(staff.role), session=session, accepted=accepted)

    place.health.add(link)
    try:
        async for message, _ in link.messages():
            match message:
                case TimeProbe(sent_ms):
                    link.send(TimeReply(sent_ms, utc_ms()))
                case SnapshotRequest():
                    place.health.needs_snapshot(link)
                case OpenLaptop(laptop_id):
                    known = laptop_id in place.known.laptops
                    record("laptop_opened", laptop_id if known else "a laptop that is not known here", known)
                case Command():
                    record(act_name(message.act), f"{Refusal.NOT_PERMITTED}: {REFUSED}", False)
                    link.send(CommandAnswer(message.command_id, False, Refusal.NOT_PERMITTED, REFUSED))
                case Beat() | Boxes():
                    pass  # no picture is made for support, whatever it asks for
                case _:
                    raise WireError(CloseCode.NOT_UNDERSTOOD, f"{type(message).__name__} was not expected here")
    finally:
        place.health.remove(link)
        record("health_closed")
