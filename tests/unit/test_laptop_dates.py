"""When what is recorded was really there: the server's clock on the laptop, the dates of a stream, and gaps."""

from hypothesis import given
from hypothesis import strategies as st

from laptop.rules.dates import LOGGED_MS, Dates, StreamDates, gaps
from laptop.rules.server_clock import ServerClock
from schemas.media import Side

BEGAN = 1_800_000_000_000


def test_the_quickest_answer_says_what_time_it_is() -> None:
    clock = ServerClock()
    assert clock.utc_ms(10.0) == 0
    clock.heard(100.0, 100.4, BEGAN + 300)  # a slow way back: 100 ms too late
    clock.heard(101.0, 101.02, BEGAN + 1010)
    clock.heard(102.0, 102.9, BEGAN + 2000)
    assert clock.utc_ms(101.01) == BEGAN + 1010
    assert clock.utc_ms(161.01) == BEGAN + 61_010


def test_an_answer_without_a_time_or_from_before_it_was_asked_changes_nothing() -> None:
    clock = ServerClock()
    clock.heard(100.0, 100.1, 0)
    clock.heard(100.0, 99.0, BEGAN)
    assert clock.utc_ms(100.0) == 0


def dated(seconds: int) -> Dates:
    """As a recording has them; the family's sender runs 1 % slow, and its clock jumps by 0.8 s at 10 s."""
    family, room = StreamDates(), StreamDates()
    dates = Dates({("family-1/0", "video"): family, ("room/1", "video"): room})
    for n in range(1, seconds + 1):
        utc = BEGAN + n * 1000
        dates.running.append(utc)
        family.add(round(n * 990) + (800 if n >= 10 else 0), utc - 20)
        room.add(n * 1000, utc)
    return dates


def test_a_stream_s_own_time_becomes_the_server_s_although_its_clock_drifts_and_jumps() -> None:
    dates = dated(20)
    family, room = dates.of("family-1/0", "video"), dates.of("room/1", "video")
    assert family is not None and room is not None and dates.of("room/1", "audio") is None
    assert room.utc_ms(4321) == BEGAN + 4321 and room.utc_ms(0) == BEGAN and room.utc_ms(25_000) == BEGAN + 25_000
    for n in (1, 5, 9, 10, 11, 19):
        assert family.utc_ms(n * 990 + (800 if n >= 10 else 0)) == BEGAN + n * 1000 - 20
    assert dates.span(Side.ROOM) == (BEGAN + 1000, BEGAN + 20_000)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=30), st.integers(0, 10**6))
def test_dates_only_grow_whatever_the_recording_says(points: list[tuple[int, int]], at: int) -> None:
    dates = StreamDates()
    for stream_ms, utc in points:
        dates.add(stream_ms, utc)
    if dates.utc:
        assert dates.utc_ms(at) <= dates.utc_ms(at + 1)
    assert 0 not in dates.utc


def test_a_gap_says_why_as_far_as_the_recording_knows() -> None:
    dates = dated(20)
    dates.streams[("room/1", "video")] = StreamDates([1000, 20_000], [BEGAN + 1000, BEGAN + 20_000])
    dates.running = [utc for utc in dates.running if not BEGAN + 12_000 < utc < BEGAN + 18_000]

    def why(first: int, last: int) -> str:
        return gaps(Side.ROOM, [first, last], BEGAN, dates)[0].words

    assert why(-500, -250) == "before the recording began"
    assert why(3000, 3250) == "recorded, but no picture came from this side"
    assert why(14_000, 14_250) == "the laptop did not record here"
    assert why(21_000, 21_250) == "after the recording ended"
    assert gaps(Side.FAMILY, [0], BEGAN, Dates())[0].words == "nothing of this side is recorded"


def test_what_follows_on_is_one_gap() -> None:
    dates = dated(20)
    found = gaps(Side.ROOM, [3000, 3250, 3500, 5000], BEGAN, dates)
    assert [(gap.from_ms, gap.to_ms) for gap in found] == [(3000, 3500), (5000, 5000)]
    assert gaps(Side.ROOM, [], BEGAN, dates) == []


def test_the_agent_did_not_record_where_it_made_no_record_for_long() -> None:
    dates = Dates(running=[BEGAN, BEGAN + 1000, BEGAN + 2000, BEGAN + 2000 + LOGGED_MS + 1])
    assert dates.ran(BEGAN, BEGAN + 2000)
    assert not dates.ran(BEGAN, BEGAN + 6000)
    assert not Dates().ran(BEGAN, BEGAN + 1)
