"""What is expected of a step is what it took before: there, by its key or its command, when it went well."""

from datetime import timedelta

import pytest

from releases.lifecycle.history import expected
from releases.plan.model import PlannedAction
from releases.statuses import Outcome
from tests.factories import NOON, make_attempt, make_deployment, make_environment

pytestmark = pytest.mark.django_db
SMOKE = PlannedAction(key="smoke", kind="shell", title="bin/smoke", text="bin/smoke $BASE_URL")


@pytest.fixture
def place():
    return make_environment()


def ran(place, *seconds: float, status: str = "succeeded", **overrides) -> None:
    """A run a number, whose smoke test took so many seconds; the oldest first."""
    for each in seconds:
        deployment = make_deployment(environment=place, status=status)
        given = {"action": "smoke", "command": SMOKE.text, "closed_at": NOON + timedelta(seconds=each)}
        make_attempt(deployment=deployment, **given | overrides)


def seconds(place, *actions: PlannedAction) -> list[float | None]:
    found = expected(place, actions or (SMOKE,))
    return [found.seconds.get(action.key) for action in actions or (SMOKE,)]


def test_the_median_of_what_it_took_is_expected(place):
    ran(place, 4, 90, 5)
    assert seconds(place) == [5]


def test_only_the_last_ten_times_count(place):
    ran(place, *[100] * 15, *[3] * 10)
    assert seconds(place) == [3]


def test_what_never_ran_is_not_there(place):
    found = expected(place, [SMOKE])
    assert (dict(found.seconds), found.whole, found.runs) == ({}, None, 0)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SKIPPED, Outcome.OPEN])
def test_what_went_wrong_or_was_skipped_says_nothing(place, outcome):
    ran(place, 7, outcome=outcome, reason="because")
    assert seconds(place) == [None]


def test_another_environment_says_nothing(place):
    ran(make_environment(), 7)
    assert seconds(place) == [None]


def test_a_step_whose_heading_was_changed_is_known_by_its_command(place):
    ran(place, 7, action="under-another-heading")
    other = PlannedAction(key="x", kind="shell", title="other", text="bin/other")
    asks = PlannedAction(key="y", kind="http", title="asks", text=SMOKE.text)
    assert seconds(place, SMOKE, other, asks) == [7, None, None]


def test_its_own_key_counts_more_than_its_command(place):
    ran(place, 7)
    ran(place, 50, action="under-another-heading")
    assert seconds(place) == [7]


def test_two_actions_without_a_command_are_no_neighbours(place):
    ran(place, 7, action="copy-under-fence", kind="backup", command="")
    other = PlannedAction(key="another-copy", kind="backup", title="Copy")
    assert seconds(place, other) == [None]


def test_a_command_with_a_secret_is_known_by_what_was_kept_of_it(place):
    ran(place, 7, action="before", command="curl -H ••••••")
    asks = PlannedAction(key="now", kind="shell", title="curl", text="curl -H s3cret-token")
    assert dict(expected(place, [asks], hidden=["s3cret-token"]).seconds) == {"now": 7}


def test_the_whole_run_is_expected_to_take_what_it_took_until_users_met_it(place):
    ran(place, 1, 2, 3)
    make_attempt(deployment=make_deployment(environment=place, status="failed"), action="smoke")
    found = expected(place, [SMOKE])
    assert (found.whole, found.runs) == (60.0, 3)


def test_one_question_is_asked(place, django_assert_num_queries):
    ran(place, 1, 2)
    with django_assert_num_queries(1):
        expected(place, [SMOKE])
