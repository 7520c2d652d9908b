"""Pausing, ending at once, aborting: asked by a person, heeded where the deployment runs."""

import pytest
from django.utils import timezone

from releases.errors import NotAllowed, StaleState, WrongUsage
from releases.lifecycle import going_back, stops
from releases.models import Deployment
from releases.statuses import DeploymentStatus
from tests.factories import make_deployment
from tests.releases.world import World

pytestmark = pytest.mark.django_db
D = DeploymentStatus


def now():
    return timezone.now()


@pytest.fixture
def running(world: World) -> Deployment:
    """A deployment that a worker holds."""
    return make_deployment(environment=world.environment, release=world.release(), status=D.RUNNING)


@pytest.mark.parametrize(("at_once", "wants"), [(False, "pause"), (True, "stop")])
def test_a_pause_is_asked_of_a_run_with_who_and_why(world, running, at_once, wants):
    stops.pause(running, user=world.olga, reason="orders look odd", at_once=at_once, at=now())
    running.refresh_from_db()
    assert (running.wants, running.message) == (wants, "paused by olga: orders look odd")


def test_what_does_not_run_cannot_be_paused(world):
    deployment = world.queued()
    with pytest.raises(StaleState, match="does not run: it is queued"):
        stops.pause(deployment, user=world.olga, reason="", at_once=False, at=now())


def test_an_approver_cannot_pause(world, running):
    with pytest.raises(NotAllowed, match="anton may not deploy"):
        stops.pause(running, user=world.anton, reason="", at_once=False, at=now())


@pytest.mark.parametrize("status", [D.WAITING, D.PAUSED])
def test_what_waits_is_aborted_at_once_and_frees_the_environment(world, running, status):
    Deployment.objects.update(status=status, expires_at=None)
    running.refresh_from_db()
    assert stops.abort(running, user=world.olga, reason="wrong day", at=now()) is True
    running.refresh_from_db()
    assert (running.status, running.message) == (D.ABORTED, "aborted by olga: wrong day")


def test_what_runs_is_asked_to_end_at_its_next_safe_point(world, running):
    assert stops.abort(running, user=world.olga, reason="wrong day", at=now()) is False
    running.refresh_from_db()
    assert (running.status, running.wants) == (D.RUNNING, "abort")


def test_an_abort_says_why(world, running):
    with pytest.raises(WrongUsage, match="needs a reason"):
        stops.abort(running, user=world.olga, reason=" ", at=now())


def test_under_maintenance_the_choice_is_to_finish_or_to_go_back(world, running):
    running.environment.is_fenced = True
    with pytest.raises(WrongUsage, match="finish with --resume, or go back with `rollback_release tea v2"):
        stops.abort(running, user=world.olga, reason="wrong day", at=now())


def test_what_is_live_is_taken_back_not_aborted(world, running):
    Deployment.objects.update(status=D.WATCHING)
    running.refresh_from_db()
    with pytest.raises(WrongUsage, match="is live: take it back"):
        stops.abort(running, user=world.olga, reason="wrong day", at=now())


def test_a_way_back_is_never_aborted(world, running):
    Deployment.objects.update(status=D.FAILED, expires_at=None)
    running.refresh_from_db()
    back = going_back.roll_back(running, user=world.olga, reason="bad", restore_data=False, at=now())
    with pytest.raises(WrongUsage, match="has to come to its end"):
        stops.abort(back, user=world.olga, reason="wrong day", at=now())


def test_a_pause_does_not_take_an_abort_back(world, running):
    stops.abort(running, user=world.rita, reason="wrong day", at=now())
    with pytest.raises(StaleState, match=r"is to end for good already .*wrong day"):
        stops.pause(running, user=world.olga, reason="", at_once=False, at=now())
    running.refresh_from_db()
    assert running.wants == "abort"
