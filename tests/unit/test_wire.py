"""The wire: what is understood, what is not, and that tags are unique over all conversations."""

import typing

import msgspec
import pytest

from schemas import call, console, laptop, media
from schemas.wire import TAGS, CloseCode, Link, Message, WireError, encode
from tests.wire_samples import ALL, CODECS, UNIONS, sample, samples, tag

MEASURED = {media.Levels, media.Picture, media.CallHealth}  # a laptop's, carried inside a console's frames too


def messages(name: str) -> tuple[type[Message], ...]:
    return typing.get_args(UNIONS[name])


@pytest.mark.parametrize(("name", "message"), ALL, ids=lambda value: getattr(value, "__name__", value))
def test_every_message_comes_out_as_it_went_in(name: str, message: type[Message]) -> None:
    for value in samples(message):
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


def test_links_are_the_paths_and_states_are_words() -> None:
    assert {str(link) for link in Link} == {"laptop", "console", "peer"}
    assert call.CallState.LIVE == "LIVE"
