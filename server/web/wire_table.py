"""The peer link's messages as a JavaScript module: a page reads and writes them by the schemas themselves."""

import json
from types import UnionType
from typing import Any, get_args

import msgspec
import msgspec.inspect

from schemas.peer import FromPeer, ToPeer
from schemas.wire import PROTOCOL_VERSION, CloseCode


def module() -> str:
    """`PROTOCOL`, `CLOSE` (name -> code), `UP` and `DOWN`: each kind's tag, name and fields. A field that may be left
    out has a `default`; one that is a list of structs has `items`, their fields."""
    tables = {
        "PROTOCOL": PROTOCOL_VERSION,
        "CLOSE": {code.name: int(code) for code in CloseCode},
        "UP": _kinds(FromPeer),
        "DOWN": _kinds(ToPeer),
    }
    lines = [f"export const {name} = {json.dumps(table)};" for name, table in tables.items()]
    return "// Made from schemas/peer.py: never written by hand.\n" + "\n".join(lines) + "\n"


def _kinds(union: UnionType) -> list[dict[str, Any]]:
    return [
        {"tag": kind.__struct_config__.tag, "name": kind.__name__, "fields": _fields(kind)} for kind in get_args(union)
    ]


def _fields(kind: type) -> list[dict[str, Any]]:
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return [_field(field) for field in info.fields]


def _field(field: msgspec.inspect.Field) -> dict[str, Any]:
    about: dict[str, Any] = {"name": field.name}
    if field.default is not msgspec.NODEFAULT:
        about["default"] = msgspec.to_builtins(field.default)
    elif field.default_factory is not msgspec.NODEFAULT:
        about["default"] = msgspec.to_builtins(field.default_factory())
    if isinstance(field.type, msgspec.inspect.ListType) and isinstance(
        field.type.item_type, msgspec.inspect.StructType
    ):
        about["items"] = _fields(field.type.item_type.cls)
    return about
