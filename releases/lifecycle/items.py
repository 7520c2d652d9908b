"""Ticking boxes, waiving them, taking a tick back."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from checks.models import Environment
from releases.errors import NotAllowed, StaleState, WrongUsage
from releases.lifecycle import answers
from releases.models import ChecklistItem, Deployment, Release
from releases.permissions import demand
from releases.plan.model import TRIGGER
from releases.recorder import Add, Change, Move, Still, record
from releases.statuses import DeploymentStatus, ItemState

BY_PEOPLE = ("person", "confirm", TRIGGER)
HEEDED = (DeploymentStatus.RUNNING, DeploymentStatus.WATCHING)
WHO = {"step": "the success of its step", "probe": "its probe", "threshold": "its threshold"}


def find(release: Release, asked: str, *, environment: Environment | None = None) -> ChecklistItem:
    """The box by its line number, the beginning of its key, or a part of its text.

    Raises WrongUsage when none or several fit, naming them.
    """
    boxes = list(boxes_of(release, environment))
    fitting = [box for box in boxes if _fits(box, asked)]
    exact = [box for box in fitting if box.text.casefold() == asked.casefold() or str(box.line) == asked]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    if not fitting:
        shown = (
            "; ".join(f"{box.line}: {box.text}" for box in boxes if box.state == ItemState.OPEN)
            or "none is open"
        )
        raise WrongUsage(f"no box of {release} fits '{asked}'. Open ones: {shown}")
    shown = "; ".join(f"{box.line}: {box.text}" for box in fitting)
    raise WrongUsage(f"several boxes fit '{asked}', name one by its line number: {shown}")


def boxes_of(release: Release, environment: Environment | None) -> Iterable[ChecklistItem]:
    """The release's own boxes and, with an environment, those of the newest deployment there and of its way back."""
    own = ChecklistItem.objects.filter(release=release, deployment__isnull=True)
    if environment is None:
        return own
    newest = (
        Deployment.objects.filter(release=release, environment=environment, undoes__isnull=True)
        .exclude(status=DeploymentStatus.ABORTED)
        .order_by("-number")
        .first()
    )
    if newest is None:
        return own
    return own | ChecklistItem.objects.filter(Q(deployment=newest) | Q(deployment__undoes=newest))


def tick(box: ChecklistItem, *, user: User, evidence: str, at: datetime, bulk: bool = False) -> None:
    """Close a box with what was seen; a rollback trigger is pulled by it, and the run heeds it at its next look.

    Raises WrongUsage without evidence or for a box that the machine ticks, StaleState when it is closed already.
    """
    if box.ticked_by not in BY_PEOPLE:
        raise WrongUsage(
            f"'{box.text}' is ticked by {WHO[box.ticked_by]}, not by a person; where it does not apply, waive it"
        )
    if box.ticked_by == TRIGGER:
        _demand_running(box, user)
    _close(box, ItemState.TICKED, user=user, evidence=evidence, at=at, bulk=bulk)


def _demand_running(box: ChecklistItem, user: User) -> None:
    deployment = box.deployment
    assert deployment is not None
    demand(user, "rollback", deployment.environment)
    if deployment.status not in HEEDED:
        release = deployment.release
        words = f"rollback_release {release.service} {release.version} --environment {deployment.environment.name}"
        raise WrongUsage(f"{deployment} is {deployment.status} and heeds no trigger any more: `{words}`")


def _demand_second(box: ChecklistItem, user: User) -> None:
    """Raise NotAllowed for who asked for it, and for who may not agree to it."""
    demand(user, "skip", box.deployment.environment if box.deployment else None)
    if user.pk == box.asked_by_id:
        raise NotAllowed(f"{user.username} asked for '{box.text}' and cannot agree to it: ask somebody else")


def waive(box: ChecklistItem, *, user: User, reason: str, at: datetime) -> None:
    """Close a box as not applicable, with the reason."""
    _close(box, ItemState.WAIVED, user=user, evidence=reason, at=at)


def confirm_all(
    boxes: Iterable[ChecklistItem], *, user: User, evidence: str, at: datetime
) -> list[ChecklistItem]:
    """Tick the open boxes marked *confirm* with one piece of evidence, counted as confirmed in bulk; returns them."""
    confirmed = [box for box in boxes if box.ticked_by == "confirm" and box.state == ItemState.OPEN]
    for box in confirmed:
        tick(box, user=user, evidence=evidence, at=at, bulk=True)
    return confirmed


def _close(
    box: ChecklistItem, state: ItemState, *, user: User, evidence: str, at: datetime, bulk: bool = False
) -> None:
    demand(user, "tick", box.deployment.environment if box.deployment else None)
    if box.asked_by_id:
        _demand_second(box, user)
    if not evidence.strip():
        raise WrongUsage(f"'{box.text}' needs evidence: say what was seen with --evidence TEXT")
    if box.state in (ItemState.TICKED, ItemState.WAIVED):
        raise StaleState(
            f"'{box.text}' is {box.state} already, by {box.by or box.ticked_by} at {box.at:%H:%M:%S}"
        )
    proof = {"said": evidence.strip(), "by": user.username} | ({"in_bulk": True} if bulk else {})
    closing = Move(box, state, {"by": user, "evidence": proof, "at": at})
    with_it = _with_a_tick(box, user=user, at=at) if state == ItemState.TICKED else []
    if box.asked_by_id and state == ItemState.TICKED:
        with_it += answers.agreed(box, user=user, evidence=evidence, at=at)
    record(closing, *with_it, by=user.username, at=at, why=evidence)


def _with_a_tick(box: ChecklistItem, *, user: User, at: datetime) -> list[Move | Add | Change | Still]:
    """A watched deployment is looked at at once; of several boxes of one choice the others do not apply."""
    watched = box.deployment if box.deployment and box.deployment.status in HEEDED else None
    look = [Change(watched, {"due_at": at}, verb="to be looked at")] if watched else []
    return [*look, *_others_of_choice(box, user=user, at=at)]


def _others_of_choice(box: ChecklistItem, *, user: User, at: datetime) -> list[Move]:
    """One of several was picked: the others do not apply any more."""
    if not box.choice:
        return []
    group = ChecklistItem.objects.filter(
        release=box.release, deployment=box.deployment, choice=box.choice, state=ItemState.OPEN
    )
    fields = {"by": user, "at": at, "evidence": {"said": f"'{box.text}' was picked", "by": user.username}}
    return [Move(other, ItemState.WAIVED, fields) for other in group.exclude(pk=box.pk)]


def _fits(box: ChecklistItem, asked: str) -> bool:
    if asked.isdigit():
        return box.line == int(asked) or box.key.startswith(asked)
    return box.key.startswith(asked) or asked.casefold() in box.text.casefold()
