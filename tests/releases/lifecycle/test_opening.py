"""The hours in which an environment may be deployed to."""

from datetime import UTC, datetime

from releases.errors import Held
from releases.lifecycle.opening import obstacle
from tests.factories import make_environment

SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_outside_its_hours_an_environment_says_when_it_opens(db):
    place = make_environment(window="Mon-Thu 09:00-17:00 Europe/Berlin")
    found = obstacle(place, SATURDAY)
    assert isinstance(found, Held)
    assert str(found) == (
        f"{place} is open for deployments Mon-Thu 09:00-17:00 Europe/Berlin, and not at Sat 21 Nov 13:00 CET; "
        "it opens Mon 23 Nov 2026 09:00 CET: start it then"
    )


def test_within_its_hours_and_without_any_nothing_is_said(db):
    assert obstacle(make_environment(window="Sat 13:00-14:00 Europe/Berlin"), SATURDAY) is None
    assert obstacle(make_environment(), SATURDAY) is None
