"""The hours in which deployments are allowed: read from a line, asked at any moment, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checks.windows import DAYS, WindowError, is_jumped_over, moment, parse

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = "Mon-Thu 09:00-17:00 Europe/Berlin; Fri 09:00-12:00 Europe/Berlin"


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        (WEEK, "2026-11-16T09:00", True),  # a Monday
        (WEEK, "2026-11-16T08:59", False),
        (WEEK, "2026-11-19T16:59", True),
        (WEEK, "2026-11-19T17:00", False),
        (WEEK, "2026-11-20T11:00", True),
        (WEEK, "2026-11-20T12:00", False),
        (WEEK, "2026-11-21T10:00", False),
        ("daily 22:00-04:00 Europe/Berlin", "2026-11-21T23:00", True),
        ("daily 22:00-04:00 Europe/Berlin", "2026-11-21T03:59", True),
        ("daily 22:00-04:00 Europe/Berlin", "2026-11-21T04:00", False),
        ("Fri 22:00-04:00 Europe/Berlin", "2026-11-21T03:00", True),
        ("Fri 22:00-04:00 Europe/Berlin", "2026-11-20T03:00", False),
        ("Fri-Mon 00:00-24:00 Europe/Berlin", "2026-11-22T12:00", True),
        ("Fri-Mon 00:00-24:00 Europe/Berlin", "2026-11-23T23:59", True),
        ("Fri-Mon 00:00-24:00 Europe/Berlin", "2026-11-24T00:00", False),
        ("mon,wednesday 9:00 – 10:00 Europe/Berlin", "2026-11-18T09:30", True),
        ("mon,wednesday 9:00 – 10:00 Europe/Berlin", "2026-11-17T09:30", False),
        ("every day 08:00-09:00 UTC", "2026-11-21T09:30", True),
    ],
)
def test_a_moment_is_within_the_window_or_not(window, moment, is_open):
    assert parse(window).allows(at(moment)) is is_open


@pytest.mark.parametrize(
    ("window", "asked", "opens"),
    [
        (WEEK, "2026-11-20T12:00", "2026-11-23T09:00"),
        (WEEK, "2026-11-16T10:00", "2026-11-16T10:00"),
        ("Sat 10:00-11:00 Europe/Berlin", "2026-11-21T11:00", "2026-11-28T10:00"),
        (
            "Fri 09:00-10:00 Europe/Berlin; Sat 20:00-21:00 Europe/Berlin",
            "2026-11-21T11:00",
            "2026-11-21T20:00",
        ),
    ],
)
def test_it_is_told_when_the_window_opens_next(window, asked, opens):
    assert parse(window).next(at(asked)) == at(opens)


def test_when_it_opens_is_told_on_the_clock_of_the_window():
    opens = parse("daily 09:00-10:00 Asia/Tokyo").next(datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert (opens.isoformat(), str(opens.tzinfo)) == ("2026-11-22T09:00:00+09:00", "Asia/Tokyo")


# In 2026 Berlin's clocks jump from 02:00 to 03:00 on 29 March, and show 02:00 to 03:00 twice on 25 October.


def test_a_window_whose_beginning_is_jumped_over_opens_with_the_jump():
    opens = parse("Sun 02:30-04:00 Europe/Berlin").next(at("2026-03-29T01:00"))
    assert opens == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_window_that_is_jumped_over_opens_a_week_later():
    assert parse("Sun 02:10-02:50 Europe/Berlin").next(at("2026-03-28T12:00")) == at("2026-04-05T02:10")


def test_an_hour_that_comes_twice_counts_the_first_time():
    window = parse("Sun 02:15-02:45 Europe/Berlin")
    first = at("2026-10-25T02:30")
    assert (window.allows(first), window.allows(first.replace(fold=1))) == (True, False)


def test_a_window_around_both_hours_stays_open():
    window = parse("Sun 01:00-04:00 Europe/Berlin")
    assert window.allows(at("2026-10-25T02:30").replace(fold=1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the window is empty"),
        (" ; ", "the window is empty"),
        ("Mon-Thu", "'Mon-Thu' names no days with their hours"),
        ("09:00-17:00 UTC", "'09:00-17:00 UTC' names no days with their hours"),
        ("Mon 09:00-17:00", "'Mon 09:00-17:00' names no time zone"),
        ("Mon 09:00-17:00 UTC; Moon 09:00-10:00 UTC", "'Moon' in 'Moon 09:00-10:00 UTC' is no day"),
        ("Mon- 09:00-17:00 UTC", "'' in 'Mon- 09:00-17:00 UTC' is no day"),
        ("M 09:00-17:00 UTC", "'M' in 'M 09:00-17:00 UTC' is no day"),
        ("Mon 25:00-26:00 UTC", "'25:00' in 'Mon 25:00-26:00 UTC' is no time of day"),
        ("Mon 24:00-10:00 UTC", "'24:00' in 'Mon 24:00-10:00 UTC' is no time of day"),
        ("Mon 09:00-17:60 UTC", "'17:60'"),
        ("Mon 09:00-09:00 UTC", "ends when it begins; a whole day is 00:00-24:00"),
        ("Mon 09:00-17:00 Berlin", "'Berlin' is no time zone"),
        ("Mon 09:00-17:00 ../../etc/passwd", "is no time zone"),
    ],
)
def test_what_cannot_be_read_is_named(text, said):
    with pytest.raises(WindowError) as wrong:
        parse(text)
    assert said in str(wrong.value)


# --- for every window and every moment -----------------------------------------------------------------

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
CLOCKS = st.times(max_value=time(23, 59)).map(lambda each: each.replace(second=0, microsecond=0))
# Days around changes of the clocks as often as any other.
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1), date(2011, 12, 30)]
DATES = st.one_of(
    st.dates(date(2011, 1, 1), date(2027, 12, 31)),
    st.tuples(st.sampled_from(CHANGES), st.integers(-2, 2)).map(
        lambda each: each[0] + timedelta(days=each[1])
    ),
)
MOMENTS = st.builds(datetime.combine, DATES, CLOCKS, st.just(UTC))


@st.composite
def parts(draw) -> str:
    days = draw(st.one_of(st.just("daily"), st.lists(st.sampled_from(DAYS), min_size=1).map(",".join)))
    begins, ends = draw(CLOCKS), draw(CLOCKS.map(lambda each: f"{each:%H:%M}") | st.just("24:00"))
    if f"{begins:%H:%M}" == ends:
        ends = "24:00"
    return f"{days} {begins:%H:%M}-{ends} {draw(st.sampled_from(ZONES))}"


WINDOWS = st.lists(parts(), min_size=1, max_size=3).map("; ".join)


@given(WINDOWS, MOMENTS)
def test_a_window_opens_at_its_next_moment_and_not_before(text, asked):
    window = parse(text)
    opens = window.next(asked)
    assert window.allows(opens)
    assert (opens == asked) is window.allows(asked)
    if opens > asked:
        assert not window.allows(opens - timedelta(seconds=1))


@given(WINDOWS, MOMENTS, st.floats(0, 1, exclude_max=True))
def test_nothing_is_open_until_then(text, asked, share):
    window = parse(text)
    between = asked + (window.next(asked) - asked) * share
    assert window.allows(between) is window.allows(asked)


@given(parts(), MOMENTS)
def test_while_the_clocks_stay_the_window_is_what_they_show(text, asked):
    """An oracle of its own: days and hours compared on the wall, no moment computed."""
    days, hours, name = text.split(" ")
    here = asked.astimezone(ZoneInfo(name))
    offsets = {(here + timedelta(days=n)).utcoffset() for n in range(-3, 4)}
    assume(len(offsets) == 1)
    begins, ends = hours.split("-")
    wall, named = f"{here:%H:%M}", set(range(7)) if days == "daily" else set(map(DAYS.index, days.split(",")))
    today, yesterday = here.weekday() in named, (here.weekday() - 1) % 7 in named
    if begins < ends:
        expected = today and begins <= wall < ends
    else:
        expected = (today and begins <= wall) or (yesterday and wall < ends)
    assert parse(text).allows(asked) is expected


@given(DATES, CLOCKS, st.sampled_from(ZONES))
def test_a_time_of_day_is_the_first_moment_at_which_the_clocks_show_it_or_a_later_one(day, clock, name):
    zone = ZoneInfo(name)
    wall = datetime.combine(day, clock)
    found = moment(day, clock, zone)
    shown, before = (
        each.astimezone(zone).replace(tzinfo=None) for each in (found, found - timedelta(seconds=1))
    )
    assert before < wall <= shown.replace(fold=0)
    assert is_jumped_over(day, clock, zone) is (wall != shown)
