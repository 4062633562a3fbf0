"""The rules over the table of actions, and a person's own keymap and settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from console import actions, config
from console.actions import ACTIONS, Action, Danger
from console.keymap import KeymapError, faults, remapped

KNOWN: set[tuple[str, str]] = set()
"""Pairs of the table that break a rule, with a reason beside each."""


def act(id: str, key: str, danger: Danger = Danger.ACTS, screens: str = "W") -> Action:
    return Action(id, (key,), id, id, id, danger, screens=screens)


def test_the_table_keeps_the_rules() -> None:
    assert {(fault.first, fault.second) for fault in faults(ACTIONS)} - KNOWN == set()


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (act("pause", "P"), act("patrol", "p", Danger.LOOKS), "Caps Lock"),
        (act("pause", "P"), act("open", "O"), "neighbours"),
        (act("end", "X"), act("dive", "D", Danger.RECORDED), "neighbours"),
        (act("time", "+"), act("sum", "}"), "neighbours"),
        (act("pause", "P"), act("play", "P", screens="WR"), "both have"),
        (act("pause", "P"), act("play", "P", screens="R"), "two different acts"),
    ],
)
def test_a_pair_that_invites_a_slip_is_a_fault(one: Action, two: Action, why: str) -> None:
    assert [why in fault.why for fault in faults([one, two])].count(True) == 1
    assert faults([two, one]), "in whatever order they stand"


def test_pairs_that_are_apart_are_none() -> None:
    assert not faults(
        [act("pause", "P"), act("warn", "W"), act("open", "o", Danger.LOOKS)]
    )  # O is Shift's neighbour of P
    assert not faults([act("pause", "P"), act("open", "O", Danger.ACTS, "R")]), "not on one screen"
    assert not faults([act("find", "p", Danger.LOOKS), act("open", "o", Danger.LOOKS)]), "neither acts"
    assert not faults([act("end", "X"), act("refuse", "X", screens="A")]), "both close the door"
    assert not faults([act("help", "f12"), act("pause", "P")])


@pytest.mark.parametrize("key", [" ", "enter", "escape", "7", "p"])
def test_some_keys_never_act(key: str) -> None:
    assert len(faults([act("pause", key)])) == 1


def test_a_remapped_action_has_its_new_keys_and_no_other_has_changed() -> None:
    new = {a.id: a for a in remapped(ACTIONS, {"flag": ["e", "f5"], "side": ["space"]})}
    assert new["flag"].keys == ("e", "f5") and new["flag"].shown_key == "e" and new["side"].keys == (" ",)
    assert [new[a.id] for a in ACTIONS if a.id not in ("flag", "side")] == [
        a for a in ACTIONS if a.id not in ("flag", "side")
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"pause": ["F"]}, ("pause", "flag", "Caps Lock")),
        ({"pause": ["Z"]}, ("pause", "end", "neighbours")),
        ({"pause": ["m"]}, ("pause", "capital")),
        ({"end": ["x"]}, ("end", "capital")),
        ({"flag": ["s"]}, ("side", "flag", "both have 's'")),
        ({"pause": []}, ("pause", "no key")),
        ({"flag": ["alt+f"]}, ("flag", "lose")),
        ({"flag": ["f1"]}, ("flag", "help")),
        ({"flag": ["3"]}, ("flag", "seat")),
        ({"flag": ["\x1b"]}, ("flag", "no terminal")),
        ({"flag": ["é"]}, ("flag", "no terminal")),
        ({"fly": ["i"]}, ("fly", "no action")),
    ],
)
def test_a_keymap_that_breaks_a_rule_is_refused_with_the_pair_named(keys: dict[str, list[str]], said: tuple) -> None:
    with pytest.raises(KeymapError) as refused:
        remapped(ACTIONS, keys)
    assert all(word in str(refused.value) for word in said), str(refused.value)


def test_keys_and_help_come_from_the_table_in_force() -> None:
    try:
        actions.take(remapped(ACTIONS, {"flag": ["e"]}))
        assert actions.by_key("W")["e"].id == "flag" and "f" not in actions.by_key("W")
        assert actions.BY_ID["flag"].shown_key == "e"
        assert actions.slip("x") is not None and actions.slip("f") is None
    finally:
        actions.take(ACTIONS)
    assert actions.by_key("W")["f"].id == "flag"


def test_the_settings_are_read_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.read() == config.Config()
    file = tmp_path / "sightline" / "console.toml"
    file.parent.mkdir()
    file.write_text('theme = "light"\n[keys]\nflag = "i"\nmove-down = ["j", "ctrl+n"]\n')
    assert config.read() == config.Config("light", {"flag": ("i",), "move-down": ("j", "ctrl+n")})
    monkeypatch.setenv("XDG_CONFIG_HOME", "somewhere/else")
    assert config.config_file().is_absolute() and config.config_file().parts[-3] == ".config"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("theme = 3", "theme is a word"),
        ("colour = 'red'", "'colour'"),
        ("[keys]\nflag = 7", "keys of flag"),
        ("[keys]\nflag = ['a', 7]", "keys of flag"),
        ("keys = 'flag'", "keys a table"),
        ("theme = ", "can't be read"),
        ("#" * 70_000, "larger than"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "console.toml"
    file.write_text(text)
    with pytest.raises(config.ConfigError, match=why):
        config.read(file)
    with pytest.raises(config.ConfigError, match="is not there"):
        config.read(tmp_path / "other.toml")


def test_what_is_remembered_survives_damage_and_a_read_only_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert config.remembered() == {}
    config.remember(theme="light")
    config.remember(profile="grey")
    assert config.remembered() == {"theme": "light", "profile": "grey"}
    assert [file.name for file in config.state_file().parent.iterdir()] == ["console.json"]
    config.state_file().write_text('{"theme": ')
    assert config.remembered() == {}
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    config.remember(theme="dark")
    assert config.remembered() == {}


def test_an_action_without_a_key_is_said_to_be_in_the_palette() -> None:
    assert replace(ACTIONS[0], keys=()).shown_key == ""
    assert [a.id for a in ACTIONS if not a.keys] == ["theme"]
