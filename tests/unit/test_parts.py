"""Each part starts without another's libraries, and the top-level names are nobody else's."""

import importlib.metadata
import json
import subprocess
import sys

import pytest

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
