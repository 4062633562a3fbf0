"""Which panel an act opens; None for the acts that need none."""

from schemas.call import CallView

from .admission import Admission
from .admitting import AdmitPanel, CallerNoticePanel, DetailsPanel, RefusePanel
from .duty import HelpPanel, YieldPanel
from .one_side import OneSidePanel
from .panels import EndPanel, FlagPanel, MoreTimePanel, Panel
from .pausing import ResumePanel
from .people import day_of
from .speaking import NoticePanel, WarnPanel
from .wall import Wall


def open_panel(
    action: str, wall: Wall, call: CallView, now_s: float, admission: Admission | None = None
) -> Panel | None:
    """`action`: an action's id. The panel names `call` and acts on no other. `admission`: the one on the screen."""
    server_ms = wall.link.server_ms(now_s)
    match action:
        case "admit-named" if admission is not None:
            return AdmitPanel(admission, now_s)
        case "refuse" if admission is not None:
            return RefusePanel(admission, now_s)
        case "notice" if admission is not None:
            return CallerNoticePanel(call, now_s)
        case "details":
            return DetailsPanel(call, now_s, day_of(server_ms))
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
