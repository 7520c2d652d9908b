"""Planning, approving, starting and taking back deployments."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError

from checks.models import Environment
from releases.errors import Held, NotAllowed, WaitsForPerson, WrongUsage
from releases.lifecycle import planning
from releases.lifecycle.releases import box_of
from releases.models import Approval, Deployment, Release
from releases.permissions import demand
from releases.plan.model import TRIGGER, Plan, PlannedItem, from_json, plan_hash, to_json
from releases.recorder import Add, Change, Move, record
from releases.statuses import (
    OCCUPYING,
    DeploymentStatus,
    ReleaseStatus,
)

D = DeploymentStatus
APPROVER = "approver"


# --- planning --------------------------------------------------------------------------------------


def plan(release: Release, environment: Environment, *, user: User, at: datetime) -> Deployment:
    """The planned deployment: the one that stands if its plan is still right, else a new one.

    A plan that changed is aborted together with its approvals, and the new one has none.
    """
    if environment.service_id != release.service_id:
        raise WrongUsage(f"{environment} is not an environment of {release.service}")
    if release.status != ReleaseStatus.OPEN:
        raise WrongUsage(f"{release} is {release.status}; create a release with a new version")
    begun = Deployment.objects.filter(
        release=release, environment=environment, status__in=[*OCCUPYING, D.QUEUED]
    )
    if running := begun.first():
        raise Held(f"{running} of {release} is {running.status}; wait for it or go on with its --resume")
    standing, facts = planned(release, environment), planning.facts_of(release, environment)
    if standing and planning.still_holds(standing, facts):
        return standing
    made = planning.make(release, environment, facts)
    changes: list[Add | Move | Change] = []
    if standing:
        changes = [
            Move(standing, D.ABORTED, {"ended_at": at, "message": "the plan changed before it was run"})
        ]
        changes += [Change(approval, {"withdrawn_at": at}, verb="withdrawn") for approval in _valid(standing)]
    fresh = _deployment(release, environment, made, user=user, at=at)
    fresh.made_from = planning.origin(release, facts)
    boxes = boxes_of(fresh, made)
    try:
        record(*changes, Add(fresh), *boxes, by=user.username, at=at)
    except IntegrityError:
        # Two planned at once: the other one's is as good.
        standing = planned(release, environment)
        if standing is None:
            raise Held(f"{environment} is being planned by somebody else; try again") from None
        return standing
    return fresh


def planned(release: Release, environment: Environment) -> Deployment | None:
    """The deployment that is planned and not yet started, if any."""
    standing = Deployment.objects.filter(release=release, environment=environment, status=D.PLANNED)
    return standing.select_related("release__service", "environment__service").order_by("-number").first()


def _deployment(
    release: Release, environment: Environment, made: Plan, *, user: User, at: datetime
) -> Deployment:
    return Deployment(
        release=release,
        environment=environment,
        number=next_number(environment),
        requested_by=release.requested_by,
        plan=to_json(made),
        plan_hash=plan_hash(made),
        rollback_class=made.rollback_class,
        planned_at=at,
    )


def boxes_of(deployment: Deployment, made: Plan) -> list[Add]:
    """The boxes of one deployment, to be added with it."""
    own = [item for item in made.items if item.scope == "deployment" or made.direction == "back"]
    pulled = [
        PlannedItem(key=each.key, text=each.text, by=TRIGGER, required=False, line=each.line)
        for each in made.triggers
    ]
    return [Add(box_of(deployment.release, item, deployment)) for item in [*own, *pulled]]


def next_number(environment: Environment) -> int:
    """The number of the next deployment of an environment, counted from 1."""
    newest = Deployment.objects.filter(environment=environment).order_by("-number").first()
    return newest.number + 1 if newest else 1


# --- approving -------------------------------------------------------------------------------------


def approve(deployment: Deployment, *, user: User, at: datetime) -> tuple[Approval, bool]:
    """Sign exactly this plan, and whether that was new; raises NotAllowed for one's own request."""
    demand(user, "approve", deployment.environment)
    made = from_json(deployment.plan)
    if made.problems:
        raise WaitsForPerson(f"{deployment} cannot be approved: " + "; ".join(made.problems))
    if user.pk in (deployment.requested_by_id, deployment.release.requested_by_id):
        raise NotAllowed(
            f"{user.username} requested {deployment.release} and cannot approve it: ask another approver"
        )
    known = _valid(deployment).filter(role=APPROVER).first()
    if known:
        return known, False
    approval = Approval(
        deployment=deployment,
        role=APPROVER,
        plan_hash=deployment.plan_hash,
        by=user,
        requested_by=deployment.requested_by,
        at=at,
    )
    try:
        record(Add(approval), by=user.username, at=at)
    except IntegrityError:
        return _valid(deployment).get(role=APPROVER), False
    return approval, True


def _valid(deployment: Deployment):  # type: ignore[no-untyped-def]
    return deployment.approvals.filter(withdrawn_at__isnull=True, plan_hash=deployment.plan_hash)


def approval_of(deployment: Deployment) -> Approval | None:
    """The approval that lets this deployment start, if it has one."""
    return _valid(deployment).filter(role=APPROVER).select_related("by").first()
