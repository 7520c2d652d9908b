"""The doors of Celery: what waits in the database is carried on; a message is only a doorbell."""

import logging
import os
from datetime import timedelta

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from checks.gates.identity import pids_below
from checks.models import Environment
from releases.backups import standalone
from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.errors import GantryError
from releases.lifecycle import starting
from releases.models import Deployment
from releases.recorder import Change, claim, is_abandoned, owner_of, record, this_owner
from releases.statuses import HAND_OVER, OCCUPYING, RESUME, DeploymentStatus

logger = logging.getLogger(__name__)
D = DeploymentStatus
BY = "worker"
# Who queues takes it at once, a foreground command or a worker that was rung for; after this it was forgotten.
LEFT_ALONE = timedelta(seconds=5)
ACTING = (D.RUNNING, D.WATCHING)


@shared_task(name="releases.deploy", ignore_result=True)
def deploy(deployment_id: int, by: str = BY) -> str:
    """Carry a queued (or orphaned) deployment on; returns how it stands. Rung twice it runs once."""
    deployment = _all().get(pk=deployment_id)
    if deployment.status == D.QUEUED and (reason := starting.waits_for(deployment, at=timezone.now())):
        return reason
    try:
        lease = claim(deployment, owner=this_owner(), by=by, at=timezone.now())
    except GantryError as held:
        return str(held)
    try:
        done = carry_on(deployment, lease, by=by, progress=Silent(), attended=False)
    except GantryError as error:
        logger.warning("%s: %s", deployment, error)
        return str(error)
    return done.status


@shared_task(name="releases.tick", ignore_result=True)
def tick() -> int:
    """Look after what is due: queued deployments, held and dead workers' ones, and watches; returns how many."""
    found = [*_orphans(), *_due()]
    for deployment_id in found:
        _deploy_one(deployment_id)
    return len(found)


def _orphans() -> list[int]:
    """Running deployments and watches whose lease ran out, or whose worker died on this host."""
    watched = Q(status=D.WATCHING, due_at__lte=Now()) & (Q(expires_at__isnull=True) | Q(expires_at__lt=Now()))
    ran_out = set(
        _all().filter(watched | Q(status=D.RUNNING, expires_at__lt=Now())).values_list("pk", flat=True)
    )
    owned = Deployment.objects.filter(status__in=ACTING, expires_at__isnull=False).exclude(pk__in=ran_out)
    return [*ran_out, *(each.pk for each in owned.only("owner") if is_abandoned(each))]


def _due() -> list[int]:
    """What may go on, in the order of the queue: queued, held until now, or taken up again by a person."""
    asked = Q(status__in=OCCUPYING, wants=RESUME)
    now = timezone.now()
    waits = Q(status=D.QUEUED, started_at__lt=Now() - LEFT_ALONE) | Q(status=D.WAITING, due_at__lte=Now())
    ready = [each.pk for each in _all().filter(waits).order_by("started_at") if starting.is_due(each, at=now)]
    return [*Deployment.objects.filter(asked).values_list("pk", flat=True), *ready]


def _deploy_one(deployment_id: int) -> None:
    """The worker's edge: a bug in one deployment is logged, and the others go on."""
    try:
        deploy(deployment_id)
    except Exception:
        logger.exception("deployment %s", deployment_id)


@worker_shutting_down.connect
def hand_over_all(**kwargs: object) -> None:
    """A worker that is told to stop hands its runs over at their next safe point; of any pool, in its main process."""
    mine = pids_below(os.getpid())
    at = timezone.now()
    for deployment in Deployment.objects.filter(status__in=ACTING, expires_at__isnull=False):
        owner = owner_of(deployment)
        if owner and owner.is_here and owner.pid in mine:
            record(Change(deployment, {"wants": HAND_OVER}, verb="hand over asked"), by=BY, at=at)


@shared_task(name="releases.backup", ignore_result=True)
def backup(environment_id: int, by: str) -> int:
    """Copy an environment's databases; returns how many."""
    environment = Environment.objects.select_related("service").get(pk=environment_id)
    return len(standalone.back_up(environment, by=by, at=timezone.now()))


def _all() -> QuerySet[Deployment]:
    related = ("release__service", "release__revision", "environment__service", "undoes", "requested_by")
    return Deployment.objects.select_related(*related)
