"""Taking up what a dead engine left: end its children, ask the world about each open intent, write the answer."""

from django.utils import timezone

from checks.gates.process import Identity, end_group
from releases.actions import REPEATABLE
from releases.actions import action as handler_of
from releases.engine.perform import Run, context_of, raw_files
from releases.engine.progress import Progress
from releases.models import Attempt, Deployment
from releases.plan.model import PlannedAction, from_json
from releases.recorder import Lease, Move, open_attempts, record
from releases.statuses import Outcome


def settle(deployment: Deployment, lease: Lease, *, by: str, progress: Progress) -> None:
    """Close every open intent: aborted (converges, runs again), or unknown (waits for a person)."""
    run = Run(deployment=deployment, lease=lease, plan=from_json(deployment.plan), by=by, progress=progress)
    actions = {action.key: action for action in run.plan.actions}
    for attempt in list(open_attempts(deployment)):
        _end_children(attempt)
        outcome, message = _ask(run, actions[attempt.action], attempt)
        now = timezone.now()
        fields = {"closed_at": now, "result": {"message": message, "by_probe": True}}
        record(Move(attempt, outcome, fields), by=by, at=now, lease=lease)
        for left in raw_files(attempt):
            left.unlink(missing_ok=True)
        progress.note(f"{actions[attempt.action].title}: {message}")


def _end_children(attempt: Attempt) -> None:
    if attempt.process:
        end_group(Identity(pid=attempt.process["pid"], started=attempt.process["started"]))


def _ask(run: Run, action: PlannedAction, attempt: Attempt) -> tuple[Outcome, str]:
    """What an interrupted action can be said to have done."""
    if not attempt.process and handler_of(action.kind).command(action, context_of(run, attempt)):
        return Outcome.ABORTED, "it was interrupted before its command ran; it runs again"
    if action.kind in REPEATABLE or action.options.get("idempotent") == "true":
        return Outcome.ABORTED, "it was interrupted and may be run again; it runs again"
    return Outcome.UNKNOWN, "it was interrupted in the middle; nobody knows how far it came"
