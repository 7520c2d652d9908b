"""What is known beside a plan before it runs: values, what actions run, how long it took, what changes, who signed."""

from collections.abc import Iterable
from datetime import datetime

from checks.models import Environment
from checks.secrets import MASK
from checks.variables import secrets_of, variables_of
from releases import repository
from releases.actions import action as handler_of
from releases.errors import WrongUsage
from releases.lifecycle import items, promotion
from releases.lifecycle.history import expected
from releases.models import Approval, Release
from releases.plan.given import of_release
from releases.plan.model import Plan, PlannedAction
from releases.plan.shown import Beside
from releases.statuses import ItemState


def beside(
    release: Release,
    environment: Environment,
    plan: Plan,
    *,
    approval: Approval | None = None,
    holds: Iterable[object] = (),
    zero: datetime | None = None,
) -> Beside:
    """Everything to show with a plan. `holds`: what keeps it from starting, `zero`: T-0 of a run by the clock."""
    hidden = secrets_of(environment)
    actions = [*plan.actions, *(a for way in plan.methods for step in way.steps for a in step.actions)]
    took = expected(environment, actions, hidden=hidden)
    changes, problem = _changes(release, environment, plan)
    return Beside(
        variables=_variables(environment, plan),
        hidden=hidden,
        scripts={action.key: script for action in actions if (script := script_of(action, plan))},
        seconds=took.seconds,
        whole=took.whole if plan.direction == "forward" else None,
        runs=took.runs,
        changes=changes,
        signed=_signed(release, approval) if plan.direction == "forward" else (),
        offers=tuple(_offers(release, environment)),
        holds=(*map(str, holds), *problem),
        zero=zero,
    )


def script_of(action: PlannedAction, plan: Plan) -> str:
    """The script that an action of this kind runs: by the very function that runs it."""
    return handler_of(action.kind).script(action, plan)


def _variables(environment: Environment, plan: Plan) -> dict[str, str]:
    """The values that commands will see, as far as they are known; of secrets the mask."""
    masks = {variable.name: MASK for variable in environment.variables.all() if variable.is_secret}
    return {**variables_of(environment), **of_release(plan), **masks}


def _changes(
    release: Release, environment: Environment, plan: Plan
) -> tuple[repository.Changes, tuple[str, ...]]:
    """What lies between the commit that runs and the one that comes; and what is said where that cannot be told."""
    old, new = plan.previous_commit, plan.commit
    if plan.direction == "back":
        old, new = new, old
    try:
        globs = release.service.migrations
        return repository.changes(environment.folder, old, new, migrations=globs), ()
    except WrongUsage as error:
        return repository.Changes(), (str(error),)


def _signed(release: Release, approval: Approval | None) -> tuple[str, ...]:
    if approval:
        return (f"approved by {approval.by.username}",)
    return (
        f"by nobody yet: an approver has to, who is not {release.requested_by.username} (they requested it)",
    )


def _offers(release: Release, environment: Environment) -> Iterable[str]:
    """What succeeded elsewhere, beside the open boxes that tell of it."""
    for box in items.boxes_of(release, environment):
        offer = promotion.offered(box, release) if box.state in (ItemState.OPEN, ItemState.FAILED) else ""
        if offer:
            yield f"line {box.line}: {box.text}: {offer}"
