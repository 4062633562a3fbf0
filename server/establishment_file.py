"""Reads an establishment's file: laptops, staff, bookings. Any error refuses the whole file and names the field."""

import hashlib
import json
import re
import unicodedata
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.call import RESTRICTIONS_MAX, AuthorityView, CallerView, RestrictionView, Role, Vetting

from .rules.call import MINUTE_MS, Call, Leg, Policy
from .rules.vetting import why_not

NAME_LENGTH_MAX = 200
Identity = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z")]
Secret = Annotated[str, Meta(min_length=16, max_length=128)]


class Laptop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`token` is what the agent proves itself with."""

    id: Identity
    seat: Annotated[int, Meta(ge=1, le=999)]
    room: str
    token: Secret


class Staff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Known by a Unix account on the server's machine, by a token elsewhere, or by both."""

    name: str
    role: Role
    unix_user: str = ""
    token: str = ""


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To monitor a prisoner's calls; it lapses after `review_on`."""

    reference: Identity
    kind: Annotated[str, Meta(pattern="^(offence-related|intelligence-led)$")]
    action: str
    starts_on: date
    review_on: date

    def as_view(self) -> AuthorityView:
        starts_on, review_on = self.starts_on.isoformat(), self.review_on.isoformat()
        return AuthorityView(self.reference, self.kind, self.action, starts_on, review_on)


class Prisoner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: Annotated[str, Meta(pattern=r"^[A-Z]\d{4}[A-Z]{2}\Z")]
    forename: str
    surname: str
    authority: Authority | None = None


class Restriction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the contact registry has it: `type` is its code, without `expires_on` it stands for good."""

    type: Annotated[str, Meta(pattern="^[A-Z]{2,12}$")]
    description: str
    starts_on: date
    expires_on: date | None = None
    comment: str = ""

    def as_view(self) -> RestrictionView:
        expires_on = self.expires_on.isoformat() if self.expires_on else ""
        return RestrictionView(self.type, self.description, self.starts_on.isoformat(), expires_on, self.comment)


class Caller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`approved`: on the prisoner's list of approved contacts; absent when the booking does not say."""

    name: str
    relation: str
    age_group: Annotated[str, Meta(pattern="^(adult|child|not known)$")]
    device: Annotated[int, Meta(ge=1, le=4)] = 1
    """The device that the person sits at; `family_token` is the first one's."""
    approved: bool | None = None
    vetted_on: date | None = None
    restrictions: Annotated[tuple[Restriction, ...], Meta(max_length=RESTRICTIONS_MAX)] = ()

    def as_view(self) -> CallerView:
        told = {None: Vetting.NOT_TOLD, True: Vetting.APPROVED, False: Vetting.NOT_APPROVED}
        return CallerView(
            self.name,
            self.relation,
            self.age_group,
            f"family-{self.device}",
            told[self.approved],
            self.vetted_on.isoformat() if self.vetted_on else "",
            [restriction.as_view() for restriction in self.restrictions],
        )


class Booking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reference: Identity
    laptop: Identity
    starts_at: datetime
    minutes: Annotated[int, Meta(ge=1, le=600)]
    prisoner: Prisoner
    callers: Annotated[tuple[Caller, ...], Meta(min_length=1, max_length=4)]
    room_token: Secret
    family_token: Secret
    more_family_tokens: Annotated[tuple[Secret, ...], Meta(max_length=3)] = ()
    """Of further family devices, one each."""

    @property
    def tokens(self) -> dict[str, str]:
        """Leg -> its token."""
        family = {f"family-{n}": token for n, token in enumerate((self.family_token, *self.more_family_tokens), 1)}
        return {"room": self.room_token} | family

    @property
    def starts_at_ms(self) -> int:
        return round(self.starts_at.timestamp() * 1000)

    @property
    def starts_on(self) -> str:
        """The day at the establishment, as `2026-05-12`."""
        return self.starts_at.astimezone().date().isoformat()

    @property
    def ends_at_ms(self) -> int:
        return self.starts_at_ms + self.minutes * MINUTE_MS

    def as_call(self, seat: int) -> Call:
        return Call(
            call_id=self.reference,
            laptop_id=self.laptop,
            seat=seat,
            prison_number=self.prisoner.number,
            forename=self.prisoner.forename,
            surname=self.prisoner.surname,
            callers=tuple(caller.as_view() for caller in self.callers),
            starts_at_ms=self.starts_at_ms,
            booked_end_ms=self.ends_at_ms,
            ends_at_ms=self.ends_at_ms,
            legs=tuple(Leg(leg) for leg in self.tokens),
            authority=self.prisoner.authority.as_view() if self.prisoner.authority else None,
        )


class EstablishmentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    name: str
    hall: str
    laptops: tuple[Laptop, ...]
    staff: tuple[Staff, ...]
    bookings: tuple[Booking, ...] = ()
    policy: Policy = Policy()


class EstablishmentFileError(ValueError):
    """What is wrong and where, in one sentence that a terminal can show, whatever the file holds."""

    def __init__(self, words: str) -> None:
        super().__init__("".join(character if character.isprintable() else "?" for character in words))


def read(path: Path) -> EstablishmentFile:
    """The file's content, checked; EstablishmentFileError names the field that is wrong."""
    try:
        content = msgspec.convert(json.loads(path.read_bytes()), EstablishmentFile)
    except OSError as error:
        raise EstablishmentFileError(f"it can't be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # msgspec's ValidationError too: it names the place
        raise EstablishmentFileError(str(error)) from error
    check(content)
    return content


def check(content: EstablishmentFile) -> None:
    """What types alone can't say. EstablishmentFileError for the first thing that is wrong."""
    for where, text in _names(content):
        _check_name(where, text)
    _check_unique("laptops: id", [laptop.id for laptop in content.laptops])
    _check_unique("laptops: seat", [laptop.seat for laptop in content.laptops])
    _check_unique("bookings: reference", [booking.reference for booking in content.bookings])
    secrets = [laptop.token for laptop in content.laptops] + [s.token for s in content.staff if s.token]
    secrets += [token for booking in content.bookings for token in booking.tokens.values()]
    if len(set(secrets)) != len(secrets):
        raise EstablishmentFileError("a token is used twice; give each laptop, person and caller one of its own")
    _check_unique("staff: unix_user", [s.unix_user for s in content.staff if s.unix_user])
    for n, staff in enumerate(content.staff):
        if staff.token and len(staff.token) < 16:
            raise EstablishmentFileError(f"staff[{n}].token is shorter than 16 characters")
    known = {laptop.id for laptop in content.laptops}
    for n, booking in enumerate(content.bookings):
        if booking.laptop not in known:
            raise EstablishmentFileError(f"bookings[{n}].laptop {booking.laptop} is not among the laptops")
        if booking.starts_at.tzinfo is None:
            raise EstablishmentFileError(f"bookings[{n}].starts_at has no time zone; end it with Z")
        for c, caller in enumerate(booking.callers):
            if caller.device >= len(booking.tokens):
                raise EstablishmentFileError(
                    f"bookings[{n}].callers[{c}].device {caller.device} has no token; add it to more_family_tokens"
                )
            if why := why_not(caller.as_view(), content.policy, booking.starts_on):
                raise EstablishmentFileError(f"bookings[{n}].callers[{c}]: {why}")
        if booking.callers[0].age_group != "adult":
            raise EstablishmentFileError(f"bookings[{n}].callers[0], the main caller, must be an adult")
    check_overlaps([(b.laptop, b.starts_at_ms, b.ends_at_ms, b.reference) for b in content.bookings])


def check_overlaps(bookings: list[tuple[str, int, int, str]]) -> None:
    """(laptop, start, end, reference) each; EstablishmentFileError when two use one laptop at one time."""
    ordered = sorted(bookings)
    for (laptop, _, end, first), (other, start, _, second) in pairwise(ordered):
        if laptop == other and start < end:
            raise EstablishmentFileError(f"bookings {first} and {second} overlap on laptop {laptop}")


def token_hash(token: str) -> str:
    """Tokens are stored as this and never as they are. SHA-256 is enough: they are random, not chosen by people."""
    return hashlib.sha256(token.encode()).hexdigest()


def _names(content: EstablishmentFile) -> list[tuple[str, str]]:
    names = [("name", content.name), ("hall", content.hall)]
    names += [(f"laptops[{n}].room", laptop.room) for n, laptop in enumerate(content.laptops)]
    names += [(f"staff[{n}].name", staff.name) for n, staff in enumerate(content.staff)]
    names += [(f"staff[{n}].unix_user", staff.unix_user) for n, staff in enumerate(content.staff) if staff.unix_user]
    for n, booking in enumerate(content.bookings):
        names.append((f"bookings[{n}].prisoner.forename", booking.prisoner.forename))
        names.append((f"bookings[{n}].prisoner.surname", booking.prisoner.surname))
        for c, caller in enumerate(booking.callers):
            names.append((f"bookings[{n}].callers[{c}].name", caller.name))
            names.append((f"bookings[{n}].callers[{c}].relation", caller.relation))
            for r, restriction in enumerate(caller.restrictions):
                where = f"bookings[{n}].callers[{c}].restrictions[{r}]"
                names.append((f"{where}.description", restriction.description))
                names += [(f"{where}.comment", restriction.comment)] if restriction.comment else []
        if booking.prisoner.authority is not None:
            names.append((f"bookings[{n}].prisoner.authority.action", booking.prisoner.authority.action))
    return names


def _check_name(where: str, text: str) -> None:
    if not text.strip():
        raise EstablishmentFileError(f"{where} is empty")
    if len(text) > NAME_LENGTH_MAX:
        raise EstablishmentFileError(f"{where} has {len(text)} characters; at most {NAME_LENGTH_MAX} are allowed")
    for character in text:
        # Cc, Cf, Cs, Co, Cn: escape sequences, right-to-left marks, zero-width and unassigned ones; Zl, Zp: new lines.
        if unicodedata.category(character)[0] == "C" or unicodedata.category(character) in ("Zl", "Zp"):
            shown = re.sub(r"[^ -~]", "?", text)[:40]
            raise EstablishmentFileError(f"{where} ({shown}) has a control character U+{ord(character):04X}")


def _check_unique(what: str, values: list[str] | list[int]) -> None:
    for value in values:
        if values.count(value) > 1:  # type: ignore[arg-type]
            raise EstablishmentFileError(f"{what} {value} occurs twice")
