"""Planning, approving, starting and taking back deployments."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from checks.gates.identity import Identity
from checks.gates.process import end_group
from checks.models import Environment
from checks.secrets import mask
from checks.variables import secrets_of
from releases.errors import GantryError, Held, NotAllowed, StaleState, WaitsForPerson, WrongUsage
from releases.lifecycle import holds, opening, planning, promotion
from releases.lifecycle.releases import box_of
from releases.models import Approval, Deployment, Hold, Incident, Release
from releases.permissions import demand
from releases.plan import clock
from releases.plan.model import BEFORE, TRIGGER, Plan, PlannedItem, from_json, plan_hash, to_json
from releases.plan.ways import COPY_UNDER_FENCE, make_way_back
from releases.recorder import LEASE, Add, Change, Lease, Move, claim, open_attempts, record, this_owner
from releases.statuses import (
    OCCUPYING,
    DeploymentStatus,
    IncidentStatus,
    ItemState,
    Outcome,
    ReleaseStatus,
    RollbackClass,
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


# --- starting --------------------------------------------------------------------------------------


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


# --- going back ------------------------------------------------------------------------------------


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
    if (
        later.exclude(status__in=[D.PLANNED, D.QUEUED, D.ABORTED, D.ROLLED_BACK])
        .filter(undoes__isnull=True)
        .exists()
    ):
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
