"""Debian's programs that tests use."""

import os
import shutil
import subprocess


def install(program: str) -> None:
    """Debian's package of the same name where the program is missing."""
    if shutil.which(program):
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", program)):
        done = subprocess.run(["apt-get", *words], capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, f"{program} is missing; run once: apt-get install -y {program}\n{done.stderr}"
