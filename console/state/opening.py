"""Which panel an act opens; None for the acts that need none."""

from schemas.call import CallView

from .admitting import AdmitPanel
from .duty import HelpPanel, YieldPanel
from .one_side import OneSidePanel
from .panels import EndPanel, FlagPanel, MoreTimePanel, Panel
from .pausing import ResumePanel
from .speaking import NoticePanel, WarnPanel
from .wall import Wall, waiting_legs


def open_panel(action: str, wall: Wall, call: CallView, now_s: float) -> Panel | None:
    """`action`: an action's id. The panel names `call` and acts on no other."""
    server_ms = wall.link.server_ms(now_s)
    match action:
        case "admit":
            return AdmitPanel(call, waiting_legs(call)[0].leg, now_s)
        case "extend":
            return MoreTimePanel(call, now_s)
        case "end":
            return EndPanel(call, now_s, server_ms)
        case "resume":
            return ResumePanel(call, now_s)
        case "flag":
            return FlagPanel(call, now_s, server_ms)
        case "notice":
            return NoticePanel(call, now_s)
        case "warn":
            return WarnPanel(call, now_s)
        case "one-side":
            return OneSidePanel(call, now_s)
        case "urgent-help":
            return HelpPanel(call, now_s)
        case "yield":
            return YieldPanel(call, now_s, wall.watchers or [], wall.my_name)
        case _:
            return None
