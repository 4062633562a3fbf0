"""What staff have turned off of one side of a call."""

from schemas.call import CallView
from schemas.media import Side


def off(call: CallView, side: Side) -> tuple[bool, bool]:
    """(sound, picture) of this side that is off."""
    if side == Side.ROOM:
        return call.room_sound_off, call.room_picture_off
    return call.family_sound_off, call.family_picture_off


def off_words(call: CallView) -> str:
    """`family sound off, room picture off`; empty when all is on."""
    said: list[str] = []
    for side in Side:
        what = [word for word, is_off in zip(("sound", "picture"), off(call, side), strict=True) if is_off]
        if what:
            said.append(f"{side} {' and '.join(what)} off")
    return ", ".join(said)
