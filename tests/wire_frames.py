"""Frames for Hypothesis to make: valid ones of each message, with any values their types allow, and mangled ones."""

import os
import typing
from collections.abc import Callable

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from schemas.wire import encode
from tests.wire_samples import ALL

SEED = int(os.environ.get("SIGHTLINE_SEED") or int.from_bytes(os.urandom(4)))
"""Printed by the tests that use it; SIGHTLINE_SEED=… runs the same examples again."""

CALLS = ("BWI-1", "BWI-2", "BWI-9", "")


def values(info: inspect.Type) -> st.SearchStrategy[typing.Any]:
    """Any value of a type, as it stands in a frame: within its limits, and often right at them."""
    match info:
        case inspect.StructType(cls, fields):
            tag = [] if cls.__struct_config__.tag is None else [st.just(cls.__struct_config__.tag)]
            return st.tuples(*tag, *(values(field.type) for field in fields))
        case inspect.UnionType(types):
            return st.one_of(*map(values, types))
        case inspect.ListType(item_type, _, max_length):
            return st.lists(values(item_type), max_size=min(max_length or 3, 3))
        case inspect.EnumType(cls):
            return st.sampled_from([member.value for member in cls])
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.StrType(min_length, max_length, pattern):
            if pattern:
                return st.sampled_from(["BWI", "HLI"])
            plain = st.text(min_size=min_length or 0, max_size=min(max_length or 20, 20))
            return st.one_of(plain, st.sampled_from(CALLS if not min_length else CALLS[:-1]))
        case inspect.IntType(ge=ge, le=le):
            return st.integers(-(2**63) if ge is None else ge, 2**64 - 1 if le is None else le)
        case inspect.FloatType(ge=ge, le=le):
            return st.floats(ge, le, allow_nan=False)
        case inspect.BytesType():
            return st.binary(max_size=30)
    raise AssertionError(f"no values for {info}")


def valid(names: typing.Collection[str]) -> st.SearchStrategy[bytes]:
    """Frames of these conversations and directions."""
    kinds = [kind for name, kind in ALL if name in names]
    return st.sampled_from(kinds).flatmap(lambda kind: values(inspect.type_info(kind))).map(encode)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=10)
    | st.binary(max_size=10)
    | st.builds(msgspec.msgpack.Ext, st.integers(0, 100), st.binary(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
"""Whatever msgpack can say."""


@st.composite
def mangled(draw: st.DrawFn, frames: st.SearchStrategy[bytes]) -> bytes:
    frame = draw(frames)
    ways: list[Callable[[], bytes]] = [
        lambda: _flipped(draw, frame),
        lambda: frame[: draw(st.integers(0, len(frame)))],
        lambda: frame + draw(st.binary(min_size=1, max_size=20)),
        lambda: _inserted(draw, frame),
        lambda: _refielded(draw, frame),
        lambda: b"\xdd\xff\xff\xff\xff" + frame[1:],  # an array of 4 billion items
        lambda: frame[:1] + b"\xdb\xff\xff\xff\xff" + frame[1:],  # a text of 4 GB
        lambda: b"\x91" * draw(st.integers(500, 4000)) + frame,
        lambda: draw(st.binary(max_size=200)),
    ]
    return draw(st.sampled_from(ways))()


def _flipped(draw: st.DrawFn, frame: bytes) -> bytes:
    changed = bytearray(frame)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def _inserted(draw: st.DrawFn, frame: bytes) -> bytes:
    at = draw(st.integers(0, len(frame)))
    return frame[:at] + draw(st.binary(min_size=1, max_size=8)) + frame[at:]


def _refielded(draw: st.DrawFn, frame: bytes) -> bytes:
    """A field of another type, one too few, one too many, two exchanged, another tag."""
    fields = msgspec.msgpack.decode(frame)
    at = draw(st.integers(0, len(fields) - 1))
    match draw(st.integers(0, 4)):
        case 0:
            fields[at] = draw(ANYTHING)
        case 1:
            del fields[at]
        case 2:
            fields.insert(at, draw(ANYTHING))
        case 3:
            fields[at], fields[-1] = fields[-1], fields[at]
        case _:
            fields[0] = draw(st.integers(-1, 130))
    return msgspec.msgpack.encode(fields)
