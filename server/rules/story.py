"""What happened in a call, told from its audit entries for somebody who reviews an incident of it."""

import json
from typing import Any

from schemas.call import Category
from schemas.console import Flag
from schemas.incident import Happened

from .permissions import EVERY_ACT

WORDS_MAX = 300
_PLAIN = {
    "room_opened": "the callers' waiting room opened",
    "laptop_started_anew": "the laptop has started anew: callers are admitted again",
    "lease_ran_out": "the laptop did not confirm the end; its lease ran out",
    "missed": "the time passed and nobody came",
}
_AS_WRITTEN = (
    "laptop_confirmed",
    "laptop_not_done",
    "leg_gone",
    "leg_refused",
    "ended_by_laptop",
    "acknowledged",
    "shelved",
    "looked",
)


def happened(at_ms: int, who: str, action: str, accepted: bool, detail: str) -> Happened | None:
    """One entry in words; None for what is nothing that happened in the call."""
    if action in _PLAIN:
        words = _PLAIN[action]
    elif action in _AS_WRITTEN:
        words = detail.partition(", ")[0] if action == "laptop_confirmed" else detail
    elif action in EVERY_ACT:
        words = _of_command(action, detail)
    else:
        return None
    return Happened(_pressed_ms(detail) or at_ms, action, words[:WORDS_MAX], who, accepted)


def _of_command(action: str, detail: str) -> str:
    try:
        told: Any = json.loads(detail)
        act, reason, words = told["act"], str(told["reason"]), str(told["words"])
    except (ValueError, KeyError, TypeError):
        return detail  # the server's own acts have their words as they are
    match action, act:
        case "flag", [_, category, note, *_]:
            about = category_words(str(category))
            return f"{about}: {note}" if note else about
        case (("notice" | "warn"), [_, side, said, *_]):
            return f"to {side or 'both sides'}: “{said}”"
        case _:
            return f"{words} {reason}".strip() if reason and reason not in words else words


def _pressed_ms(detail: str) -> int:
    """When the key of a flag was pressed, which is before its category was chosen; 0 for all else."""
    try:
        match json.loads(detail)["act"]:
            case [tag, _, _, int(pressed_ms)] if tag == Flag.__struct_config__.tag:
                return pressed_ms
            case _:
                return 0
    except (ValueError, KeyError, TypeError):
        return 0


def category_words(category: str) -> str:
    """`r` -> `filming`."""
    try:
        return Category(category).name.replace("_", " ").lower()
    except ValueError:
        return "other"
