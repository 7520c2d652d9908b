"""One action from its command to what the world shows; a generator, so that several can be under way at once."""

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

from django.db import DatabaseError
from django.utils import timezone

from checks.errors import ChecksError
from checks.gates.identity import Identity
from checks.gates.process import Child, Command, CommandNotFound, NotRun, Orphan, Untold, end_group
from checks.sampling import ask_by_name
from checks.verdicts import Verdict
from releases.actions import action as handler_of
from releases.actions.base import Action, Context, Observation, is_taken_up
from releases.engine.context import leftover
from releases.engine.lease import Run
from releases.engine.output import Output
from releases.errors import GantryError
from releases.models import Attempt
from releases.models.deployments import output_path
from releases.plan.hosts import HOST
from releases.plan.model import PlannedAction
from releases.statuses import Outcome

ASKED_SOMETHING = ("[y/n]", "[yes/no]", "(yes/no)", "password:", "(y/n)", "[y/n]:", "continue?")
# INT, TERM and KILL: who was to end it may have died before writing that down, so of one taken up it says nothing.
ENDED_BY_US = (130, 143, 137)
SIGNALS = range(129, 160)  # a shell's exit code for a command that a signal ended
AGAIN = "it was interrupted and may run again; it runs again"
TAKEN_UP = "what watched it is gone; what became of it on {host} is read there"
NOBODY_KNOWS = "it was interrupted in the middle; nobody knows how far it came"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command or a look ended, before it is written down."""

    outcome: Outcome
    message: str = ""
    code: int | None = None
    observation: Observation | None = None


# Yields what it waits for: a command, or None for a moment.
Going = Generator[Child | Orphan | None, None, Ended]


def carry_out(run: Run, action: PlannedAction, attempt: Attempt, context: Context) -> Going:
    """Start the action's command behind the gate, follow it, and look whether it took effect."""
    handler = handler_of(action.kind)
    command = handler.command(action, context)
    ended = Ended(outcome=Outcome.SUCCEEDED)
    if command:
        raw = leftover(attempt, ".raw")
        raw.touch(mode=0o600)
        try:
            child = Child(command, output=raw)
        except CommandNotFound as error:
            return Ended(outcome=Outcome.ERROR, message=str(error))
        try:
            ended = yield from _follow(run, action, child, command, attempt, context, opens=True)
        except Untold:
            end_group(child.identity)
            return ask_world(run, action, context)
    return (yield from _looked(run, handler, action, context, ended))


def go_on(run: Run, action: PlannedAction, attempt: Attempt, context: Context) -> Going:
    """The same for a command that outlived the engine that had started it; where it is gone the world is asked."""
    handler = handler_of(action.kind)
    identity = Identity(**attempt.process)
    if not identity.is_here:
        return ask_world(run, action, context, elsewhere=identity.place)
    command = handler.command(action, context)
    assert command is not None
    orphan = Orphan(identity, code=leftover(attempt, ".code"))
    try:
        ended = yield from _follow(run, action, orphan, command, attempt, context, opens=False)
    except Untold:
        # Its gate is gone, what it started may still run: nothing is asked or repeated beside it.
        end_group(identity)
        return ask_world(run, action, context)
    if ended.code in ENDED_BY_US:
        return ask_world(run, action, context)
    return (yield from _looked(run, handler, action, context, ended))


def ask_world(run: Run, action: PlannedAction, context: Context, *, elsewhere: str = "") -> Ended:
    """What an interrupted action can be said to have done; with `elsewhere` its command may still run there."""
    if is_taken_up(action):
        # Whoever watched it from wherever: it runs on its host by itself, and is known there by its key.
        return Ended(outcome=Outcome.ABORTED, message=TAKEN_UP.format(host=action.options[HOST]))
    handler = handler_of(action.kind)
    try:
        done, observation = _probe(run, handler, action, context)
    except (GantryError, ChecksError, OSError) as error:
        return Ended(outcome=Outcome.UNKNOWN, message=f"{NOBODY_KNOWS}; {error}")
    if done:
        message = f"it was interrupted, and it is done: {observation.message or 'as it should be'}"
        return Ended(outcome=Outcome.SUCCEEDED, message=message, observation=observation)
    if elsewhere and action.changes:
        message = f"its worker on {elsewhere.partition('/')[0]} is gone, its command may still run there"
        return Ended(outcome=Outcome.UNKNOWN, message=message)
    if done is False:
        return Ended(outcome=Outcome.ABORTED, message=AGAIN)
    return Ended(outcome=Outcome.UNKNOWN, message=NOBODY_KNOWS)


def _probe(
    run: Run, handler: Action, action: PlannedAction, context: Context
) -> tuple[bool | None, Observation]:
    """The fence's own `probe=NAME`, else what the kind of action can see, else whether it may simply run again."""
    if action.options.get("probe"):
        seen = _asked(run, action, Observation(done=None))
        return seen.done, seen
    if handler.probe(action, context):
        observation = handler.confirm(action, context)
        return bool(observation.done), observation
    may_repeat = handler.probe(action, context) is False or action.options.get("idempotent") == "true"
    return (False if may_repeat else None), Observation(done=None)


# --- following a command ----------------------------------------------------------------------------


def _follow(
    run: Run,
    action: PlannedAction,
    child: Child | Orphan,
    command: Command,
    attempt: Attempt,
    context: Context,
    *,
    opens: bool,
) -> Going:
    """Until the command ends (not its output: a daemon it started may keep that open), or its time is over.

    Whoever closes this generator before ends the command. Raises Untold.
    """
    output = _output(run, attempt, context)
    code: int | None = None
    is_ours, is_left = True, False
    try:
        if opens:
            _let_run(run, child, attempt)
        code = yield from _waited(child, command, attempt, output)
    except TooLong as over:
        return Ended(outcome=Outcome.TIMED_OUT, message=str(over), code=child.end())
    except NotRun as late:
        is_ours = False
        return Ended(outcome=Outcome.ABORTED, message=f"{late}; it runs again")
    except CommandNotFound as error:
        is_ours = False
        return Ended(outcome=Outcome.ERROR, message=str(error))
    except Untold:
        is_ours = False
        raise
    except DatabaseError:
        # Left as a killed engine leaves it, for who takes the run up.
        is_ours, is_left = False, True
        raise
    finally:
        if code is None and is_ours:
            _leave(run, child, is_taken_up(action))
        if not run.is_lost and not is_left:
            output.finish()
            attempt.tail = output.tail
    if code in SIGNALS:
        # Its shell was ended by somebody; what that had started must not run on beside what comes next.
        end_group(child.identity)
    return _of_code(code, output.tail, context)


def _leave(run: Run, child: Child | Orphan, is_only_watched: bool) -> None:
    """End a command that this process does not follow to its end, unless who took the run over follows it."""
    if is_only_watched and run.is_lost:
        child.kill()
    elif run.owns_commands:
        child.end()


def _let_run(run: Run, child: Child | Orphan, attempt: Attempt) -> None:
    """Who it is, written down, and then the gate."""
    run.note_process(attempt, child.identity.stored())
    assert isinstance(child, Child)
    child.open(until=run.may_act_until)


class TooLong(Exception):
    """A command's time is over; says which."""


def _waited(
    child: Child | Orphan, command: Command, attempt: Attempt, output: Output
) -> Generator[Child | Orphan | None, None, int]:
    started = spoken = time.monotonic()
    while (code := child.wait(0)) is None:
        yield child
        now = time.monotonic()
        if output.pump():
            spoken = now
            Attempt.objects.filter(pk=attempt.pk).update(tail=output.tail)
        over = _over(command, total=now - started, silent=now - spoken)
        if over:
            raise TooLong(over)
    return code


def _output(run: Run, attempt: Attempt, context: Context) -> Output:
    """The output of an attempt; of one that is taken up it is stored anew, if its raw file is still there."""
    raw, stored = leftover(attempt, ".raw"), output_path(attempt.output)
    output = Output(raw=raw, stored=stored, secrets=context.secrets, show=partial(_show, run))
    if raw.exists():
        stored.unlink(missing_ok=True)
    else:
        raw.touch(mode=0o600)
        output.tail = attempt.tail
    return output


def _show(run: Run, text: str) -> None:
    """Storing hundreds of megabytes takes longer than a lease holds."""
    run.progress.output(text)
    run.beat()


def _over(command: Command, *, total: float, silent: float) -> str:
    if total > command.timeout:
        return (
            f"it took more than {command.timeout:g} s and was ended; raise its limit with {{timeout=SECONDS}}"
        )
    if silent > command.silence:
        return f"it said nothing for {command.silence:g} s and was ended; raise its limit with {{silence=SECONDS}}"
    return ""


def _of_code(code: int, tail: str, context: Context) -> Ended:
    if context.lost.exists():
        return Ended(outcome=Outcome.UNKNOWN, message=context.lost.read_text().strip(), code=code)
    if code == 0:
        return Ended(outcome=Outcome.SUCCEEDED, code=0)
    return Ended(outcome=Outcome.FAILED, message=_why(code, tail), code=code)


def _why(code: int, tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    last = lines[-1] if lines else "no output"
    number = -code if code < 0 else code - 128 if code in SIGNALS else 0
    message = f"ended by signal {number}: {last}" if number else f"ended with {code}: {last}"
    if last.lower().endswith(ASKED_SOMETHING):
        message += " (it asked a question, and there is no terminal: use its option for no input)"
    return message


# --- looking at the world ---------------------------------------------------------------------------


def _looked(run: Run, handler: Action, action: PlannedAction, context: Context, ended: Ended) -> Going:
    """What a look at the world makes of a command that ended well."""
    if not ended.outcome.is_good:
        return ended
    observation = yield from _confirmed(handler, action, context)
    if observation.done and action.options.get("probe"):
        observation = _asked(run, action, observation)
    if observation.done and observation.compare:
        return Ended(outcome=Outcome.UNKNOWN, message=observation.compare, observation=observation)
    if observation.done:
        return replace(ended, message=observation.message or ended.message, observation=observation)
    late = f" (looked for {handler.patience:g} s)" if handler.patience else ""
    return Ended(
        outcome=Outcome.FAILED, message=observation.message + late, code=ended.code, observation=observation
    )


def _confirmed(
    handler: Action, action: PlannedAction, context: Context
) -> Generator[None, None, Observation]:
    """Look until it is done or not done, or patience is over."""
    until = time.monotonic() + action.number("patience", handler.patience)
    while True:
        observation = handler.confirm(action, context)
        if observation.done is not None or time.monotonic() >= until:
            return observation
        yield None


def _asked(run: Run, action: PlannedAction, observation: Observation) -> Observation:
    """The fence's `probe=NAME` has the last word; one that cannot tell leaves it open."""
    environment, name = run.deployment.environment, action.options["probe"]
    verdict, seen = ask_by_name(environment, name, at=timezone.now())
    evidence = {**observation.evidence, "probe": {"name": name, "verdict": verdict.value, "seen": seen}}
    done = {Verdict.PASSED: True, Verdict.FAILED: False}.get(
        verdict, None if observation.done is None else False
    )
    return replace(observation, done=done, message=f"probe {name}: {seen}", evidence=evidence)
