"""Taking up what a dead engine left: end its children, ask the world about each open intent, write the answer."""

from django.utils import timezone

from checks.gates.process import Identity, end_group
from checks.variables import secrets_of
from releases.actions import action as handler_of
from releases.actions import is_repeatable
from releases.engine.output import Output
from releases.engine.perform import Run, context_of, raw_files, skipped_after
from releases.engine.progress import Progress
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.plan.model import PlannedAction, from_json
from releases.recorder import Add, Lease, Move, open_attempts, record
from releases.statuses import Outcome


def settle(deployment: Deployment, lease: Lease, *, by: str, progress: Progress) -> None:
    """Close every open intent: aborted (converges, runs again), or unknown (waits for a person)."""
    run = Run(deployment=deployment, lease=lease, plan=from_json(deployment.plan), by=by, progress=progress)
    actions = {action.key: action for action in run.plan.actions}
    for attempt in list(open_attempts(deployment)):
        _end_children(attempt)
        outcome, message = _ask(run, actions[attempt.action], attempt)
        now = timezone.now()
        fields = {"closed_at": now, "result": {"message": message}, "tail": _saved_output(attempt)}
        record(Move(attempt, outcome, fields), by=by, at=now, lease=lease)
        progress.note(f"{actions[attempt.action].title}: {message}")


def count_as_done(deployment: Deployment, lease: Lease, *, by: str, reason: str, progress: Progress) -> None:
    """A person looked: each action of which nobody knew how far it came counts as done, with who and why."""
    titles = {action.key: action.title for action in from_json(deployment.plan).actions}
    newest = {attempt.action: attempt for attempt in deployment.attempts.all()}
    now = timezone.now()
    for attempt in newest.values():
        if attempt.outcome != Outcome.UNKNOWN:
            continue
        done = skipped_after(attempt, lease=lease, reason=f"counts as done: {reason}", by=by, at=now)
        record(Add(done), by=by, at=now, why=reason, lease=lease)
        progress.note(f"{titles[attempt.action]} counts as done: {reason}")


def _saved_output(attempt: Attempt) -> str:
    """Store what the interrupted command said, masked, and return its tail: it is all that who looks has to go by."""
    raw, variables = raw_files(attempt)
    variables.unlink(missing_ok=True)
    if not raw.exists():
        return attempt.tail
    stored = output_path(attempt.output)
    stored.unlink(missing_ok=True)
    hidden = secrets_of(attempt.deployment.environment)
    output = Output(raw=raw, stored=stored, secrets=hidden, show=lambda text: None)
    output.finish()
    return output.tail


def _end_children(attempt: Attempt) -> None:
    if attempt.process:
        end_group(Identity(pid=attempt.process["pid"], started=attempt.process["started"]))


def _ask(run: Run, action: PlannedAction, attempt: Attempt) -> tuple[Outcome, str]:
    """What an interrupted action can be said to have done."""
    if not attempt.process and handler_of(action.kind).command(action, context_of(run, attempt)):
        return Outcome.ABORTED, "it was interrupted before its command ran; it runs again"
    if is_repeatable(action):
        return Outcome.ABORTED, "it was interrupted and may be run again; it runs again"
    return Outcome.UNKNOWN, "it was interrupted in the middle; nobody knows how far it came"
