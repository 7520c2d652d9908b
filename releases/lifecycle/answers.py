"""What people answer to a run that waits: try again, count as done, go on without, go on. Each is a row of the journal.

So whoever carries the run on, a command line or a worker, reads the answer where everything else stands.
"""

from datetime import datetime

from django.contrib.auth.models import User

from releases.errors import StaleState, WrongUsage
from releases.models import Attempt, ChecklistItem, Deployment
from releases.permissions import demand
from releases.plan.model import PlannedAction, from_json
from releases.recorder import Add, Change, Still, record
from releases.statuses import RESUME, DeploymentStatus, ItemState, Outcome

D = DeploymentStatus
DONE = "counts as done"
SKIP = "-skip-"  # in the key of the box that a skip waits for: the action's key before it, the attempt's number after
WENT_WRONG = (Outcome.FAILED, Outcome.ERROR, Outcome.TIMED_OUT)


def retry(deployment: Deployment, *, user: User, at: datetime) -> list[Attempt]:
    """Let what did not succeed be tried again; returns the notes of it. Raises WrongUsage when nothing is broken."""
    demand(user, "deploy", deployment.environment)
    broken = [attempt for _, attempt in _broken(deployment)]
    notes = [
        _after(each, Outcome.ABORTED, f"{user.username} wants it tried again", user, at) for each in broken
    ]
    _write(deployment, *map(Add, notes), user=user, at=at)
    return notes


def count_as_done(deployment: Deployment, *, user: User, reason: str, at: datetime) -> list[Attempt]:
    """What was interrupted in the middle, so that nobody knows how far it came, is done; returns the notes of it."""
    demand(user, "deploy", deployment.environment)
    _demand_reason(reason, "--count-as-done REASON")
    unknown = [each for _, each in _broken(deployment) if each.outcome == Outcome.UNKNOWN]
    if not unknown:
        raise WrongUsage(
            f"nothing of {deployment} was interrupted in the middle; --retry or --skip what failed"
        )
    notes = [_after(each, Outcome.SKIPPED, f"{DONE}: {reason.strip()}", user, at) for each in unknown]
    _write(deployment, *map(Add, notes), user=user, at=at, why=reason)
    return notes


def skip(deployment: Deployment, *, user: User, reason: str, at: datetime) -> ChecklistItem | None:
    """Go on without the broken action. Where it changes the service a second person agrees: by ticking this box.

    None when one person was enough. Raises WrongUsage without a reason, or when nothing is broken.
    """
    demand(user, "skip", deployment.environment)
    _demand_reason(reason, "--skip REASON")
    action, attempt = _broken(deployment)[0]
    if not (action.changes or action.is_dangerous):
        skipped = _after(attempt, Outcome.SKIPPED, f"skipped by {user.username}: {reason.strip()}", user, at)
        _write(deployment, Add(skipped), user=user, at=at, why=reason)
        return None
    standing = deployment.items.filter(key=_key(attempt)).first()
    if standing is None:
        standing = _box(deployment, action, attempt, user=user, reason=reason.strip())
        record(Add(standing), by=user.username, at=at, why=reason)
    if standing.state == ItemState.WAIVED:
        why = standing.evidence.get("said", "")
        raise WrongUsage(f"{standing.by} turned it down ({why}): try again, or take it back")
    return standing


def _key(attempt: Attempt) -> str:
    """Of the box for this try: what is tried again and fails again is asked about again."""
    return f"{attempt.action}{SKIP}{attempt.number}"


def agreed(box: ChecklistItem, *, user: User, evidence: str, at: datetime) -> list[Add | Still]:
    """What the second person's tick of such a box writes with it."""
    deployment = box.deployment
    assert deployment is not None
    key, _, number = box.key.rpartition(SKIP)
    attempt = deployment.attempts.filter(action=key).latest("number")
    if deployment.status not in (D.WAITING, D.PAUSED) or str(attempt.number) != number:
        raise WrongUsage(f"'{box.text}' is over: {deployment} went on since, and asks again where it has to")
    reason = f"skipped: {box.text}, agreed to by {user.username}: {evidence.strip()}"
    return [Still(deployment, deployment.status), Add(_after(attempt, Outcome.SKIPPED, reason, user, at))]


def resume(deployment: Deployment, *, user: User, at: datetime) -> None:
    """Let a worker take up a run that waits or is paused; a way back tries again what went wrong.

    Raises StaleState for any other: what runs would take the asking for a wish to stop.
    """
    demand(user, "deploy", deployment.environment)
    if deployment.status not in (D.WAITING, D.PAUSED):
        raise StaleState(f"{deployment} is {deployment.status}: there is nothing to take up")
    try_again(deployment, user=user, at=at)
    asked = Change(deployment, {"wants": RESUME}, verb="resume asked")
    record(Still(deployment, deployment.status), asked, by=user.username, at=at)


def try_again(deployment: Deployment, *, user: User, at: datetime) -> None:
    """A way back that goes on tries again what went wrong; what nobody knows waits for an answer all the same."""
    if not deployment.undoes_id or deployment.status not in (D.WAITING, D.PAUSED):
        return
    bad = [attempt for _, attempt in _all_broken(deployment) if attempt.outcome in WENT_WRONG]
    notes = [_after(each, Outcome.ABORTED, "a way back tries again", user, at) for each in bad]
    if notes:
        _write(deployment, *map(Add, notes), user=user, at=at)


def _broken(deployment: Deployment) -> list[tuple[PlannedAction, Attempt]]:
    """What did not succeed, in the order of the plan; raises WrongUsage when there is nothing, or it still runs."""
    if deployment.status not in (D.WAITING, D.PAUSED):
        raise WrongUsage(f"{deployment} is {deployment.status}: take it up with --resume first, then answer")
    found = _all_broken(deployment)
    if not found:
        raise WrongUsage(f"no step of {deployment} is broken: --resume alone goes on")
    return found


def _all_broken(deployment: Deployment) -> list[tuple[PlannedAction, Attempt]]:
    newest = {attempt.action: attempt for attempt in deployment.attempts.order_by("number")}
    bad = (*WENT_WRONG, Outcome.UNKNOWN)
    actions = from_json(deployment.plan).actions
    return [
        (each, newest[each.key]) for each in actions if each.key in newest and newest[each.key].outcome in bad
    ]


def _after(attempt: Attempt, outcome: Outcome, reason: str, user: User, at: datetime) -> Attempt:
    """The note that comes after an attempt; what is tried again after it ended is a new effect, with a new key."""
    number = attempt.number + 1
    return Attempt(
        deployment=attempt.deployment,
        action=attempt.action,
        kind=attempt.kind,
        number=number,
        epoch=attempt.deployment.epoch,
        idempotency_key=f"{attempt.idempotency_key.rpartition('-')[0]}-{number}",
        outcome=outcome,
        result={"message": reason},
        by=user.username,
        reason=reason,
        opened_at=at,
        closed_at=at,
    )


def _write(deployment: Deployment, *rows: Add, user: User, at: datetime, why: str = "") -> None:
    record(Still(deployment, deployment.status), *rows, by=user.username, at=at, why=why)


def _demand_reason(reason: str, words: str) -> None:
    if not reason.strip():
        raise WrongUsage(f"it needs a reason: {words}")


def _box(
    deployment: Deployment, action: PlannedAction, attempt: Attempt, *, user: User, reason: str
) -> ChecklistItem:
    return ChecklistItem(
        release=deployment.release,
        deployment=deployment,
        key=_key(attempt),
        text=f"Go on without '{action.title}': {reason} (asked by {user.username})",
        line=action.line,
        ticked_by="person",
        is_required=False,
        asked_by=user,
    )
