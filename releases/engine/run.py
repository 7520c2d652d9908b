"""A deployment from its next move to where it stops: done, waiting for a person or a time, or taken back."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone

from releases.engine import judging, turning
from releases.engine.lease import Run, Stopped, nothing, scaled
from releases.engine.perform import items_of, perform
from releases.engine.progress import Progress
from releases.engine.resume import settle
from releases.errors import GantryError, LeftInTheMiddle
from releases.lifecycle import items as lifecycle_items
from releases.lifecycle import logbook, planning, starting
from releases.models import Deployment
from releases.plan.clock import late_words, lateness
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
    next_move,
)
from releases.plan.model import BEFORE, PlannedStep, from_json
from releases.recorder import Lease, Move, hand_over
from releases.recorder import release as give_back
from releases.statuses import ABORT, HAND_OVER, PAUSE, PAUSED, DeploymentStatus

D = DeploymentStatus
LOOK_EVERY = 0.25
LOOK_AGAIN = timedelta(seconds=5)


def carry_on(
    deployment: Deployment,
    lease: Lease,
    *,
    by: str,
    progress: Progress,
    attended: bool = True,
    asked: Callable[[], str] = nothing,
) -> Deployment:
    """Take up what a dead worker left, then run until nothing more can be done now; returns it as it stands.

    `attended`: stay beside it until the last check at or before T+60; else do what is due and leave at once. `asked`
    says what the process beside it wants. Raises LeaseLost when another worker took over, and LeftInTheMiddle when
    Gantry's own database is gone.
    """
    plan = from_json(deployment.plan)
    run = Run(deployment=deployment, lease=lease, plan=plan, by=by, progress=progress, asked=asked)
    try:
        settle(run)
        if _still_holds(run):
            _loop(run, attended=attended)
    except Stopped:
        _pause(run)
    except DatabaseError as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LeftInTheMiddle(
            f"Gantry's own database does not answer as it should ({why}); {deployment} is left as it is, what it had "
            "begun goes on, and --resume takes it up"
        ) from error
    finally:
        # What went wrong above is the news, not what cannot be written because of it.
        with suppress(DatabaseError):
            _leave(run, deployment)
    deployment.refresh_from_db()
    return deployment


def _leave(run: Run, deployment: Deployment) -> None:
    give_back(run.lease)
    for each in {deployment, run.deployment}:
        _write_log(run, each)


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
        facts = planning.facts_of(deployment.release, deployment.environment)
        if planning.still_holds(deployment, facts):
            return True
    except GantryError as error:
        return _withdraw(run, str(error))
    return _withdraw(run, "the plan would come out differently than it was approved; plan and approve again")


def _withdraw(run: Run, message: str) -> bool:
    now = timezone.now()
    ended = Move(run.deployment, D.ABORTED, {"ended_at": now, "message": message})
    run.record(ended, at=now)
    run.progress.note(message)
    return False


def _loop(run: Run, *, attended: bool) -> None:
    step = None
    while True:
        run.tick()
        if _heeds(run):
            return
        judging.heed_pulled(run)
        move = next_move(run.plan, journal_of(run.deployment, timezone.now()))
        if isinstance(move, Perform) and move.step != step:
            if _is_held(run, move.step):
                return
            step = move.step
            _say_begun(run, step)
        if not _handle(run, move, attended=attended):
            return


def _say_begun(run: Run, step: PlannedStep) -> None:
    run.progress.step(step)
    zero = run.deployment.starts_at
    late = late_words(lateness(run.plan, step, zero, at=timezone.now())) if zero else ""
    if late:
        run.progress.note(f"{late} on the clock")


def _clock(run: Run, offset_minutes: float | None) -> datetime | None:
    """When a step is due on the clock; None where the run keeps to none."""
    zero = run.deployment.starts_at
    if zero is None or offset_minutes is None:
        return None
    return zero + scaled(offset_minutes, run.plan)


# --- safe points -----------------------------------------------------------------------------------------


def _heeds(run: Run) -> bool:
    """Between two actions: does somebody want the run to stop here?"""
    wanted = run.wanted()
    if wanted == HAND_OVER:
        run.progress.note("handed over: another worker goes on")
        hand_over(run.lease)
        return True
    if wanted == PAUSE:
        _pause(run)
        return True
    return wanted == ABORT and turning.abort(run)


def _is_held(run: Run, step: PlannedStep) -> bool:
    """At a step boundary: does a hold, an incident or a withdrawn approval stop a run that may stop here?

    Never a way back, never what is live, and never under the fence: there the choice is to finish or to go back.
    """
    deployment = run.deployment
    is_safe = step.phase == BEFORE and not deployment.environment.is_fenced
    if run.plan.direction == "back" or deployment.status != D.RUNNING or not is_safe:
        return False
    held = starting.held(deployment, at=timezone.now())
    if held is None:
        return False
    now = timezone.now()
    fields = {"message": f"held before '{step.title}': {held}", "due_at": now + LOOK_AGAIN}
    run.record(Move(deployment, D.WAITING, fields), at=now)
    run.progress.note(f"held: {held}")
    return True


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
        case Perform(step=step, actions=actions):
            perform(run, step, actions)
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


def journal_of(deployment: Deployment, now: datetime) -> Journal:
    """What the rows say: newest outcomes, the state of the boxes, minutes of the document since go-live."""
    live = None
    if deployment.live_at:
        scale = deployment.plan["time_scale"]
        live = (now - deployment.live_at).total_seconds() / 60 * scale
    return Journal(
        outcomes=dict(deployment.attempts.order_by("pk").values_list("action", "outcome")),
        items=dict(items_of(deployment).values_list("key", "state")),
        minutes_live=live,
        minutes_of_clock=_on_clock(deployment, now),
    )


def _on_clock(deployment: Deployment, now: datetime) -> float | None:
    """Minutes of the document since T-0, where the run keeps to a clock."""
    if deployment.starts_at is None:
        return None
    return (now - deployment.starts_at).total_seconds() / 60 * float(deployment.plan["time_scale"])


def _go_live(run: Run) -> None:
    now = timezone.now()
    move = Move(run.deployment, D.WATCHING, {"live_at": now, "due_at": now, "message": "live, being watched"})
    run.record(move, at=now)
    run.progress.note(f"{run.plan.version} is live; the watch begins")


def _await_time(run: Run, move: AwaitTime, minutes: float, *, attended: bool) -> bool:
    live = run.deployment.live_at
    due = live + scaled(minutes, run.plan) if live else _clock(run, minutes) or timezone.now()
    if live and not attended:
        return _sleep_until(run, due)
    run.progress.note(f"until T{minutes:+g} min: {move.step.title}")
    while timezone.now() < due:
        run.tick()
        if run.heard:
            return True
        judging.heed_pulled(run)
        if not live:
            time.sleep(max(0.0, min(LOOK_EVERY, (due - timezone.now()).total_seconds())))
            continue
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
    run.record(Move(run.deployment, D.WAITING, {"message": message, "due_at": None}), at=timezone.now())
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
    run.record(ended, at=now)
    run.progress.note(f"{run.plan.version} in {run.plan.environment}: {run.deployment.message}")


def _how_it_ended(run: Run) -> str:
    tries = run.deployment.attempts.exclude(outcome="succeeded").count()
    return (
        "successful"
        if not tries and not run.deployment.incidents.exists()
        else "successful with minor issues"
    )


def _pause(run: Run) -> None:
    """Leave a state from which --resume goes on, and say what is up."""
    now = timezone.now()
    if run.deployment.status != D.RUNNING:
        run.progress.note("left to beat, which goes on watching")
        _sleep_until(run, now)
        return
    asked = Deployment.objects.filter(pk=run.deployment.pk).values_list("message", flat=True).get()
    message = asked if asked.startswith(PAUSED) else f"{PAUSED} by {run.by}"
    message = f"{message}; {_what_is_up(run)}"
    run.record(Move(run.deployment, D.PAUSED, {"message": message, "due_at": None}), at=now)
    run.progress.note(message)


def _what_is_up(run: Run) -> str:
    fence = "maintenance is ON" if run.deployment.environment.is_fenced else "maintenance is off"
    return f"{fence}, and {run.deployment.environment} stays held by {run.deployment}"
