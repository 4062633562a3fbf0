"""What people on a call read. A fixed list: an officer's reason reaches them only in the words that stand here."""

CHECKING = "An officer is checking something."

_REFUSED = {
    "identity not shown": "We could not check who you are. Please ring the prison.",
    "not on the booking": "You are not on the booking, so you can't join. Please ring the prison.",
    "more people than booked": "We saw people who are not on the booking. They must leave before you can join.",
    "restriction": "You can't join this call. Please ring the prison.",
    "place not fit": "You can't join from where you are. Please find a quiet, private place and try again.",
    "dress or conduct": "You can't join like this. Please dress properly and try again.",
    "technical fault": "We could not let you in because of a fault. It is not taken off your allowance.",
}
_PAUSED = {
    "person out of view": "Somebody was out of view.",
    "unauthorised person": "We may have seen somebody who is not on the booking.",
    "filming": "Filming and screenshots are not allowed.",
}


_PUT_RIGHT = ("more people than booked", "place not fit", "dress or conduct", "technical fault")


def length_words(milliseconds: int) -> str:
    """`5 min`, `1 min 20 s`, `3 s`."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    parts = [f"{minutes} min"] * bool(minutes) + [f"{seconds} s"] * bool(seconds or not minutes)
    return " ".join(parts)


def may_come_back(reason: str) -> bool:
    """What a caller was refused for can be put right within the call."""
    return reason in _PUT_RIGHT


def refused_words(reason: str) -> str:
    return _REFUSED.get(reason, "You were not let into this call. Please ring the prison.")


def paused_words(reason: str) -> str:
    """What would harm an inquiry is only called a check."""
    return f"The prison has paused your call. {_PAUSED.get(reason, CHECKING)} The time runs on."


def warning_words(words: str, number: int) -> str:
    return f"The prison asks: {words or 'please keep to the rules.'} This is warning {number}."


def side_words(sound_off: bool, picture_off: bool) -> str:
    """For the side whose own sound or picture it is."""
    off = " and ".join(word for word, is_off in (("sound", sound_off), ("picture", picture_off)) if is_off)
    if not off:
        return "The other side sees and hears you again."
    return f"The prison has turned your {off} off. {CHECKING}"
