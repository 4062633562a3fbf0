"""The whole wire as one JSON Schema document: what `sightline schema` prints."""

import ast
import inspect
import json
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from . import console, laptop, peer
from .limits import in_words
from .wire import CloseCode, Link, Message

CONVERSATIONS: dict[Link, tuple[Any, Any]] = {
    Link.LAPTOP: (laptop.FromLaptop, laptop.ToLaptop),
    Link.CONSOLE: (console.FromConsole, console.ToConsole),
    Link.PEER: (peer.FromPeer, peer.ToPeer),
}
"""(to the server, from the server) of each link."""

INTRODUCTION = (
    "Every message of Sightline, one a websocket frame, as msgpack; an array whose first item is the message's tag. "
    "Fields that are missing at an array's end have their defaults; further items are of a newer version and are "
    "passed over. A kind with x-since is never sent on a link whose hello said an older protocol."
)


def document() -> dict[str, Any]:
    messages = {link: [typing.get_args(union) for union in unions] for link, unions in CONVERSATIONS.items()}
    every = dict.fromkeys(kind for unions in messages.values() for kinds in unions for kind in kinds)
    _, schemas = msgspec.json.schema_components(every, ref_template="#/$defs/{name}")
    for kind in _structs(every):
        _describe(schemas[kind.__name__], kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The wire of Sightline",
        "description": INTRODUCTION,
        "x-limits": in_words(),
        "x-close-codes": {code.name: int(code) for code in CloseCode},
        "x-links": {
            str(link): {
                "path": f"/{link}",
                "description": inspect.cleandoc(inspect.getmodule(up[0]).__doc__ or ""),
                "to_server": [_reference(kind) for kind in up],
                "from_server": [_reference(kind) for kind in down],
            }
            for link, (up, down) in messages.items()
        },
        "anyOf": [_reference(kind) for kind in every],
        "$defs": schemas,
    }


def printed() -> str:
    """The document as it is printed and kept in docs/wire.schema.json."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _reference(kind: type[Message]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _structs(kinds: Iterable[type[Message]]) -> set[type[Message]]:
    """These and all that they hold."""
    found: set[type[Message]] = set()

    def look(info: msgspec.inspect.Type) -> None:
        match info:
            case msgspec.inspect.StructType(cls, fields):
                assert issubclass(cls, Message)
                if cls not in found:
                    found.add(cls)
                    for field in fields:
                        look(field.type)
            case msgspec.inspect.UnionType():
                for kind in info.types:
                    look(kind)
            case msgspec.inspect.ListType():
                look(info.item_type)
            case _:
                pass

    for kind in kinds:
        look(msgspec.inspect.type_info(kind))
    return found


def _describe(schema: dict[str, Any], kind: type[Message]) -> None:
    """An array's items have no names in JSON Schema: they get their field's as title, and its docstring."""
    schema["description"] = inspect.cleandoc(kind.__doc__ or "")
    if kind.since > 1:
        schema["x-since"] = kind.since
    items = schema["prefixItems"]
    first = len(items) - len(kind.__struct_fields__)  # the tag comes first, where there is one
    if first:
        items[0]["title"] = "tag"
    docstrings = _docstrings(kind)
    for item, name in zip(items[first:], kind.__struct_fields__, strict=True):
        item["title"] = name
        if name in docstrings:
            item["description"] = docstrings[name]


def _docstrings(kind: type[Message]) -> dict[str, str]:
    """Field -> the string under it in the source."""
    (statement,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(statement, ast.ClassDef)
    found: dict[str, str] = {}
    for field, after in zip(statement.body, statement.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                found[name] = inspect.cleandoc(words)
            case _:
                pass
    return found
