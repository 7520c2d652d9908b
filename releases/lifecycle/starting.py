"""Whether a planned deployment may start, what a queued one waits for, and what holds one that runs."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from checks.models import Environment
from releases.errors import GantryError, Held, StaleState, WaitsForPerson
from releases.lifecycle import holds, opening, promotion
from releases.lifecycle.deployments import APPROVER, approval_of
from releases.models import Approval, Deployment, Hold, Incident, Release
from releases.permissions import demand
from releases.plan import clock
from releases.plan.model import BEFORE, Plan, from_json
from releases.recorder import Move, record
from releases.statuses import (
    OCCUPYING,
    DeploymentStatus,
    IncidentStatus,
    ItemState,
)

D = DeploymentStatus


def obstacles(
    release: Release,
    environment: Environment,
    made: Plan,
    *,
    approved: bool,
    at: datetime,
    zero: datetime | None = None,
) -> list[GantryError]:
    """What keeps a plan from starting, the most important first; empty when it may start. `zero`: T-0 on the clock."""
    found = [*_holds(environment, at)]
    if closed := opening.obstacle(environment, clock.begins_at(made, zero) if zero else at):
        found.append(closed)
    if unproved := promotion.obstacle(release, environment):
        found.append(unproved)
    if made.problems:
        found.append(WaitsForPerson(f"{release} cannot be deployed: " + "; ".join(made.problems)))
    if not approved:
        words = (
            f"approve_release {release.service} {release.version} --environment {environment.name} --as USER"
        )
        found.append(WaitsForPerson(f"{release} is not approved for {environment}: `{words}`"))
    return [*found, *_open_boxes(release, made)]


def held(deployment: Deployment, *, at: datetime) -> GantryError | None:
    """What stops a forward deployment that runs already, at a place where stopping is safe; None: nothing does."""
    if not _is_disturbed(deployment, at):
        return None
    standing = next(_orders(deployment.environment, at, besides=deployment), None)
    if standing is None and approval_of(deployment) is None:
        return WaitsForPerson(f"{deployment} is not approved any more")
    return standing


def _is_disturbed(deployment: Deployment, at: datetime) -> bool:
    """Is there any hold, incident or lack of an approval? One question, for it is asked at every step."""
    place = OuterRef("environment")
    incidents = Incident.objects.filter(environment=place, status=IncidentStatus.OPEN)
    approvals = Approval.objects.filter(
        deployment=OuterRef("pk"),
        withdrawn_at__isnull=True,
        plan_hash=OuterRef("plan_hash"),
        role=APPROVER,
    )
    standing = Hold.objects.standing(at).filter(Q(environment=None) | Q(environment=place))
    quiet = ~Exists(standing) & ~Exists(incidents.exclude(deployment=OuterRef("pk"))) & Exists(approvals)
    return not Deployment.objects.filter(quiet, pk=deployment.pk).exists()


def ahead_of(deployment: Deployment) -> Deployment | None:
    """The deployment that a queued one waits for: the one in the environment, else the first of the queue.

    A way back stands before all that goes forward: the service is broken until it ran.
    """
    others = Deployment.objects.filter(environment=deployment.environment).exclude(pk=deployment.pk)
    related = others.select_related("release__service", "environment__service")
    holder = related.filter(status__in=OCCUPYING).first()
    if holder or deployment.started_at is None or deployment.undoes_id:
        return holder
    queued = related.filter(status=D.QUEUED)
    first = queued.filter(undoes__isnull=False) | queued.filter(started_at__lt=deployment.started_at)
    return first.order_by("started_at").first()


def is_due(deployment: Deployment, *, at: datetime) -> bool:
    """May a worker take up now what waits in the queue, or was held at a safe point?"""
    if deployment.status == D.WAITING:
        return held(deployment, at=at) is None
    return not waits_for(deployment, at=at)


def waits_for(deployment: Deployment, *, at: datetime) -> str:
    """What a deployment in the queue waits for, in words; empty when its turn has come."""
    begins = begins_at(deployment)
    if begins > at:
        return f"it begins at {timezone.localtime(begins):%Y-%m-%d %H:%M:%S %Z}"
    if ahead := ahead_of(deployment):
        message = f": {ahead.message}" if ahead.message else ""
        return f"{ahead} is before it ({ahead.release.version}, {ahead.direction}, {ahead.status}{message})"
    if deployment.undoes_id:
        return ""
    closed = opening.obstacle(deployment.environment, at)
    return str(closed or next(_orders(deployment.environment, at), ""))


def begins_at(deployment: Deployment) -> datetime:
    """When its first step is due on the clock; where it keeps to none, when it was queued."""
    if deployment.starts_at is None:
        return deployment.started_at or deployment.planned_at
    return clock.begins_at(from_json(deployment.plan), deployment.starts_at)


def _holds(environment: Environment, at: datetime) -> Iterator[GantryError]:
    others = Deployment.objects.filter(environment=environment).order_by("started_at")
    holder = others.filter(status__in=OCCUPYING).first() or others.filter(status=D.QUEUED).first()
    if holder:
        yield Held(
            f"{environment} is held by deployment #{holder.number} ({holder.release.version}, {holder.direction}, "
            f"{holder.status}); wait for it (--queue does) or go on with its --resume"
        )
    yield from _orders(environment, at)


def _orders(
    environment: Environment, at: datetime, *, besides: Deployment | None = None
) -> Iterator[GantryError]:
    """What people or incidents ordered to wait for; what a run itself ran into is decided by how it goes on."""
    if standing := holds.as_error(environment, at):
        yield standing
    open_ones = Incident.objects.filter(environment=environment, status=IncidentStatus.OPEN)
    incident = open_ones.exclude(deployment=besides).first() if besides else open_ones.first()
    if incident:
        yield Held(f"{environment} is held by an open incident: {incident}; resolve it in the admin")


def _open_boxes(release: Release, made: Plan) -> Iterator[GantryError]:
    """Boxes of the release that stand before go-live; the others hold its success, not its start."""
    # A box about this very environment is not required of this plan (plan.places.let_in).
    before = [i.key for step in made.steps if step.phase == BEFORE for i in step.items if i.required]
    unsettled = release.items.filter(deployment__isnull=True, is_required=True, key__in=before)
    rows = unsettled.filter(state__in=[ItemState.OPEN, ItemState.FAILED])
    if rows:
        shown = "; ".join(f"{row.line}: {row.text}" for row in rows)
        words = f"tick_item {release.service} {release.version} LINE --evidence TEXT --as USER"
        yield WaitsForPerson(f"{len(rows)} boxes of {release} are open ({shown}): `{words}`")


def queue(
    deployment: Deployment,
    *,
    user: User,
    at: datetime,
    waits: bool = False,
    starts_at: datetime | None = None,
) -> None:
    """Let a planned deployment be run; raises the first obstacle.

    `waits`: what holds the environment now is waited for, in the order of the queue; `starts_at` is T-0 on the clock.
    """
    demand(user, "deploy", deployment.environment)
    approved = approval_of(deployment) is not None
    release, environment = deployment.release, deployment.environment
    made = from_json(deployment.plan)
    for obstacle in obstacles(release, environment, made, approved=approved, at=at, zero=starts_at):
        if not (waits and isinstance(obstacle, Held)):
            raise obstacle
    fields = {"started_at": at, "starts_at": starts_at, "message": f"started by {user.username}"}
    try:
        record(Move(deployment, D.QUEUED, fields), by=user.username, at=at)
    except StaleState:
        raise Held(
            f"{deployment} was started by somebody else at the same moment; it is {deployment.status}"
        ) from None
