"""Taking a deployment back: by what, whether it may, and from whom."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone

from checks.gates.identity import Identity
from checks.gates.process import end_group
from checks.models import Environment
from checks.secrets import mask
from checks.variables import secrets_of
from releases.errors import Held, WaitsForPerson, WrongUsage
from releases.lifecycle.deployments import boxes_of, next_number
from releases.models import Deployment, Incident, Release
from releases.permissions import demand
from releases.plan.model import BY_HAND, Plan, from_json, plan_hash, to_json
from releases.plan.ways import COPY_UNDER_FENCE, make_way_back
from releases.recorder import LEASE, Add, Lease, Move, claim, open_attempts, record, this_owner
from releases.statuses import DeploymentStatus, ItemState, Outcome, RollbackClass

D = DeploymentStatus


def way_back(deployment: Deployment, *, covers: str) -> Plan | None:
    """The plan that takes a deployment back; None when its runbook has no method for that class."""
    return make_way_back(from_json(deployment.plan), covers=covers)


def restores(way: Plan) -> bool:
    """Does this way back put databases back as they were?"""
    return any(action.kind == "restore" for action in way.actions)


def kind_now(deployment: Deployment) -> RollbackClass:
    """The class that is needed at this moment: code alone as long as nothing could have changed the schema."""
    kind = RollbackClass(deployment.rollback_class)
    if kind is not RollbackClass.RESTORE:
        return kind
    copied = deployment.attempts.filter(action=COPY_UNDER_FENCE).first()
    migrated = copied is not None and deployment.attempts.filter(pk__gt=copied.pk).exists()
    is_planned = any(action.key == COPY_UNDER_FENCE for action in from_json(deployment.plan).actions)
    return RollbackClass.RESTORE if migrated or not is_planned else RollbackClass.CODE


def turn_back(
    deployment: Deployment, *, lease: Lease, covers: RollbackClass, by: str, why: str
) -> tuple[Deployment, Lease]:
    """End a deployment that this process owns and own its way back, in one transaction: nobody gets in between."""
    at = timezone.now()
    back = _back(deployment, covers=covers, why=why, at=at)
    back.status, back.owner, back.epoch = D.RUNNING, this_owner(), 1
    back.expires_at = Now() + LEASE  # type: ignore[assignment]
    incident = _incident(deployment, why, by=by, at=at)
    ended = Move(deployment, D.FAILED, {"ended_at": at, "due_at": None, "message": why})
    boxes = boxes_of(back, from_json(back.plan))
    record(ended, Add(back), *boxes, Add(incident), by=by, at=at, why=why, lease=lease)
    back.refresh_from_db()
    return back, Lease(deployment_id=back.pk, owner=back.owner, epoch=back.epoch)


def roll_back(
    deployment: Deployment, *, user: User, reason: str, restore_data: bool, at: datetime
) -> Deployment:
    """Queue the way back of a deployment by a person's decision; raises what speaks against it."""
    demand(user, "rollback", deployment.environment)
    if not reason.strip():
        raise WrongUsage("a rollback needs a reason: --reason TEXT")
    covers = kind_now(deployment)
    _check_way_back(deployment, covers, restore_data=restore_data)
    lease = (
        _take_from_the_dead(deployment, by=user.username, at=at) if deployment.status == D.RUNNING else None
    )
    back = _back(deployment, covers=covers, why=reason, at=at)
    back.requested_by, back.status, back.started_at = user, D.QUEUED, at
    changes: list[Add | Move] = []
    if deployment.status in (D.RUNNING, D.WAITING, D.PAUSED, D.WATCHING):
        changes.append(Move(deployment, D.FAILED, {"ended_at": at, "due_at": None, "message": reason}))
    changes += [Add(back), *boxes_of(back, from_json(back.plan))]
    record(*changes, by=user.username, at=at, why=reason, lease=lease)
    return back


def _take_from_the_dead(deployment: Deployment, *, by: str, at: datetime) -> Lease:
    """Own a run whose worker died, its children ended and its open intents closed; raises Held while it lives."""
    try:
        lease = claim(deployment, owner=this_owner(), by=by, at=at)
    except Held as held:
        raise Held(f"{held}, or stop it first with stop_release") from None
    for attempt in open_attempts(deployment):
        if attempt.process:
            end_group(Identity(**attempt.process))
        result = {"message": "its worker died in the middle; nobody knows how far it came"}
        record(Move(attempt, Outcome.UNKNOWN, {"closed_at": at, "result": result}), by=by, at=at, lease=lease)
    return lease


def is_touched(deployment: Deployment) -> bool:
    """Was anything of the service changed, by an action or by hand, as far as the journal can tell?"""
    changing = {action.key for action in from_json(deployment.plan).actions if action.changes}
    by_hand = deployment.items.filter(key__endswith=BY_HAND, state=ItemState.TICKED)
    return deployment.attempts.filter(action__in=changing).exists() or by_hand.exists()


def took_over(deployment: Deployment) -> bool:
    """Is its environment another one since? Not by what failed, or was aborted, before it had changed anything."""
    return deployment.status in (D.WATCHING, D.SUCCEEDED) or is_touched(deployment)


def newest(release: Release, environment: Environment) -> Deployment:
    """The newest started deployment of a release in an environment; raises WrongUsage if there is none."""
    started = Deployment.objects.filter(release=release, environment=environment, undoes__isnull=True)
    found = started.exclude(status__in=[D.PLANNED, D.ABORTED]).order_by("-number").first()
    if found is None:
        raise WrongUsage(f"{release} was never deployed to {environment}")
    return found


def _check_way_back(deployment: Deployment, covers: RollbackClass, *, restore_data: bool) -> None:
    environment = deployment.environment
    if Deployment.objects.filter(undoes=deployment).exists():
        raise WrongUsage(f"{deployment} is taken back already")
    if deployment.status == D.QUEUED:
        raise Held(f"{deployment} is queued; a worker is about to take it")
    later = Deployment.objects.filter(environment=environment, number__gt=deployment.number)
    begun = later.exclude(status__in=[D.PLANNED, D.QUEUED, D.ROLLED_BACK]).filter(undoes__isnull=True)
    if any(map(took_over, begun)):
        raise WrongUsage(f"{deployment} is not the newest in {environment}; take the newer one back first")
    way = way_back(deployment, covers=covers)
    if way is None:
        raise WaitsForPerson(
            f"the runbook has no rollback method for {covers}; go back by hand or fix forward"
        )
    if (covers is RollbackClass.RESTORE or restores(way)) and not restore_data:
        raise WaitsForPerson(
            f"going back from {deployment.release.version} restores the databases: what was written since "
            "stays only in the replaced database, which is kept; say --restore-data if that is meant"
        )


def _back(deployment: Deployment, *, covers: RollbackClass, why: str, at: datetime) -> Deployment:
    made = way_back(deployment, covers=covers)
    assert made is not None
    return Deployment(
        release=deployment.release,
        environment=deployment.environment,
        number=next_number(deployment.environment),
        undoes=deployment,
        requested_by=deployment.requested_by,
        reason=mask(why, secrets_of(deployment.environment)),
        plan=to_json(made),
        plan_hash=plan_hash(made),
        rollback_class=covers,
        planned_at=at,
        started_at=at,
    )


def _incident(deployment: Deployment, cause: str, *, by: str, at: datetime) -> Incident:
    return Incident(
        environment=deployment.environment,
        deployment=deployment,
        severity="P1",
        title=f"{deployment.release.version} in {deployment.environment}: {cause}"[:200],
        cause=cause,
        opened_by=by,
        opened_at=at,
    )
