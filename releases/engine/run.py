"""A deployment from its next move to where it stops: done, waiting for a person or a time, or taken back."""

import time
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from releases.engine import judging, turning
from releases.engine.perform import Run, items_of, perform, scaled
from releases.engine.progress import Progress
from releases.errors import GantryError
from releases.lifecycle import deployments, logbook
from releases.lifecycle import items as lifecycle_items
from releases.models import Attempt, Deployment
from releases.plan.journal import (
    AwaitPeople,
    AwaitTime,
    Broken,
    Finished,
    GoLive,
    Journal,
    Next,
    Perform,
    Tick,
    is_attended,
    newest_outcomes,
    next_move,
)
from releases.plan.model import from_json, plan_hash
from releases.recorder import Lease, Move, record
from releases.recorder import release as give_back
from releases.statuses import DeploymentStatus, Outcome

D = DeploymentStatus
LOOK_EVERY = 0.25


def carry_on(
    deployment: Deployment,
    lease: Lease,
    *,
    by: str,
    progress: Progress,
    attended: bool = True,
    retry: bool = False,
) -> Deployment:
    """Run until nothing more can be done now; returns the deployment as it stands.

    `retry`: actions that went wrong are tried again; a way back always tries again.
    `attended`: stay beside it until the last check at or before T+60; else do what is due and leave at once.
    Raises LeaseLost when another worker took over, KeyboardInterrupt after pausing cleanly.
    """
    run = Run(deployment=deployment, lease=lease, plan=from_json(deployment.plan), by=by, progress=progress)
    run.retry_before = timezone.now() if retry or deployment.undoes_id else None
    try:
        if _still_holds(run):
            _loop(run, attended=attended)
    except KeyboardInterrupt:
        _pause(run)
        raise
    finally:
        give_back(run.lease)
        for each in {deployment, run.deployment}:
            _write_log(run, each)
    deployment.refresh_from_db()
    return deployment


def _write_log(run: Run, deployment: Deployment) -> None:
    """The log is written from the rows and can be written again; failing to is no failure of the deployment."""
    try:
        logbook.write(deployment)
    except OSError as error:
        run.progress.note(f"the log could not be written: {error}")


def _still_holds(run: Run) -> bool:
    """Before the first action: a plan that would come out differently now was not approved, and ends here."""
    deployment = run.deployment
    if deployment.undoes_id or deployment.attempts.exists():
        return True
    try:
        today = plan_hash(deployments.make(deployment.release, deployment.environment))
    except GantryError as error:
        return _withdraw(run, str(error))
    if today == deployment.plan_hash:
        return True
    return _withdraw(
        run, f"the plan changed since it was approved (it is {today[:12]} now); plan and approve again"
    )


def _withdraw(run: Run, message: str) -> bool:
    now = timezone.now()
    ended = Move(run.deployment, D.ABORTED, {"ended_at": now, "message": message})
    record(ended, by=run.by, at=now, lease=run.lease)
    run.progress.note(message)
    return False


def _loop(run: Run, *, attended: bool) -> None:
    step = None
    while True:
        run.tick()
        judging.heed_pulled(run)
        move = next_move(run.plan, journal_of(run.deployment, timezone.now(), retry_before=run.retry_before))
        if getattr(move, "step", None) not in (None, step) and isinstance(move, Perform):
            step = move.step
            run.progress.step(step)
        if not _handle(run, move, attended=attended):
            return


def _handle(run: Run, move: Next, *, attended: bool) -> bool:
    """Do one move; False when the run stops here."""
    if run.deployment.status == D.WATCHING:
        if attended and isinstance(move, Perform | Tick | AwaitTime) and not is_attended(move):
            return _leave_to_beat(run, move)
        if not judging.watch(run):
            return False
        # The look may have turned the run round: it is its own way back now, and the move is of the past.
        if run.plan.direction == "back":
            return True
    return _do(run, move, attended=attended)


def _do(run: Run, move: Next, *, attended: bool) -> bool:
    match move:
        case Perform(step=step, action=action):
            perform(run, step, action)
        case Tick(step=step, items=items):
            judging.judge_items(run, step, items)
        case AwaitTime(step=step, offset_minutes=minutes):
            return _await_time(run, move, minutes, attended=attended)
        case GoLive():
            _go_live(run)
        case AwaitPeople():
            return _answered(run, move) or _await_people(run, move)
        case Broken():
            return turning.decide(run, move)
        case Finished():
            _finish(run)
            return False
    return True


def journal_of(deployment: Deployment, now: datetime, *, retry_before: datetime | None = None) -> Journal:
    """What the rows say: newest outcomes, the state of the boxes, minutes of the document since go-live.

    With `retry_before`, what went wrong before that moment counts as not done yet.
    """
    live = None
    if deployment.live_at:
        scale = deployment.plan["time_scale"]
        live = (now - deployment.live_at).total_seconds() / 60 * scale
    attempts: list[Attempt] = list(deployment.attempts.only("action", "outcome", "closed_at"))
    states = dict(items_of(deployment).values_list("key", "state"))
    outcomes = newest_outcomes([attempt for attempt in attempts if not _is_retried(attempt, retry_before)])
    return Journal(outcomes=outcomes, items=states, minutes_live=live)


def _is_retried(attempt: Attempt, retry_before: datetime | None) -> bool:
    if retry_before is None or attempt.closed_at is None:
        return False
    return attempt.closed_at < retry_before and not Outcome(attempt.outcome).is_good


def _go_live(run: Run) -> None:
    now = timezone.now()
    move = Move(run.deployment, D.WATCHING, {"live_at": now, "due_at": now, "message": "live, being watched"})
    record(move, by=run.by, at=now, lease=run.lease)
    run.progress.note(f"{run.plan.version} is live; the watch begins")


def _await_time(run: Run, move: AwaitTime, minutes: float, *, attended: bool) -> bool:
    live = run.deployment.live_at
    due = (live or timezone.now()) + scaled(minutes, run.plan)
    if not attended:
        return _sleep_until(run, due)
    run.progress.note(f"until T+{minutes:g} min: {move.step.title}")
    while timezone.now() < due:
        run.tick()
        judging.heed_pulled(run)
        if run.plan.direction == "forward" and not judging.watch(run):
            return False
        if run.plan.direction == "back":
            return True
        time.sleep(max(0.0, min(LOOK_EVERY, (due - timezone.now()).total_seconds())))
    return True


def _leave_to_beat(run: Run, move: Perform | Tick | AwaitTime) -> bool:
    """The attended window is over: the rest of the watch is beat's."""
    offset = move.step.offset_minutes or 0.0
    live = run.deployment.live_at or timezone.now()
    ends = live + scaled(run.plan.last_offset, run.plan)
    run.progress.note(
        f"the attended window is over; the watch goes on until {timezone.localtime(ends):%Y-%m-%d %H:%M:%S %Z} "
        "(next look "
        f"{timezone.localtime(live + scaled(offset, run.plan)):%H:%M:%S}), driven by Celery beat: "
        "`manage.py serve` or your worker and beat must run"
    )
    return _sleep_until(run, timezone.now())


def _sleep_until(run: Run, due: datetime) -> bool:
    """Give the lease back and say when to look again: soon while thresholds are watched, else when something is due."""
    soon = timezone.now() + timedelta(seconds=1)
    Deployment.objects.filter(pk=run.deployment.pk).update(due_at=min(due, soon) if run.plan.limits else due)
    give_back(run.lease)
    return False


def _answered(run: Run, move: AwaitPeople) -> bool:
    """Did the person beside the run settle the first of these boxes? Nobody is asked once users are served."""
    if run.deployment.status != D.RUNNING:
        return False
    item = move.items[0]
    seen = run.progress.answer(item, run.tick)
    if not seen:
        return False
    box = items_of(run.deployment).get(key=item.key)
    lifecycle_items.tick(box, user=User.objects.get(username=run.by), evidence=seen, at=timezone.now())
    return True


def _await_people(run: Run, move: AwaitPeople) -> bool:
    """Before go-live this holds the run and gives the lease back; after it, the watch stays open for them."""
    names = "; ".join(f"'{item.text}'" for item in move.items)
    message = f"waits for a person: {names}"
    if run.deployment.status == D.WATCHING:
        Deployment.objects.filter(pk=run.deployment.pk).update(message=message)
        run.progress.note(message)
        return _sleep_until(run, timezone.now() + timedelta(seconds=5))
    record(
        Move(run.deployment, D.WAITING, {"message": message}), by=run.by, at=timezone.now(), lease=run.lease
    )
    run.progress.note(message)
    return False


def _finish(run: Run) -> None:
    now = timezone.now()
    if run.plan.direction == "back":
        turning.finish_back(run, now)
        return
    ended = Move(
        run.deployment, D.SUCCEEDED, {"ended_at": now, "due_at": None, "message": _how_it_ended(run)}
    )
    record(ended, by=run.by, at=now, lease=run.lease)
    run.progress.note(f"{run.plan.version} in {run.plan.environment}: {run.deployment.message}")


def _how_it_ended(run: Run) -> str:
    tries = run.deployment.attempts.exclude(outcome="succeeded").count()
    return (
        "successful"
        if not tries and not run.deployment.incidents.exists()
        else "successful with minor issues"
    )


def _pause(run: Run) -> None:
    """Ctrl-C: leave a state from which --resume goes on."""
    now = timezone.now()
    if run.deployment.status == D.RUNNING:
        fence = "maintenance is ON" if run.deployment.environment.is_fenced else "maintenance is off"
        message = f"paused by Ctrl-C; {fence}"
        record(Move(run.deployment, D.PAUSED, {"message": message}), by=run.by, at=now, lease=run.lease)
    else:
        give_back(run.lease)
