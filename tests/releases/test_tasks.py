"""The doors of Celery: what waits in the database is carried on, once, whoever rings."""

from datetime import timedelta

import pytest
from django.utils import timezone

from releases import tasks
from releases.models import Deployment
from releases.statuses import DeploymentStatus
from tests.factories import make_deployment
from tests.releases.world import RUNBOOK, World

pytestmark = pytest.mark.django_db
D = DeploymentStatus


def forgotten(deployment: Deployment) -> Deployment:
    """The same, queued ten seconds ago."""
    Deployment.objects.filter(pk=deployment.pk).update(started_at=timezone.now() - timedelta(seconds=10))
    return deployment


def test_a_deployment_that_was_just_queued_is_left_to_who_queued_it(world: World):
    world.queued()
    assert tasks.tick() == 0


def test_a_queued_deployment_that_nobody_took_is_run_by_the_next_tick(world: World):
    deployment = forgotten(world.queued())
    assert tasks.tick() == 1
    deployment.refresh_from_db()
    assert (deployment.status, world.started) == (D.SUCCEEDED, ["v2"])
    assert tasks.tick() == 0


def test_a_deployment_rung_twice_runs_once(world: World):
    deployment = world.queued()
    tasks.deploy(deployment.pk)
    tasks.deploy(deployment.pk)
    assert world.started == ["v2"]


def test_a_dead_workers_deployment_is_taken_up(world: World):
    deployment = world.queued()
    long_ago = timezone.now() - timedelta(minutes=1)
    Deployment.objects.filter(pk=deployment.pk).update(
        status=D.RUNNING, owner="dead", epoch=3, expires_at=long_ago
    )
    assert tasks.tick() == 1
    deployment.refresh_from_db()
    assert (deployment.status, deployment.epoch) == (D.SUCCEEDED, 4)


def test_what_a_worker_holds_is_left_alone(world: World):
    make_deployment(environment=world.environment, status=D.RUNNING)
    assert tasks.tick() == 0


def test_a_worker_does_not_wait_beside_a_watch(world):
    world.publish(
        RUNBOOK.replace("\n## Rollback", "\n### 4. Later (T+50 minutes)\n\n```bash\ntrue\n```\n\n## Rollback")
    )
    deployment = forgotten(world.queued())
    before = timezone.now()
    tasks.tick()
    deployment.refresh_from_db()
    assert (deployment.status, deployment.expires_at) == (D.WATCHING, None)
    assert deployment.due_at > before + timedelta(minutes=49)
    assert tasks.tick() == 0
