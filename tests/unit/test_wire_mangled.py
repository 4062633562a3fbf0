"""Whatever comes in a frame, it is a message or a WireError with one reason, for every link and both directions."""

from hypothesis import given, note, seed, settings
from hypothesis import strategies as st

from schemas.wire import CloseCode, Message, WireError, encode
from tests.wire_frames import ANYTHING, SEED, mangled, valid
from tests.wire_samples import CODECS, UNIONS

EXAMPLES = settings(max_examples=400, deadline=None, database=None, print_blob=True)


def read(frame: bytes) -> dict[str, Message | WireError]:
    note(f"SIGHTLINE_SEED={SEED}")
    found: dict[str, Message | WireError] = {}
    for name, codec in CODECS.items():
        try:
            found[name] = codec.decode(frame)
        except WireError as error:
            assert error.code in (CloseCode.NOT_UNDERSTOOD, CloseCode.WRONG_KIND)
            assert 0 < len(error.reason.encode()) <= 120
            found[name] = error
    return found


@seed(SEED)
@EXAMPLES
@given(st.data())
def test_every_valid_frame_is_read_and_written_back_as_it_was(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(UNIONS)))
    frame = data.draw(valid({name}))
    message = read(frame)[name]
    assert isinstance(message, Message)
    assert encode(message) == frame


@seed(SEED)
@EXAMPLES
@given(mangled(valid(UNIONS.keys())))
def test_every_mangled_frame_is_a_message_or_one_error(frame: bytes) -> None:
    for found in read(frame).values():
        if isinstance(found, Message):
            encode(found)


@seed(SEED)
@EXAMPLES
@given(ANYTHING.map(encode))
def test_whatever_msgpack_can_say_is_a_message_or_one_error(frame: bytes) -> None:
    read(frame)
