"""Sound or picture of one side off, and on again."""

from schemas.call import Refusal
from schemas.console import OneSide
from schemas.laptop import OrderAct
from schemas.media import Side

from .call import OPEN, Call
from .decision import Accepted, Ordered, Refused, Told
from .plain_words import side_words


def off(call: Call, side: Side) -> tuple[bool, bool]:
    """(sound, picture) of this side that staff have turned off."""
    if side == Side.ROOM:
        return call.room_sound_off, call.room_picture_off
    return call.family_sound_off, call.family_picture_off


def with_off(call: Call, side: Side, sound: bool, picture: bool) -> dict[str, object]:
    """The call's fields for it."""
    return {f"{side}_sound_off": sound, f"{side}_picture_off": picture}


def relieves(call: Call, act: OneSide) -> bool:
    """Something that is off would be on again."""
    sound, picture = off(call, act.side)
    return (sound and not act.sound_off) or (picture and not act.picture_off)


def one_side(call: Call, act: OneSide, staff: str, reason: str) -> Accepted | Refused:
    """What is turned off is off at once; what is turned on again, when the laptop has confirmed it."""
    if call.state not in OPEN:
        return Refused(Refusal.WRONG_STATE, "The call carries nothing.")
    sound, picture = off(call, act.side)
    if (sound, picture) == (act.sound_off, act.picture_off) == (False, False):
        return Refused(Refusal.WRONG_STATE, f"Sound and picture of the {act.side} are on.")
    what = " and ".join(w for w, is_off in (("sound", act.sound_off), ("picture", act.picture_off)) if is_off)
    now = f"{what} of the {act.side} off" if what else f"sound and picture of the {act.side} on"
    said = f"{now.capitalize()}, by {staff}{reason}"
    order = Ordered(OrderAct.ONE_SIDE, side=act.side, sound_off=act.sound_off, picture_off=act.picture_off)
    fields = with_off(call, act.side, sound or act.sound_off, picture or act.picture_off)
    told = Told(side_words(act.sound_off, act.picture_off), act.side)
    return Accepted(call.changed(said=said, **fields), said, order, told)


def standing(call: Call) -> list[Ordered]:
    """What a laptop has to be told that knows nothing of the call any more."""
    orders: list[Ordered] = []
    for side in Side:
        sound, picture = off(call, side)
        if sound or picture:
            orders.append(Ordered(OrderAct.ONE_SIDE, side=side, sound_off=sound, picture_off=picture))
    return orders
