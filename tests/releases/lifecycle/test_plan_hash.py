"""What makes another plan of a release, so that an approval of the old one counts no more; and what does not."""

import pytest
from django.utils import timezone

from checks.models import Environment
from releases.errors import Held, WaitsForPerson
from releases.lifecycle import planning, starting
from releases.plan.clock import parse_at
from releases.plan.model import plan_hash
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
from tests.releases.world import RUNBOOK, World, commit

pytestmark = pytest.mark.django_db
LIMIT = "\n## Rollback triggers\n\n- Error rate > {}% for more than 15 minutes\n"


def hashed(world: World, version: str = "v2") -> str:
    environment = Environment.objects.get(pk=world.environment.pk)
    return plan_hash(planning.make(world.release(version), environment))


def change_secret(world: World) -> None:
    row = world.environment.variables.get(name="TOKEN")
    row.value = "an0ther-token"
    row.save()


@pytest.fixture
def place(world: World) -> World:
    """The environment with one of everything that a plan relies on."""
    environment = world.environment
    make_variable(environment=environment, name="TOKEN", value="s3cret-token", is_secret=True)
    make_variable(environment=environment, name="COLOUR", value="blue")
    make_host(environment=environment, name="web1")
    make_database(environment=environment)
    make_probe(environment=environment, name="front")
    make_feature(environment=environment, key="cart")
    return world


CHANGES = {
    "the version of a secret": change_secret,
    "a variable": lambda world: world.environment.variables.filter(name="COLOUR").update(stored="green"),
    "a host": lambda world: world.environment.hosts.update(address="deploy@elsewhere"),
    "a database": lambda world: world.environment.databases.update(url="sqlite:////elsewhere"),
    "a probe": lambda world: world.environment.probes.update(conditions=["[STATUS] == 201"]),
    "a flag": lambda world: world.environment.features.update(is_on=False),
    "the address": lambda world: type(world.environment).objects.update(base_url="http://else.where"),
    "a command of the service": lambda world: type(world.service).objects.update(commands={"stop": "x"}),
    "the clock": lambda world: type(world.environment).objects.update(time_scale=60),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_environment_is_another_plan(place: World, what: str):
    before = hashed(place)
    CHANGES[what](place)
    assert hashed(place) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cat VERSION >> ../started\ntest ! -e ../no-start", "cat VERSION"),
        ("{name=look}", "{name=look timeout=7}"),
        ("{name=look}", '{name=look expect="it is done"}'),
        ("(T-5 minutes)", "(T-4 minutes)"),
        ("- [ ] The new version runs", "- [ ] The new version runs well"),
        ('git checkout "$PREVIOUS_VERSION"', 'git checkout --force "$PREVIOUS_VERSION"'),
        ("## Rollback procedure", f"{LIMIT.format(5)}\n## Rollback procedure"),
    ],
)
def test_another_text_is_another_plan(place: World, old: str, new: str):
    first = place.release("v2")
    before = hashed(place)
    assert old in RUNBOOK
    place.publish(RUNBOOK.replace(old, new))
    first.items.all().delete()
    first.delete()
    assert hashed(place) != before


def test_another_commit_and_another_running_one_are_other_plans(place: World):
    before = hashed(place)
    commit(place.repository, {"VERSION": "v3\n"}, tag="v3")
    assert hashed(place, "v3") != before


def test_estimates_times_and_what_is_observed_are_no_part_of_it(place: World):
    before = hashed(place)
    past = make_deployment(environment=place.environment, release=place.release(), status="failed")
    make_attempt(deployment=past)
    type(place.environment).objects.update(is_fenced=True, window="daily 00:00-24:00 UTC", order=9)
    place.environment.probes.update(due_at=timezone.now(), every_seconds=77)
    assert hashed(place) == before


# --- what keeps it from starting ----------------------------------------------------------------------------


def obstacles(world: World, **given) -> list:
    plan = planning.make(world.release(), world.environment)
    given = {
        "approved": True,
        "at": parse_at("10:00", now=timezone.now(), zone=timezone.get_default_timezone()),
    } | given
    return starting.obstacles(world.release(), world.environment, plan, **given)


def test_an_environment_demands_that_the_earlier_one_succeeded(world: World):
    world.environment.after = make_environment(service=world.service, name="staging")
    (found,) = obstacles(world)
    assert isinstance(found, WaitsForPerson) and "comes after tea/staging" in str(found)
    make_deployment(release=world.release(), environment=world.environment.after, status="succeeded")
    assert obstacles(world) == []


def test_the_hours_count_in_which_it_would_begin(world: World):
    world.environment.window = "daily 09:45-09:55 UTC"
    (found,) = obstacles(world)
    assert isinstance(found, Held) and "it opens" in str(found)
    ten = parse_at("10:00", now=timezone.now(), zone=timezone.get_default_timezone())
    assert obstacles(world, zero=ten) == []  # its first step is due ten minutes before


def test_a_box_holds_no_deployment_into_the_environment_that_it_tells_of(world: World):
    box = "## Pre-deployment checklist\n\n- [ ] Deployed to {} <!-- scope: release -->\n\n## Deployment steps"
    world.publish(RUNBOOK.replace("## Deployment steps", box.format(world.environment.name)))
    assert obstacles(world) == []


def test_a_box_about_another_environment_holds_until_it_is_ticked(world: World):
    box = "## Pre-deployment checklist\n\n- [ ] Deployed to staging <!-- scope: release -->\n\n## Deployment steps"
    world.publish(RUNBOOK.replace("## Deployment steps", box))
    (found,) = obstacles(world)
    assert "Deployed to staging" in str(found)
