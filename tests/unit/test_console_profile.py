"""Which way pictures are painted, and what of them is not worth its bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.painting.halfblocks import of_greys
from console.painting.ink import INDEXED, Colours
from console.painting.mosaic import QUADRANTS, SEXTANTS
from console.painting.profile import CALM_S, FALL_S, LEAN_S, WAIT_S, Profile, Profiles
from console.painting.terminals import finest
from console.painting.tile_view import Gallery
from console.painting.tone import GREYS, greys, held, twelve_bits
from console.state.ages import Freshness, freshness
from console.state.media import Shown
from schemas.media import Picture, Side


def run(profiles: Profiles, waiting_s: float, from_s: float, seconds: float) -> list[Profile]:
    """The profiles that came on, looked at twice a second."""
    came: list[Profile] = []
    for step in range(int(seconds * 2)):
        if profiles.look(waiting_s, from_s + step / 2):
            came.append(profiles.current)
    return came


def test_a_slow_line_makes_it_lean_then_text_and_calm_brings_it_back_step_by_step() -> None:
    profiles = Profiles(Colours.TRUE)
    assert profiles.current is Profile.COLOUR and not profiles.why
    assert run(profiles, WAIT_S[Profile.COLOUR] + 0.1, 0, FALL_S + 1) == [Profile.LEAN]
    assert profiles.why == "slow line" and "each 4 s" in profiles.words
    assert run(profiles, WAIT_S[Profile.LEAN] + 0.1, 10, FALL_S + 1) == [Profile.TEXT]
    assert "you cannot see faces" in profiles.words
    assert run(profiles, 0.0, 20, CALM_S - 2) == []
    came = run(profiles, 0.0, 20 + CALM_S - 2, 10 * CALM_S)
    assert came == [Profile.LEAN, Profile.GREY, Profile.COLOUR] and not profiles.why


def test_a_short_wait_changes_nothing_and_a_line_that_is_slow_again_is_tried_later() -> None:
    profiles = Profiles(Colours.TRUE)
    assert run(profiles, 10.0, 0, FALL_S - 1) == [] and run(profiles, 0.0, 5, 5) == []
    run(profiles, 10.0, 20, FALL_S + 1)
    assert run(profiles, 0.0, 30, CALM_S + 2) == [Profile.GREY]
    run(profiles, 10.0, 200, FALL_S + 1)
    assert profiles.current is Profile.LEAN
    assert run(profiles, 0.0, 300, CALM_S + 2) == [], "it did not last: so it is tried after twice the time"
    assert run(profiles, 0.0, 300 + CALM_S + 2, CALM_S + 2) == [Profile.GREY]


CELLS = [Profile.FINE, Profile.COLOUR, Profile.GREY, Profile.LEAN, Profile.TEXT]


@pytest.mark.parametrize("kitty", [True, False])
@pytest.mark.parametrize("colours", list(Colours))
def test_a_choice_stays_whatever_the_line_does_and_the_last_key_gives_it_back(colours: Colours, kitty: bool) -> None:
    profiles = Profiles(colours)
    profiles.kitty = kitty
    seen = []
    for _ in range(10):
        profiles.choose_next()
        if profiles.chosen is None:
            break
        seen.append(profiles.current)
        assert run(profiles, 100.0, 0, 60) == [] and profiles.why == "your choice"
    assert profiles.chosen is None and profiles.current is profiles.best
    cells = CELLS if colours is Colours.TRUE else CELLS[2:]
    assert seen == ([Profile.KITTY, *cells] if kitty and colours is not Colours.NONE else cells)


def test_images_fall_to_cells_first_and_come_back_last() -> None:
    profiles = Profiles(Colours.TRUE)
    profiles.kitty = True
    assert profiles.current is Profile.KITTY and not profiles.why
    assert run(profiles, WAIT_S[Profile.KITTY] + 0.1, 0, FALL_S + 1) == [Profile.COLOUR]
    assert profiles.words == "Pictures: colour (slow line)"
    assert run(profiles, WAIT_S[Profile.COLOUR] + 0.1, 10, FALL_S + 1) == [Profile.LEAN]
    assert run(profiles, 0.0, 20, 20 * CALM_S) == [Profile.GREY, Profile.COLOUR, Profile.KITTY]


def test_fine_colour_comes_by_itself_only_where_the_terminal_is_known_to_have_its_characters() -> None:
    profiles = Profiles(Colours.TRUE)
    assert profiles.current is Profile.COLOUR and Profile.FINE in profiles.possible
    profiles.mosaic = SEXTANTS
    assert profiles.current is Profile.FINE and not profiles.why
    assert run(profiles, WAIT_S[Profile.FINE] + 0.1, 0, FALL_S + 1) == [Profile.COLOUR]
    assert run(profiles, 0.0, 10, 2 * CALM_S) == [Profile.FINE]
    profiles.kitty = True
    assert profiles.current is Profile.KITTY
    assert run(profiles, 10.0, 400, FALL_S + 1) == [Profile.COLOUR], "fine cells are not tried on a slow line"
    assert finest("kitty(0.26.5)") is SEXTANTS and finest("Konsole 22.12.3") is QUADRANTS
    assert finest("XTerm(379)") is None and finest("tmux 3.3a") is None


def test_what_was_chosen_on_another_terminal_is_kept_for_it_and_not_pretended() -> None:
    profiles = Profiles(Colours.TRUE, chosen=Profile.KITTY)
    assert profiles.current is Profile.COLOUR and profiles.why == "this terminal shows no images"
    assert run(profiles, 100.0, 0, FALL_S + 1) == [Profile.LEAN], "so it goes by the line"
    profiles = Profiles(Colours.TRUE, chosen=Profile.KITTY)
    profiles.kitty = True  # it has answered
    assert profiles.current is Profile.KITTY and profiles.why == "your choice"


def test_lean_pictures_are_old_later() -> None:
    ages = (1, 3, 7, 12, 21)
    assert [freshness(age, lean=True) for age in ages] == [0, 0, 1, 2, 3]
    assert [freshness(age) for age in ages] == [Freshness.FRESH, *[Freshness.AGEING], 2, 2, 3]


rgb = st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).integers(0, 256, (8, 6, 3), np.uint8))


@given(before=rgb, after=rgb, threshold=st.sampled_from([0, 12, 24, 200]))
def test_a_cell_moves_whole_or_not_at_all_and_never_stays_far_from_what_it_should_be(before, after, threshold) -> None:
    shown = held(after, before, threshold)
    for y in range(0, 8, 2):
        for x in range(6):
            cell = shown[y : y + 2, x]
            assert (cell == after[y : y + 2, x]).all() or (cell == before[y : y + 2, x]).all()
    assert (np.abs(shown.astype(int) - after).max() < threshold) or (threshold == 0 and (shown == after).all())


def test_noise_costs_nothing_and_a_movement_shows() -> None:
    rng = np.random.default_rng(1)
    still = np.full((14, 32, 3), 120, np.uint8)
    shown = still
    for _ in range(20):
        shown = held(still + rng.integers(0, 8, still.shape, np.uint8), shown, 24)
        assert (shown == still).all()
    moved = still.copy()
    moved[4:8, 10:14] = 200
    assert (held(moved, shown, 24) == moved).all()


def test_twelve_bits_are_near_and_few() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    made = twelve_bits(every)
    assert len(np.unique(made)) == 16 and np.abs(made.astype(int) - every).max() <= 8


def test_grey_has_the_contrast_that_is_there() -> None:
    """A dim face before a bright window: across the window's edge both keep their own detail."""
    luminance = np.full((14, 32), 40, np.float32)
    luminance[:, 20:] = 220
    luminance[4:10, 6:12:2] += 14  # a face's features in the dark
    steps = greys(luminance, None)
    assert steps.min() >= 0 and steps.max() <= GREYS - 1
    plain = (luminance - 40) * (GREYS - 1) / 180
    contrast = np.ptp(steps[4:10, 6:12]) / max(0.1, np.ptp(plain[4:10, 6:12]))
    assert contrast > 1.3
    trembling = luminance + np.random.default_rng(2).normal(0, 1, luminance.shape).astype(np.float32)
    assert (greys(trembling, steps) == steps).mean() > 0.95
    rows = of_greys(steps[:13])
    assert len(rows) == 7 and all(INDEXED + 232 <= int(ink) <= INDEXED + 255 for ink in rows[0].inks)


def shown(level: int, taken_s: float) -> Shown:
    return Shown(Picture("call-1", Side.FAMILY, 0, 8, 4, 8, 4, bytes([level]) * 96), taken_s)


def test_a_lean_gallery_keeps_a_picture_for_its_time() -> None:
    gallery = Gallery(Colours.TRUE)
    gallery.show_as(Colours.TRUE, Profile.LEAN)
    first, second = shown(10, 0.0), shown(200, 1.0)
    assert gallery.due("call-1", Side.FAMILY, True, first, 0.0) is first
    gallery.cells("call-1", Side.FAMILY, True, first, False, 0.0)
    assert gallery.due("call-1", Side.FAMILY, True, second, 1.0) is first
    assert gallery.due("call-1", Side.FAMILY, True, second, LEAN_S) is second
    gallery.show_as(Colours.TRUE, Profile.COLOUR)
    assert gallery.due("call-1", Side.FAMILY, True, second, 1.0) is second
