"""A deployment by the clock: what `--at` means, when a step may start, how late it is."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.errors import WrongUsage
from releases.plan.clock import begins_at, late_words, lateness, parse_at, starts_at
from tests.releases.plan.test_make import FULL, plan_of, step_named

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ZERO = datetime(2026, 11, 21, 18, 0, tzinfo=BERLIN)


def asked(text: str, *, now: datetime = NOW) -> str:
    return parse_at(text, now=now, zone=BERLIN).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18:00", "2026-11-21T18:00:00+01:00"),
        ("13:00", "2026-11-21T13:00:00+01:00"),  # it is 13:00 there
        ("12:59", "2026-11-22T12:59:00+01:00"),
        ("9:30", "2026-11-22T09:30:00+01:00"),
        ("18:00 Europe/Berlin", "2026-11-21T18:00:00+01:00"),
        ("18:00 America/New_York", "2026-11-21T18:00:00-05:00"),
        ("06:59 America/New_York", "2026-11-22T06:59:00-05:00"),
        ("18:00Z", "2026-11-21T18:00:00+00:00"),
        ("18:00+05:30", "2026-11-21T18:00:00+05:30"),
        ("2026-11-21T18:00+01:00", "2026-11-21T18:00:00+01:00"),
        ("2026-11-21 18:00:30", "2026-11-21T18:00:30+01:00"),
        ("2026-11-23T09:00 Asia/Tokyo", "2026-11-23T09:00:00+09:00"),
        (" 2027-06-01T09:00 ", "2027-06-01T09:00:00+02:00"),
    ],
)
def test_a_moment_is_named_with_its_zone_or_by_the_one_of_the_settings(text, expected):
    assert asked(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "--at is ''; write 18:00"),
        ("tomorrow", "--at is 'tomorrow'; write 18:00"),
        ("25:00", "--at is '25:00'"),
        ("18:00 Berlin", "'Berlin' is no time zone"),
        ("18:00+99:99", "--at is '18:00+99:99'"),
        ("2026-11-31T18:00", "--at is '2026-11-31T18:00': "),
        ("2026-11-21T12:59", "that is over: it is 2026-11-21 13:00 CET"),
        ("2026-11-21T11:00Z", "that is over: it is 2026-11-21 12:00 UTC"),
        ("2126-11-21T18:00", "more than a year away"),
        ("9999-12-31T23:59", "more than a year away"),
        ("2027-03-28T02:30", "on 2027-03-28 the clocks of Europe/Berlin jump over 02:30"),
    ],
)
def test_a_moment_that_cannot_be_is_told_in_a_sentence(text, said):
    with pytest.raises(WrongUsage) as wrong:
        asked(text)
    assert said in str(wrong.value)


def test_a_time_alone_that_the_next_day_jumps_over_is_told():
    with pytest.raises(WrongUsage, match="jump over 02:30"):
        asked("02:30", now=datetime(2027, 3, 27, 12, 0, tzinfo=UTC))


def test_an_hour_that_comes_twice_is_meant_the_first_time():
    assert asked("2026-10-25T02:30", now=datetime(2026, 10, 20, tzinfo=UTC)) == "2026-10-25T02:30:00+02:00"


@given(st.text(max_size=30))
def test_no_text_is_too_strange_for_a_sentence(text):
    with suppress(WrongUsage):
        assert parse_at(text, now=NOW, zone=BERLIN) >= NOW


@pytest.mark.parametrize("text", ["13:00", "2026-11-21T13:00"])
def test_the_minute_that_it_is_means_now(text):
    assert asked(text, now=NOW + timedelta(seconds=20)) == "2026-11-21T13:00:00+01:00"


# --- steps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Pre-flight", "17:50"),  # with the first step that has a time
        ("Maintenance on", "17:50"),
        ("Migrate", "17:55"),
        ("Maintenance off", "18:00"),
        ("Smoke", "18:15"),
        ("Look again", "20:00"),
    ],
)
def test_a_step_starts_no_earlier_than_its_offset_from_zero(title, expected):
    plan = plan_of(FULL)
    assert f"{starts_at(plan, step_named(plan, title), ZERO):%H:%M}" == expected


@pytest.mark.parametrize("title", ["Pre-deployment", "Success criteria"])
def test_boxes_of_people_have_no_start(title):
    plan = plan_of(FULL)
    assert starts_at(plan, step_named(plan, title), ZERO) is None
    assert lateness(plan, step_named(plan, title), ZERO, at=ZERO + timedelta(days=1)) == timedelta()


def test_a_step_without_an_offset_has_the_one_of_the_step_before_it():
    plan = plan_of(FULL.replace("### 3. Migrate (T-5 minutes)", "### 3. Migrate"))
    assert starts_at(plan, step_named(plan, "Migrate"), ZERO) == ZERO - timedelta(minutes=8)


def test_without_offsets_zero_is_the_beginning():
    text = FULL.replace(" (T-10 minutes)", "").replace(" (T-8 minutes)", "").replace(" (T-5 minutes)", "")
    plan = plan_of(text.replace(" (T-0)", ""))
    assert starts_at(plan, plan.steps[0], ZERO) == starts_at(plan, step_named(plan, "Code"), ZERO) == ZERO


def test_the_whole_begins_with_the_first_step_that_does_something():
    boxes = FULL.replace("## Pre-deployment checklist", "## Pre-deployment checklist (T-24 hours)")
    assert begins_at(plan_of(boxes), ZERO) == ZERO - timedelta(minutes=10)


def test_a_demo_clock_runs_faster():
    plan = plan_of(FULL, time_scale=240)
    assert starts_at(plan, step_named(plan, "Look again"), ZERO) == ZERO + timedelta(seconds=30)


def test_lateness_is_what_the_clock_says_and_never_negative():
    plan = plan_of(FULL)
    code = step_named(plan, "Code")
    assert lateness(plan, code, ZERO, at=ZERO) == timedelta(minutes=8)
    assert lateness(plan, code, ZERO, at=ZERO - timedelta(hours=1)) == timedelta()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, ""),
        (59, ""),
        (60, "1 min late"),
        (3600, "1 h late"),
        (3960, "1 h 6 min late"),
        (90000, "25 h late"),
    ],
)
def test_lateness_is_told_in_minutes(seconds, words):
    assert late_words(timedelta(seconds=seconds)) == words
