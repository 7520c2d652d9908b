"""One attempt at one action: intent, gate, effect, confirmation, outcome."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from django.db import DatabaseError
from django.utils import timezone

from checks import secrets
from checks.gates.process import Child, Command, CommandNotFound
from checks.sampling import ask_by_name
from checks.variables import secrets_of, variables_of
from checks.verdicts import Verdict
from releases.actions import action as handler_of
from releases.actions import is_repeatable
from releases.actions.base import Action, Context, Observation
from releases.engine.output import Output
from releases.engine.progress import Progress
from releases.errors import LeaseLost
from releases.models import Attempt, ChecklistItem, Deployment
from releases.models.deployments import output_path
from releases.plan.model import Plan, PlannedAction, PlannedStep
from releases.recorder import Add, Change, Lease, Move, fence, record
from releases.shell import bash
from releases.statuses import ItemState, Outcome

HEARTBEAT = 2.5
LOOK_AGAIN = 0.25
LARGEST = 32 * 1024
ASKED_SOMETHING = ("[y/n]", "[yes/no]", "(yes/no)", "password:", "(y/n)", "[y/n]:", "continue?")


@dataclass(kw_only=True)
class Run:
    """A deployment in the hands of this process: its lease, its frozen plan, who asked, who watches.

    Actions whose last attempt went wrong before `retry_before` are tried again.
    """

    deployment: Deployment
    lease: Lease
    plan: Plan
    by: str
    progress: Progress
    retry_before: datetime | None = None
    beaten_at: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Called at least once a second wherever the run waits: renews the lease; raises LeaseLost."""
        if time.monotonic() - self.beaten_at >= HEARTBEAT:
            fence(self.lease)
            self.beaten_at = time.monotonic()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command or a look ended, before it is written down."""

    outcome: Outcome
    message: str
    code: int | None = None
    observation: Observation | None = None


def perform(run: Run, step: PlannedStep, action: PlannedAction) -> Attempt:
    """Run one action and record its outcome together with the boxes that it ticks; returns the closed attempt."""
    attempt = _open(run, action)
    run.progress.began(action, attempt)
    context = context_of(run, attempt)
    try:
        ended = _carry_out(run, action, attempt, context)
    except KeyboardInterrupt:
        _close(run, step, action, attempt, _interrupted(action), context)
        raise
    except (LeaseLost, DatabaseError):
        raise
    # The engine's edge: whatever broke in one action is that attempt's error, and the run decides as for any other.
    except Exception as bug:  # noqa: BLE001
        ended = Ended(outcome=Outcome.ERROR, message=f"{type(bug).__name__}: {bug}")
    _close(run, step, action, attempt, ended, context)
    return attempt


def _open(run: Run, action: PlannedAction) -> Attempt:
    """The intent, committed before anything happens."""
    number = run.deployment.attempts.filter(action=action.key).count() + 1
    attempt = Attempt(
        deployment=run.deployment,
        action=action.key,
        kind=action.kind,
        number=number,
        epoch=run.lease.epoch,
        command=secrets.mask(action.text, secrets_of(run.deployment.environment)),
        output=f"{run.deployment.pk}-{action.key}-{number}.log",
        by=run.by,
        opened_at=timezone.now(),
    )
    record(Add(attempt), by=run.by, at=attempt.opened_at, lease=run.lease)
    return attempt


def context_of(run: Run, attempt: Attempt) -> Context:
    """Everything the action may know; the variables include what earlier blocks of this run set."""
    environment = run.deployment.environment
    begun = timezone.localtime((run.deployment.undoes or run.deployment).started_at or attempt.opened_at)
    return Context(
        deployment=run.deployment,
        environment=environment,
        plan=run.plan,
        variables={**variables_of(environment), **_of_release(run.plan, begun), **_handed_on(run.deployment)},
        secrets=secrets_of(environment),
        opened_at=attempt.opened_at,
        handed_on=output_path(attempt.output).with_suffix(".vars"),
    )


def _of_release(plan: Plan, begun: datetime) -> dict[str, str]:
    """`begun`: when the deployment was planned, or the one that is taken back: its copies carry that date."""
    return {
        "RELEASE_VERSION": plan.version,
        "RELEASE_COMMIT": plan.commit,
        "PREVIOUS_VERSION": plan.previous_version,
        "PREVIOUS_COMMIT": plan.previous_commit,
        "DEPLOYMENT_DATE": begun.strftime("%Y%m%d"),
        "DEPLOYMENT_TIME": begun.strftime("%Y%m%d_%H%M%S"),
    }


def _handed_on(deployment: Deployment) -> dict[str, str]:
    """What earlier attempts set, oldest first; a way back knows what the deployment that it undoes had set."""
    found: dict[str, str] = {}
    for each in filter(None, (deployment.undoes, deployment)):
        for attempt in each.attempts.all():
            found |= attempt.result.get("variables", {})
    # One block's PATH must not decide over the programs of every later one, least of all of the way back.
    found.pop("PATH", None)
    return found


def _carry_out(run: Run, action: PlannedAction, attempt: Attempt, context: Context) -> Ended:
    handler = handler_of(action.kind)
    command = handler.command(action, context)
    ended = (
        _execute(run, command, attempt, context) if command else Ended(outcome=Outcome.SUCCEEDED, message="")
    )
    if not ended.outcome.is_good:
        return ended
    observation = _confirm(run, handler, action, context)
    if observation.done and action.options.get("probe"):
        observation = _probed(run, action, observation)
    if observation.done and observation.compare:
        return Ended(outcome=Outcome.UNKNOWN, message=observation.compare, observation=observation)
    if observation.done:
        message = observation.message or ended.message
        return Ended(outcome=Outcome.SUCCEEDED, message=message, code=ended.code, observation=observation)
    late = f" (looked for {handler.patience:g} s)" if handler.patience else ""
    return Ended(
        outcome=Outcome.FAILED, message=observation.message + late, code=ended.code, observation=observation
    )


def _execute(run: Run, command: Command, attempt: Attempt, context: Context) -> Ended:
    raw = output_path(attempt.output).with_suffix(".raw")
    raw.touch(mode=0o600)
    stored = output_path(attempt.output)
    output = Output(raw=raw, stored=stored, secrets=context.secrets, show=run.progress.output)
    try:
        child = Child(command, output=raw)
    except CommandNotFound as error:
        output.finish()
        return Ended(outcome=Outcome.ERROR, message=str(error))
    try:
        identity = {"pid": child.identity.pid, "started": child.identity.started}
        process = Change(attempt, {"process": identity}, verb="spawned")
        record(process, by=run.by, at=timezone.now(), lease=run.lease)
        child.open()
        return _follow(run, child, command, attempt, output)
    except (KeyboardInterrupt, LeaseLost):
        child.end()
        raise
    finally:
        output.finish()
        attempt.tail = output.tail


def _follow(run: Run, child: Child, command: Command, attempt: Attempt, output: Output) -> Ended:
    """Until the script ends (not its output: a daemon it started may keep that open), or its time is over."""
    started = spoken = time.monotonic()
    while (code := child.wait(LOOK_AGAIN)) is None:
        run.tick()
        now = time.monotonic()
        if output.pump():
            spoken = now
            Attempt.objects.filter(pk=attempt.pk).update(tail=output.tail)
        over = _over(command, total=now - started, silent=now - spoken)
        if over:
            return Ended(outcome=Outcome.TIMED_OUT, message=over, code=child.end())
    output.finish()
    if code == 0:
        return Ended(outcome=Outcome.SUCCEEDED, message="", code=0)
    return Ended(outcome=Outcome.FAILED, message=_why(code, output.tail), code=code)


def _over(command: Command, *, total: float, silent: float) -> str:
    if total > command.timeout:
        return (
            f"it took more than {command.timeout:g} s and was ended; raise its limit with {{timeout=SECONDS}}"
        )
    if silent > command.silence:
        return f"it said nothing for {command.silence:g} s and was ended; raise its limit with {{silence=SECONDS}}"
    return ""


def _why(code: int, tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    last = lines[-1] if lines else "no output"
    message = f"ended with {code}: {last}" if code >= 0 else f"ended by signal {-code}: {last}"
    if last.lower().endswith(ASKED_SOMETHING):
        message += " (it asked a question, and there is no terminal: use its option for no input)"
    return message


def _confirm(run: Run, handler: Action, action: PlannedAction, context: Context) -> Observation:
    """Look until it is done or not done, or patience is over."""
    until = time.monotonic() + action.number("patience", handler.patience)
    while True:
        run.tick()
        observation = handler.confirm(action, context)
        if observation.done is not None or time.monotonic() >= until:
            return observation
        time.sleep(LOOK_AGAIN)


def _probed(run: Run, action: PlannedAction, observation: Observation) -> Observation:
    """The fence's `probe=NAME` has the last word."""
    environment, name = run.deployment.environment, action.options["probe"]
    verdict, seen = ask_by_name(environment, name, at=timezone.now())
    evidence = {**observation.evidence, "probe": {"name": name, "verdict": verdict.value, "seen": seen}}
    return replace(
        observation, done=verdict is Verdict.PASSED, message=f"probe {name}: {seen}", evidence=evidence
    )


def _interrupted(action: PlannedAction) -> Ended:
    """Ctrl-C: what converges is run again on --resume; of anything else nobody knows how far it came."""
    if is_repeatable(action):
        return Ended(outcome=Outcome.ABORTED, message="interrupted; it runs again on --resume")
    return Ended(outcome=Outcome.UNKNOWN, message="interrupted in the middle; nobody knows how far it came")


def _close(
    run: Run, step: PlannedStep, action: PlannedAction, attempt: Attempt, ended: Ended, context: Context
) -> None:
    now = timezone.now()
    observation = ended.observation or Observation(done=None)
    result = {
        "code": ended.code,
        "message": secrets.mask(ended.message, context.secrets),
        "evidence": secrets.masked(observation.evidence, context.secrets),
        "compare": observation.compare,
        "variables": _safe(_variables(context) | observation.variables, context.secrets),
    }
    fields = {"result": result, "tail": attempt.tail, "closed_at": now}
    attempt.result, attempt.closed_at = result, now
    boxes = boxes_of_step(run, step, attempt) if ended.outcome.is_good else []
    evidence = {"step": step.title, "attempts": _told(run, step, attempt), "seconds": attempt.seconds}
    ticks = [
        Move(box, ItemState.TICKED, {"attempt": attempt, "evidence": evidence, "at": now}) for box in boxes
    ]
    closing = Move(attempt, ended.outcome, fields)
    record(closing, *observation.changes, *ticks, by=run.by, at=now, lease=run.lease)
    run.progress.ended(action, attempt)
    closed = {box.key for box in boxes}
    run.progress.ticked(tuple(item for item in step.items if item.key in closed), step.title)


def _variables(context: Context) -> dict[str, str]:
    try:
        written = context.handed_on.read_bytes()
    except FileNotFoundError:
        return {}
    context.handed_on.unlink(missing_ok=True)
    return bash.handed_on(written, known=dict(context.variables)) if b"\0\0" in written else {}


def _safe(variables: dict[str, str], hidden: tuple[str, ...]) -> dict[str, str]:
    """What is handed on: nothing that holds a secret in any spelling, for it would be stored in the open.

    And nothing over 32 KiB: the next command would not start, for its environment would be too large.
    """
    spellings = secrets.needles(hidden)
    return {
        name: value
        for name, value in variables.items()
        if len(value) <= LARGEST and not any(spelling in value for spelling in spellings)
    }


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


def boxes_of_step(run: Run, step: PlannedStep, attempt: Attempt) -> list[ChecklistItem]:
    """The open boxes bound to this action, and those bound to the step if this was its last action."""
    is_last = bool(step.actions) and step.actions[-1].key == attempt.action
    keys = [
        item.key
        for item in step.items
        if item.by == "step" and (item.by_name == attempt.action or (is_last and not item.by_name))
    ]
    return list(items_of(run.deployment).filter(key__in=keys, state=ItemState.OPEN))


def _told(run: Run, step: PlannedStep, last: Attempt) -> list[str]:
    """What each action of a step came to, a line each, copied: pruning attempts may not change evidence."""
    earlier = [action.key for action in step.actions[:-1]]
    tries = [*run.deployment.attempts.filter(action__in=earlier, outcome=Outcome.SUCCEEDED), last]
    titles = {action.key: action.title for action in step.actions}
    return [f"{titles[each.action]}: {each.result.get('message') or 'succeeded'}" for each in tries]


def items_of(deployment: Deployment):  # type: ignore[no-untyped-def]
    """The boxes that this deployment has to do with: its own and its release's."""
    own = ChecklistItem.objects.filter(deployment=deployment)
    return own | ChecklistItem.objects.filter(release=deployment.release, deployment__isnull=True)


def raw_files(attempt: Attempt) -> tuple[Path, Path]:
    """Where a killed engine left the unmasked output and the variables of an attempt."""
    stored = output_path(attempt.output)
    return stored.with_suffix(".raw"), stored.with_suffix(".vars")


def scaled(minutes: float, plan: Plan) -> timedelta:
    """Minutes of the document as time on this environment's clock."""
    return timedelta(minutes=minutes / plan.time_scale)
