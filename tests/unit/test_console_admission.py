"""An admission: the check list, what is known of the people, the panels, and how it stands on a screen."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.painting import admission_view
from console.painting.detail import HALF_BLOCKS
from console.painting.halfblocks import PictureRow
from console.painting.tile import PictureView
from console.state import people
from console.state.admission import POINTS, RESTRICTIONS, Admission
from console.state.admission_layout import admission_parts
from console.state.admission_words import facts, frame, title, waiting
from console.state.admitting import AdmitPanel, CallerNoticePanel, DetailsPanel, RefusePanel
from console.state.attention import Severity, of_call, rank
from console.state.panels import CLOSED, Ordered
from console.state.safe_text import cell_width
from console.state.unseen import seen_words
from console.state.vigilance import Vigilance
from schemas.call import AuthorityView, CallerView, CallState, CallView, LegView, RestrictionView, Vetting
from schemas.console import Admit, Notice, Refuse
from schemas.media import Side

from .test_console_attention import a_wall
from .test_console_state import NOW_S, SERVER_MS, call

DAY = people.day_of(SERVER_MS)
CAROL = CallerView("Carol", "mother", "adult", "family-1", Vetting.APPROVED, "2026-05-03")
NOTE = RestrictionView("PREINF", "Previous information", "2020-01-01", "2099-08-02", "read me \x1b[2J")
OVER = RestrictionView("NONCON", "Non-contact", "2020-01-01", "2020-02-01")
AUTHORITY = AuthorityView("2026-014", "offence-related", "live watching", "2020-01-01", "2099-01-01")


def waits(*callers: CallerView, **changes: Any) -> CallView:
    return call(state=CallState.WAITING, callers=list(callers) or [CAROL], **changes)


def admission(*callers: CallerView, leg: str = "family-1", **changes: Any) -> Admission:
    return Admission(waits(*callers, **changes), leg, DAY)


def with_note(one: CallerView = CAROL) -> CallerView:
    return msgspec.structs.replace(one, restrictions=[NOTE, OVER])


# -- the check list


def test_what_is_known_ticks_itself_and_the_rest_is_the_officers() -> None:
    one = admission()
    assert one.ticked == {RESTRICTIONS} and one.unticked == [1, 2, 3, 4, 5, 6]
    assert one.tick(3) == "" and 3 in one.ticked
    assert one.tick(3) == "" and 3 not in one.ticked
    for _ in POINTS:
        one.tick_next()
    assert one.unticked == [] and one.checked == "ticked 1 2 3 4 5 6 7"
    assert one.words(3) == "The count is right: 1 booked at this device"


def test_a_restriction_or_an_authority_is_read_before_anybody_is_admitted() -> None:
    for one in (admission(with_note()), admission(authority=AUTHORITY)):
        assert one.to_read == 1 and RESTRICTIONS not in one.ticked
        assert "1 to read first (d)" in one.tick(RESTRICTIONS) and "1 to read first (d)" in one.why_not()
        panel = AdmitPanel(one, NOW_S)
        assert panel.press("A", NOW_S) is None and "Not sent: point 7" in panel.view().notice
        one.read()
        assert one.to_read == 0 and RESTRICTIONS in one.ticked and one.why_not() == ""


def test_what_is_not_in_force_need_not_be_read() -> None:
    lapsed = msgspec.structs.replace(AUTHORITY, review_on="2020-02-01")
    one = admission(msgspec.structs.replace(CAROL, restrictions=[OVER]), authority=lapsed)
    assert one.to_read == 0 and RESTRICTIONS in one.ticked
    words, matters = people.authority(one.call, DAY)
    assert "LAPSED on 1 Feb 2020, so it is none" in words and matters and not people.monitored(one.call, DAY)


def test_who_is_not_approved_is_not_admitted_and_who_is_not_told_is_said_so() -> None:
    stranger = msgspec.structs.replace(CAROL, vetting=Vetting.NOT_APPROVED)
    assert "Carol: × not an approved visitor" in admission(stranger).why_not()
    assert AdmitPanel(admission(stranger), NOW_S).press("A", NOW_S) is None
    nobody_said = admission(CallerView("Carol", "mother", "adult", "family-1"))
    assert nobody_said.why_not() == "" and RESTRICTIONS not in nobody_said.ticked


def test_ticks_are_for_who_was_looked_at() -> None:
    one = admission()
    one.tick(1)
    one.update(waits(version=9, warnings=1))
    assert 1 in one.ticked, "what is no news of these people takes nothing away"
    one.update(waits(legs=[LegView("room", True, True), LegView("family-1", False, False)]))
    assert one.unticked == list(POINTS)[:6] and one.why_not() == "this caller waits no longer"
    one.update(waits())
    assert 1 not in one.ticked, "who comes back is looked at again"
    one.tick(1)
    one.update(waits(with_note()))
    assert one.ticked == set(), "nor do ticks outlive what they rested on"
    one.gone()
    assert not one.waits


# -- the panels


def test_admitting_names_who_sees_whom_and_what_is_confirmed_by_it() -> None:
    one = admission()
    one.tick(1)
    panel = AdmitPanel(one, NOW_S)
    says = panel.view().sentences
    assert says[0] == "Carol (mother) at family-1 and Owen HARRIS A1234BC will then see and hear each other."
    assert says[1].startswith("You say by it that this is so as well: 2 Everyone in the picture")
    assert panel.press("a", NOW_S) is None and panel.press(" ", NOW_S) is None
    ordered = Ordered("admit", Admit("family-1"), "ticked 1 7, confirmed at once 2 3 4 5 6")
    assert panel.press("A", NOW_S) == ordered
    assert panel.press("enter", NOW_S) == panel.press("escape", NOW_S) == CLOSED


@pytest.mark.parametrize("kind", [AdmitPanel, RefusePanel])
def test_a_changed_call_holds_the_confirmation_for_a_second(kind: Any) -> None:
    one = admission()
    panel = kind(one, NOW_S)
    live = msgspec.structs.replace(waits(), state=CallState.LIVE)
    one.update(live)
    panel.update(live, NOW_S + 1)
    assert "has changed" in panel.view().notice
    key = "A" if kind is AdmitPanel else "i"
    assert panel.press(key, NOW_S + 1.5) is None
    assert isinstance(panel.press(key, NOW_S + 2.1), Ordered)


def test_a_change_that_does_not_matter_holds_nothing() -> None:
    panel = AdmitPanel(admission(), NOW_S)
    panel.update(waits(version=9, incidents=1), NOW_S + 1)
    assert panel.press("A", NOW_S + 1) is not None and panel.call.version == 9


@pytest.mark.parametrize(("kind", "key"), [(AdmitPanel, "A"), (RefusePanel, "i")])
def test_a_caller_who_has_left_is_neither_admitted_nor_refused(kind: Any, key: str) -> None:
    one = admission()
    panel = kind(one, NOW_S)
    one.update(waits(legs=[LegView("room", True, True)]))
    panel.update(one.call, NOW_S)
    assert panel.press(key, NOW_S + 5) is None
    assert "waits no longer" in panel.view().notice


def test_refusing_takes_a_letter_and_a_notice_goes_to_the_family_alone() -> None:
    panel = RefusePanel(admission(), NOW_S)
    assert panel.press("A", NOW_S) is None and "One of the letters" in panel.view().notice
    assert panel.press("n", NOW_S) == Ordered("refuse", Refuse("family-1"), "not on the booking")
    answer = CallerNoticePanel(waits(), NOW_S).press("1", NOW_S)
    assert isinstance(answer, Ordered) and answer.act == Notice(Side.FAMILY, "Please hold up your ID.")


def test_the_details_have_every_word_that_is_known_and_none_of_it_can_leave_its_place() -> None:
    panel = DetailsPanel(waits(with_note(), authority=AUTHORITY), NOW_S, DAY)
    said = "\n".join(panel.view().sentences)
    assert "1 Carol · mother · adult · ✓ vetted 3 May 2026" in said
    assert "PREINF Previous information until 2 Aug 2099, from 1 Jan 2020: read me" in said
    assert "NONCON Non-contact until 1 Feb 2020, from 1 Jan 2020, NOT in force today" in said
    assert "MONITORED: 2026-014, offence-related, review by 1 Jan 2099: live watching" in said
    assert "\x1b" not in said
    assert panel.press("d", NOW_S) == panel.press("q", NOW_S) == CLOSED and panel.press("A", NOW_S) is None


# -- who is under an authority is looked at sooner


def test_a_monitored_call_ranks_before_others_and_alarms_sooner() -> None:
    watched = call(1, authority=AUTHORITY, admitted_at_ms=SERVER_MS - 61_000)
    plain = call(2, admitted_at_ms=SERVER_MS - 301_000)
    wall = a_wall(watched, plain)
    first, second = (of_call(wall, one, NOW_S)[0] for one in (watched, plain))
    assert first.severity == second.severity == Severity.LOOK and rank(first) < rank(second)
    assert "it is to be monitored" in first.words and "monitored" not in second.words
    assert seen_words(wall, watched, NOW_S) == "UNSEEN 1:01"
    assert of_call(wall, watched, NOW_S + 120)[0].severity is Severity.ALERT


# -- the screen


@given(st.integers(1, 300), st.integers(1, 100))
def test_nothing_stands_on_another_and_all_is_on_the_screen(columns: int, rows: int) -> None:
    parts = admission_parts(columns, rows)
    if parts.too_small:
        assert columns < 60 or rows < 20
        return
    frame_of = parts.picture
    areas = [(frame_of.x - 1, frame_of.y - 1, frame_of.width + 2, frame_of.height + 2)]
    areas += [(a.x, a.y, a.width, a.height) for a in (parts.facts, parts.checks, parts.waiting)]
    taken: set[tuple[int, int]] = {(x, y) for x in range(columns) for y in (0, 1, rows - 2, rows - 1)}
    for x, y, width, height in areas:
        cells = {(x + i, y + j) for i in range(width) for j in range(height)}
        assert all(0 <= a < columns and 0 <= b < rows for a, b in cells) and not cells & taken
        taken |= cells
    down = -(-len(POINTS) // parts.checks_across)
    assert parts.checks.height > down and parts.picture.width > 0 and parts.picture.height > 0


@pytest.mark.parametrize(
    ("columns", "rows", "picture"), [(200, 60, (128, 36)), (120, 40, (68, 19)), (80, 24, (48, 13))]
)
def test_the_picture_is_as_large_as_a_face_needs(columns: int, rows: int, picture: tuple[int, int]) -> None:
    area = admission_parts(columns, rows).picture
    assert (area.width, area.height) == picture and HALF_BLOCKS.shows_a_face(area)


@pytest.mark.parametrize(("columns", "rows"), [(200, 60), (120, 40), (80, 24), (60, 20)])
def test_every_row_is_exactly_as_wide_as_its_place(columns: int, rows: int) -> None:
    wide = CallerView("L" * 90, "中" * 90, "adult", "family-1", Vetting.APPROVED, "no date", [NOTE, OVER])
    one = admission(wide, surname="中文" * 40, authority=AUTHORITY)
    wall = a_wall(one.call)
    parts = admission_parts(columns, rows)
    view = PictureView(instead="FAMILY away")
    for row in admission_view.header(wall, one, (Vigilance.QUIET, 0.0), NOW_S, columns):
        assert width_of(row) == columns
    made = admission_view.picture_rows(parts, one, view, "3 s old", HALF_BLOCKS)
    assert set(made) == set(range(parts.picture.y - 1, parts.picture.y + parts.picture.height + 1))
    assert {width_of(row) for row in made.values()} == {parts.picture.width + 2}
    for area, rows_of in (
        (parts.facts, admission_view.facts_rows(parts, facts(wall, one, NOW_S))),
        (parts.checks, admission_view.check_rows(parts, one)),
        (parts.waiting, admission_view.waiting_rows(parts, wall, one, NOW_S)),
    ):
        assert {width_of(row) for row in rows_of.values()} == ({area.width} if area.width else set())
        assert set(rows_of) == (set(range(area.y, area.y + area.height)) if area.width else set())


def width_of(row: Any) -> int:
    return sum(part.width if isinstance(part, PictureRow) else cell_width(part[0]) for part in row)


def test_who_waits_is_listed_by_the_booked_time_and_the_devices_of_a_picture_are_named() -> None:
    legs = [LegView("room", True, True), LegView("family-1", True, True), LegView("family-2", True, False)]
    later = call(1, state=CallState.LIVE, legs=legs, starts_at_ms=SERVER_MS)
    earlier = waits(seat=2, call_id="call-2", starts_at_ms=SERVER_MS - 1000)
    wall = a_wall(later, earlier)
    assert [(c.call_id, leg) for c, leg in waiting(wall)] == [("call-2", "family-1"), ("call-1", "family-2")]
    one = Admission(later, "family-2", DAY)
    assert frame(one) == "FAMILY · 2 devices in one picture, device 2 is number 2"
    assert title(wall, one, NOW_S + 100).endswith("device 2 · waited 1:40")
    said = [words for words, _ in facts(wall, one, NOW_S)]
    assert "Monitoring: no authority in force for A1234BC" in said
