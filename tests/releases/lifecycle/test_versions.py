"""Which changes around a plan make another plan of it, and which do not."""

import pytest
from django.utils import timezone

from releases.lifecycle.versions import versions_of
from tests.factories import (
    make_attempt,
    make_database,
    make_deployment,
    make_environment,
    make_feature,
    make_host,
    make_probe,
    make_variable,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    environment = make_environment(window="daily 00:00-24:00 UTC")
    make_variable(environment=environment, name="COLOUR", value="blue")
    make_variable(environment=environment, name="TOKEN", value="s3cret-token", is_secret=True)
    make_host(environment=environment, name="web1")
    make_database(environment=environment)
    make_probe(environment=environment, name="front")
    make_feature(environment=environment, key="cart")
    return environment


def set_variable(place, name: str, value: str) -> None:
    row = place.variables.get(name=name)
    row.value = value
    row.save()


CHANGES = {
    "COLOUR": lambda place: set_variable(place, "COLOUR", "green"),
    "TOKEN": lambda place: set_variable(place, "TOKEN", "an0ther-token"),
    "host web1": lambda place: place.hosts.update(address="deploy@elsewhere"),
    "database default": lambda place: place.databases.update(url="sqlite:////elsewhere"),
    "probe front": lambda place: place.probes.update(conditions=["[STATUS] == 201"]),
    "feature cart": lambda place: place.features.update(is_on=False),
    "the folder": lambda place: type(place).objects.filter(pk=place.pk).update(folder="/elsewhere"),
    "the address": lambda place: type(place).objects.filter(pk=place.pk).update(base_url="http://else.where"),
    "the service": lambda place: type(place.service).objects.update(commands={"stop": "bin/stop"}),
}


def again(place):
    return type(place).objects.select_related("service").get(pk=place.pk)


@pytest.mark.parametrize("name", CHANGES)
def test_a_version_tells_that_what_a_plan_relies_on_changed(place, name):
    before = versions_of(again(place))
    CHANGES[name](place)
    after = versions_of(again(place))
    assert {key for key in before if before[key] != after[key]} == {name}


def test_there_is_a_version_of_each(place):
    assert set(versions_of(place)) == set(CHANGES)


def test_estimates_times_and_observations_change_nothing(place):
    before = versions_of(place)
    make_attempt(deployment=make_deployment(environment=place, status="succeeded"))
    type(place).objects.update(is_fenced=True, window="", order=7)
    place.probes.update(every_seconds=99, due_at=timezone.now())
    assert versions_of(again(place)) == before


def test_a_version_does_not_tell_the_secret(place):
    assert not {"s3cret-token", "blue"} & set(versions_of(place).values())
    assert {len(each) for each in versions_of(place).values()} == {12}
