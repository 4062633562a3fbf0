"""The wire: what is understood, what is not, and that tags are unique over all conversations."""

import typing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import call, console, laptop, media, peer
from schemas.wire import TAGS, CloseCode, Codec, Link, Message, WireError, encode

CODECS = {
    "from_laptop": laptop.from_laptop,
    "to_laptop": laptop.to_laptop,
    "from_console": console.from_console,
    "to_console": console.to_console,
    "from_peer": peer.from_peer,
    "to_peer": peer.to_peer,
}
UNIONS = {
    "from_laptop": laptop.FromLaptop,
    "to_laptop": laptop.ToLaptop,
    "from_console": console.FromConsole,
    "to_console": console.ToConsole,
    "from_peer": peer.FromPeer,
    "to_peer": peer.ToPeer,
}
MEASURED = {media.Levels, media.Picture, media.CallHealth}  # a laptop's, carried inside a console's frames too


def messages(name: str) -> tuple[type[Message], ...]:
    return typing.get_args(UNIONS[name])


def tag(message: type[Message]) -> int:
    found = message.__struct_config__.tag
    assert isinstance(found, int)
    return found


def sample(annotation: typing.Any) -> typing.Any:
    """A smallest valid value for a field's type."""
    info = msgspec.inspect.type_info(annotation)
    return _value(info)


def _value(info: msgspec.inspect.Type) -> typing.Any:
    match info:
        case msgspec.inspect.StructType():
            return info.cls(*(_value(field.type) for field in info.fields))
        case msgspec.inspect.StrType():
            if info.pattern:
                return "BWI"
            return "x" * (info.min_length or 1)
        case msgspec.inspect.IntType():
            return info.ge if info.ge is not None else 1
        case msgspec.inspect.FloatType():
            return 1.0
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.BytesType():
            return b"\1\2"
        case msgspec.inspect.EnumType():
            return next(iter(info.cls))
        case msgspec.inspect.ListType():
            return [_value(info.item_type)]
        case msgspec.inspect.UnionType():
            return _value(next(t for t in info.types if not isinstance(t, msgspec.inspect.NoneType)))
    raise AssertionError(f"no sample for {info}")


ALL = [(name, message) for name in UNIONS for message in messages(name)]


@pytest.mark.parametrize(("name", "message"), ALL, ids=lambda value: getattr(value, "__name__", value))
def test_every_message_comes_out_as_it_went_in(name: str, message: type[Message]) -> None:
    value = sample(message)
    assert CODECS[name].decode(encode(value)) == value


def test_tags_are_unique_and_lie_in_the_range_of_their_conversation() -> None:
    owners: dict[int, type[Message]] = {}
    for name in UNIONS:
        for message in messages(name):
            assert owners.setdefault(tag(message), message) is message
            if message not in MEASURED:
                assert tag(message) in TAGS[CODECS[name].link]


@pytest.mark.parametrize(("name", "message"), ALL, ids=lambda value: getattr(value, "__name__", value))
def test_a_message_of_another_conversation_is_named_as_such(name: str, message: type[Message]) -> None:
    frame = encode(sample(message))
    for other, codec in CODECS.items():
        if message not in messages(other) and codec.link != CODECS[name].link:
            with pytest.raises(WireError) as caught:
                codec.decode(frame)
            assert caught.value.code == CloseCode.WRONG_KIND
            assert str(CODECS[name].link) in caught.value.reason


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        encode([999, 1, 2]),
        encode(["text as a tag"]),
        encode({"tag": 45}),
        encode([45]),
        encode([45, "id", "call", -1, 0, "", [5]]),
        encode([45, "i" * 65, "call", 1, 0, "", [5]]),
        encode([45, "id", "call", 1, 0, "r" * 501, [5]]),
        encode([45, "id", "call", 1, 0, "r", [99]]),
        "a text frame",
        b"\x91" * 5000,
    ],
)
def test_what_is_no_message_is_refused_with_one_reason(frame: bytes | str) -> None:
    with pytest.raises(WireError) as caught:
        console.from_console.decode(frame)
    assert caught.value.code == CloseCode.NOT_UNDERSTOOD
    assert 0 < len(caught.value.reason.encode()) <= 120


def test_fields_added_by_a_newer_peer_are_passed_over_and_missing_new_fields_get_their_defaults() -> None:
    health = media.CallHealth("c", True, "", media.RecordingState.RECORDING, 5, 6, "", [], 7)
    fields = msgspec.msgpack.decode(encode(health))
    assert laptop.from_laptop.decode(encode([*fields, "of a newer version"])) == health
    assert laptop.from_laptop.decode(encode(fields[:-1])).forwarded_packets == 0


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_random_bytes_raise_nothing_but_wire_errors(frame: bytes) -> None:
    for codec in CODECS.values():
        try:
            assert isinstance(codec.decode(frame), Message)
        except WireError as error:
            assert error.reason


@given(st.sampled_from(ALL), st.data())
@settings(max_examples=300, deadline=None)
def test_mangled_messages_raise_nothing_but_wire_errors(which: tuple[str, type[Message]], data: st.DataObject) -> None:
    name, message = which
    frame = bytearray(encode(sample(message)))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    for codec in CODECS.values():
        try:
            assert isinstance(codec.decode(bytes(frame)), Message)
        except WireError as error:
            assert error.reason
    assert isinstance(CODECS[name], Codec)


def test_links_are_the_paths_and_states_are_words() -> None:
    assert {str(link) for link in Link} == {"laptop", "console", "peer"}
    assert call.CallState.LIVE == "LIVE"
