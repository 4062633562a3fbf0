"""What a server takes from whom, and for how long; each figure with its reason. A part of the wire's contract."""

import msgspec

from .wire import MAX_FRAME_BYTES, MAX_SERVER_FRAME_BYTES, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Link

OPEN_S = 5.0
"""From the TCP accept to a hello that is accepted, seconds; slow handshakes count. The worst line in use, 40 ms and
50 KB/s, needs under 1 s; a stranger who says nothing holds a place no longer."""
UNPROVEN_BYTES = 48 * 1024
"""So much a connection may send in all before its hello is accepted: request, hello, and the longest offer (32 KiB)
sent right behind it. With UNPROVEN_AT_ONCE it bounds what strangers make the server keep: 24 MiB."""
UNPROVEN_AT_ONCE = 512
"""Connections let in whose hello is not accepted yet."""
UNPROVEN_EACH_ADDRESS = 64
"""Of those, from one address: half-open connections of one machine leave the others their places."""
WAITING_AT_ONCE = 2048
"""Connections that wait at the door to be let in, unread: more than an establishment's laptops, rooms, families and
consoles that all come back at once; a refused one comes back after a second."""
WAITING_EACH_ADDRESS = 1024
"""Of those, from one address: half, so that one machine never takes all."""
LET_IN_PER_S = 500
"""A handshake and what a stranger may send behind it cost up to 0.8 ms: a flood takes less than half of a core."""
LET_IN_AT_ONCE = 50
"""That many more after a silence: an establishment's first connections do not wait for one another."""
SAME_AT_ONCE = 32
"""Links of one person, laptop or device: lost ones may linger for 10 s while new ones are made."""


class Limits(msgspec.Struct, frozen=True):
    """Of one link, and of all links of its kind."""

    frame_bytes: int
    frames_per_s: int
    """On average, control frames and fragments included."""
    frames_at_once: int
    """That many more after a silence."""
    links: int
    """Accepted links of this kind in one server."""


LIMITS = {
    Link.LAPTOP: Limits(MAX_FRAME_BYTES[Link.LAPTOP], 200, 400, 4096),
    Link.CONSOLE: Limits(MAX_FRAME_BYTES[Link.CONSOLE], 200, 400, 2048),
    Link.PEER: Limits(MAX_FRAME_BYTES[Link.PEER], 40, 120, 16384),
}
"""A laptop sends about 30 frames a second: levels at 10 Hz, pictures, leases, health, pongs. A console sends keys, a
beat each 2 s and probes. A peer sends offers. Links: the estate's 2,500 laptops, 600 consoles and 5 legs a call fit in
one server, with room."""


def in_words() -> dict[str, object]:
    """All of it by name, for the JSON Schema document."""
    return {
        "protocol": PROTOCOL_VERSION,
        "oldest_protocol": OLDEST_PROTOCOL_VERSION,
        "server_frame_bytes": MAX_SERVER_FRAME_BYTES,
        "open_s": OPEN_S,
        "unproven_bytes": UNPROVEN_BYTES,
        "unproven_at_once": UNPROVEN_AT_ONCE,
        "unproven_each_address": UNPROVEN_EACH_ADDRESS,
        "waiting_at_once": WAITING_AT_ONCE,
        "waiting_each_address": WAITING_EACH_ADDRESS,
        "let_in_per_s": LET_IN_PER_S,
        "let_in_at_once": LET_IN_AT_ONCE,
        "same_at_once": SAME_AT_ONCE,
        "links": {str(link): msgspec.structs.asdict(limits) for link, limits in LIMITS.items()},
    }
