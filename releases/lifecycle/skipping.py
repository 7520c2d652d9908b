"""Going on without a step that did not succeed: one person asks; where the service is changed, another agrees."""

from datetime import datetime

from django.contrib.auth.models import User

from releases.errors import WrongUsage
from releases.models import ChecklistItem, Deployment
from releases.permissions import demand
from releases.plan.model import PlannedAction, from_json
from releases.recorder import Add, record
from releases.statuses import ItemState, Outcome

SKIP = "-skip"  # ends the key of the box that a skip waits for


def ask(deployment: Deployment, *, user: User, reason: str, at: datetime) -> ChecklistItem:
    """The box that lets the run go on without its broken action; ticked already where one person is enough.

    Raises WrongUsage without a reason, or when nothing is broken.
    """
    demand(user, "skip", deployment.environment)
    if not reason.strip():
        raise WrongUsage("a skip needs a reason: --skip REASON")
    action = broken(deployment)
    if action is None:
        raise WrongUsage(f"no step of {deployment} is broken; there is nothing to skip")
    standing = deployment.items.filter(key=f"{action.key}{SKIP}").first()
    if standing:
        return standing
    box = _box(deployment, action, user=user, reason=reason.strip(), at=at)
    record(Add(box), by=user.username, at=at, why=reason)
    return box


def broken(deployment: Deployment) -> PlannedAction | None:
    """The first action whose newest attempt did not succeed."""
    newest = dict(deployment.attempts.order_by("pk").values_list("action", "outcome"))
    good = (Outcome.SUCCEEDED, Outcome.SKIPPED, Outcome.OPEN, Outcome.ABORTED)
    actions = from_json(deployment.plan).actions
    return next((action for action in actions if newest.get(action.key, Outcome.OPEN) not in good), None)


def agreed(deployment: Deployment, action_key: str) -> str:
    """The reason for which people let the run go on without this action; empty when they did not."""
    box = deployment.items.filter(key=f"{action_key}{SKIP}", state=ItemState.TICKED).first()
    if box is None:
        return ""
    second = f", agreed to by {box.by}: {box.evidence.get('said', '')}" if box.asked_by else f", by {box.by}"
    return f"skipped: {box.text}{second}"


def _box(
    deployment: Deployment, action: PlannedAction, *, user: User, reason: str, at: datetime
) -> ChecklistItem:
    """Who asks for what changes the service, or is marked dangerous, needs a second person."""
    box = ChecklistItem(
        release=deployment.release,
        deployment=deployment,
        key=f"{action.key}{SKIP}",
        text=f"Go on without '{action.title}': {reason} (asked by {user.username})",
        line=action.line,
        ticked_by="person",
        is_required=False,
    )
    if action.changes or action.is_dangerous:
        box.asked_by = user
    else:
        box.state, box.by, box.at = ItemState.TICKED, user, at
        box.evidence = {"said": reason, "by": user.username}
    return box
