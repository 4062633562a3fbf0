"""For all tests: nothing of the caller's environment decides what a test sees."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    yield
