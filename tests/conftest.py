"""For all tests: nothing of the caller's environment decides what a test sees."""

import itertools
import os
from collections.abc import Iterator

import pytest

_number = itertools.count()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.getbasetemp()
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home / f"{name.lower()}-{next(_number)}"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    yield
