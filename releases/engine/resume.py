"""Taking up what a dead engine left: follow commands that live on, ask the world of every other open intent."""

from django.utils import timezone

from releases.actions import action as handler_of
from releases.engine.context import context_of, sweep
from releases.engine.execute import AGAIN
from releases.engine.lease import Run
from releases.engine.perform import take_up
from releases.models import Attempt
from releases.plan.model import PlannedAction
from releases.recorder import Move, open_attempts
from releases.statuses import Outcome

NOT_BEGUN = "it was interrupted before its command ran; it runs again"


def settle(run: Run) -> None:
    """Close every open intent: as its command ended, as the world shows, to run again, or unknown for a person.

    Raises LeaseLost, and Stopped when a person wants an end at once.
    """
    actions = {action.key: action for action in run.plan.actions}
    for attempt in list(open_attempts(run.deployment)):
        _settle(run, actions[attempt.action], attempt)
    for attempt in run.deployment.attempts.exclude(outcome=Outcome.OPEN).exclude(output=""):
        sweep(attempt)


def _settle(run: Run, action: PlannedAction, attempt: Attempt) -> None:
    if attempt.process:
        run.progress.note(f"{action.title}: begun by a worker that is gone; taken up")
        take_up(run, run.plan.step_of(action.key), action, attempt)
        return
    has_command = handler_of(action.kind).command(action, context_of(run, attempt)) is not None
    message, now = NOT_BEGUN if has_command else AGAIN, timezone.now()
    fields = {"closed_at": now, "result": {"message": message}}
    run.record(Move(attempt, Outcome.ABORTED, fields), at=now)
    run.progress.note(f"{action.title}: {message}")
