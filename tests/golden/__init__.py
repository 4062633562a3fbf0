"""Golden bytes: a file for each message, `VERSION/Name.txt`, with one frame a line in hexadecimal digits.

`make wire` writes those of the current version and the JSON Schema. Those of an older version never change: they are
what a program of that version says.
"""

from pathlib import Path

from schemas.wire import encode
from tests.wire_samples import ALL, samples

FOLDER = Path(__file__).parent
SCHEMA = FOLDER.parents[1] / "docs" / "wire.schema.json"


def wanted() -> dict[str, str]:
    """Name of the message -> what its file has to hold."""
    return {message.__name__: "".join(f"{encode(s).hex()}\n" for s in samples(message)) for _, message in ALL}


def kept(version: int) -> dict[str, str]:
    """Name of the message -> what its file holds."""
    return {file.stem: file.read_text() for file in sorted((FOLDER / str(version)).glob("*.txt"))}


def frames(version: int, name: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in kept(version)[name].splitlines()]


def write(version: int) -> None:
    folder = FOLDER / str(version)
    folder.mkdir(exist_ok=True)
    for name in kept(version).keys() - wanted().keys():
        (folder / f"{name}.txt").unlink()
    for name, content in wanted().items():
        (folder / f"{name}.txt").write_text(content)
