"""What a reader is told is so: keys, pictures, links and the clips' attribution."""

import re
from pathlib import Path

from console.actions import ACTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_every_key_with_its_words() -> None:
    for action in ACTIONS:
        for key in action.keys:
            row = rf"^\| .*`{re.escape(key)}`.* \| {re.escape(action.help)} \|$"
            assert re.search(row, README, re.MULTILINE), action


def test_the_files_that_the_readme_names_are_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"`((?:docs|demo|server|console)/[^`]*)`", README)
    missing = [name for name in linked if "://" not in name and not (ROOT / name).exists()]
    assert linked and not missing


def test_the_clips_are_attributed_where_they_are_shown() -> None:
    words = (ROOT / "demo/media/ATTRIBUTION").read_text(encoding="utf-8").strip()
    assert words in README
    assert "CC BY 4.0" in words
    licences = (ROOT / "demo/media/LICENCES.md").read_text(encoding="utf-8")
    for clip in (ROOT / "demo/media").glob("*.webm"):
        assert clip.stem in licences
    assert sum(path.stat().st_size for path in (ROOT / "demo/media").iterdir()) < 15 * 1024 * 1024
