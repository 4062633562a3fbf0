"""What a laptop is asked for: each size and mode once for all consoles, at the pace of the fastest."""

from schemas.media import Box, PictureMode, Side
from server.rules.picture_boxes import BOXES_MAX, SHARED_PER_S_MAX, for_call, for_every_call

TILE, WIDE = Box(Side.FAMILY, 32, 14), Box(Side.FAMILY, 48, 27)
KITTY = Box(Side.FAMILY, 96, 54, PictureMode.PNG)


def test_consoles_of_one_size_are_served_by_one_picture() -> None:
    assert for_every_call([[TILE], [TILE], [TILE, KITTY]]) == (TILE, KITTY)


def test_the_same_size_in_another_mode_is_another_picture() -> None:
    grey = Box(Side.FAMILY, 32, 14, PictureMode.GREY)
    assert set(for_every_call([[TILE], [grey]])) == {TILE, grey}


def test_no_console_makes_every_laptop_send_ten_a_second() -> None:
    fast = Box(Side.FAMILY, 32, 14, per_s=10)
    assert [box.per_s for box in for_every_call([[fast], [TILE]])] == [SHARED_PER_S_MAX]


def test_a_close_look_is_served_first_and_at_its_own_pace() -> None:
    close = Box(Side.ROOM, 96, 108, per_s=10)
    assert for_call((TILE, WIDE), [[close], [close]]) == (close, TILE, WIDE)
    fast = Box(Side.FAMILY, 32, 14, per_s=5)
    assert for_call((TILE, WIDE), [[fast]]) == (fast, WIDE), "a tile of the same size comes with it"


def test_what_most_consoles_want_is_made_when_there_are_too_many_sizes() -> None:
    odd = [[Box(Side.FAMILY, 10 + n, 10)] for n in range(BOXES_MAX + 3)]
    boxes = for_every_call([*odd, [WIDE], [WIDE]])
    assert len(boxes) == BOXES_MAX and boxes[0] == WIDE
    assert len(for_call(boxes, [[KITTY]])) == BOXES_MAX and for_call(boxes, [[KITTY]])[0] == KITTY
