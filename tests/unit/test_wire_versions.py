"""The bytes of each message stay what they are, and a program of the previous version reads and is read."""

import subprocess
import typing
from enum import StrEnum

import msgspec
import pytest

from demo.processes import child_environment, sightline
from schemas.document import document, printed
from schemas.limits import LIMITS
from schemas.wire import MAX_FRAME_BYTES, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Message, encode
from tests import golden
from tests.protocol_1 import console as console_1
from tests.protocol_1 import laptop as laptop_1
from tests.protocol_1 import peer as peer_1
from tests.protocol_1 import wire as wire_1
from tests.wire_samples import ALL, CODECS, plain, samples, tag

OLD_UNIONS: dict[str, typing.Any] = {
    "from_laptop": laptop_1.FromLaptop,
    "to_laptop": laptop_1.ToLaptop,
    "from_console": console_1.FromConsole,
    "to_console": console_1.ToConsole,
    "from_peer": peer_1.FromPeer,
    "to_peer": peer_1.ToPeer,
}
OLD_CODECS: dict[str, typing.Any] = {
    "from_laptop": laptop_1.from_laptop,
    "to_laptop": laptop_1.to_laptop,
    "from_console": console_1.from_console,
    "to_console": console_1.to_console,
    "from_peer": peer_1.from_peer,
    "to_peer": peer_1.to_peer,
}
OLD = [(name, kind) for name, union in OLD_UNIONS.items() for kind in typing.get_args(union)]
OLD_NAMES = {(name, kind.__name__) for name, kind in OLD}

ONLY_ASKED_FOR: set[str] = {
    # They answer only a ReviewCommand or a ReviewOpen, which are of version 2.
    f"Refusal.{word}"
    for word in ("UNKNOWN_INCIDENT", "NOT_OPENED", "NOT_PLAYED", "NOT_DECIDED", "SIGNED_OFF")
}
"""Words of an enumeration that version 1 does not know and never gets, since they answer only what it can't ask:
`Refusal.NAME`, each with the reason."""


def starts_with(new: typing.Any, old: typing.Any) -> bool:
    """True when what is old is there unchanged; arrays may have become longer."""
    if isinstance(old, list) and isinstance(new, list):
        return len(new) >= len(old) and all(map(starts_with, new, old))
    return type(new) is type(old) and new == old


def has_unknown_words(value: typing.Any) -> bool:
    if isinstance(value, Message):
        return any(has_unknown_words(getattr(value, field)) for field in value.__struct_fields__)
    if isinstance(value, list):
        return any(map(has_unknown_words, value))
    return isinstance(value, StrEnum) and f"{type(value).__name__}.{value.name}" in ONLY_ASKED_FOR


def test_the_golden_bytes_are_those_of_todays_messages() -> None:
    kept, wanted = golden.kept(PROTOCOL_VERSION), golden.wanted()
    assert kept.keys() == wanted.keys(), "a message came or went: run `make wire` and look at what has changed"
    for name, content in wanted.items():
        assert kept[name] == content, f"{name} is not what it was: is that meant? then run `make wire`"


@pytest.mark.parametrize(("name", "kind"), ALL, ids=lambda value: getattr(value, "__name__", value))
def test_the_golden_bytes_are_read(name: str, kind: type[Message]) -> None:
    frames = golden.frames(PROTOCOL_VERSION, kind.__name__)
    for frame, value in zip(frames, samples(kind), strict=True):
        assert CODECS[name].decode(frame) == value


def test_the_frozen_copy_says_the_golden_bytes_of_version_1() -> None:
    """Each of the two would show a change of the other."""
    assert wire_1.PROTOCOL_VERSION == 1
    assert golden.kept(1).keys() == {name for _, name in OLD_NAMES}
    for _, kind in OLD:
        assert [bytes(wire_1.encode(s)) for s in samples(kind)] == golden.frames(1, kind.__name__)


@pytest.mark.parametrize(("name", "old"), OLD, ids=lambda value: getattr(value, "__name__", value))
def test_todays_server_and_clients_read_version_1(name: str, old: type) -> None:
    """So no field was taken away, moved or made another type, and every new one has a default."""
    today = next((kind for n, kind in ALL if (n, kind.__name__) == (name, old.__name__)), None)
    assert today is not None and today.since == 1, f"{old.__name__} is of version 1 and must stay"
    for frame in golden.frames(1, old.__name__):
        message = CODECS[name].decode(frame)
        assert type(message) is today
        assert starts_with(plain(encode(message)), plain(frame))


@pytest.mark.parametrize(
    ("name", "kind"),
    [pair for pair in ALL if pair[0].startswith("to_")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_version_1_reads_what_it_is_sent(name: str, kind: type[Message]) -> None:
    if (name, kind.__name__) not in OLD_NAMES:
        assert kind.since > 1, f"{kind.__name__} is new: give it `since = 2`, so that no old client gets it"
        return
    for value in samples(kind):
        if has_unknown_words(value):
            continue
        try:
            read = OLD_CODECS[name].decode(encode(value))
        except wire_1.WireError as error:
            pytest.fail(
                f"a client of version 1 can't read {value}: {error.reason}. A new word may only answer what version 1 "
                "can't ask; then name it in ONLY_ASKED_FOR, with the reason."
            )
        assert starts_with(plain(encode(value)), plain(encode(read)))


def test_new_kinds_say_since_when() -> None:
    for name, kind in ALL:
        assert (kind.since > 1) == ((name, kind.__name__) not in OLD_NAMES), kind.__name__
        assert OLDEST_PROTOCOL_VERSION <= kind.since <= PROTOCOL_VERSION


@pytest.mark.parametrize(("name", "kind"), ALL, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_missing_at_the_end_has_its_default(name: str, kind: type[Message]) -> None:
    needed = sum(field.required for field in msgspec.structs.fields(kind))
    for value in samples(kind):
        fields = plain(encode(value))
        message = CODECS[name].decode(encode(fields[: needed + 1]))
        assert type(message) is kind
        assert plain(encode(message))[: needed + 1] == fields[: needed + 1]


def test_the_schema_in_the_documents_is_what_the_command_prints() -> None:
    run = subprocess.run(sightline("schema"), capture_output=True, text=True, env=child_environment(), check=True)
    assert run.stdout == printed()
    assert golden.SCHEMA.read_text() == run.stdout, "messages or limits have changed: run `make wire`"


def test_the_schema_has_every_message_with_its_words_and_fields() -> None:
    found = document()
    assert found["x-limits"]["protocol"] == PROTOCOL_VERSION
    assert {limits["frame_bytes"] for limits in found["x-limits"]["links"].values()} == set(MAX_FRAME_BYTES.values())
    assert found["x-limits"]["links"].keys() == {str(link) for link in LIMITS}
    for name, kind in ALL:
        schema = found["$defs"][kind.__name__]
        direction = "to_server" if name.startswith("from_") else "from_server"
        links = found["x-links"][str(CODECS[name].link)]
        assert {"$ref": f"#/$defs/{kind.__name__}"} in links[direction]
        titles = [item["title"] for item in schema["prefixItems"]]
        assert titles == ["tag", *kind.__struct_fields__]
        assert schema["prefixItems"][0]["enum"] == [tag(kind)]
    for name, schema in found["$defs"].items():
        assert schema.get("description"), f"{name} has no docstring"
