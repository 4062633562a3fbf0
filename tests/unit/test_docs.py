"""What a reader is told is so: keys, pictures, links and the clips' attribution."""

import re
from pathlib import Path

from console import keys
from console.actions import ACTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_every_key_of_the_wall_with_its_words() -> None:
    for action in ACTIONS:
        if "W" in action.screens:
            row = rf"^\| .*{re.escape(' '.join(f'`{key}`' for key in action.keys))} \| {re.escape(action.help)} \|$"
            assert re.search(row, README, re.MULTILINE), action


def test_the_page_of_keys_is_that_of_the_table() -> None:
    assert (ROOT / "docs/keys.md").read_text(encoding="utf-8") == keys.markdown(), "run `make keys`"
    assert {letter for action in ACTIONS for letter in action.screens} == set(keys.SCREENS)


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
