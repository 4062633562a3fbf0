"""Sentences to be heard: whole words in place of glyphs, minutes and seconds in place of `12:41`."""

from console.state.acts import ActView, Stage
from console.state.attention import Entry, Severity
from console.state.panels import PanelView
from console.state.safe_text import safe
from console.state.tile_words import callers, recording_words, side_words
from console.state.wall import OPEN, Wall, waiting_legs
from schemas.call import CallState, CallView
from schemas.media import Side

STATES = {
    CallState.WAITING: "Waiting",
    CallState.LIVE: "Live",
    CallState.PAUSED: "Paused",
    CallState.ENDING: "Ending, not confirmed",
    CallState.ENDED: "Ended",
}
GLYPHS = "■▲◆●○◌║▼×·"


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def heard(text: str) -> str:
    """Without the glyphs that the words beside them already say."""
    return " ".join(text.translate({ord(glyph): " " for glyph in GLYPHS}).replace("−", "minus ").split())


def duration(seconds: float) -> str:
    """`12 minutes 41`, `41 seconds`."""
    whole = max(0, int(seconds))
    return f"{plural(whole // 60, 'minute')} {whole % 60}" if whole >= 60 else plural(whole, "second")


def seat(call: CallView) -> str:
    return f"seat {call.seat} {safe(call.surname).title() or 'no name'}"


def entry(one: Entry) -> str:
    """`ALERT seat 7 Harris: nothing is carried.`"""
    age = f" For {duration(one.since_s)}." if one.since_s is not None and one.since_s >= 1 else ""
    grave = f"{one.severity.name} " if one.severity <= Severity.ALERT else ""
    return f"{grave}seat {one.seat} {one.surname.title()}: {_sentence(heard(one.words))}{age}"


def call(wall: Wall, one: CallView, now_s: float) -> str:
    """All that is known of a call that has words."""
    said = [safe(one.surname).title() or "No name", STATES.get(one.state, str(one.state).title())]
    if one.seat in wall.lost_laptops:
        said.append(f"Laptop lost for {duration(now_s - wall.lost_laptops[one.seat])}")
    if one.state in (CallState.WAITING, CallState.LIVE, CallState.PAUSED):
        said.append(f"{duration((one.ends_at_ms - wall.link.server_ms(now_s)) / 1000)} left")
    if one.state in OPEN:
        said.append(", ".join(side_words(one, side).capitalize() for side in (Side.FAMILY, Side.ROOM)))
    said.append(f"With {callers(one)}")
    if waiting := len(waiting_legs(one)):
        said.append(f"{plural(waiting, 'device')} waiting for admission")
    said.append(heard(recording_words(wall, one, now_s)[0]).replace("REC", "Recording, newest record", 1))
    for side in (Side.FAMILY, Side.ROOM):
        level = wall.media_of(one).level(side, now_s) if one.state in OPEN else None
        if level is not None:
            said.append(f"{side.capitalize()} level minus {abs(level) // 10}")
    counts = ((one.warnings, "warning"), (one.pauses, "pause"), (one.incidents, "incident"))
    said += [plural(count, word) for count, word in counts if count]
    if one.said:
        said.append(f"Last: {safe(one.said)}")
    return " ".join(_sentence(part) for part in said)


def listed(wall: Wall, number: int, now_s: float) -> str:
    """One line of `list`."""
    one = wall.call_at(number, now_s)
    if one is None:
        view = wall.seats[number]
        following = f" Next: {safe(view.next_call)}." if view.next_call else ""
        return f"Seat {number}, {safe(view.room)}: empty.{following}"
    left = duration((one.ends_at_ms - wall.link.server_ms(now_s)) / 1000)
    until = f", {left} left" if one.state in (CallState.LIVE, CallState.PAUSED, CallState.WAITING) else ""
    return f"S{seat(one)[1:]}: {STATES.get(one.state, str(one.state)).lower()}{until}."


def act(one: ActView, surname: str) -> str:
    """`Pause seat 7 Harris: confirmed by laptop after 0.2 seconds.`"""
    match one.stage:
        case Stage.PENDING:
            how = "pending"
        case Stage.ACCEPTED:
            how = "accepted, waiting for the laptop"
        case Stage.VOID:
            how = "void, not done; give it again"
        case _:
            how = f"{one.stage.value} {one.detail}".strip()
    how = heard(how).replace(" s", " seconds") if how.endswith(" s") else heard(how)
    return _sentence(f"{one.name} seat {one.seat} {surname.title()}: {how}".replace("  ", " "))


def panel(view: PanelView) -> list[str]:
    """What an act asks for before it is given."""
    letters = [f"{choice.key} {choice.words}" for choice in (*view.choices, *view.more_choices)]
    said = [_sentence(heard(view.title)), *map(heard, view.sentences)]
    return said + ([", ".join(letters) + "."] if letters else [])


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
