"""The doors of Celery: what waits in the database is carried on; a message is only a doorbell."""

import logging
from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from checks.models import Environment
from releases.backups import standalone
from releases.engine.progress import Silent
from releases.engine.resume import settle
from releases.engine.run import carry_on
from releases.errors import GantryError
from releases.models import Deployment
from releases.recorder import claim, this_owner
from releases.statuses import DeploymentStatus

logger = logging.getLogger(__name__)
D = DeploymentStatus
BY = "worker"
# Who queues takes it at once, a foreground command or a worker that was rung for; after this it was forgotten.
LEFT_ALONE = timedelta(seconds=5)


@shared_task(name="releases.deploy", ignore_result=True)
def deploy(deployment_id: int, by: str = BY) -> str:
    """Carry a queued (or orphaned) deployment on; returns how it stands. Rung twice it runs once."""
    deployment = _find(deployment_id)
    try:
        lease = claim(deployment, owner=this_owner(), by=by, at=timezone.now())
    except GantryError as held:
        return str(held)
    try:
        settle(deployment, lease, by=by, progress=Silent())
        return carry_on(deployment, lease, by=by, progress=Silent(), attended=False).status
    except GantryError as error:
        logger.warning("%s: %s", deployment, error)
        return str(error)


@shared_task(name="releases.tick", ignore_result=True)
def tick() -> int:
    """Look after what is due: queued deployments, dead workers' ones, and watches; returns how many."""
    due = Q(status=D.QUEUED, started_at__lt=Now() - LEFT_ALONE) | Q(status=D.RUNNING, expires_at__lt=Now())
    watched = Q(status=D.WATCHING, due_at__lte=Now()) & (Q(expires_at__isnull=True) | Q(expires_at__lt=Now()))
    found = list(Deployment.objects.filter(due | watched).values_list("pk", flat=True))
    for deployment_id in found:
        _deploy_one(deployment_id)
    return len(found)


def _deploy_one(deployment_id: int) -> None:
    """The worker's edge: a bug in one deployment is logged, and the others go on."""
    try:
        deploy(deployment_id)
    except Exception:
        logger.exception("deployment %s", deployment_id)


@shared_task(name="releases.backup", ignore_result=True)
def backup(environment_id: int, by: str) -> int:
    """Copy an environment's databases; returns how many."""
    environment = Environment.objects.select_related("service").get(pk=environment_id)
    return len(standalone.back_up(environment, by=by, at=timezone.now()))


def _find(deployment_id: int) -> Deployment:
    related = ("release__service", "release__revision", "environment__service", "undoes", "requested_by")
    return Deployment.objects.select_related(*related).get(pk=deployment_id)
