"""Debian's programs that tests use."""

import os
import shutil
import subprocess
from collections.abc import Mapping


def install(program: str) -> None:
    """Debian's package of the same name where the program is missing."""
    install_all({program: program})


def install_all(packages: Mapping[str, str], *more: str) -> None:
    """Debian's packages by the program that each is wanted for, and `more` with them, where a program is missing."""
    missing = [package for program, package in packages.items() if not shutil.which(program)]
    if not missing:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    wanted = [*missing, *more]
    for words in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", *wanted)):
        done = subprocess.run(["apt-get", *words], capture_output=True, text=True, env=environment, timeout=300)
        names = " ".join(wanted)
        assert done.returncode == 0, f"{names}: missing; run once: apt-get install -y {names}\n{done.stderr}"
