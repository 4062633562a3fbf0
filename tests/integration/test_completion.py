"""Completion as a person's shell does it: bash, zsh and fish are asked what may follow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .debian import install

BIN = Path(sys.executable).parent
PART = {"server", "laptop", "console", "demo", "audit", "schema", "completion"}
ASK = {
    "bash": """
source <(sightline completion bash)
COMP_LINE=$1 COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
handler=$(complete -p sightline | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$handler sightline "${COMP_WORDS[$COMP_CWORD]}" ""
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "fish": """
sightline completion fish | source
complete -C $argv[1]
""",
    "zsh": """
autoload -U compinit is-at-least && compinit -u -D
source <(sightline completion zsh)
_describe() { print -l -- ${completions%%:*} }
BUFFER=$1 CURSOR=${#1} words=(sightline)
_python_argcomplete sightline
""",
}


def completed(shell: str, line: str, home: Path) -> set[str]:
    install(shell)
    flags = {"fish": ["--no-config", "-c", ASK[shell], line]}.get(shell, ["-c", ASK[shell], shell, line])
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm"}
    run = subprocess.run([shell, *flags], capture_output=True, text=True, env=environment, timeout=60)
    assert run.returncode == 0, run.stderr
    return {word.split("\t")[0].strip() for word in run.stdout.splitlines() if word.strip()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_parts_options_and_choices(shell: str, tmp_path: Path) -> None:
    assert completed(shell, "sightline ", tmp_path) >= PART
    assert {"--theme", "--token-file"} <= completed(shell, "sightline console --t", tmp_path)
    assert completed(shell, "sightline console --theme ", tmp_path) == {"dark", "light", "high-contrast", "monochrome"}
