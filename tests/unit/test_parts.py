"""Each part starts without another's libraries, and the top-level names are nobody else's."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.recording_1 import BEGIN, FOLDER, KEY_FILE

ROOT = Path(__file__).parents[2]
OURS = {"schemas", "server", "laptop", "console", "cli", "demo"}


def imported_by(module: str) -> set[str]:
    """The top-level names in sys.modules of a new interpreter that has imported `module`."""
    code = f"import json, sys, {module}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    ("module", "own", "others"),
    [
        ("console.bootstrap, console.app", "textual", {"av", "aiortc", "sqlalchemy", "server", "laptop"}),
        ("server.bootstrap, server.links.laptop, server.store", "sqlalchemy", {"textual", "aiortc", "av", "console"}),
        ("laptop.bootstrap, laptop.media.call", "aiortc", {"textual", "sqlalchemy", "server", "console"}),
        ("cli.main", "argparse", {"textual", "sqlalchemy", "aiortc", "av", "server", "laptop", "console", "demo"}),
        ("schemas.console, schemas.laptop, schemas.peer", "msgspec", {"textual", "sqlalchemy", "aiortc", "websockets"}),
    ],
)
def test_a_part_starts_without_the_libraries_of_another(module: str, own: str, others: set[str]) -> None:
    found = imported_by(module)
    assert own in found  # the look itself works
    assert not found & others


def test_no_other_distribution_owns_our_top_level_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in OURS:
        assert set(owners.get(name, ["sightline"])) == {"sightline"}, f"{name} belongs to {owners[name]}"


def test_the_extra_for_recordings_is_enough_to_open_one(tmp_path: Path) -> None:
    """What another part needs is kept away, as it is where only `sightline[recording]` is installed."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = {extra: {re.split(r"[>=<\[;]", one)[0] for one in needed} for extra, needed in extras.items()}
    away = set().union(*(needed for extra, needed in names.items() if extra != "recording")) - names["recording"]
    assert {"sqlalchemy", "structlog", "aiortc", "textual"} <= away
    listed, out = tmp_path / "laptops", tmp_path / "out.webm"
    listed.write_text(f"BWI-01 {BEGIN.signer.hex()}\n")
    arguments = ["recording", "join", FOLDER, "--identity", KEY_FILE, "--laptops", listed, "-o", out]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(away)!r}))\n"
        f"from cli.main import main; sys.exit(main({[str(argument) for argument in arguments]!r}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    (part,) = json.loads(run.stdout)["parts"]
    assert part["signed"] and part["registered"] and part["end"] == "ended"
    assert out.stat().st_size > 1000
