"""Ticking boxes, waiving them, taking a tick back."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User

from checks.models import Environment
from releases.errors import StaleState, WrongUsage
from releases.models import ChecklistItem, Deployment, Release
from releases.permissions import demand
from releases.recorder import Move, record
from releases.statuses import DeploymentStatus, ItemState

BY_PEOPLE = ("person", "confirm")
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
    """The release's own boxes and, with an environment, those of the newest deployment there."""
    own = ChecklistItem.objects.filter(release=release, deployment__isnull=True)
    if environment is None:
        return own
    newest = (
        Deployment.objects.filter(release=release, environment=environment, undoes__isnull=True)
        .exclude(status=DeploymentStatus.ABORTED)
        .order_by("-number")
        .first()
    )
    return own | ChecklistItem.objects.filter(deployment=newest) if newest else own


def tick(box: ChecklistItem, *, user: User, evidence: str, at: datetime, bulk: bool = False) -> None:
    """Close a box with what was seen.

    Raises WrongUsage without evidence or for a box that the machine ticks, StaleState when it is closed already.
    """
    if box.ticked_by not in BY_PEOPLE:
        raise WrongUsage(
            f"'{box.text}' is ticked by {WHO[box.ticked_by]}, not by a person; where it does not apply, waive it"
        )
    _close(box, ItemState.TICKED, user=user, evidence=evidence, at=at, bulk=bulk)


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
    if not evidence.strip():
        raise WrongUsage(f"'{box.text}' needs evidence: say what was seen with --evidence TEXT")
    if box.state in (ItemState.TICKED, ItemState.WAIVED):
        raise StaleState(
            f"'{box.text}' is {box.state} already, by {box.by or box.ticked_by} at {box.at:%H:%M:%S}"
        )
    proof = {"said": evidence.strip(), "by": user.username} | ({"in_bulk": True} if bulk else {})
    record(Move(box, state, {"by": user, "evidence": proof, "at": at}), by=user.username, at=at, why=evidence)


def _fits(box: ChecklistItem, asked: str) -> bool:
    if asked.isdigit():
        return box.line == int(asked) or box.key.startswith(asked)
    return box.key.startswith(asked) or asked.casefold() in box.text.casefold()
