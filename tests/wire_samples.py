"""Sample values of every message, made from its types.

Each word of an enumeration, each member of a union and each side of an option comes in at least one sample, and no two
fields of a sample have the same value where their types let them.
"""

import typing
from collections.abc import Iterator
from itertools import count

import msgspec
from msgspec import inspect

from schemas import console, laptop, peer
from schemas.wire import Codec, Message

UNIONS: dict[str, typing.Any] = {
    "from_laptop": laptop.FromLaptop,
    "to_laptop": laptop.ToLaptop,
    "from_console": console.FromConsole,
    "to_console": console.ToConsole,
    "from_peer": peer.FromPeer,
    "to_peer": peer.ToPeer,
}
CODECS: dict[str, Codec] = {
    "from_laptop": laptop.from_laptop,
    "to_laptop": laptop.to_laptop,
    "from_console": console.from_console,
    "to_console": console.to_console,
    "from_peer": peer.from_peer,
    "to_peer": peer.to_peer,
}
ALL = [(name, message) for name, union in UNIONS.items() for message in typing.get_args(union)]
"""(conversation and direction, message), the measured ones once for the laptop's link and never for a console's."""


def samples(message: type[typing.Any]) -> Iterator[typing.Any]:
    """First the least of it (required fields only, lists empty, options absent), then all of it in each variety."""
    info = inspect.type_info(message)
    yield _least(info)
    for variety in range(_varieties(info)):
        yield _full(info, variety, count(1))


def sample(message: type[typing.Any]) -> typing.Any:
    """One value with every field filled."""
    return _full(inspect.type_info(message), 0, count(1))


def _varieties(info: inspect.Type) -> int:
    match info:
        case inspect.StructType():
            return max((_varieties(field.type) for field in info.fields), default=1)
        case inspect.UnionType():
            return sum(_varieties(kind) for kind in info.types)
        case inspect.ListType():
            return _varieties(info.item_type)
        case inspect.EnumType():
            return len(info.cls)
        case inspect.BoolType():
            return 2
        case _:
            return 1


def _full(info: inspect.Type, variety: int, numbers: Iterator[int]) -> typing.Any:
    variety %= _varieties(info)
    match info:
        case inspect.StructType():
            return info.cls(*(_full(field.type, variety, numbers) for field in info.fields))
        case inspect.UnionType():
            for kind in info.types:
                if variety < _varieties(kind):
                    return _full(kind, variety, numbers)
                variety -= _varieties(kind)
        case inspect.ListType():
            return [_full(info.item_type, variety + n, numbers) for n in range(min(2, info.max_length or 2))]
        case inspect.EnumType():
            return list(info.cls)[variety]
        case inspect.NoneType():
            return None
        case inspect.BoolType():
            return variety == 0
        case _:
            return _plain(info, next(numbers))
    raise AssertionError(f"no sample for {info}")


def _plain(info: inspect.Type, number: int) -> typing.Any:
    match info:
        case inspect.StrType():
            return "BWI" if info.pattern else f"text {number}"
        case inspect.IntType():
            least = 0 if info.ge is None else info.ge
            return least + number if info.le is None else min(least + number, info.le)
        case inspect.FloatType():
            return number + 0.5
        case inspect.BytesType():
            return bytes((number, 0, 255))
    raise AssertionError(f"no sample for {info}")


def _least(info: inspect.Type) -> typing.Any:
    match info:
        case inspect.StructType():
            return info.cls(*(_least(field.type) for field in info.fields if field.required))
        case inspect.UnionType():
            absent = any(isinstance(kind, inspect.NoneType) for kind in info.types)
            return None if absent else _least(info.types[0])
        case inspect.ListType():
            return []
        case inspect.EnumType():
            return next(iter(info.cls))
        case inspect.BoolType():
            return False
        case inspect.StrType():
            return "BWI" if info.pattern else "x" * (info.min_length or 0)
        case inspect.IntType():
            return 0 if info.ge is None else info.ge
        case inspect.FloatType():
            return 0.0
        case inspect.BytesType():
            return b""
    raise AssertionError(f"no sample for {info}")


def tag(message: type[Message]) -> int:
    found = message.__struct_config__.tag
    assert isinstance(found, int)
    return found


def plain(frame: bytes) -> list[typing.Any]:
    """A frame as the array that it is."""
    return msgspec.msgpack.decode(frame)
