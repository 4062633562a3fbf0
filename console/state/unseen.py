"""Who looks at a call, and for how long nobody has. What counts as a look, the server says."""

from schemas.attention import WatcherView
from schemas.call import CallState, CallView

from .ages import since
from .people import day_of, monitored
from .safe_text import safe
from .wall import Wall

LOOK_S, ALERT_S = 300.0, 600.0
MONITORED_LOOK_S, MONITORED_ALERT_S = 60.0, 180.0
"""Of a call under an authority to monitor."""


def limits_s(wall: Wall, call: CallView, now_s: float) -> tuple[float, float]:
    """From when on it is worth a look that nobody looks, and from when on an alert."""
    if monitored(call, day_of(wall.link.server_ms(now_s))):
        return MONITORED_LOOK_S, MONITORED_ALERT_S
    return LOOK_S, ALERT_S


def lookers(wall: Wall, call: CallView) -> list[str]:
    """Who looks now, oneself first as `you`."""
    mine = wall.welcome.session_id if wall.welcome else ""
    names = {"you" if w.session == mine else safe(w.name) for w in _looking(wall, call)}
    return sorted(names, key=lambda name: (name != "you", name))


def _looking(wall: Wall, call: CallView) -> list[WatcherView]:
    return [w for w in wall.watchers or () if w.looking and w.call_id == call.call_id]


def unseen_s(wall: Wall, call: CallView, now_s: float) -> float | None:
    """Seconds since the last look ended, or since the admission; 0 while somebody looks. None: it does not count, or
    nobody knows (an older server)."""
    if wall.watchers is None or call.state not in (CallState.LIVE, CallState.PAUSED):
        return None
    if lookers(wall, call):
        return 0.0
    return max(0.0, (wall.link.server_ms(now_s) - unseen_since_ms(call)) / 1000)


def unseen_since_ms(call: CallView) -> int:
    return max(call.looked_at_ms, call.admitted_at_ms, call.starts_at_ms if not call.admitted_at_ms else 0)


def seen_words(wall: Wall, call: CallView, now_s: float) -> str:
    """`Seen now · you`, `Seen 0:40 ago`, `UNSEEN 6:06`; empty when it does not count."""
    unseen = unseen_s(wall, call, now_s)
    if unseen is None:
        return ""
    if not unseen and (now := lookers(wall, call)):
        return f"Seen now · {', '.join(now)}"
    if unseen >= limits_s(wall, call, now_s)[0]:
        return f"UNSEEN {since(unseen)}"
    return f"Seen {since(unseen)} ago" if call.looked_at_ms else f"Not seen yet, {since(unseen)}"


def seen_short(wall: Wall, call: CallView, now_s: float) -> str:
    """`now you`, `0:40`, `!6:06`: in a table's column."""
    unseen = unseen_s(wall, call, now_s)
    if unseen is None:
        return ""
    if not unseen and (now := lookers(wall, call)):
        return f"now {now[0]}"
    return f"{'!' if unseen >= limits_s(wall, call, now_s)[0] else ''}{since(unseen)}"


def walls(wall: Wall) -> str:
    count = len(wall.watchers or ())
    return f"{count} wall{'s' if count != 1 else ''}"


def longest_unseen(wall: Wall, now_s: float) -> int | None:
    """The seat of the call that nobody has looked at for the longest time; None when all are looked at."""
    found = [(unseen_s(wall, call, now_s) or 0.0, -call.seat) for call in wall.calls.values()]
    longest = max(found, default=(0.0, 0))
    return -longest[1] if longest[0] > 0 else None
