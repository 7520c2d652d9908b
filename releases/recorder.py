"""The one writer of state: moves, new rows and their audit entries, fenced, in one durable transaction."""

import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from checks import audit
from checks.gates.identity import Identity, identity_of
from releases.errors import Held, LeaseLost, StaleState
from releases.models import Attempt, Deployment
from releases.statuses import ABORT, CLAIMABLE, OCCUPYING, PAUSE, STOP, DeploymentStatus, sources

LEASE = timedelta(seconds=10)
# Too long for the trail, or nobody's business: of these it says only that they changed.
HIDDEN = ("plan", "text", "stored", "digest", "tail", "expires_at", "url", "variables")
STATE_FIELDS = {"attempt": "outcome", "checklistitem": "state"}
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to act on a deployment; every write with it proves that nobody else took over."""

    deployment_id: int
    owner: str
    epoch: int


@dataclass(frozen=True)
class Move:
    """`row` goes to status `to` if a transition allows it; `fields` are set with it."""

    row: models.Model
    to: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Add:
    """A new row."""

    row: models.Model


@dataclass(frozen=True)
class Change:
    """Fields of a row that are no status; audited with their old values. `only_if`: what the row must still say."""

    row: models.Model
    fields: dict[str, Any]
    verb: str = "changed"
    only_if: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Still:
    """`row` must be in this status while the others are applied; nothing of it changes."""

    row: models.Model
    status: str


def record(
    *changes: Move | Add | Change | Still, by: str, at: datetime, why: str = "", lease: Lease | None = None
) -> None:
    """Apply all changes or none, each with its audit entry.

    Raises LeaseLost when the lease is another's by now and StaleState when a row's status does not allow the move.
    The rows in memory carry the new values afterwards.
    """
    with transaction.atomic(durable=True):
        if lease:
            fence(lease)
        for still in (change for change in changes if isinstance(change, Still)):
            _hold(still)
        lines = [_apply(change) for change in changes if not isinstance(change, Still)]
        audit.write(lines, by=by, at=at, why=why)


def note_process(attempt: Attempt, process: dict[str, Any], *, lease: Lease) -> None:
    """Write down which process an intent became, in one statement that proves the lease; raises LeaseLost.

    The trail has the intent and the outcome; this stands between them.
    """
    owned = {
        "deployment__owner": lease.owner,
        "deployment__epoch": lease.epoch,
        "deployment__expires_at__isnull": False,
    }
    with transaction.atomic(durable=True):
        if not Attempt.objects.filter(pk=attempt.pk, outcome="", **owned).update(process=process):
            raise LeaseLost(_lost(lease))
    attempt.process = process


def _hold(still: Still) -> None:
    """Lock the row by writing its status anew; raises StaleState when it is another."""
    rows = type(still.row)._default_manager.filter(pk=still.row.pk, status=still.status)
    if not rows.update(status=still.status):
        raise StaleState(f"{still.row} is no {still.status} any more")


def _apply(change: Move | Add | Change) -> audit.Line:
    if isinstance(change, Add):
        change.row.save(force_insert=True)
        return audit.Line(verb="added", subject=audit.subject_of(change.row), new=_visible(change.row))
    if isinstance(change, Change):
        return _change(change)
    return _move(change)


def _change(change: Change) -> audit.Line:
    old = {name: _shown(name, getattr(change.row, name)) for name in change.fields}
    rows = type(change.row)._default_manager.filter(pk=change.row.pk, **change.only_if)
    if not rows.update(**change.fields) and change.only_if:
        raise StaleState(f"{change.row} was changed by somebody else at the same moment")
    _assign(change.row, change.fields)
    new = {name: _shown(name, value) for name, value in change.fields.items()}
    return audit.Line(verb=change.verb, subject=audit.subject_of(change.row), old=old, new=new)


def _move(move: Move) -> audit.Line:
    model = str(move.row._meta.model_name)
    name = STATE_FIELDS.get(model, "status")
    old = getattr(move.row, name)
    values = {name: move.to, **_lease_fields(move), **move.fields}
    moved = (
        type(move.row)
        ._default_manager.filter(pk=move.row.pk, **{f"{name}__in": sources(model, move.to)})
        .update(**values)
    )
    if not moved:
        move.row.refresh_from_db(fields=[name])
        raise StaleState(f"{move.row} is {getattr(move.row, name) or 'open'} now and cannot become {move.to}")
    _assign(move.row, values)
    new = {
        key: _plain(value)
        for key, value in {name: move.to, **move.fields}.items()
        if key not in ("tail", "plan")
    }
    return audit.Line(verb=str(move.to), subject=audit.subject_of(move.row), old={name: old}, new=new)


def _lease_fields(move: Move) -> dict[str, Any]:
    """A deployment that stops acting gives its lease back; a watch keeps it until it is released."""
    if not isinstance(move.row, Deployment) or move.to in (
        DeploymentStatus.RUNNING,
        DeploymentStatus.WATCHING,
    ):
        return {}
    return {"expires_at": None, "wants": ""}


def _assign(row: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _visible(row: models.Model) -> dict[str, Any]:
    return {
        each.attname: _plain(getattr(row, each.attname))
        for each in row._meta.concrete_fields
        if each.name not in HIDDEN and not each.primary_key
    }


def _shown(name: str, value: Any) -> Any:
    return "…" if name in HIDDEN else _plain(value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, models.Model) else value


# --- leases ----------------------------------------------------------------------------------------


def this_owner() -> str:
    """This process beyond doubt: its identity, and a token that tells two claims of it apart."""
    me = identity_of(os.getpid())
    return f"{me.place}:{me.pid}:{me.started}:{uuid.uuid4().hex[:8]}"


def is_abandoned(deployment: Deployment) -> bool:
    """Did its owner run on this host and die? Then nobody has to wait for the lease to run out."""
    owner = owner_of(deployment)
    return owner is not None and owner.is_gone


def owner_of(deployment: Deployment) -> Identity | None:
    """The process that owns or last owned a deployment; None when nobody did."""
    place, _, rest = deployment.owner.partition(":")
    pid, _, started = rest.rpartition(":")[0].partition(":")
    return Identity(place=place, pid=int(pid), started=float(started)) if pid.isdigit() else None


def claim(deployment: Deployment, *, owner: str, by: str, at: datetime) -> Lease:
    """Take the deployment to run or to watch it: one conditional update on the database's clock.

    A lease is free when it ran out, or at once when its owner died on this host. Raises Held, naming the holder, when
    another deployment occupies the environment or another worker owns this one.
    """
    takes_over = Q(expires_at__isnull=True) | Q(expires_at__lt=Now())
    if is_abandoned(deployment):
        takes_over |= Q(owner=deployment.owner, epoch=deployment.epoch)
    free = Q(status__in=CLAIMABLE) | (
        Q(status__in=[DeploymentStatus.RUNNING, DeploymentStatus.WATCHING]) & takes_over
    )
    watching = deployment.status == DeploymentStatus.WATCHING
    values: dict[str, Any] = {
        "owner": owner,
        "epoch": models.F("epoch") + 1,
        "expires_at": Now() + LEASE,
        "wants": _still_wanted(),
    }
    if not watching:
        values |= {"status": DeploymentStatus.RUNNING, "due_at": None}
    try:
        with transaction.atomic(durable=True):
            if not Deployment.objects.filter(free, pk=deployment.pk, status=deployment.status).update(
                **values
            ):
                raise Held(_who_holds(deployment))
            old = deployment.status
            deployment.refresh_from_db()
            if not watching:
                line = audit.Line(
                    verb="claimed",
                    subject=audit.subject_of(deployment),
                    old={"status": old},
                    new={"status": deployment.status, "epoch": deployment.epoch},
                )
                audit.write([line], by=by, at=at)
    except IntegrityError as error:
        raise Held(_who_holds(deployment)) from error
    return Lease(deployment_id=deployment.pk, owner=owner, epoch=deployment.epoch)


def _still_wanted() -> Case:
    """A stop that was asked of a run whose owner died is its next owner's to heed; of what slept nothing is left."""
    asked = When(status=DeploymentStatus.RUNNING, wants__in=(PAUSE, ABORT, STOP), then=models.F("wants"))
    return Case(asked, default=Value(""))


def fence(lease: Lease) -> None:
    """Prove and renew the lease: the heartbeat. Raises LeaseLost when another worker took over."""
    renewed = Deployment.objects.filter(
        pk=lease.deployment_id, owner=lease.owner, epoch=lease.epoch, expires_at__isnull=False
    ).update(expires_at=Now() + LEASE)
    if not renewed:
        raise LeaseLost(_lost(lease))


def _lost(lease: Lease) -> str:
    return f"deployment {lease.deployment_id} is another worker's now; this one stops without acting"


def release(lease: Lease) -> None:
    """Give a watch's lease back, so that the next look may be another process's."""
    Deployment.objects.filter(
        pk=lease.deployment_id, owner=lease.owner, epoch=lease.epoch, status=DeploymentStatus.WATCHING
    ).update(expires_at=None)


def hand_over(lease: Lease) -> None:
    """Let any worker take a running deployment over at once: the lease ends now."""
    Deployment.objects.filter(
        pk=lease.deployment_id, owner=lease.owner, epoch=lease.epoch, expires_at__isnull=False
    ).update(expires_at=Now())


def _who_holds(deployment: Deployment) -> str:
    holder = (
        Deployment.objects.filter(environment=deployment.environment, status__in=OCCUPYING)
        .select_related("release__service", "requested_by", "environment__service")
        .first()
    )
    if holder is None or holder.pk == deployment.pk:
        deployment.refresh_from_db()
        owner = owner_of(deployment)
        who = f"{owner.place.partition('/')[0]} (process {owner.pid})" if owner else "nobody"
        return f"{deployment} is {deployment.status} and owned by {who}; try again in a moment"
    return (
        f"{deployment.environment} is held by deployment #{holder.number} ({holder.release.version}, "
        f"{holder.direction}, {holder.status}); wait for it or go on with its --resume"
    )


# --- the journal -----------------------------------------------------------------------------------


def open_attempts(deployment: Deployment) -> Iterable[Attempt]:
    """Intents without an outcome: what a dead worker left behind."""
    return deployment.attempts.filter(outcome="")
