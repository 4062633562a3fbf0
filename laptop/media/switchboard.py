"""The legs of one call and what may pass between them. Closed for a family device until it is admitted.

Each leg uploads once; every other leg has a slot for it, and each slot has a flag for sound and one for picture. The
flags, and the moment until which anything may flow, are looked at for each packet.
"""

from collections.abc import Iterator

from schemas.media import Side

from ..boottime import boottime
from ..rules.carrying import NEVER
from .forward import Forward
from .leg import KINDS, Leg
from .rtp import Packet


class Switchboard:
    """`flows_until` (CLOCK_BOOTTIME, s): nothing passes from then on; NEVER: nothing passes at all."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.admitted: set[str] = set()
        self.flows_until = NEVER
        self._off: set[tuple[Side, str]] = set()
        """(side, kind) that an order has switched off."""
        self._sent_before = 0

    def packet(self, leg: Leg, kind: str, packet: Packet) -> None:
        """One packet from a leg's peer, to all that may get it."""
        targets = leg.targets[kind]
        if not targets:
            return
        if boottime() < self.flows_until:
            for forward in targets:
                if forward.open:
                    forward.send(packet)
        else:
            for forward in targets:
                forward.stop()

    def flows(self) -> bool:
        return boottime() < self.flows_until

    def is_in(self, leg: Leg) -> bool:
        return leg.side == Side.ROOM or leg.name in self.admitted

    @property
    def sent(self) -> int:
        """RTP packets that were sent to anybody so far."""
        return self._sent_before + sum(forward.sent for leg in self.legs.values() for forward in leg.slots.values())

    def look_beyond(self) -> None:
        """Each peer's reports speak of the whole way: to be called each second."""
        for leg in self.legs.values():
            sources = {source for (source, _), forward in leg.slots.items() if forward.open}
            away_s = (self.legs[source].round_trip_s for source in sources)
            losses = (forward.outlet.loss or 0.0 for forward in leg.targets["audio"] if forward.open)
            leg.look_beyond(max(away_s, default=0.0), max(losses, default=0.0))

    # Changes: what stops has stopped when these return

    def flow_until(self, until: float) -> None:
        self.flows_until = until
        if until == NEVER:
            for forward in self._forwards():
                forward.stop()

    def put(self, leg: Leg) -> Leg | None:
        """A leg's new connection, in the place of the one before, which is returned."""
        before = self.take_out(leg.name)
        self.legs[leg.name] = leg
        self._join()
        return before

    def take_out(self, name: str) -> Leg | None:
        leg = self.legs.pop(name, None)
        if leg is not None:
            self._sent_before += sum(forward.sent for forward in leg.slots.values())
            leg.targets = dict.fromkeys(KINDS, ())
            self._join()
        return leg

    def admit(self, name: str) -> None:
        self.admitted.add(name)
        self._flag()

    def dismiss(self, name: str) -> None:
        self.admitted.discard(name)
        self._flag()

    def switch(self, side: Side, *, sound: bool, picture: bool) -> None:
        """What of a side may pass to anybody else; the devices of one side do not see or hear each other either."""
        self._off -= {(side, kind) for kind in KINDS}
        self._off |= {(side, kind) for kind, on in (("audio", sound), ("video", picture)) if not on}
        self._flag()

    def clear(self) -> list[Leg]:
        """All legs, which are in no call any more."""
        return [leg for name in list(self.legs) if (leg := self.take_out(name)) is not None]

    def _join(self) -> None:
        for leg in self.legs.values():
            others = [other for other in self.legs.values() if other is not leg]
            for kind in KINDS:
                slots = (other.slots.get((leg.name, kind)) for other in others)
                leg.targets[kind] = tuple(forward for forward in slots if forward is not None)
            leg.forget_clocks()
        self._flag()

    def _flag(self) -> None:
        for receiver in self.legs.values():
            for (source, kind), forward in receiver.slots.items():
                leg = self.legs.get(source)
                forward.open = (
                    leg is not None
                    and self.is_in(leg)
                    and self.is_in(receiver)
                    and bool(self.admitted)
                    and (leg.side, kind) not in self._off
                )
                if not forward.open:
                    forward.stop()

    def _forwards(self) -> Iterator[Forward]:
        return (forward for leg in self.legs.values() for forward in leg.slots.values())
