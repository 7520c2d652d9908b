"""Attempts at the actions of one move: intent, effect, outcome; several of a group at the same time."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from checks import secrets
from checks.gates.process import Child, Orphan, wait_any
from checks.variables import secrets_of
from releases.actions.base import Context, Observation
from releases.engine import execute
from releases.engine.context import context_of, sweep, variables_set
from releases.engine.execute import Ended, Going
from releases.engine.lease import Run, Stopped
from releases.errors import LeaseLost
from releases.models import Attempt, ChecklistItem, Deployment
from releases.plan.model import PlannedAction, PlannedStep
from releases.recorder import Add, Lease, Move
from releases.statuses import ItemState, Outcome

LOOK_AGAIN = 0.25


@dataclass(kw_only=True)
class Work:
    """An action under way: its attempt, what it may know, and what it waits for."""

    step: PlannedStep
    action: PlannedAction
    attempt: Attempt
    context: Context
    going: Going
    waits_for: Child | Orphan | None = None


def perform(run: Run, step: PlannedStep, actions: Sequence[PlannedAction]) -> None:
    """Run these actions at the same time; each outcome is recorded together with the boxes that it ticks."""
    works = []
    for action, (attempt, context) in zip(actions, _open(run, actions), strict=True):
        run.progress.began(action, attempt)
        going = execute.carry_out(run, action, attempt, context)
        works.append(Work(step=step, action=action, attempt=attempt, context=context, going=going))
    _drive(run, works)


def take_up(run: Run, step: PlannedStep, action: PlannedAction, attempt: Attempt) -> None:
    """Follow a command that outlived the engine that had started it, to its end and outcome."""
    run.progress.began(action, attempt)
    context = context_of(run, attempt)
    going = execute.go_on(run, action, attempt, context)
    _drive(run, [Work(step=step, action=action, attempt=attempt, context=context, going=going)])


def _open(run: Run, actions: Sequence[PlannedAction]) -> list[tuple[Attempt, Context]]:
    """The intents, committed before anything happens, each with what its action may know."""
    now, hidden = timezone.now(), secrets_of(run.deployment.environment)
    attempts = [_intent(run, action, now, hidden) for action in actions]
    contexts = [context_of(run, attempt) for attempt in attempts]
    for attempt, context in zip(attempts, contexts, strict=True):
        attempt.variables = secrets.masked(dict(context.variables), hidden)
    run.record(*map(Add, attempts), at=now)
    return list(zip(attempts, contexts, strict=True))


def _intent(run: Run, action: PlannedAction, at: datetime, hidden: tuple[str, ...]) -> Attempt:
    earlier = run.deployment.attempts.filter(action=action.key).order_by("number").last()
    number = earlier.number + 1 if earlier else 1
    return Attempt(
        deployment=run.deployment,
        action=action.key,
        kind=action.kind,
        number=number,
        epoch=run.lease.epoch,
        command=secrets.mask(action.text, hidden),
        idempotency_key=_key(run.deployment, action, earlier),
        output=f"{run.deployment.pk}-{action.key}-{number}.log",
        by=run.by,
        opened_at=at,
    )


def _key(deployment: Deployment, action: PlannedAction, earlier: Attempt | None) -> str:
    """The same as before for an attempt that was interrupted: what is tried again is the same effect."""
    if earlier and earlier.outcome == Outcome.ABORTED:
        return earlier.idempotency_key
    number = earlier.number + 1 if earlier else 1
    return f"gantry-{deployment.pk}-{deployment.planned_at:%Y%m%d%H%M%S}-{action.key}-{number}"


# --- under way ---------------------------------------------------------------------------------------


def _drive(run: Run, works: list[Work]) -> None:
    """Move all works on by turns until each has ended; raises Stopped, LeaseLost."""
    going = list(works)
    try:
        while going:
            for work in list(going):
                ended = _moved_on(work)
                if ended:
                    going.remove(work)
                    _close(run, work, ended)
            if going:
                _wait(going)
                run.tick()
    except Stopped:
        for work in going:
            work.going.close()
            _close(run, work, execute.ask_world(run, work.action, work.context))
        raise
    except DatabaseError as gone:
        # What runs is left running, for who takes the run up: nothing could be written of its end.
        for work in going:
            with suppress(DatabaseError, StopIteration):
                work.going.throw(gone)
        raise
    finally:
        for work in going:
            work.going.close()


def _moved_on(work: Work) -> Ended | None:
    """Its next piece; how it ended, or None while it goes on."""
    try:
        work.waits_for = next(work.going)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    except (LeaseLost, DatabaseError):
        raise
    # The engine's edge: whatever broke in one action is that attempt's error, and the run decides as for any other.
    except Exception as bug:  # noqa: BLE001
        return Ended(outcome=Outcome.ERROR, message=f"{type(bug).__name__}: {bug}")
    return None


def _wait(going: Iterable[Work]) -> None:
    commands = [work.waits_for for work in going if work.waits_for]
    if commands:
        wait_any(commands, LOOK_AGAIN)
    else:
        time.sleep(LOOK_AGAIN)


# --- the outcome ---------------------------------------------------------------------------------------


def _close(run: Run, work: Work, ended: Ended) -> None:
    attempt, now = work.attempt, timezone.now()
    observation = ended.observation or Observation(done=None)
    attempt.result = _result(work.context, ended, observation)
    attempt.closed_at = now
    boxes = boxes_of_step(run, work.step, attempt) if ended.outcome.is_good else []
    evidence = {"step": work.step.title, "attempts": _told(run, work, boxes), "seconds": attempt.seconds}
    fields = {"attempt": attempt, "evidence": evidence, "at": now}
    closing = Move(attempt, ended.outcome, {"result": attempt.result, "tail": attempt.tail, "closed_at": now})
    run.record(closing, *observation.changes, *(Move(box, ItemState.TICKED, fields) for box in boxes), at=now)
    run.handed_on = None if attempt.result["variables"] else run.handed_on
    sweep(attempt)
    run.progress.ended(work.action, attempt)
    closed = {box.key for box in boxes}
    run.progress.ticked(tuple(item for item in work.step.items if item.key in closed), work.step.title)


def _result(context: Context, ended: Ended, observation: Observation) -> dict[str, object]:
    return {
        "code": ended.code,
        "message": secrets.mask(ended.message, context.secrets),
        "evidence": secrets.masked(observation.evidence, context.secrets),
        "compare": observation.compare,
        "variables": variables_set(context, observation.variables),
    }


def boxes_of_step(run: Run, step: PlannedStep, attempt: Attempt) -> list[ChecklistItem]:
    """The open boxes bound to this action, and those bound to the step if nothing of it is left to do."""
    bound = [item for item in step.items if item.by == "step"]
    if not bound:
        return []
    is_done = _others_are_done(run, step, attempt)
    keys = [item.key for item in bound if item.by_name == attempt.action or (is_done and not item.by_name)]
    return list(items_of(run.deployment).filter(key__in=keys, state=ItemState.OPEN))


def _others_are_done(run: Run, step: PlannedStep, attempt: Attempt) -> bool:
    others = {action.key for action in step.actions} - {attempt.action}
    good = (Outcome.SUCCEEDED, Outcome.SKIPPED)
    done = run.deployment.attempts.filter(action__in=others, outcome__in=good)
    return others <= set(done.values_list("action", flat=True))


def _told(run: Run, work: Work, boxes: list[ChecklistItem]) -> list[str]:
    """What each action of a step came to, a line each, copied: pruning attempts may not change evidence."""
    return list(_lines(run, work)) if boxes else []


def _lines(run: Run, work: Work) -> Iterator[str]:
    titles = {action.key: action.title for action in work.step.actions}
    others = [key for key in titles if key != work.action.key]
    tries = run.deployment.attempts.filter(action__in=others, outcome=Outcome.SUCCEEDED)
    for each in [*tries, work.attempt]:
        yield f"{titles[each.action].rstrip(';')}: {each.result.get('message') or 'succeeded'}"


def skipped_after(attempt: Attempt, *, lease: Lease, reason: str, by: str, at: datetime) -> Attempt:
    """An attempt that says: this action counts as done, and why; not yet written."""
    return Attempt(
        deployment=attempt.deployment,
        action=attempt.action,
        kind=attempt.kind,
        number=attempt.number + 1,
        epoch=lease.epoch,
        outcome=Outcome.SKIPPED,
        result={"message": reason},
        by=by,
        reason=reason,
        opened_at=at,
        closed_at=at,
    )


def items_of(deployment: Deployment):  # type: ignore[no-untyped-def]
    """The boxes that this deployment has to do with: its own and its release's."""
    own = ChecklistItem.objects.filter(deployment=deployment)
    return own | ChecklistItem.objects.filter(release=deployment.release, deployment__isnull=True)
